import assert from "node:assert/strict";
import test from "node:test";

import { delayBefore } from "../src/connection/backoff";

test("the first try comes within a second, whatever chance says", () => {
  assert.ok(delayBefore(0, 0) >= 100);
  assert.ok(delayBefore(0, 0.999) < 1_000);
});

test("delays double and stop at thirty seconds", () => {
  const longest = [0, 1, 2, 3, 4, 5, 6, 50].map((attempt) => Math.round(delayBefore(attempt, 0.999999)));
  assert.deepEqual(longest, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

test("chance spreads tabs over most of the interval", () => {
  const delays = [0, 0.25, 0.5, 0.75].map((chance) => Math.round(delayBefore(9, chance)));
  assert.deepEqual(delays, [9_000, 14_250, 19_500, 24_750]);
});
