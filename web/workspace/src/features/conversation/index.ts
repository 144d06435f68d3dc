import { lazy } from "react";

/** The pane is its own chunk: the list is usable before it has come. `preload` fetches it while the list is being read. */
const load = () => import("./pane");
export const preloadConversation = () => void load();
export const ConversationPane = lazy(() => load().then((m) => ({ default: m.ConversationPane })));
export { prefetchConversation, useDetail } from "./queries";
