import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import * as encoding from "lib0/encoding";

import { FakeServer } from "./fake-server";
import { Tab } from "./tab";

const tabs: Tab[] = [];
afterEach(() => tabs.splice(0).forEach((tab) => tab.close()));

function open(server: FakeServer, role?: "viewer"): Tab {
  const tab = Tab.open(server, role);
  tabs.push(tab);
  return tab;
}

function status(tab: Tab): string {
  return tab.provider.connection.status.value.kind;
}

test("hello, sync and a heartbeat keep the connection open", () => {
  const server = new FakeServer();
  const tab = open(server);
  for (let passed = 0; passed < 120; passed += 15) {
    tab.clock.advance(15_000);
    server.say(104, () => undefined);
  }
  assert.equal(status(tab), "open");
  assert.equal(server.lines.size, 1);
});

test("thirty seconds of silence give the socket up, and a new one is opened", () => {
  const server = new FakeServer();
  const tab = open(server);
  const first = tab.line;
  tab.clock.advance(29_999);
  assert.equal(status(tab), "open");
  tab.clock.advance(1);
  assert.equal(status(tab), "waiting");
  tab.wait(1_000);
  assert.equal(status(tab), "open");
  assert.notEqual(tab.line, first);
});

test("a server that never answers the handshake is given up too", () => {
  const server = new FakeServer();
  const tab = new Tab(server);
  tabs.push(tab);
  tab.provider.connect();
  tab.clock.advance(30_000);
  assert.equal(status(tab), "waiting");
});

test("restarts come back by themselves, later and later while they fail", () => {
  const server = new FakeServer();
  const tab = open(server);
  tab.clock.chance = 0;
  server.closing = 1013;
  server.close(1012);
  const delays: number[] = [];
  for (let tries = 0; tries < 5; tries += 1) {
    const start = tab.clock.now();
    while (status(tab) === "waiting") tab.clock.advance(50);
    delays.push(tab.clock.now() - start);
    server.settle();
  }
  assert.deepEqual(delays, [300, 600, 1_200, 2_400, 4_800]);
});

test("after ten good seconds the backoff starts anew", () => {
  const server = new FakeServer();
  const tab = open(server);
  for (let restart = 0; restart < 4; restart += 1) {
    tab.clock.advance(10_000);
    server.close(1012);
    tab.wait(1_000);
    assert.equal(status(tab), "open", `restart ${restart}`);
  }
});

test("a server that lets in and throws out again is not hammered", () => {
  const server = new FakeServer();
  const tab = open(server);
  let connections = 0;
  for (let second = 0; second < 60; second += 1) {
    if (status(tab) === "open") {
      connections += 1;
      server.close(1013);
    }
    tab.wait(1_000);
  }
  assert.ok(connections >= 3 && connections <= 8, String(connections));
});

test("waking up while waiting reconnects at once", () => {
  const server = new FakeServer();
  const tab = open(server);
  server.close(1012);
  assert.equal(status(tab), "waiting");
  tab.provider.wake();
  server.settle();
  assert.equal(status(tab), "open");
  tab.wait(2_000);
  assert.equal(server.lines.size, 1);
});

test("a page that is shown before it has begun to connect does not connect twice", () => {
  const server = new FakeServer();
  const tab = new Tab(server);
  tabs.push(tab);
  tab.provider.arrive();
  server.settle();
  assert.equal(server.lines.size, 0, "what earlier tabs left is looked for first");
  tab.provider.connect();
  tab.provider.connect();
  server.settle();
  assert.equal(server.lines.size, 1);
});

test("waking up after a long sleep does not trust the old socket", () => {
  const server = new FakeServer();
  const tab = open(server);
  const first = tab.line;
  tab.clock.sleep(3_600_000);
  tab.provider.wake();
  server.settle();
  assert.equal(status(tab), "open", "at once, without any waiting");
  assert.notEqual(tab.line, first);
});

test("waking up leaves a living connection alone, but asks it", () => {
  const server = new FakeServer();
  const tab = open(server);
  const first = tab.line;
  tab.clock.sleep(20_000);
  tab.provider.wake();
  tab.provider.wake();
  server.settle();
  tab.wait(6_000);
  assert.equal(tab.line, first);
  assert.equal(first.queries, 1);
});

test("a socket that does not answer after a short sleep is replaced in seconds, not in half a minute", () => {
  const server = new FakeServer();
  const tab = open(server);
  const first = tab.line;
  first.muted = true;
  tab.clock.sleep(10_000);
  tab.type("written in the train");
  tab.provider.wake();
  server.settle();
  tab.clock.advance(5_000);
  first.forget();
  tab.wait(1_000);
  assert.notEqual(tab.line, first);
  assert.equal(server.doc.getText("t").toString(), "written in the train");
});

