export { Shell } from "./shell";
export { InboxScreen } from "./inbox-screen";
