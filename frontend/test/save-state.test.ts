import assert from "node:assert/strict";
import test from "node:test";

import { STOPS } from "../src/connection/close-codes";
import { type SaveFacts, saveState, sentence } from "../src/connection/save-state";

const QUIET: SaveFacts = {
  changes: 0,
  refusal: null,
  stop: null,
  connected: true,
  synced: true,
  mayWrite: true,
  storing: true,
};

function said(facts: Partial<SaveFacts>): string {
  return sentence(saveState({ ...QUIET, ...facts }));
}

test("the sentences", () => {
  assert.equal(said({ synced: false }), "Opening…");
  assert.equal(said({}), "Saved");
  assert.equal(said({ changes: 3 }), "Saving…");
  assert.equal(said({ connected: false, changes: 3 }), "Offline, 3 changes kept on this device");
  assert.equal(said({ connected: false, changes: 1 }), "Offline, 1 change kept on this device");
  assert.equal(said({ connected: false }), "Offline, everything is saved");
  assert.equal(said({ storing: false, changes: 2 }), "Waiting for the server, 2 changes kept on this device");
  assert.equal(said({ refusal: "too-large", changes: 1 }), "Not saved: the last change is too large");
  assert.equal(said({ stop: STOPS["sign-in"], changes: 2 }), "Not saved: 2 changes");
  assert.equal(said({ stop: STOPS["sign-in"] }), "Closed");
});

test("a database that is away does not unsave what was saved", () => {
  assert.equal(said({ storing: false }), "Saved");
});

test("who lost the right to write is told that the rest is not saved", () => {
  assert.equal(said({ mayWrite: false, changes: 1 }), "Not saved: you may only read this document now");
  assert.equal(said({ mayWrite: false }), "Saved");
});

test("a busy server is waited for, not complained about", () => {
  assert.equal(said({ refusal: "busy", changes: 2 }), "Waiting for the server, 2 changes kept on this device");
  assert.equal(said({ refusal: "busy", changes: 2, connected: false }), "Offline, 2 changes kept on this device");
});

test("a refusal outweighs the connection, and a stop outweighs both", () => {
  const refused = saveState({ ...QUIET, refusal: "document-full", changes: 1, connected: false });
  assert.equal(refused.kind, "refused");
  const stopped = saveState({ ...QUIET, refusal: "document-full", changes: 1, stop: STOPS["no-access"] });
  assert.equal(stopped.kind, "stopped");
});