test("a network that the browser says is gone: a socket that still answers is believed, a silent one is given up", () => {
  const server = new FakeServer();
  const tab = open(server);
  tab.provider.doubt();
  server.settle();
  tab.wait(3_000);
  assert.equal(status(tab), "open");
  tab.line.muted = true;
  tab.provider.doubt();
  tab.clock.advance(2_000);
  assert.equal(tab.saying, "Offline, everything is saved");
});

test("a page that was frozen for longer than the socket lives finds out by its own timer", () => {
  const server = new FakeServer();
  const tab = open(server);
  const first = tab.line;
  tab.clock.sleep(45_000);
  tab.clock.advance(1);
  assert.equal(status(tab), "waiting");
  tab.wait(1_000);
  assert.notEqual(tab.line, first);
});

test("codes from 4400 stop: no more tries, the text stays, nobody types", () => {
  const stops = { 4403: "no-access", 4404: "not-found", 4409: "new-epoch", 4410: "trashed", 4426: "page-too-old" };
  for (const [code, reason] of Object.entries(stops)) {
    const server = new FakeServer();
    const tab = open(server);
    tab.type("kept");
    server.settle();
    server.close(Number(code));
    tab.wait(120_000);
    tab.provider.wake();
    server.settle();
    const state = tab.provider.saving.value;
    assert.equal(state.kind === "stopped" ? state.stop.reason : null, reason);
    assert.equal(server.lines.size, 0);
    assert.equal(tab.text, "kept");
    assert.equal(tab.provider.editable.value, false);
  }
});

test("signed out: coming back to the page tries again, and the edits follow", () => {
  const server = new FakeServer();
  const tab = open(server);
  server.closing = 4401;
  server.close(4401);
  tab.type("before");
  tab.provider.wake();
  server.settle();
  assert.equal(tab.saying, "Signed out, 1 change kept on this device");
  assert.equal(tab.provider.editable.value, true);
  server.closing = 0;
  tab.provider.wake();
  server.settle();
  assert.equal(tab.provider.editable.value, true);
  server.commit();
  assert.equal(tab.saying, "Saved");
  assert.equal(server.doc.getText("t").toString(), "before");
});

test("somebody else signed in meanwhile: nothing of the first person is sent in their name", () => {
  const server = new FakeServer();
  const tab = open(server);
  server.close(4401);
  tab.type("Alice's");
  server.person = { id: "2", name: "Bob", colour: "#332211" };
  tab.provider.wake();
  server.settle();
  const state = tab.provider.saving.value;
  assert.equal(state.kind === "stopped" ? state.stop.reason : null, "other-person");
  assert.equal(server.doc.getText("t").toString(), "");
});

test("another epoch or a newer schema in hello stops before any text is taken in", () => {
  for (const [change, reason] of [
    [{ epoch: 2 }, "new-epoch"],
    [{ schemaVersion: 2 }, "page-too-old"],
  ] as const) {
    const server = new FakeServer();
    Object.assign(server, change);
    server.doc.getText("t").insert(0, "of another time");
    const tab = open(server);
    const state = tab.provider.saving.value;
    assert.equal(state.kind === "stopped" ? state.stop.reason : null, reason);
    assert.equal(tab.text, "");
  }
});

test("a message that cannot be read leads to a new connection and its sync", (t) => {
  const errors = t.mock.method(console, "error", () => undefined);
  const server = new FakeServer();
  const tab = open(server);
  server.say(0, (encoder) => encoding.writeVarUint(encoder, 9));
  assert.equal(status(tab), "waiting");
  assert.equal(errors.mock.callCount(), 1);
  tab.wait(1_000);
  assert.equal(status(tab), "open");
});

test("nobody types before the text has arrived", () => {
  const server = new FakeServer();
  server.closing = 1013;
  const tab = open(server);
  assert.equal(tab.provider.editable.value, false);
  assert.equal(tab.saying, "Opening…");
  server.closing = 0;
  tab.wait(3_000);
  assert.equal(tab.provider.editable.value, true);
});

test("how full a document is, is told from one half on, and forgotten by the next connection", () => {
  const server = new FakeServer();
  const tab = open(server);
  server.event({ type: "size", bytes: 30, limit: 64 });
  assert.equal(tab.provider.fullness.value, 0);
  server.event({ type: "size", bytes: 40, limit: 64 });
  assert.equal(tab.provider.fullness.value, 62);
  server.close(1012);
  tab.wait(1_000);
  assert.equal(tab.provider.fullness.value, 0);
});

test("a title event reaches the page", () => {
  const server = new FakeServer();
  const tab = open(server);
  server.event({ type: "title", title: "New" });
  assert.deepEqual(tab.events, [{ type: "title", title: "New" }]);
});
