import assert from "node:assert/strict";
import test from "node:test";

import { STOPS, meaningOf } from "../src/connection/close-codes";

test("these come back by themselves", () => {
  for (const code of [1000, 1001, 1005, 1006, 1007, 1009, 1011, 1012, 1013, 4300]) {
    assert.deepEqual(meaningOf(code), { then: "retry" }, String(code));
  }
});

test("these stop and say which way leads on", () => {
  const known = {
    4401: "sign-in",
    4403: "no-access",
    4404: "not-found",
    4409: "new-epoch",
    4410: "trashed",
    4426: "page-too-old",
    4429: "too-many",
  };
  for (const [code, reason] of Object.entries(known)) {
    const meaning = meaningOf(Number(code));
    assert.equal(meaning.then === "stop" ? meaning.stop.reason : null, reason);
  }
  assert.deepEqual(
    Object.values(STOPS).map((stop) => stop.wayOut),
    ["sign-in", "leave", "leave", "reload", "leave", "reload", "reload", "reload", "reload"],
  );
});

test("a code between 4400 and 4499 that came after this page stops too", () => {
  assert.deepEqual(meaningOf(4499), { then: "stop", stop: STOPS.unknown });
});
