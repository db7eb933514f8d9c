import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import * as encoding from "lib0/encoding";
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from "y-protocols/awareness";
import * as Y from "yjs";

import { FakeServer } from "./fake-server";
import { Tab } from "./tab";

const opened: { close(): void }[] = [];
afterEach(() => opened.splice(0).forEach((thing) => thing.close()));

function open(server: FakeServer): Tab {
  const tab = Tab.open(server);
  opened.push(tab);
  return tab;
}

function somebody(): { awareness: Awareness; frame(): Uint8Array } {
  const awareness = new Awareness(new Y.Doc());
  opened.push({ close: () => awareness.destroy() });
  awareness.setLocalState({ user: { id: "2", name: "Bob", colour: "#445566" } });
  return { awareness, frame: () => encodeAwarenessUpdate(awareness, [awareness.clientID]) };
}

function tell(server: FakeServer, update: Uint8Array): void {
  server.say(1, (encoder) => encoding.writeVarUint8Array(encoder, update));
}

/** The last state that this connection's tab has sent. */
function lastSent(tab: Tab): unknown {
  const { awareness } = somebody();
  applyAwarenessUpdate(awareness, tab.line.awareness.at(-1) as Uint8Array, null);
  return awareness.getStates().get(tab.awareness.clientID);
}

test("the tab says who is here when it connects", () => {
  const tab = open(new FakeServer());
  assert.deepEqual(lastSent(tab), { user: tab.server.person });
});

test("a hundred caret moves in a second become at most twenty frames and the last one is not lost", () => {
  const server = new FakeServer();
  const tab = open(server);
  const before = tab.line.awareness.length;
  for (let move = 1; move <= 100; move += 1) {
    tab.awareness.setLocalStateField("cursor", move);
    tab.clock.advance(10);
  }
  tab.clock.advance(50);
  server.settle();
  const sent = tab.line.awareness.length - before;
  assert.ok(sent >= 15 && sent <= 21, String(sent));
  assert.deepEqual(lastSent(tab), { user: server.person, cursor: 100 });
});

test("leaving the page says so at once, even right after a move", () => {
  const server = new FakeServer();
  const tab = open(server);
  tab.clock.advance(1_000);
  tab.awareness.setLocalStateField("cursor", 1);
  tab.provider.leave();
  server.settle();
  assert.equal(lastSent(tab), undefined);
});

test("a page that returns from the browser's memory is here again", () => {
  const server = new FakeServer();
  const tab = open(server);
  tab.provider.leave();
  tab.provider.arrive();
  tab.clock.advance(50);
  server.settle();
  assert.deepEqual(lastSent(tab), { user: server.person });
});

test("without a connection nobody else is here, and the same news after it counts again", () => {
  const server = new FakeServer();
  const tab = open(server);
  const bob = somebody();
  tell(server, bob.frame());
  assert.equal(tab.awareness.getStates().has(bob.awareness.clientID), true);
  server.close(1012);
  assert.equal(tab.awareness.getStates().has(bob.awareness.clientID), false);
  tab.wait(1_000);
  tell(server, bob.frame());
  assert.equal(tab.awareness.getStates().has(bob.awareness.clientID), true);
});

test("after a reconnect the others see this tab again", () => {
  const tab = open(new FakeServer());
  const { awareness: other } = somebody();
  const id = tab.awareness.clientID;
  applyAwarenessUpdate(other, tab.line.awareness.at(-1) as Uint8Array, null);
  assert.equal(other.getStates().has(id), true);
  tab.server.close(1012);
  // So the server tells the others: the clock it knows, and nothing.
  applyAwarenessUpdate(other, encodeAwarenessUpdate(other, [id], new Map()), null);
  assert.equal(other.getStates().has(id), false);
  tab.wait(1_000);
  applyAwarenessUpdate(other, tab.line.awareness.at(-1) as Uint8Array, null);
  assert.equal(other.getStates().has(id), true);
});

test("what others do is not sent back", () => {
  const server = new FakeServer();
  const tab = open(server);
  const before = tab.line.awareness.length;
  tell(server, somebody().frame());
  tab.clock.advance(1_000);
  server.settle();
  assert.equal(tab.line.awareness.length, before);
});

test("query awareness is answered", () => {
  const server = new FakeServer();
  const tab = open(server);
  const before = tab.line.awareness.length;
  server.say(3, () => undefined);
  assert.equal(tab.line.awareness.length, before + 1);
});
