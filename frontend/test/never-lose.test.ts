import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { setImmediate } from "node:timers/promises";

import * as encoding from "lib0/encoding";
import * as Y from "yjs";

import { Device, type Visit, type VisitOptions } from "./device";
import { FakeServer } from "./fake-server";

const visits: Visit[] = [];
afterEach(() => visits.splice(0).forEach((visit) => visit.close()));

async function open(device: Device, server: FakeServer, options?: VisitOptions): Promise<Visit> {
  const visit = await device.open(server, options);
  visits.push(visit);
  return visit;
}

function offline(server: FakeServer): void {
  server.closing = 1012;
  server.close(1012);
}

function text(server: FakeServer): string {
  return server.doc.getText("t").toString();
}

test("what a closed tab left unsent is sent by the next visit, and then leaves the device", async () => {
  const [device, server] = [new Device(), new FakeServer()];
  const first = await open(device, server);
  first.type("seen, ");
  server.settle();
  server.commit();
  offline(server);
  first.type("unsent");
  first.type("!");
  assert.equal(first.saying, "Offline, keeping 2 changes on this device…");
  await first.write();
  assert.equal(first.saying, "Offline, 2 changes kept on this device");
  first.crash();

  server.closing = 0;
  const second = await open(device, server);
  assert.equal(second.text, "seen, unsent!");
  assert.equal(text(server), "seen, unsent!");
  assert.equal(second.saying, "Saving…");
  assert.equal(await second.left(), 1, "not before the server has it");
  server.commit();
  assert.equal(second.saying, "Saved");
  await second.write();
  assert.equal(await second.left(), 0);
});

test("what was confirmed in time is never written", async () => {
  const [device, server] = [new Device(), new FakeServer()];
  const tab = await open(device, server);
  tab.type("quick");
  server.settle();
  server.commit();
  await tab.write();
  assert.equal(await tab.left(), 0);
});

test("a crash between the keystroke and the answer: sent again, stored once", async () => {
  const [device, server] = [new Device(), new FakeServer()];
  const first = await open(device, server);
  first.type("once");
  server.settle();
  await first.write();
  assert.equal(text(server), "once");
  first.crash();
  const second = await open(device, server);
  assert.equal(text(server), "once");
  assert.equal(second.text, "once");
  server.commit();
  assert.equal(second.saying, "Saved");
});

test("a crash before anything was sent", async () => {
  const [device, server] = [new Device(), new FakeServer()];
  const first = await open(device, server);
  first.type("never under way");
  await first.write();
  for (const line of server.lines) line.forget();
  server.settle();
  first.crash();
  assert.equal(text(server), "");
  await open(device, server);
  assert.equal(text(server), "never under way");
});

test("two tabs: each keeps its own edits, and the one that lives on takes over from the one that ends", async () => {
  const [device, server] = [new Device(), new FakeServer()];
  const a = await open(device, server);
  const b = await open(device, server);
  offline(server);
  a.type("from a ");
  b.type("from b ");
  await a.write();
  await b.write();
  await b.look();
  assert.equal(b.provider.unconfirmed.length, 1, "a lives");
  a.crash();
  await until(() => b.provider.unconfirmed.length === 2);
  assert.equal(b.saying, "Offline, 2 changes kept on this device");
  server.closing = 0;
  b.provider.wake();
  server.settle();
  assert.deepEqual(new Set(text(server).trim().split(" ")), new Set(["from", "a", "b"]));
  server.commit();
  assert.equal(b.saying, "Saved");
  await b.write();
  assert.equal(await b.left(), 0);
});

test("without Web Locks a living tab's edits are sent by two, and stored once", async () => {
  const [device, server] = [new Device(), new FakeServer()];
  device.hasLocks = false;
  const a = await open(device, server);
  offline(server);
  a.type("once");
  await a.write();
  const b = await open(device, server);
  assert.equal(b.provider.unconfirmed.length, 1);
  server.closing = 0;
  for (const tab of [a, b]) tab.provider.wake();
  server.settle();
  server.commit();
  assert.equal(text(server), "once");
  assert.equal(a.saying, "Saved");
  assert.equal(b.saying, "Saved");
  await a.write();
  await b.write();
  assert.equal(await b.left(), 0);
});

