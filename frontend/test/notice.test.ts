import assert from "node:assert/strict";
import test from "node:test";

import { STOPS } from "../src/connection/close-codes";
import { socketUrl } from "../src/connection/transport";
import { contentFor } from "../src/editor/notice";

function unsaved(changes: number, kept = changes, keeps = true): { changes: number; kept: number; keeps: boolean } {
  return { changes, kept, keeps };
}

test("nothing is said while all goes well, or may still go well", () => {
  assert.equal(contentFor({ kind: "saved" }), null);
  assert.equal(contentFor({ kind: "offline", ...unsaved(3) }), null);
  assert.equal(contentFor({ kind: "saving", ...unsaved(3), stalled: true, uploaded: null }), null);
});

test("a stop is told with its way out", () => {
  const { told, wayOut } = STOPS.trashed;
  const content = contentFor({ kind: "stopped", ...unsaved(0), stop: STOPS.trashed });
  assert.deepEqual(content, { text: told, actions: [wayOut] });
});

test("what can never be sent is offered as a copy", () => {
  const content = contentFor({ kind: "stopped", ...unsaved(2), stop: STOPS["no-access"] });
  assert.match(content?.text ?? "", /2 changes you made could not be saved\. They are kept on this device\.$/);
  assert.deepEqual(content?.actions, ["read", "leave"]);
  const refused = contentFor({ kind: "refused", ...unsaved(1), reason: "document-full" });
  assert.match(refused?.text ?? "", /^Not saved: this document has reached its size limit\. 1 change you made could not/);
  assert.deepEqual(refused?.actions, ["read", "reload"]);
});

test("what will be sent after a reload is promised, unless this device could not keep it", () => {
  const kept = contentFor({ kind: "stopped", ...unsaved(2), stop: STOPS["page-too-old"] });
  assert.match(kept?.text ?? "", /kept on this device and will be sent when you open the document again\.$/);
  assert.deepEqual(kept?.actions, ["reload"]);
  const alone = contentFor({ kind: "stopped", ...unsaved(2, 0, false), stop: STOPS["page-too-old"] });
  assert.match(alone?.text ?? "", /2 changes you made are in this tab only: take a copy before you close it\.$/);
  assert.deepEqual(alone?.actions, ["read", "reload"]);
});

test("whoever signs in again loses nothing and is not told to copy", () => {
  const content = contentFor({ kind: "stopped", ...unsaved(1), stop: STOPS["sign-in"] });
  assert.deepEqual(content, { text: STOPS["sign-in"].told, actions: ["sign-in"] });
});

test("the socket's address follows the page's scheme and host", () => {
  const address = { path: "/ws/documents", id: "a b", schemaVersion: 1, epoch: 2 };
  const url = (page: string): string => socketUrl(new URL(page), address);
  assert.equal(url("https://x.org/documents/1/?q#h"), "wss://x.org/ws/documents/a%20b?v=1&schema=1&epoch=2");
  assert.equal(url("http://localhost:8000/"), "ws://localhost:8000/ws/documents/a%20b?v=1&schema=1&epoch=2");
});
