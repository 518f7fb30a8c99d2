// "Explain this completion": a document that can be read, made by the language server, shown as a preview.

import {
  commands, Disposable, EventEmitter, ProgressLocation, type TextDocumentContentProvider, Uri, window, workspace,
} from "vscode";
import { Server } from "./server.ts";

const SCHEME = "caret-explain";

export class Explain implements Disposable, TextDocumentContentProvider {
  readonly #changed = new EventEmitter<Uri>();
  readonly onDidChange = this.#changed.event;
  readonly #registered = workspace.registerTextDocumentContentProvider(SCHEME, this);
  readonly #texts = new Map<string, string>();
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  provideTextDocumentContent(uri: Uri): string {
    return this.#texts.get(uri.path) ?? "";
  }

  async show(): Promise<void> {
    const editor = window.activeTextEditor;
    if (editor === undefined) return;
    const { document, selection } = editor;
    const text = await window.withProgress(
      { location: ProgressLocation.Window, title: "Caret: explaining" },
      () => this.#server.explain(document, selection.active),
    );
    if (text === undefined) {
      void window.showInformationMessage("Caret: there is no server to ask; see the log.");
      return;
    }
    const name = document.uri.path.split("/").pop() ?? "document";
    const uri = Uri.from({ scheme: SCHEME, path: `/${name} at line ${selection.active.line + 1}.md` });
    this.#texts.clear(); // only the last one: source text is not kept longer than it is looked at
    this.#texts.set(uri.path, text);
    this.#changed.fire(uri);
    await commands.executeCommand("markdown.showPreviewToSide", uri);
  }

  dispose(): void {
    this.#registered.dispose();
    this.#changed.dispose();
  }
}
