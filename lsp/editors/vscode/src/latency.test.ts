import assert from "node:assert/strict";
import { test } from "node:test";
import { Latency, SLOW_MS } from "./latency.ts";

test("quantiles are those of the recent ones", () => {
  const latency = new Latency();
  assert.equal(latency.quantile(0.5), undefined);
  for (let ms = 1; ms <= 100; ms++) latency.add(ms);
  assert.equal(latency.count, 50);
  assert.equal(latency.quantile(0.5), 75);
  assert.equal(latency.quantile(0.95), 98);
  assert.equal(latency.quantile(0), 51);
  assert.equal(latency.quantile(1), 100);
});

test("it is slow when the middle one is, and not for a first slow one", () => {
  const latency = new Latency();
  latency.add(10 * SLOW_MS);
  assert.equal(latency.isSlow, false);
  for (let n = 0; n < 5; n++) latency.add(2 * SLOW_MS);
  assert.equal(latency.isSlow, true);
  for (let n = 0; n < 10; n++) latency.add(SLOW_MS / 2);
  assert.equal(latency.isSlow, false);
});
