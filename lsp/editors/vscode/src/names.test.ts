import assert from "node:assert/strict";
import { test } from "node:test";
import { nested, place, variables } from "./names.ts";

test("a name belongs to the client, or to the section before its dot", () => {
  assert.deepEqual(place("disabledLanguages"), { section: "client", key: "disabled_languages" });
  assert.deepEqual(place("workspaceModel.maxBytes"), { section: "workspace_model", key: "max_bytes" });
});

test("settings are nested as the server reads them", () => {
  const values = new Map<string, unknown>([
    ["enabled", false], ["context.enabled", true], ["context.maxBytes", 5],
  ]);
  assert.deepEqual(nested(values), { enabled: false, context: { enabled: true, max_bytes: 5 } });
});

test("settings of the machine are variables, as the configuration spells them", () => {
  const values = new Map<string, unknown>([["startTimeoutS", 9], ["context.excludedGlobs", ["a", "b/*"]]]);
  assert.deepEqual(variables(values), { CARET_CLIENT_START_TIMEOUT_S: "9", CARET_CONTEXT_EXCLUDED_GLOBS: "a,b/*" });
});
