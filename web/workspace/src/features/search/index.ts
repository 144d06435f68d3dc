export { SearchScreen } from "./screen";
