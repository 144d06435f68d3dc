export { ListPane } from "./pane";
