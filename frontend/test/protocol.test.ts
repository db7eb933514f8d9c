import assert from "node:assert/strict";
import test from "node:test";

import { Awareness, applyAwarenessUpdate } from "y-protocols/awareness";
import * as Y from "yjs";

import {
  ProtocolError,
  decode,
  encodeAwareness,
  encodeStep1,
  encodeStep2,
  encodeUpdate,
} from "../src/connection/protocol";

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function hex(frame: Uint8Array): string {
  return [...frame].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function ours(type: number, ...parts: (number | string)[]): Uint8Array {
  const body = parts.flatMap((part) => {
    if (typeof part === "number") return [part];
    const text = new TextEncoder().encode(part);
    return text.length < 128 ? [text.length, ...text] : [(text.length & 127) | 128, text.length >> 7, ...text];
  });
  return Uint8Array.of(type, ...body);
}

const HELLO = {
  role: "editor",
  person: { id: "7", name: "Zoë", colour: "#aAbB09" },
  seq: 12,
  epoch: 2,
  schemaVersion: 1,
  limits: { frameBytes: 1000, awarenessBytes: 4096 },
};

test("step 1 of an empty document", () => {
  assert.equal(hex(encodeStep1(Y.encodeStateVector(new Y.Doc()))), "00000100");
  assert.deepEqual(decode(bytes("00000100")), { kind: "step1", stateVector: bytes("00") });
});

test("step 2 that carries nothing", () => {
  assert.equal(hex(encodeStep2(bytes("0000"))), "0001020000");
  assert.deepEqual(decode(bytes("0001020000")), { kind: "step2", update: bytes("0000") });
});

test("an update that inserts one letter", () => {
  const update = bytes("0101010004010174016100");
  assert.equal(hex(encodeUpdate(update)), "00020b0101010004010174016100");
  assert.deepEqual(decode(bytes("00020b0101010004010174016100")), { kind: "update", update });
});

test("step 1 and step 2 after two letters", () => {
  const doc = new Y.Doc();
  for (const update of ["0101010004010174016100", "01010101840100016200"]) Y.applyUpdate(doc, bytes(update));
  assert.equal(doc.getText("t").toString(), "ab");
  assert.equal(hex(encodeStep1(Y.encodeStateVector(doc))), "000003010102");
  assert.equal(hex(encodeStep2(Y.encodeStateAsUpdate(doc))), "00010c010101000401017402616200");
});

test("awareness, with a name beyond ASCII", () => {
  const frame = "011a010101167b2275736572223a7b226e616d65223a22c3a9227d7d";
  const message = decode(bytes(frame));
  assert.equal(message.kind, "awareness");
  if (message.kind !== "awareness") return;
  const awareness = new Awareness(new Y.Doc());
  applyAwarenessUpdate(awareness, message.update, null);
  assert.deepEqual(awareness.getStates().get(1), { user: { name: "é" } });
  awareness.destroy();
  assert.equal(hex(encodeAwareness(message.update)), frame);
});

test("query awareness and denial", () => {
  assert.deepEqual(decode(bytes("03")), { kind: "query-awareness" });
  assert.deepEqual(decode(bytes("0200026e6f")), { kind: "denied", reason: "no" });
});

test("saved, refused and heartbeat", () => {
  assert.deepEqual(decode(bytes("64ac0205")), { kind: "saved", frames: 300, seq: 5 });
  assert.deepEqual(decode(ours(101, 3, "document-full")), { kind: "refused", frame: 3, reason: "document-full" });
  assert.deepEqual(decode(ours(101, 3, "news")), { kind: "refused", frame: 3, reason: "refused" });
  assert.deepEqual(decode(bytes("68")), { kind: "heartbeat" });
});

test("hello", () => {
  const message = decode(ours(102, JSON.stringify(HELLO)));
  assert.deepEqual(message, { kind: "hello", hello: { ...HELLO, limits: { frameBytes: 1000 } } });
});

test("hello is refused when a part of it is not what it should be", () => {
  const wrong = [
    { role: "king" },
    { person: { ...HELLO.person, colour: "red" } },
    { person: null },
    { epoch: "1" },
    { seq: -1 },
    { limits: { frameBytes: 0.5 } },
  ];
  for (const part of wrong) {
    assert.throws(() => decode(ours(102, JSON.stringify({ ...HELLO, ...part }))), ProtocolError, JSON.stringify(part));
  }
});

test("events", () => {
  const event = (value: object): unknown => decode(ours(103, JSON.stringify(value)));
  assert.deepEqual(event({ type: "title", title: "A" }), { kind: "event", event: { type: "title", title: "A" } });
  assert.deepEqual(event({ type: "saving", ok: false }), { kind: "event", event: { type: "saving", ok: false } });
  assert.deepEqual(event({ type: "chat", text: "x" }), { kind: "event", event: { type: "other", name: "chat" } });
});

test("a type this page does not know is no error", () => {
  assert.deepEqual(decode(ours(120, 1, 2, 3)), { kind: "unknown", type: 120 });
});

test("malformed frames", () => {
  const frames = {
    nothing: "",
    "a sync without a step": "00",
    "an unknown sync step": "000301aa",
    "endless digits": "ffffffffffffffffffff",
    "a length beyond the frame": "00020b01",
    "a byte after the message": "000002000000",
    "a byte after a heartbeat": "6800",
    "hello that is no JSON": "6602" + "7b7b",
    "text that is no UTF-8": "6501" + "02c328",
  };
  for (const [name, frame] of Object.entries(frames)) assert.throws(() => decode(bytes(frame)), ProtocolError, name);
});

test("a length does not reach past the frame into the buffer around it", () => {
  const buffer = bytes("000002aabb");
  assert.throws(() => decode(buffer.subarray(0, 4)), ProtocolError);
});
