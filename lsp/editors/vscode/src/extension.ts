// The extension: registers what there is, and starts the language server.

import { commands, type ExtensionContext, type TextDocument, Uri, window, workspace } from "vscode";
import { Explain } from "./explain.ts";
import { showMenu } from "./menu.ts";
import { Server } from "./server.ts";
import { Settings } from "./settings.ts";
import { isTheirs, Status } from "./status.ts";
import { disableFile, disableLanguage, disableWorkspace, enableHere } from "./switches.ts";

let server: Server | undefined;

export async function activate(context: ExtensionContext): Promise<void> {
  const log = window.createOutputChannel("Caret", { log: true });
  const status = new Status();
  const settings = new Settings(context);
  const here = new Server(settings, status, log);
  server = here;
  const explain = new Explain(here);
  let seen: { document?: TextDocument; version?: number } = {}; // where the cursor was seen last
  const look = async () => {
    const editor = window.activeTextEditor;
    status.silent(isTheirs(editor) ? await here.silence(editor.document) : "");
  };
  status.onReady = look;
  const register = (name: string, run: () => unknown) => commands.registerCommand(`caret.${name}`, run);
  context.subscriptions.push(
    log, status, here, explain,
    register("menu", () => showMenu(status)),
    register("enableHere", enableHere),
    register("disableFile", disableFile),
    register("disableLanguage", disableLanguage),
    register("disableWorkspace", disableWorkspace),
    register("explain", () => explain.show()),
    register("restart", () => here.restart()),
    register("showLog", () => log.show()),
    register("install", () =>
      commands.executeCommand("markdown.showPreview", Uri.joinPath(context.extensionUri, "INSTALL.md")),
    ),
    workspace.onDidChangeConfiguration(async (event) => {
      if (!event.affectsConfiguration("caret")) return;
      if (settings.needStart.some((name) => event.affectsConfiguration(name))) await here.restart();
      else await here.configured();
      await look();
    }),
    window.onDidChangeActiveTextEditor(look),
    window.onDidChangeTextEditorSelection(({ textEditor, selections, kind }) => {
      const [only, another] = selections;
      const { document } = textEditor;
      const isEdit = seen.document === document && seen.version !== document.version;
      seen = { document, version: document.version };
      const isPut = kind !== undefined && !isEdit && isTheirs(textEditor) && textEditor === window.activeTextEditor;
      if (isPut && another === undefined && only?.isEmpty) here.moved(document, only.active);
    }),
    workspace.onDidOpenTextDocument(look), // also where a document's language was changed
  );
  await here.restart();
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}
