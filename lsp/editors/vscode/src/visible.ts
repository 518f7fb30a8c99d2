// What is on the screen: VS Code tells an extension neither that ghost text is shown nor that it went
// away, so both are inferred from what was offered, what is typed, and where the cursor goes. Knows no VS Code.

export type Key = readonly [completionId: string, candidate: number];
export type Reason = "typed_over" | "escape" | "replaced" | "cursor_moved";

/** Who is told, in the order in which it happens. */
export interface Listener {
  shown(key: Key, visibleMs: number): void;
  partlyAccepted(key: Key, length: number): void;
  dismissed(key: Key, reason: Reason): void;
}

export interface Offer {
  key: Key;
  uri: string;
  /** The whole text of the item, of which `typed` characters stand before the cursor already. */
  text: string;
  typed: number;
  /** The cursor, as an offset into the document. */
  offset: number;
}

export interface Change {
  offset: number;
  removed: number;
  text: string;
}

export class Visible {
  #offer: Offer | undefined;
  #since = 0;
  #accepted = 0;
  readonly #listener: Listener;
  readonly #now: () => number;

  constructor(listener: Listener, now: () => number) {
    this.#listener = listener;
    this.#now = now;
  }

  get key(): Key | undefined {
    return this.#offer?.key;
  }

  offered(offer: Offer): void {
    if (this.#offer !== undefined) {
      if (this.#offer.uri === offer.uri && same(this.#offer.key, offer.key)) {
        this.#offer = offer; // the same one again, as asked for after a key
        return;
      }
      this.#end("replaced");
    }
    this.#offer = offer;
    this.#since = this.#now();
    this.#accepted = 0;
  }

  changed(uri: string, changes: readonly Change[]): void {
    const offer = this.#offer;
    if (offer === undefined || offer.uri !== uri || changes.length === 0) return;
    const [change] = changes;
    const rest = offer.text.slice(offer.typed);
    if (changes.length === 1 && change!.removed === 0 && change!.offset === offer.offset && rest.startsWith(change!.text)) {
      offer.typed += change!.text.length;
      offer.offset += change!.text.length;
      // A key brings one character; a word or a line comes at once.
      if ([...change!.text].length > 1 && offer.typed < offer.text.length) {
        this.#accepted = offer.typed;
        this.#listener.partlyAccepted(offer.key, offer.typed);
      }
      return;
    }
    // Taken whole where something behind the cursor goes away with it; the item's command follows.
    if (changes.some((one) => one.text !== "" && offer.text.endsWith(one.text) && one.text.length > 1)) {
      offer.typed = offer.text.length;
      offer.offset = -1;
      return;
    }
    this.#end("typed_over");
  }

  /** The item's command has come: it was taken whole. */
  accepted(key: Key): void {
    const offer = this.#offer;
    if (offer === undefined || offer.key[0] !== key[0]) return;
    this.#listener.shown(key, this.#now() - this.#since);
    this.#offer = undefined;
  }

  /** The cursor stands at `offset`; `undefined`: it is in no text any more. */
  cursor(uri: string | undefined, offset: number | undefined): void {
    const offer = this.#offer;
    if (offer === undefined || (offer.uri === uri && (offer.offset === offset || offer.offset < 0))) return;
    this.#end("cursor_moved");
  }

  close(): void {
    if (this.#offer !== undefined) this.#end("cursor_moved");
  }

  #end(reason: Reason): void {
    const { key, text, typed } = this.#offer!;
    this.#offer = undefined;
    this.#listener.shown(key, this.#now() - this.#since);
    if (this.#accepted === 0) this.#listener.dismissed(key, typed >= text.length ? "typed_over" : reason);
  }
}

function same(one: Key, other: Key): boolean {
  return one[0] === other[0] && one[1] === other[1];
}
