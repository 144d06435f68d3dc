import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type PluginOption } from "vite";

const owned = ["/api", "/w/", "/login", "/invite", "/reset", "/files", "/healthz", "/readyz"];

export default defineConfig(async () => {
  const plugins: PluginOption[] = [react(), tailwind()];
  const mock = process.env["MOCK"];
  if (mock) {
    const { mockBackend } = await import("../mock/src/vite-plugin");
    plugins.push(mockBackend(mock, Number(process.env["MOCK_PULSE"] ?? 0)));
  }
  const target = process.env["CONTINUO_URL"] ?? "http://127.0.0.1:8080";
  return {
    plugins,
    // Workers of the tests and the size check read the built files; no hand-made chunks: they drag rarely used code into the first load.
    build: { target: "es2022", assetsDir: "assets", manifest: true, modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
    server: { proxy: mock ? undefined : Object.fromEntries(owned.map((path) => [path, { target, ws: path === "/api", changeOrigin: false }])) },
    test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}", "test/**/*.test.ts"] },
  };
});
