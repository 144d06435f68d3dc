export { ContactPanel } from "./panel";
