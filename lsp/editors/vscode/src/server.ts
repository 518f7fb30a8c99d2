// The language server's life: found, started, watched, restarted; what it says goes to the status item.

import {
  commands, Disposable, type LogOutputChannel, type TextDocument, window, type Position,
} from "vscode";
import { LanguageClient, type LanguageClientOptions, type Middleware, State } from "vscode-languageclient/node";
import { Feedback } from "./feedback.ts";
import { find } from "./program.ts";
import { Settings } from "./settings.ts";
import { type Stage, Status } from "./status.ts";

const SELECTOR = [
  { scheme: "file" },
  { scheme: "untitled" },
  { scheme: "vscode-notebook-cell" },
];

interface StatusParams {
  stage: Stage;
}

export class Server implements Disposable {
  readonly #settings: Settings;
  readonly #status: Status;
  readonly #log: LogOutputChannel;
  #client: LanguageClient | undefined;
  #feedback: Feedback | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(settings: Settings, status: Status, log: LogOutputChannel) {
    this.#settings = settings;
    this.#status = status;
    this.#log = log;
  }

  /** Start it, or start it again; one after the other where it is asked for twice. */
  restart(): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      await this.stop();
      await this.#start();
    });
    return this.#turn;
  }

  dispose(): void {
    void this.stop();
  }

  /** Let the server ask for the settings again. */
  async configured(): Promise<void> {
    if (this.#client?.isRunning()) {
      await this.#client.sendNotification("workspace/didChangeConfiguration", { settings: null });
    }
  }

  /** Why nothing is suggested by itself in a document, in one word; empty: something is. */
  async silence(document: TextDocument): Promise<string> {
    return (await this.#ask<{ reason: string }>("caret/silence", document))?.reason ?? "";
  }

  /** The explanation of what is suggested at a place, in Markdown. */
  async explain(document: TextDocument, position: Position): Promise<string | undefined> {
    return (await this.#ask<{ markdown: string }>("caret/explain", document, position))?.markdown;
  }

  /** Say that the cursor was put somewhere by no edit: a suggestion may then be thought of ahead. */
  moved(document: TextDocument, position: Position): void {
    const client = this.#client;
    if (!client?.isRunning()) return;
    const textDocument = client.code2ProtocolConverter.asTextDocumentIdentifier(document);
    void client.sendNotification("caret/cursorMoved", { textDocument, position });
  }

  async #ask<T>(method: string, document: TextDocument, position?: Position): Promise<T | undefined> {
    const client = this.#client;
    if (!client?.isRunning()) return undefined;
    const textDocument = client.code2ProtocolConverter.asTextDocumentIdentifier(document);
    try {
      return await client.sendRequest<T>(method, { textDocument, position });
    } catch (error) {
      this.#log.warn(`${method}: ${error instanceof Error ? error.message : error}`);
      return undefined;
    }
  }

  async #start(): Promise<void> {
    const [name, ...words] = this.#settings.command;
    const program = find(name ?? "");
    if (program === undefined) {
      this.#status.reached("missing", `looked for: ${name}`);
      this.#log.error(`no program ${name} on PATH`);
      void offerInstall(name ?? "");
      return;
    }
    this.#status.reached("starting");
    const client = new LanguageClient("caret", "Caret", {
      command: program,
      args: [...words, "lsp", ...this.#settings.arguments],
      options: { env: { ...process.env, ...this.#settings.environment } },
    }, this.#options());
    client.registerFeature({
      fillClientCapabilities: (capabilities) => {
        capabilities.experimental = { ...capabilities.experimental, caretStatus: true };
      },
      initialize: () => {},
      getState: () => ({ kind: "static" }),
      clear: () => {},
    });
    client.onDidChangeState(({ newState }) => {
      if (this.#client !== client) return;
      if (newState === State.Starting) this.#status.reached("starting");
      if (newState === State.Stopped) this.#status.reached("stopped");
    });
    client.onNotification("caret/status", ({ stage }: StatusParams) => {
      if (this.#client !== client) return;
      this.#log.info(`server: ${stage}`);
      this.#status.reached(stage);
    });
    this.#client = client;
    this.#feedback = new Feedback((method, params) => {
      if (client.isRunning()) void client.sendNotification(method, params);
    });
    try {
      await client.start();
    } catch (error) {
      this.#status.reached("failed", error instanceof Error ? error.message : String(error));
      void offerLog("Caret: the language server did not start.");
    }
  }

  async stop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#feedback?.dispose();
    this.#feedback = undefined;
    try {
      await client?.dispose();
    } catch (error) {
      this.#log.warn(`the old server did not end well: ${error instanceof Error ? error.message : error}`);
    }
  }

  #options(): LanguageClientOptions {
    return {
      documentSelector: SELECTOR,
      outputChannel: this.#log,
      middleware: this.#middleware(),
      initializationOptions: this.#settings.tree,
    };
  }

  #middleware(): Middleware {
    return {
      provideInlineCompletionItems: async (document, position, context, token, next) => {
        const version = document.version;
        const answer = await this.#status.during(
          async () => await next(document, position, context, token),
          (found) => !token.isCancellationRequested && count(found) > 0,
        );
        if (answer && !token.isCancellationRequested && document.version === version) {
          this.#feedback?.offered(document, position, answer);
        }
        return answer;
      },
      executeCommand: (command, args, next) => {
        if (command === "caret.accepted") this.#feedback?.accepted(args);
        return next(command, args);
      },
      workspace: {
        configuration: (params) =>
          params.items.map(({ section }) => (section === "caret" ? this.#settings.tree : null)),
      },
    };
  }
}

function count(answer: readonly unknown[] | { items: readonly unknown[] } | null | undefined): number {
  return answer ? ("items" in answer ? answer.items : answer).length : 0;
}

async function offerInstall(name: string): Promise<void> {
  const [how, set] = ["How to Install", "Set the Command"];
  const said = `Caret: there is no program \`${name}\`. Install Caret, or say in the setting caret.command where it is.`;
  const chosen = await window.showErrorMessage(said, how, set);
  if (chosen === how) await commands.executeCommand("caret.install");
  if (chosen === set) await commands.executeCommand("workbench.action.openSettings", "caret.command");
}

async function offerLog(said: string): Promise<void> {
  const [show, again] = ["Show Log", "Restart"];
  const chosen = await window.showErrorMessage(said, show, again);
  if (chosen === show) await commands.executeCommand("caret.showLog");
  if (chosen === again) await commands.executeCommand("caret.restart");
}
