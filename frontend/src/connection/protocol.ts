/** Bytes to messages and back: the only module that knows a byte value. One message is one frame. */

import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";

import { type Hello, type LiveEvent, type RefusalReason, parseEvent, parseHello, parseRefusal } from "./facts";

const SYNC = 0;
const AWARENESS = 1;
const DENIED = 2;
const QUERY_AWARENESS = 3;
const SAVED = 100;
const REFUSED = 101;
const HELLO = 102;
const EVENT = 103;
const HEARTBEAT = 104;

const STEP_1 = 0;
const STEP_2 = 1;
const UPDATE = 2;

/** Bytes a sync message adds to the update it carries, at most: type, subtype and a five-byte length. */
export const SYNC_OVERHEAD = 7;

export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

export type Inbound =
  | { readonly kind: "step1"; readonly stateVector: Uint8Array }
  | { readonly kind: "step2"; readonly update: Uint8Array }
  | { readonly kind: "update"; readonly update: Uint8Array }
  | { readonly kind: "awareness"; readonly update: Uint8Array }
  | { readonly kind: "query-awareness" }
  | { readonly kind: "denied"; readonly reason: string }
  | { readonly kind: "saved"; readonly frames: number; readonly seq: number }
  | { readonly kind: "refused"; readonly frame: number; readonly reason: RefusalReason }
  | { readonly kind: "hello"; readonly hello: Hello }
  | { readonly kind: "event"; readonly event: LiveEvent }
  | { readonly kind: "heartbeat" }
  | { readonly kind: "unknown"; readonly type: number };

/** Throws ProtocolError for anything malformed, bytes after the message included. */
export function decode(frame: Uint8Array): Inbound {
  const decoder = decoding.createDecoder(frame);
  let message: Inbound;
  try {
    message = read(decoder);
  } catch (cause) {
    throw new ProtocolError("Malformed message", { cause });
  }
  if (message.kind !== "unknown" && decoding.hasContent(decoder)) throw new ProtocolError("Bytes after the message");
  return message;
}

function read(decoder: decoding.Decoder): Inbound {
  const type = decoding.readVarUint(decoder);
  switch (type) {
    case SYNC:
      return readSync(decoder);
    case AWARENESS:
      return { kind: "awareness", update: readBytes(decoder) };
    case DENIED:
      if (decoding.readVarUint(decoder) !== 0) throw new ProtocolError("Unknown auth message");
      return { kind: "denied", reason: decoding.readVarString(decoder) };
    case QUERY_AWARENESS:
      return { kind: "query-awareness" };
    case SAVED:
      return { kind: "saved", frames: decoding.readVarUint(decoder), seq: decoding.readVarUint(decoder) };
    case REFUSED: {
      const frame = decoding.readVarUint(decoder);
      return { kind: "refused", frame, reason: parseRefusal(decoding.readVarString(decoder)) };
    }
    case HELLO:
      return { kind: "hello", hello: parseHello(JSON.parse(decoding.readVarString(decoder))) };
    case EVENT:
      return { kind: "event", event: parseEvent(JSON.parse(decoding.readVarString(decoder))) };
    case HEARTBEAT:
      return { kind: "heartbeat" };
    default:
      return { kind: "unknown", type };
  }
}

function readSync(decoder: decoding.Decoder): Inbound {
  const step = decoding.readVarUint(decoder);
  switch (step) {
    case STEP_1:
      return { kind: "step1", stateVector: readBytes(decoder) };
    case STEP_2:
      return { kind: "step2", update: readBytes(decoder) };
    case UPDATE:
      return { kind: "update", update: readBytes(decoder) };
    default:
      throw new ProtocolError(`Unknown sync step ${step}`);
  }
}

/** lib0 would read past the frame into the rest of its buffer when the length lies. */
function readBytes(decoder: decoding.Decoder): Uint8Array {
  const length = decoding.readVarUint(decoder);
  if (length > decoder.arr.length - decoder.pos) throw new ProtocolError("Length beyond the frame");
  return decoding.readUint8Array(decoder, length);
}

export function encodeStep1(stateVector: Uint8Array): Uint8Array {
  return encodeSync(STEP_1, stateVector);
}

export function encodeStep2(update: Uint8Array): Uint8Array {
  return encodeSync(STEP_2, update);
}

export function encodeUpdate(update: Uint8Array): Uint8Array {
  return encodeSync(UPDATE, update);
}

export function encodeQueryAwareness(): Uint8Array {
  return new Uint8Array([QUERY_AWARENESS]);
}

export function encodeAwareness(update: Uint8Array): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, AWARENESS);
    encoding.writeVarUint8Array(encoder, update);
  });
}

function encodeSync(step: number, body: Uint8Array): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, SYNC);
    encoding.writeVarUint(encoder, step);
    encoding.writeVarUint8Array(encoder, body);
  });
}
