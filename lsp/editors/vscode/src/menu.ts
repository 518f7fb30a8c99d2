// What a click on the status item offers: what fits, the likeliest first.

import { commands, type QuickPickItem, window } from "vscode";
import { isTheirs, Status } from "./status.ts";

interface Entry extends QuickPickItem {
  command: string;
  argument?: string;
}

export async function showMenu(status: Status): Promise<void> {
  const chosen = await window.showQuickPick(entries(status), { placeHolder: "Caret" });
  if (chosen) await commands.executeCommand(chosen.command, ...(chosen.argument ? [chosen.argument] : []));
}

function entries(status: Status): Entry[] {
  const editor = window.activeTextEditor;
  const isText = isTheirs(editor);
  const found: Entry[] = [];
  if (status.stage === "missing") found.push({ label: "$(cloud-download) How to Install Caret", command: "caret.install" });
  if (status.off) found.push({ label: "$(check) Enable Suggestions Here", command: "caret.enableHere" });
  if (isText && status.stage === "ready") {
    found.push({ label: "$(question) Explain This Completion", command: "caret.explain" });
  }
  if (isText && !status.off) {
    found.push(
      { label: "$(circle-slash) Disable in This File", command: "caret.disableFile" },
      { label: `$(circle-slash) Disable for This Language`, description: editor.document.languageId, command: "caret.disableLanguage" },
      { label: "$(circle-slash) Disable in This Workspace", command: "caret.disableWorkspace" },
    );
  }
  found.push(
    { label: "$(debug-restart) Restart the Language Server", command: "caret.restart" },
    { label: "$(output) Show Log", command: "caret.showLog" },
    { label: "$(gear) Settings", command: "workbench.action.openSettings", argument: "@ext:caret.caret" },
  );
  return found;
}
