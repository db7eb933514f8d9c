import assert from "node:assert/strict";
import { test } from "node:test";

import type { Batch, DraftRecord } from "../src/storage/draft";
import { Keeper } from "../src/storage/keeper";
import { FakeClock } from "./fake-clock";

const STATE = new Uint8Array([9]);

/** A device that notes what it is asked to write, and can be told to refuse. */
class Notebook {
  readonly batches: Batch[] = [];
  readonly clock = new FakeClock();
  refuses = (_: Batch): boolean => false;
  readonly keeper: Keeper;

  constructor() {
    this.keeper = new Keeper({
      clock: this.clock,
      state: () => STATE,
      record: () => this.record,
      write: async (batch) => {
        if (this.refuses(batch)) throw new DOMException("No room", "QuotaExceededError");
        this.batches.push(batch);
      },
    });
  }

  get record(): DraftRecord {
    const at = this.clock.now();
    return { id: "t", person: "1", document: "d", title: "T", epoch: 1, schemaVersion: 1, at, refusal: null };
  }

  get said(): { unwritten: number; failed: boolean } {
    return this.keeper.state.value;
  }
}

function update(byte: number): Uint8Array {
  return new Uint8Array([byte]);
}

/** The bytes of the entries of a batch: lower case for others' edits would be hard to see, so a minus. */
function entries({ entries: written }: Batch): string {
  return written.map(({ own, update: bytes }) => `${own ? "" : "-"}${bytes[0]}`).join(" ");
}

test("edits of a moment are written together, in the order they were made", async () => {
  const device = new Notebook();
  for (const byte of [1, 2, 3]) device.keeper.add(update(byte));
  assert.deepEqual(device.said, { unwritten: 3, failed: false });
  assert.equal(device.batches.length, 0);
  device.clock.advance(30);
  await device.keeper.flush();
  assert.deepEqual(device.batches.map(entries), ["1 2 3"]);
  assert.deepEqual(device.batches[0]?.records.map(({ id }) => id), ["t"]);
  assert.deepEqual(device.said, { unwritten: 0, failed: false });
});

test("what others wrote a moment before the first edit is kept with it, and no longer ago than that", async () => {
  const device = new Notebook();
  device.keeper.heard(update(1));
  device.clock.advance(900);
  device.keeper.heard(update(2));
  device.clock.advance(200);
  device.keeper.add(update(3));
  device.keeper.heard(update(4));
  await device.keeper.flush();
  assert.deepEqual(device.batches.map(entries), ["-2 3 -4"]);
});

test("others' edits alone are never kept", async () => {
  const device = new Notebook();
  device.keeper.heard(update(1));
  device.clock.advance(5_000);
  await device.keeper.flush();
  assert.deepEqual(device.batches, []);
});

test("a device without room says so at once and is asked again, in the same order", async (t) => {
  const warnings = t.mock.method(console, "warn", () => undefined);
  const device = new Notebook();
  device.refuses = () => true;
  const first = device.keeper.add(update(1));
  await device.keeper.flush();
  device.keeper.add(update(2));
  device.keeper.add(update(3));
  device.keeper.settle();
  await device.keeper.flush();
  assert.deepEqual(device.said, { unwritten: 3, failed: true });
  assert.equal(warnings.mock.callCount(), 1, "told once");
  device.keeper.forget([first]);
  assert.equal(device.said.unwritten, 2);
  device.refuses = () => false;
  device.clock.advance(5_000);
  await device.keeper.flush();
  assert.deepEqual(device.batches.map(entries), ["2 3"]);
  assert.deepEqual(device.said, { unwritten: 0, failed: false });
});

test("a whole document that is too much does not keep the edits out", async () => {
  const device = new Notebook();
  device.refuses = ({ state }) => state !== null;
  device.keeper.add(update(1));
  device.keeper.settle();
  await device.keeper.flush();
  assert.deepEqual(device.batches.map(entries), ["1"]);
  assert.deepEqual(device.said, { unwritten: 0, failed: false });
});

test("the whole document is kept after a second, and again only with the next edits", async () => {
  const device = new Notebook();
  const edit = device.keeper.add(update(1));
  await device.keeper.flush();
  device.clock.advance(1_000);
  await device.keeper.flush();
  device.keeper.settle();
  await device.keeper.flush();
  assert.deepEqual(device.batches.map(({ state }) => state?.state ?? null), [null, STATE]);
  device.keeper.forget([edit]);
  device.clock.advance(5_000);
  await device.keeper.flush();
  assert.deepEqual(device.batches.at(-1)?.emptied, ["t"]);
  device.keeper.add(update(2));
  device.keeper.settle();
  await device.keeper.flush();
  assert.equal(device.batches.at(-1)?.state?.state, STATE);
});

test("an edit that is confirmed while it is being written leaves no trace", async () => {
  const device = new Notebook();
  const edit = device.keeper.add(update(1));
  const writing = device.keeper.flush();
  await Promise.resolve();
  device.keeper.forget([edit]);
  await writing;
  await device.keeper.flush();
  assert.deepEqual(device.batches.map(entries), ["1", ""]);
  assert.deepEqual(device.batches[1]?.emptied, ["t"]);
});

test("some of them confirmed: these go, the others stay", async () => {
  const device = new Notebook();
  const [first] = [1, 2].map((byte) => device.keeper.add(update(byte)));
  await device.keeper.flush();
  device.keeper.forget(first === undefined ? [] : [first]);
  await device.keeper.flush();
  assert.deepEqual(device.batches[1]?.gone.map(({ number }) => number), [0]);
  assert.deepEqual(device.batches[1]?.emptied, []);
});

test("why they can't be saved is noted, and that they can be again", async () => {
  const device = new Notebook();
  device.keeper.add(update(1));
  await device.keeper.flush();
  for (const reason of ["no-access", "no-access", null]) {
    device.keeper.refuse(reason);
    await device.keeper.flush();
  }
  const noted = device.batches.flatMap(({ records }) => records.map(({ refusal }) => refusal));
  assert.deepEqual(noted, [null, "no-access", null]);
});

test("somebody cleared the site's data: what is unconfirmed is written again", async () => {
  const device = new Notebook();
  for (const byte of [1, 2]) device.keeper.add(update(byte));
  await device.keeper.flush();
  device.keeper.rewrite();
  assert.equal(device.said.unwritten, 2);
  await device.keeper.flush();
  assert.deepEqual(device.batches.map(entries), ["1 2", "1 2"]);
  assert.equal(device.batches[1]?.records.length, 1);
});
