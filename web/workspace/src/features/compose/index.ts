/** Door of writing a new mail; loaded when it is first opened. */
export { ComposeDialog } from "./compose";
