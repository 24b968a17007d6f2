import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { type Plugin } from "vite";
import { defineConfig } from "vitest/config";

const HERE = dirname(fileURLToPath(import.meta.url));

// What the App puts on window for its plugins (app/packages/plugins/src/externalize.ts).
const GLOBALS: Record<string, string> = {
  react: "React",
  "react-dom": "ReactDOM",
  recoil: "recoil",
  "@mui/material": "__mui__",
  "@fiftyone/operators": "__foo__",
  "@fiftyone/plugins": "__fop__",
  "@fiftyone/spaces": "__fosp__",
  "@fiftyone/state": "__fos__",
};

/** Records what the bundle was built from; tests/test_plugin.py computes the same. */
function sourceDigest(): Plugin {
  return {
    name: "source-digest",
    generateBundle() {
      const sources = readdirSync(join(HERE, "src"), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(HERE, join(entry.parentPath, entry.name)).split(sep).join("/"));
      const others = ["package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"];
      const digest = createHash("sha256");
      for (const path of [...others, ...sources].sort()) {
        digest.update(path).update("\0").update(readFileSync(join(HERE, path))).update("\0");
      }
      this.emitFile({ type: "asset", fileName: "source.sha256", source: `${digest.digest("hex")}\n` });
    },
  };
}

export default defineConfig({
  define: { "process.env.NODE_ENV": JSON.stringify("production") },
  plugins: [sourceDigest()],
  build: {
    target: "es2020",
    lib: {
      entry: join(HERE, "src/index.tsx"),
      name: "RelabelCvat",
      formats: ["umd"],
      fileName: () => "index.umd.js",
    },
    rollupOptions: { external: Object.keys(GLOBALS), output: { globals: GLOBALS } },
  },
  test: { include: ["tests/**/*.test.{ts,tsx}"], environment: "node" },
});
