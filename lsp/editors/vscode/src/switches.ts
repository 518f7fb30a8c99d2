// Suggestions on and off, for a file, a language or the workspace: each is a setting that can be seen.

import { ConfigurationTarget, type Uri, window, workspace } from "vscode";

const caret = () => workspace.getConfiguration("caret");
const nearest = () => (workspace.workspaceFolders ? ConfigurationTarget.Workspace : ConfigurationTarget.Global);

export async function disableFile(): Promise<void> {
  const document = window.activeTextEditor?.document;
  const glob = document && patternOf(document.uri);
  if (document === undefined) return;
  if (glob === undefined) {
    void window.showInformationMessage("Caret: this file is in no workspace folder; disable its language instead.");
    return;
  }
  await add("disabledGlobs", glob, ConfigurationTarget.Workspace);
}

export async function disableLanguage(): Promise<void> {
  const document = window.activeTextEditor?.document;
  if (document) await add("disabledLanguages", document.languageId, ConfigurationTarget.Global);
}

export async function disableWorkspace(): Promise<void> {
  await caret().update("enabled", false, nearest());
}

/** Take away what of the settings keeps suggestions from the active editor. */
export async function enableHere(): Promise<void> {
  const document = window.activeTextEditor?.document;
  for (const key of ["enabled", "automatic"]) {
    for (const [value, target] of values(key)) {
      if (value === false) await caret().update(key, undefined, target);
    }
    if (caret().get(key) === false) await caret().update(key, true, nearest());
  }
  if (document === undefined) return;
  await remove("disabledLanguages", document.languageId);
  const glob = patternOf(document.uri);
  if (glob !== undefined) await remove("disabledGlobs", glob);
}

async function add(key: string, value: string, target: ConfigurationTarget): Promise<void> {
  const at = caret().inspect<string[]>(key);
  const there = (target === ConfigurationTarget.Global ? at?.globalValue : at?.workspaceValue ?? at?.globalValue) ?? [];
  if (!there.includes(value)) await caret().update(key, [...there, value], target);
  // A workspace's list hides the user's own.
  if (target === ConfigurationTarget.Global && at?.workspaceValue && !at.workspaceValue.includes(value)) {
    await caret().update(key, [...at.workspaceValue, value], ConfigurationTarget.Workspace);
  }
}

async function remove(key: string, value: string): Promise<void> {
  for (const [list, target] of values(key)) {
    if (Array.isArray(list) && list.includes(value)) {
      const rest = list.filter((one) => one !== value);
      await caret().update(key, rest.length ? rest : undefined, target);
    }
  }
}

function values(key: string): [unknown, ConfigurationTarget][] {
  const at = caret().inspect(key);
  const found: [unknown, ConfigurationTarget][] = [[at?.globalValue, ConfigurationTarget.Global]];
  if (at?.workspaceValue !== undefined) found.push([at.workspaceValue, ConfigurationTarget.Workspace]);
  return found;
}

/** The pattern that means one file of a workspace folder and no other; undefined for what is in none. */
function patternOf(uri: Uri): string | undefined {
  if (uri.scheme !== "file" || workspace.getWorkspaceFolder(uri) === undefined) return undefined;
  return `/${workspace.asRelativePath(uri, false).replace(/[\\*?[\]]/g, "\\$&")}`;
}
