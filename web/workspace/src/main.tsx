import "@fontsource-variable/inter/wght.css";
import "./main.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { startKeys } from "./app/commands";
import { queryClient } from "./app/query";
import { router } from "./app/router";
import { firstLocale, loadText } from "./text";

// The theme of the last visit, before anything is drawn.
const theme = localStorage.getItem("continuo.theme");
if (theme === "light" || theme === "dark") document.documentElement.dataset["theme"] = theme;

await loadText(firstLocale());
startKeys();
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
}
