import assert from "node:assert/strict";
import test from "node:test";

import { STOPS } from "../src/connection/close-codes";
import { type SaveFacts, saveState, sentence } from "../src/connection/save-state";

const QUIET: SaveFacts = {
  changes: 0,
  keep: { unwritten: 0, failed: false },
  refusal: null,
  stop: null,
  connected: true,
  synced: true,
  mayWrite: true,
  storing: true,
  uploaded: null,
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
  assert.equal(said({ storing: false, changes: 2 }), "Not saved yet: the server can’t save at the moment");
  assert.equal(said({ uploaded: 0.426, changes: 2 }), "Saving a large change… 42 %");
  assert.equal(said({ refusal: "too-large", changes: 1 }), "Not saved: the last change is too large");
  assert.equal(said({ stop: STOPS["sign-in"], changes: 2 }), "Signed out, 2 changes kept on this device");
  assert.equal(said({ stop: STOPS.trashed, changes: 2 }), "Not saved: this document is in the trash");
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
  assert.equal(said({ refusal: "busy", changes: 2 }), "Not saved yet: the server can’t save at the moment");
  assert.equal(said({ refusal: "busy", changes: 2, connected: false }), "Offline, 2 changes kept on this device");
});

test("kept is what this device has said that it has", () => {
  const offline = { connected: false, changes: 3 };
  assert.equal(said({ ...offline, keep: { unwritten: 1, failed: false } }), "Offline, 2 changes kept on this device");
  assert.equal(said({ ...offline, keep: { unwritten: 3, failed: false } }), "Offline, keeping 3 changes on this device…");
});

test("a device that keeps nothing is never passed over in silence", () => {
  const keep = { unwritten: 3, failed: true };
  const alone = "3 changes not kept on this device: keep this tab open";
  assert.equal(said({ connected: false, changes: 3, keep }), `Offline, ${alone}`);
  assert.equal(said({ stop: STOPS["sign-in"], changes: 3, keep }), `Signed out, ${alone}`);
  assert.equal(
    said({ storing: false, changes: 3, keep }),
    "Not saved yet: the server can’t save at the moment. Keep this tab open",
  );
});

test("a refusal outweighs the connection, and a stop outweighs both", () => {
  const refused = saveState({ ...QUIET, refusal: "document-full", changes: 1, connected: false });
  assert.equal(refused.kind, "refused");
  const stopped = saveState({ ...QUIET, refusal: "document-full", changes: 1, stop: STOPS["no-access"] });
  assert.equal(stopped.kind, "stopped");
});
