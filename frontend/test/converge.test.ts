import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { FakeClock } from "./fake-clock";
import { FakeServer } from "./fake-server";
import { Tab } from "./tab";

let open: Tab[] = [];
afterEach(() => {
  for (const tab of open) tab.close();
  open = [];
});

const LONGEST_BACKOFF = 31_000;

type Step =
  | { who: number; types: string; at?: number }
  | { who: number; erases: [at: number, length: number] }
  | { wait: number }
  | { close: number }
  | "commit";

/** Two tabs go through the steps; whatever happened, in the end both and the server hold the same, all of it saved. */
function converges(steps: Step[], letters: string): void {
  const server = new FakeServer();
  const clock = new FakeClock();
  open = [Tab.open(server, "editor", clock), Tab.open(server, "editor", clock)];
  for (const step of steps) {
    if (step === "commit") server.commit();
    else if ("wait" in step) server.live(clock, step.wait);
    else if ("close" in step) server.close(step.close);
    else if ("types" in step) open[step.who]?.type(step.types, step.at);
    else open[step.who]?.erase(...step.erases);
  }
  server.live(clock, LONGEST_BACKOFF);
  server.commit();
  const text = server.doc.getText("t").toString();
  for (const tab of open) {
    assert.equal(tab.text, text);
    assert.equal(tab.saying, "Saved");
  }
  assert.equal([...text].sort().join(""), [...letters].sort().join(""));
}

const A = 0;
const B = 1;

test("turn by turn", () => {
  converges([{ who: A, types: "ab" }, { wait: 100 }, { who: B, types: "cd", at: 1 }, "commit"], "abcd");
});

test("at the same place at the same time", () => {
  converges([{ who: A, types: "aa" }, { who: B, types: "bb" }], "aabb");
});

test("through a restart with edits under way", () => {
  converges(
    [{ who: A, types: "ab" }, { close: 1012 }, { who: B, types: "cd" }, { wait: 2_000 }, { who: A, types: "e" }],
    "abcde",
  );
});

test("both write offline, one erases what the other extends", () => {
  converges(
    [
      { who: A, types: "abcdef" },
      { wait: 100 },
      "commit",
      { close: 1006 },
      { who: A, erases: [1, 4] },
      { who: B, types: "XY", at: 3 },
      { wait: 200 },
      { close: 1013 },
      { who: A, types: "!", at: 0 },
    ],
    "afXY!",
  );
});

test("restart after restart, never a confirmation", () => {
  const restarts = Array.from({ length: 12 }, (_, round): Step[] => [
    { who: round % 2, types: String.fromCharCode(97 + round), at: 0 },
    { wait: (round * 370) % 1_500 },
    { close: round % 3 === 0 ? 4300 : 1012 },
  ]);
  converges(restarts.flat(), "abcdefghijkl");
});
