export { SetupScreen } from "./screen";
