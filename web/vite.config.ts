import { defineConfig } from "vitest/config";

// Every asset is embedded in the daemon by its exact name and served with a policy that allows no inline code,
// so nothing may be inlined into the page.
export default defineConfig({
  base: "/",
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    chunkSizeWarningLimit: 700,
  },
  server: { host: "127.0.0.1" },
  test: { include: ["test/unit/**/*.test.ts"], environment: "node" },
});
