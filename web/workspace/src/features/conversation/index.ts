export { ConversationPane } from "./pane";
export { prefetchConversation, useDetail } from "./queries";
export { AgentPicker, SnoozePicker, TagPicker } from "./pickers";
