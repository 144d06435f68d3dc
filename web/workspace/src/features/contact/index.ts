import { lazy } from "react";

export const ContactPanel = lazy(() => import("./panel").then((m) => ({ default: m.ContactPanel })));
