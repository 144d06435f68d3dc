import { en, type Text } from "./en";
export const ar: Text = { ...en };
