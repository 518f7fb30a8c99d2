// Names of settings: `workspaceModel.maxBytes` in VS Code is `max_bytes` of `workspace_model` in Caret.

export type Tree = Record<string, unknown>;

export function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Where the setting `name`, less its leading `caret.`, belongs: a section, "client" by default, and a key. */
export function place(name: string): { section: string; key: string } {
  const [first, second] = name.split(".");
  return second === undefined
    ? { section: "client", key: snake(first!) }
    : { section: snake(first!), key: snake(second) };
}

/** Settings as the language server wants them: the client's flat, the others each in its section. */
export function nested(values: ReadonlyMap<string, unknown>): Tree {
  const tree: Tree = {};
  for (const [name, value] of values) {
    const { section, key } = place(name);
    if (section === "client") tree[key] = value;
    else tree[section] = { ...(tree[section] as Tree | undefined), [key]: value };
  }
  return tree;
}

/** Settings as the variables that `caret` reads when it starts. */
export function variables(values: ReadonlyMap<string, unknown>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of values) {
    const { section, key } = place(name);
    out[`CARET_${section}_${key}`.toUpperCase()] = Array.isArray(value) ? value.join(",") : String(value);
  }
  return out;
}
