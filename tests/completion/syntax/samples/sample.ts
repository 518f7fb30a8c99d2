/// <reference types="node" />
import type { Readable } from "node:stream";
import * as path from 'path';

/** A key of a record: `don't` matters not. */
export type Key<T> = keyof T & string;
export type Route = `/${string}/:${"id" | 'name'}`;
type Result<T, E = Error> = { ok: true; value: T } | { ok: false; error: E };

export enum Level {
  Debug = "debug",
  Warn = 'warn',
  Error = 1 << 2,
}

export interface Store<T extends { id: number }> {
  readonly name: string;
  get(id: T["id"]): Promise<T | undefined>;
  on?(event: 'change' | "remove", handler: (item: T) => void): () => void;
  [extra: string]: unknown;
}

declare global {
  interface Window { store: Store<{ id: number }>; }
}

abstract class Base<T> implements Iterable<T> {
  protected constructor(private readonly items: T[] = [], public label = `base`) {}
  abstract render(): string;

  *[Symbol.iterator](): Iterator<T> {
    for (const item of this.items) yield item;
  }
}

@sealed
export class Memory<T extends { id: number }> extends Base<T> {
  #cache: Map<number, T> = new Map<number, T>();
  static readonly pattern = /^\/(\w+)\/[^/]+$/;

  constructor(items: T[]) {
    super(items, 'memory');
    items.forEach((item) => this.#cache.set(item.id, item));
  }

  override render(): string {
    const rows = [...this].map((row, i) => `${i}: ${JSON.stringify(row)}`);
    return rows.join("\n") + '\n';
  }

  find<K extends Key<T>>(key: K, value: T[K]): Result<T, string> {
    for (const item of this) {
      if (item[key] === value) return { ok: true, value: item };
    }
    return { ok: false, error: `no ${key} is "${String(value)}"` };
  }
}

function sealed(constructor: Function): void {
  Object.seal(constructor);
  Object.seal(constructor.prototype);
}

function assertNever(x: never): never {
  throw new Error("unexpected: " + x);
}

export function describe(level: Level): string {
  switch (level) {
    case Level.Debug:
      return "debug";
    case Level.Warn: {
      const half = 10 / 2 / 1;
      return `warn ${half}`;
    }
    case Level.Error:
      return 'error';
    default:
      return assertNever(level);
  }
}

const numbers = <const>[1, 2, 3];
const lengths = numbers.map<number>((n) => n << 1).filter((n) => n > 2 && n < 9);
let maybe: string | null = null as unknown as string;
const shout = (text?: string) => text?.toUpperCase() ?? maybe!.toLowerCase();

namespace Util {
  export const join = (...parts: string[]): string => path.join(...parts);
  export function isRoute(x: string): x is Route {
    return /^\/.+\/:(id|name)$/.test(x); // "a regex"
  }
}

async function read(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  }
  /* a block comment
     over 'lines' */
  return Buffer.concat(chunks);
}

export const config = {
  store: new Memory([{ id: 1, name: "it's" }]),
  route: "/a/:id" satisfies Route,
  util: Util, read, shout, lengths,
} as const;
