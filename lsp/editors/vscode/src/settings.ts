// What the user has set, and only that: a default that is merely shown must not override a configuration file.

import { type ExtensionContext, workspace } from "vscode";
import { nested, type Tree, variables } from "./names.ts";

interface Property {
  scope?: string;
}

const OWN = new Set(["command", "arguments", "logLevel"]);

export class Settings {
  readonly #ordinary: string[] = [];
  readonly #machine: string[] = [];

  constructor(context: ExtensionContext) {
    const headings = context.extension.packageJSON.contributes.configuration as {
      properties: Record<string, Property>;
    }[];
    for (const { properties } of headings) {
      for (const [full, { scope }] of Object.entries(properties)) {
        const name = full.slice("caret.".length);
        if (!OWN.has(name)) (scope === "machine" ? this.#machine : this.#ordinary).push(name);
      }
    }
  }

  /** Settings of which a change takes a new start of the language server. */
  get needStart(): string[] {
    return [...OWN, ...this.#machine].map((name) => `caret.${name}`);
  }

  get command(): string[] {
    return workspace.getConfiguration("caret").get<string[]>("command") ?? ["caret"];
  }

  get arguments(): string[] {
    const caret = workspace.getConfiguration("caret");
    return ["--log-level", caret.get<string>("logLevel") ?? "warning", ...(caret.get<string[]>("arguments") ?? [])];
  }

  get environment(): Record<string, string> {
    return variables(setOnes(this.#machine));
  }

  get tree(): Tree {
    return nested(setOnes(this.#ordinary));
  }
}

function setOnes(names: readonly string[]): Map<string, unknown> {
  const caret = workspace.getConfiguration("caret");
  const found = new Map<string, unknown>();
  for (const name of names) {
    const at = caret.inspect(name);
    const value = at?.workspaceFolderValue ?? at?.workspaceValue ?? at?.globalValue;
    if (value !== undefined) found.set(name, value);
  }
  return found;
}
