import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { find } from "./program.ts";

test("a program is found on PATH or by its full path, and nothing else is", () => {
  const folder = mkdtempSync(join(tmpdir(), "caret-"));
  try {
    for (const name of ["caret", "plain"]) writeFileSync(join(folder, name), "");
    chmodSync(join(folder, "caret"), 0o755);
    mkdirSync(join(folder, "folder"));
    const path = ["/nowhere", "relative", folder].join(delimiter);
    assert.equal(find("caret", path), join(folder, "caret"));
    assert.equal(find(join(folder, "caret"), ""), join(folder, "caret"));
    for (const name of ["plain", "folder", "absent", "./caret", ""]) assert.equal(find(name, path), undefined);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
