import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import * as encoding from "lib0/encoding";
import * as Y from "yjs";

import { FakeServer } from "./fake-server";
import { Tab } from "./tab";

const tabs: Tab[] = [];
afterEach(() => tabs.splice(0).forEach((tab) => tab.close()));

function open(server: FakeServer, role?: "viewer"): Tab {
  const tab = Tab.open(server, role);
  tabs.push(tab);
  return tab;
}

test("Saved follows the server's word and nothing else", () => {
  const server = new FakeServer();
  const tab = open(server);
  server.commit();
  assert.equal(tab.saying, "Saved");
  tab.type("a");
  server.settle();
  assert.equal(tab.saying, "Saving…");
  for (let minute = 0; minute < 10; minute += 1) {
    tab.clock.advance(6_000);
    server.say(104, () => undefined);
  }
  assert.equal(tab.saying, "Saving…");
  server.commit();
  assert.equal(tab.saying, "Saved");
});

test("frames are numbered from one on every connection, the answer to step 1 among them", () => {
  const server = new FakeServer();
  const tab = open(server);
  tab.type("a");
  tab.type("b");
  server.settle();
  assert.deepEqual(tab.line.updates.map(({ step }) => step), [1, 2, 2]);
  server.close(1012);
  tab.wait(1_000);
  assert.deepEqual(tab.line.updates.map(({ step }) => step), [1]);
  assert.equal(tab.saying, "Saving…");
  server.commit();
  assert.equal(tab.saying, "Saved");
});

test("offline edits are counted and go out with the answer to step 1", () => {
  const server = new FakeServer();
  const tab = open(server);
  server.commit();
  server.close(1012);
  assert.equal(tab.saying, "Offline, everything is saved");
  for (const letter of "abc") tab.type(letter);
  assert.equal(tab.saying, "Offline, 3 changes kept on this device");
  tab.wait(1_000);
  assert.equal(tab.line.updates.length, 1);
  assert.equal(server.doc.getText("t").toString(), "abc");
  assert.equal(tab.saying, "Saving…");
  server.commit();
  assert.equal(tab.saying, "Saved");
});

/** The server sends on what somebody else writes and then forgets it, as in a crash before the commit. */
function relayThenForget(server: FakeServer): void {
  const other = new Y.Doc();
  other.getText("t").insert(0, "theirs");
  server.say(0, (encoder) => {
    encoding.writeVarUint(encoder, 2);
    encoding.writeVarUint8Array(encoder, Y.encodeStateAsUpdate(other));
  });
}

test("after a crash the answer to step 1 brings back what others wrote too", () => {
  const server = new FakeServer();
  const tab = open(server);
  relayThenForget(server);
  assert.equal(tab.text, "theirs");
  server.close(1012);
  tab.wait(1_000);
  assert.equal(server.doc.getText("t").toString(), "theirs");
});

test("a server that takes nothing of others' gets this tab's own edits on the next connection", () => {
  const server = new FakeServer();
  const tab = open(server);
  server.onlyFrom = tab.doc.clientID;
  relayThenForget(server);
  // In a text of its own: beside theirs it could not be placed before theirs is there.
  tab.doc.getText("u").insert(0, "mine");
  server.settle();
  server.close(1012);
  tab.wait(5_000);
  assert.equal(server.doc.getText("u").toString(), "mine");
  server.commit();
  assert.equal(tab.saying, "Saved");
  assert.equal(tab.provider.editable.value, true);
});

test("when even this tab's own edits are somebody else's, it is said", () => {
  const server = new FakeServer();
  const tab = open(server);
  server.onlyFrom = 1;
  tab.type("mine");
  server.settle();
  assert.match(tab.saying, /^Not saved: the server takes/);
  server.close(1012);
  tab.wait(10_000);
  assert.match(tab.saying, /^Not saved: the server takes/);
  assert.equal(server.lines.size, 1);
});

test("a busy server is waited for: typing goes on, and the next connection brings the edits", () => {
  const server = new FakeServer();
  const tab = open(server);
  server.commit();
  server.refusing = "busy";
  tab.type("a");
  server.settle();
  tab.type("b");
  assert.equal(tab.saying, "Not saved yet: the server can’t save at the moment");
  assert.equal(tab.provider.editable.value, true);
  server.refusing = "";
  server.close(4300);
  tab.wait(1_000);
  server.commit();
  assert.equal(tab.saying, "Saved");
  assert.equal(server.doc.getText("t").toString(), "ab");
});

test("what was stored but never confirmed is not stored twice", () => {
  const server = new FakeServer();
  const tab = open(server);
  tab.type("abc");
  server.settle();
  server.close(1012);
  tab.wait(1_000);
  assert.deepEqual(Y.decodeUpdate(tab.line.updates[0]?.update as Uint8Array).structs, []);
  assert.equal(server.doc.getText("t").toString(), "abc");
  server.commit();
  assert.equal(tab.saying, "Saved");
});

test("a refusal is said, locks the text and is tried again on the next connection", () => {
  const server = new FakeServer();
  const tab = open(server);
  server.commit();
  server.refusing = "document-full";
  tab.type("a");
  server.settle();
  assert.equal(tab.saying, "Not saved: this document has reached its size limit");
  assert.equal(tab.provider.editable.value, false);
  server.commit();
  assert.match(tab.saying, /^Not saved/);
  server.refusing = "";
  server.close(1012);
  tab.wait(1_000);
  server.commit();
  assert.equal(tab.saying, "Saved");
  assert.equal(tab.provider.editable.value, true);
  assert.equal(server.doc.getText("t").toString(), "a");
});

test("hours of offline typing come back in frames under the limit", () => {
  const server = new FakeServer();
  server.frameBytes = 400;
  const tab = open(server);
  server.close(1012);
  for (let key = 0; key < 2_000; key += 1) tab.type("z");
  for (let round = 0; tab.saying !== "Saved"; round += 1) {
    assert.ok(round < 300, tab.saying);
    tab.wait(1_000);
    server.commit();
  }
  assert.equal(server.doc.getText("t").length, 2_000);
  assert.ok(tab.line.updates.every(({ update }) => update.length + 7 <= 400));
});

test("a reader sends no updates, not even an answer to step 1", () => {
  const server = new FakeServer();
  server.role = "viewer";
  const tab = open(server, "viewer");
  tab.type("tidied by the binding");
  server.settle();
  assert.deepEqual(tab.line.updates, []);
  assert.equal(tab.saying, "Saved");
  assert.deepEqual(tab.provider.unconfirmed, []);
  assert.equal(tab.provider.editable.value, false);
});

test("an editor who became a reader keeps the unsaved text and is told so", () => {
  const server = new FakeServer();
  const tab = open(server);
  server.close(4300);
  tab.type("late");
  server.role = "viewer";
  tab.wait(1_000);
  assert.equal(tab.saying, "Not saved: you may only read this document now");
  assert.equal(tab.provider.editable.value, false);
  server.role = "editor";
  server.close(4300);
  tab.wait(2_000);
  server.commit();
  assert.equal(tab.saying, "Saved");
  assert.equal(server.doc.getText("t").toString(), "late");
});

test("a database that is away is said while something waits for it", () => {
  const server = new FakeServer();
  const tab = open(server);
  server.commit();
  server.event({ type: "saving", ok: false });
  assert.equal(tab.saying, "Saved");
  tab.type("a");
  assert.equal(tab.saying, "Not saved yet: the server can’t save at the moment");
  server.event({ type: "saving", ok: true });
  assert.equal(tab.saying, "Saving…");
});
