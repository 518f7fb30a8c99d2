// The item in the status bar: what Caret is doing, whether it is quick, why it is silent here.

import {
  commands, Disposable, MarkdownString, StatusBarAlignment, type StatusBarItem, type TextEditor, ThemeColor, window,
} from "vscode";
import { Latency, SLOW_MS } from "./latency.ts";

export type Stage = "missing" | "stopped" | "starting" | "loading" | "ready" | "failed";

/** A suggestion that is quicker than this is not worth a change in the status bar. */
const BUSY_AFTER_MS = 150;

/** An answer that is quicker comes from what is known already, and says nothing of the model. */
const FROM_MODEL_MS = 5;

const OFF: Record<string, string> = {
  disabled: "Caret is disabled",
  on_demand: "suggestions come only when asked for",
  language: "disabled for this language",
  glob: "disabled for this file",
  size: "this file is too large",
  binary: "this file is not text",
  ignored: "an ignore file names this file",
  secret: "this file may hold secrets; nothing of it is sent",
  outside: "this file is outside of the workspace",
  kind: "this is no ordinary file",
};

const STAGES: Record<Exclude<Stage, "ready">, { icon: string; says: string }> = {
  missing: { icon: "$(error)", says: "`caret` is not installed, or not found" },
  stopped: { icon: "$(circle-slash)", says: "the language server has stopped" },
  starting: { icon: "$(loading~spin)", says: "starting" },
  loading: { icon: "$(loading~spin)", says: "loading the model" },
  failed: { icon: "$(error)", says: "there is no completion server" },
};

export class Status implements Disposable {
  readonly latency = new Latency();
  /** Called when it has become ready. */
  onReady: () => unknown = () => {};
  readonly #item: StatusBarItem;
  #stage: Stage = "starting";
  #detail = "";
  #off = "";
  #running = 0;
  #busy = false;

  constructor() {
    this.#item = window.createStatusBarItem("caret", StatusBarAlignment.Right, 100);
    this.#item.name = "Caret";
    this.#item.command = "caret.menu";
    this.#draw();
    this.#item.show();
  }

  get stage(): Stage {
    return this.#stage;
  }

  /** Why nothing is suggested by itself in the active editor; empty: something is. */
  get off(): string {
    return this.#off;
  }

  reached(stage: Stage, detail = ""): void {
    if (stage !== "ready") this.latency.clear();
    this.#stage = stage;
    this.#detail = detail;
    void commands.executeCommand("setContext", "caret.stage", stage);
    this.#draw();
    if (stage === "ready") this.onReady();
  }

  silent(reason: string): void {
    this.#off = reason in OFF ? reason : "";
    this.#draw();
  }

  /** Follow one request to its end; an answer with something in it counts for the latency. */
  async during<T>(work: () => PromiseLike<T>, counts: (answer: T) => boolean): Promise<T> {
    const started = performance.now();
    this.#running++;
    const timer = setTimeout(() => this.#refresh(), BUSY_AFTER_MS);
    try {
      const answer = await work();
      const taken = performance.now() - started;
      if (taken > FROM_MODEL_MS && counts(answer)) this.latency.add(taken);
      return answer;
    } finally {
      clearTimeout(timer);
      this.#running--;
      if (this.#running === 0) this.#refresh(false);
    }
  }

  dispose(): void {
    this.#item.dispose();
  }

  #refresh(busy = this.#running > 0): void {
    this.#busy = busy;
    this.#draw();
  }

  #draw(): void {
    const { icon, says } = this.#look();
    this.#item.text = `${icon} Caret`;
    const isError = this.#stage === "missing" || this.#stage === "failed";
    this.#item.backgroundColor = isError ? new ThemeColor("statusBarItem.errorBackground") : undefined;
    this.#item.accessibilityInformation = { label: `Caret: ${says}`, role: "button" };
    const tip = new MarkdownString(`**Caret**: ${says}`, true);
    if (this.#detail) tip.appendMarkdown("\n\n").appendText(this.#detail);
    if (this.#stage === "ready" && this.latency.count > 0) {
      const [half, most] = [0.5, 0.95].map((share) => Math.round(this.latency.quantile(share)!));
      const unit = this.latency.count === 1 ? "suggestion" : "suggestions";
      tip.appendMarkdown(`\n\nLast ${this.latency.count} ${unit}: ${half} ms in the middle, ${most} ms at most for 95 %`);
      if (this.latency.isSlow) {
        tip.appendMarkdown(`\n\n$(warning) Slow: over ${SLOW_MS} ms. A smaller model or less context helps`);
      }
    }
    this.#item.tooltip = tip;
  }

  #look(): { icon: string; says: string } {
    if (this.#stage !== "ready") return STAGES[this.#stage];
    if (this.#off) return { icon: "$(circle-slash)", says: OFF[this.#off]! };
    if (this.#busy) return { icon: "$(sync~spin)", says: "working" };
    if (this.latency.isSlow) return { icon: "$(watch)", says: "ready, and slow" };
    return { icon: "$(check)", says: "ready" };
  }
}

/** Whether an editor holds text of the user's, and not an output channel or a document of ours. */
export function isTheirs(editor: TextEditor | undefined): editor is TextEditor {
  return editor !== undefined && ["file", "untitled", "vscode-notebook-cell"].includes(editor.document.uri.scheme);
}
