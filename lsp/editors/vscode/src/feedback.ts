// Tells the language server what became of suggestions, as far as VS Code lets an extension know.

import {
  Disposable, InlineCompletionItem, InlineCompletionList, Position, Range, SnippetString, type TextDocument, window, workspace,
} from "vscode";
import { type Key, Visible } from "./visible.ts";

type Notify = (method: string, params: object) => void;

export class Feedback implements Disposable {
  readonly #visible: Visible;
  readonly #held: Disposable[];

  constructor(notify: Notify) {
    const named = (key: Key) => ({ completionId: key[0], candidate: key[1] });
    this.#visible = new Visible(
      {
        shown: (key, ms) => notify("caret/didShowCompletion", { ...named(key), visibleMs: Math.round(ms) }),
        partlyAccepted: (key, length) =>
          notify("caret/didPartlyAcceptCompletion", { ...named(key), acceptedLength: length }),
        dismissed: (key, reason) => notify("caret/didDismissCompletion", { ...named(key), reason }),
      },
      () => performance.now(),
    );
    this.#held = [
      workspace.onDidChangeTextDocument(({ document, contentChanges }) =>
        this.#visible.changed(
          document.uri.toString(),
          contentChanges.map((one) => ({ offset: one.rangeOffset, removed: one.rangeLength, text: one.text })),
        ),
      ),
      window.onDidChangeTextEditorSelection(({ textEditor }) => {
        const { document, selection } = textEditor;
        this.#visible.cursor(document.uri.toString(), document.offsetAt(selection.active));
      }),
      window.onDidChangeActiveTextEditor((editor) =>
        this.#visible.cursor(editor?.document.uri.toString(), editor?.document.offsetAt(editor.selection.active)),
      ),
    ];
  }

  /** Take notice of an answer that VS Code is about to show. */
  offered(document: TextDocument, position: Position, answer: InlineCompletionItem[] | InlineCompletionList): void {
    const [item] = Array.isArray(answer) ? answer : answer.items;
    const key = item && keyOf(item.command?.arguments);
    if (item === undefined || key === undefined) return;
    const text = item.insertText instanceof SnippetString ? item.insertText.value : item.insertText;
    const typed = item.range ? document.getText(new Range(item.range.start, position)) : "";
    if (!text.startsWith(typed)) return; // VS Code does not show it either
    const offset = document.offsetAt(position);
    this.#visible.offered({ key, uri: document.uri.toString(), text, typed: typed.length, offset });
  }

  accepted(args: readonly unknown[]): void {
    const key = keyOf(args);
    if (key !== undefined) this.#visible.accepted(key);
  }

  dispose(): void {
    this.#visible.close();
    for (const one of this.#held) one.dispose();
  }
}

function keyOf(args: readonly unknown[] | undefined): Key | undefined {
  const [id, candidate] = args ?? [];
  return typeof id === "string" && typeof candidate === "number" ? [id, candidate] : undefined;
}
