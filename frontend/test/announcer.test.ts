import assert from "node:assert/strict";
import test from "node:test";

import type { SaveState } from "../src/connection/save-state";
import { Announcer } from "../src/editor/announcer";
import { FakeClock } from "./fake-clock";

const SAVED: SaveState = { kind: "saved" };
const SAVING: SaveState = { kind: "saving", changes: 1, kept: 1, keeps: true, stalled: false, uploaded: null };
const OFFLINE: SaveState = { kind: "offline", changes: 2, kept: 2, keeps: true };

function announced(script: (hear: (state: SaveState) => void, clock: FakeClock) => void): string[] {
  const clock = new FakeClock();
  const said: string[] = [];
  const announcer = new Announcer((text) => said.push(text), clock);
  script((state) => announcer.hear(state), clock);
  clock.advance(10_000);
  return said;
}

test("typing is not commented on", () => {
  const said = announced((hear, clock) => {
    hear(SAVED);
    clock.advance(3_000);
    for (let key = 0; key < 50; key += 1) {
      hear(SAVING);
      clock.advance(120);
      hear(SAVED);
      clock.advance(80);
    }
  });
  assert.deepEqual(said, ["Saved"]);
});

test("a state that lasts is said once, however its count grows", () => {
  const said = announced((hear, clock) => {
    hear(SAVED);
    clock.advance(3_000);
    hear(OFFLINE);
    clock.advance(3_000);
    hear({ kind: "offline", changes: 3, kept: 3, keeps: true });
    clock.advance(3_000);
    hear(SAVED);
  });
  assert.deepEqual(said, ["Saved", "Offline, 2 changes kept on this device", "Saved"]);
});

test("a short loss of the network is not said", () => {
  const said = announced((hear, clock) => {
    hear(SAVED);
    clock.advance(3_000);
    hear(OFFLINE);
    clock.advance(900);
    hear(SAVED);
  });
  assert.deepEqual(said, ["Saved"]);
});

test("a device that stops keeping edits is another state", () => {
  const said = announced((hear, clock) => {
    hear(OFFLINE);
    clock.advance(3_000);
    hear({ kind: "offline", changes: 2, kept: 0, keeps: false });
  });
  assert.deepEqual(said, [
    "Offline, 2 changes kept on this device",
    "Offline, 2 changes not kept on this device: keep this tab open",
  ]);
});
