// How long the last suggestions took, from request to answer.

const KEPT = 50;
const ENOUGH = 5;

/** Milliseconds from which on the median is called slow: people pause about that long at a word's end. */
export const SLOW_MS = 600;

export class Latency {
  #recent: number[] = [];

  add(milliseconds: number): void {
    this.#recent.push(milliseconds);
    if (this.#recent.length > KEPT) this.#recent.shift();
  }

  clear(): void {
    this.#recent = [];
  }

  get count(): number {
    return this.#recent.length;
  }

  /** The smallest time that at least `share` of the recent ones do not exceed; undefined without any. */
  quantile(share: number): number | undefined {
    const sorted = [...this.#recent].sort((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  }

  get isSlow(): boolean {
    return this.count >= ENOUGH && this.quantile(0.5)! > SLOW_MS;
  }
}
