import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { FakeServer } from "./fake-server";
import { Tab } from "./tab";

const tabs: Tab[] = [];
afterEach(() => tabs.splice(0).forEach((tab) => tab.close()));

const LARGE = "x".repeat(2_000);

/** A tab that is all saved, on a server with frames of a thousand bytes. */
function open(): { server: FakeServer; tab: Tab } {
  const server = new FakeServer();
  server.frameBytes = 1_000;
  const tab = Tab.open(server);
  tabs.push(tab);
  server.commit();
  return { server, tab };
}

function frames(tab: Tab): number {
  return tab.line.updates.length;
}

test("a large edit is uploaded; what follows waits for it and is sent after it", async () => {
  const { server, tab } = open();
  const before = frames(tab);
  tab.type(LARGE);
  tab.type("and on");
  server.settle();
  assert.equal(server.uploads.length, 1);
  assert.equal(frames(tab), before, "later edits build on it");
  assert.equal(tab.saying, "Saving a large change… 0 %");
  server.uploads[0]?.progress(0.5);
  assert.equal(tab.saying, "Saving a large change… 50 %");
  await server.uploads[0]?.end({ kind: "saved" });
  assert.equal(frames(tab), before + 1);
  assert.equal(tab.saying, "Saving…");
  server.commit();
  assert.equal(tab.saying, "Saved");
  assert.equal(server.doc.getText("t").toString(), `${LARGE}and on`);
  assert.equal(tab.device.kept.size, 0);
});

test("it waits for what was sent before it", async () => {
  const { server, tab } = open();
  tab.type("first ");
  tab.type(LARGE);
  server.settle();
  assert.equal(server.uploads.length, 0);
  server.commit();
  assert.equal(server.uploads.length, 1);
});

test("the socket breaks meanwhile: the upload begins anew on the next connection, and nothing counts as saved", async () => {
  const { server, tab } = open();
  tab.type(LARGE);
  tab.type("y");
  server.settle();
  server.close(1012);
  assert.equal(server.uploads[0]?.signal.aborted, true);
  await server.uploads[0]?.end({ kind: "turned-away" });
  assert.equal(tab.saying, "Offline, 2 changes kept on this device");
  tab.wait(1_000);
  server.commit();
  assert.equal(tab.saying, "Saving a large change… 0 %", "the empty answer to step 1 confirms nothing");
  assert.equal(server.uploads.length, 2);
  await server.uploads[1]?.end({ kind: "saved" });
  server.commit();
  assert.equal(tab.saying, "Saved");
  assert.equal(server.doc.getText("t").toString(), `${LARGE}y`);
});

test("an upload whose answer was lost is not sent again", async () => {
  const { server, tab } = open();
  tab.type(LARGE);
  server.settle();
  const [arriving] = server.uploads;
  assert.ok(arriving);
  server.close(1012);
  await arriving.end({ kind: "saved" });
  tab.wait(1_000);
  server.commit();
  assert.equal(server.uploads.length, 1);
  assert.equal(tab.saying, "Saved");
  assert.equal(server.doc.getText("t").toString(), LARGE);
});

test("a refused upload locks the text like a refused frame", async () => {
  const { server, tab } = open();
  tab.type(LARGE);
  server.settle();
  await server.uploads[0]?.end({ kind: "refused", reason: "too-large" });
  assert.equal(tab.saying, "Not saved: the last change is too large");
  assert.equal(tab.provider.editable.value, false);
  assert.equal(tab.provider.unconfirmed.length, 1);
  assert.equal(tab.device.refusal, "too-large");
});

test("turned away: the connection is asked why", async () => {
  const { server, tab } = open();
  tab.type(LARGE);
  server.settle();
  server.closing = 4401;
  await server.uploads[0]?.end({ kind: "turned-away" });
  tab.wait(1_000);
  assert.equal(tab.saying, "Signed out, 1 change kept on this device");
});
