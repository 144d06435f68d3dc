export { SettingsScreen } from "./screen";