test("a week of typing comes back at once", async () => {
  const [device, server] = [new Device(), new FakeServer()];
  const first = await open(device, server);
  offline(server);
  for (let key = 0; key < 20_000; key += 1) first.type("z");
  await first.write();
  first.crash();
  server.closing = 0;
  const started = performance.now();
  const second = await open(device, server);
  assert.ok(performance.now() - started < 5_000, `${performance.now() - started} ms`);
  assert.equal(text(server).length, 20_000);
  server.commit();
  assert.equal(second.saying, "Saved");
});

test("what a tab left is adopted by exactly one of two others", async () => {
  const [device, server] = [new Device(), new FakeServer()];
  const a = await open(device, server);
  offline(server);
  a.type("once");
  await a.write();
  a.crash();
  const [b, c] = await Promise.all([open(device, server), open(device, server)]);
  const counts = [b.provider.unconfirmed.length, c.provider.unconfirmed.length];
  assert.deepEqual(counts.sort(), [0, 1]);
});

test("an adopter that crashes as well leaves the draft to the next", async () => {
  const [device, server] = [new Device(), new FakeServer()];
  const a = await open(device, server);
  offline(server);
  a.type("far travelled");
  await a.write();
  a.crash();
  (await open(device, server)).crash();
  server.closing = 0;
  await open(device, server);
  assert.equal(text(server), "far travelled");
});

test("another person in the same browser sees nothing of it and sends nothing of it", async () => {
  const [device, server] = [new Device(), new FakeServer()];
  const alice = await open(device, server);
  offline(server);
  alice.type("Alice's own");
  await alice.write();
  alice.crash();
  server.closing = 0;
  server.person = { id: "2", name: "Bob", colour: "#332211" };
  const bob = await open(device, server);
  assert.equal(bob.text, "");
  assert.equal(text(server), "");
  assert.deepEqual(bob.earlier.offered.value, []);
  assert.equal(await bob.left(), 0);
  bob.crash();
  server.person = { id: "1", name: "Alice", colour: "#112233" };
  await open(device, server);
  assert.equal(text(server), "Alice's own");
});

test("signing in as somebody else in place sends nothing, and keeps it for the first person", async () => {
  const [device, server] = [new Device(), new FakeServer()];
  const alice = await open(device, server);
  server.closing = 4401;
  server.close(4401);
  alice.type("Alice's own");
  await alice.write();
  server.closing = 0;
  server.person = { id: "2", name: "Bob", colour: "#332211" };
  alice.provider.wake();
  server.settle();
  assert.equal(text(server), "");
  assert.equal(alice.saying, "Not saved: somebody else has signed in");
  await alice.write();
  const [draft] = await alice.drafts.store.of("1");
  assert.equal(draft?.refusal, null, "not lost: it is sent when Alice is back");
});

test("edits that build on what the server lost bring it along", async () => {
  const [device, server] = [new Device(), new FakeServer()];
  const first = await open(device, server);
  const other = new Y.Doc();
  other.getText("t").insert(0, "theirs");
  sendOn(server, other);
  first.type(" and mine");
  await first.write();
  first.crash();
  const restarted = new FakeServer();
  const second = await open(device, restarted);
  assert.equal(second.text, "theirs and mine");
  assert.equal(text(restarted), "theirs and mine");
});

test("what the server lost and does not take back: nothing is sent that nobody would see", async () => {
  const [device, server] = [new Device(), new FakeServer()];
  const first = await open(device, server);
  const other = new Y.Doc();
  other.getText("t").insert(0, "theirs");
  sendOn(server, other);
  first.type(" and mine");
  await first.write();
  first.crash();
  const restarted = new FakeServer();
  restarted.onlyFrom = first.doc.clientID;
  const second = await open(device, restarted);
  second.wait(1_000);
  assert.equal(second.saying, "Not saved: the server has lost what your changes build on");
  restarted.commit();
  assert.notEqual(second.saying, "Saved");
  assert.equal(restarted.doc.store.pendingStructs, null);
  Y.applyUpdate(restarted.doc, Y.encodeStateAsUpdate(other));
  restarted.close(1012);
  second.wait(2_000);
  assert.equal(text(restarted), "theirs and mine");
});

