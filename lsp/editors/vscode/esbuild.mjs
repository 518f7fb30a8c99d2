// One file for VS Code to load: the extension and vscode-languageclient in it.
import { build } from "esbuild";

await build({
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.cjs",
  bundle: true,
  minify: true,
  format: "cjs",
  platform: "node",
  target: "node20", // the oldest that VS Code 1.91 brings
  external: ["vscode"],
});
