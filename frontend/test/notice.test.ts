import assert from "node:assert/strict";
import test from "node:test";

import { STOPS } from "../src/connection/close-codes";
import { socketUrl } from "../src/connection/transport";
import { contentFor } from "../src/editor/notice";

test("nothing is said while all goes well, or may still go well", () => {
  assert.equal(contentFor({ kind: "saved" }), null);
  assert.equal(contentFor({ kind: "offline", changes: 3 }), null);
  assert.equal(contentFor({ kind: "saving", changes: 3, stalled: true }), null);
});

test("a stop is told with its way out", () => {
  const { told, wayOut } = STOPS.trashed;
  assert.deepEqual(contentFor({ kind: "stopped", changes: 0, stop: STOPS.trashed }), { text: told, wayOut });
});

test("whoever leaves or reloads hears first what would be lost", () => {
  const content = contentFor({ kind: "stopped", changes: 2, stop: STOPS["new-epoch"] });
  assert.match(content?.text ?? "", /2 changes you made are not saved: copy what you need first\.$/);
  const refused = contentFor({ kind: "refused", changes: 1, reason: "too-large" });
  assert.match(refused?.text ?? "", /^Not saved: the last change is too large \(1 change\)\. Copy what you need/);
});

test("whoever signs in again loses nothing and is not told to copy", () => {
  const content = contentFor({ kind: "stopped", changes: 1, stop: STOPS["sign-in"] });
  assert.match(content?.text ?? "", /1 change you made is not saved yet\.$/);
});

test("the socket's address follows the page's scheme and host", () => {
  const address = { path: "/ws/documents", id: "a b", schemaVersion: 1, epoch: 2 };
  const url = (page: string): string => socketUrl(new URL(page), address);
  assert.equal(url("https://x.org/documents/1/?q#h"), "wss://x.org/ws/documents/a%20b?v=1&schema=1&epoch=2");
  assert.equal(url("http://localhost:8000/"), "ws://localhost:8000/ws/documents/a%20b?v=1&schema=1&epoch=2");
});