test("the whole document is kept beside edits that stay unsent for long", async () => {
  const [device, server] = [new Device(), new FakeServer()];
  server.doc.getText("t").insert(0, "a long story");
  const tab = await open(device, server);
  offline(server);
  tab.type(", continued");
  tab.clock.advance(1_100);
  await tab.write();
  const draft = await tab.drafts.store.load(tab.id);
  assert.ok(draft?.state);
  const copy = new Y.Doc();
  Y.applyUpdate(copy, draft.state);
  assert.equal(copy.getText("t").toString(), "a long story, continued");
});

test("access taken away: kept, offered on the next visit that may only read, sent when writing is allowed again", async () => {
  const [device, server] = [new Device(), new FakeServer()];
  const first = await open(device, server);
  server.refusing = "read-only";
  first.type("late");
  server.settle();
  server.closing = 4403;
  server.close(4403);
  assert.equal(first.saying, "Not saved: you no longer have access");
  await first.write();
  assert.equal((await first.drafts.store.of("1"))[0]?.refusal, "no-access");
  first.crash();

  Object.assign(server, { closing: 0, refusing: "", role: "viewer" });
  const second = await open(device, server, { role: "viewer" });
  assert.equal(second.text, "");
  assert.deepEqual(second.earlier.offered.value.map(({ record }) => record.refusal), ["read-only"]);
  server.role = "editor";
  server.close(4300);
  second.wait(1_000);
  second.earlier.become("editor");
  server.settle();
  assert.equal(text(server), "late");
  assert.deepEqual(second.earlier.offered.value, []);
});

test("another epoch: never merged, offered as a copy", async () => {
  const [device, server] = [new Device(), new FakeServer()];
  const first = await open(device, server);
  offline(server);
  first.type("of another time");
  await first.write();
  first.crash();
  const restored = new FakeServer();
  restored.epoch = 2;
  const second = await open(device, restored, { epoch: 2 });
  assert.equal(second.text, "");
  assert.deepEqual(second.earlier.offered.value.map(({ record }) => record.refusal), ["new-epoch"]);
  await until(async () => (await second.drafts.store.of("1"))[0]?.refusal === "new-epoch");
});

test("an older schema's edits are sent by the reloaded page, a newer one's are offered", async () => {
  for (const [made, opened, sent] of [[1, 2, true], [2, 1, false]] as const) {
    const [device, server] = [new Device(), new FakeServer()];
    const first = await open(device, server, { schemaVersion: made });
    offline(server);
    first.type("across versions");
    await first.write();
    first.crash();
    server.closing = 0;
    const second = await open(device, server, { schemaVersion: opened });
    assert.equal(text(server), sent ? "across versions" : "");
    assert.deepEqual(second.earlier.offered.value.map(({ record }) => record.refusal), sent ? [] : ["page-too-old"]);
  }
});

test("what was refused for what it is does not come back by itself", async () => {
  const [device, server] = [new Device(), new FakeServer()];
  const first = await open(device, server);
  server.refusing = "malformed";
  first.type("odd");
  server.settle();
  await first.write();
  first.crash();
  const second = await open(device, server);
  assert.deepEqual(second.earlier.offered.value.map(({ record }) => record.refusal), ["malformed"]);
  assert.equal(second.provider.editable.value, true);
});

test("thrown away means thrown away", async () => {
  const [device, server] = [new Device(), new FakeServer()];
  const tab = await open(device, server);
  server.refusing = "document-full";
  tab.type("too much");
  server.settle();
  await tab.write();
  tab.provider.discard();
  await tab.drafts.keeper.flush();
  assert.equal(await tab.left(), 0);
  assert.deepEqual(tab.provider.unconfirmed, []);
});

/** Somebody else's edit is sent on to all tabs, and the server forgets it: as in a crash before the commit. */
function sendOn(server: FakeServer, other: Y.Doc): void {
  server.say(0, (encoder) => {
    encoding.writeVarUint(encoder, 2);
    encoding.writeVarUint8Array(encoder, Y.encodeStateAsUpdate(other));
  });
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; !(await condition()); turn += 1) {
    assert.ok(turn < 1_000, "it never came true");
    await setImmediate();
  }
}
