import "fake-indexeddb/auto";

import assert from "node:assert/strict";
import { test } from "node:test";

import { IDBFactory } from "fake-indexeddb";

import type { DraftRecord } from "../src/storage/draft";
import { DraftStore } from "../src/storage/draft-store";

const NOTHING = { emptied: [], gone: [], records: [], entries: [], state: null };

function record(id: string, person: string, at = 1): DraftRecord {
  return { id, person, document: "d", title: "T", epoch: 0, schemaVersion: 1, at, refusal: null };
}

function entry(draft: string, number: number): { draft: string; number: number; own: boolean; update: Uint8Array } {
  return { draft, number, own: true, update: new Uint8Array([number]) };
}

test("a draft is read as it was written, whatever order its numbers were written in", async () => {
  const store = new DraftStore(new IDBFactory());
  await store.write({ ...NOTHING, records: [record("a", "1")], entries: [entry("a", 10), entry("a", 2)] });
  await store.write({ ...NOTHING, state: { draft: "a", state: new Uint8Array([7]) } });
  const draft = await store.load("a");
  assert.deepEqual(draft?.entries.map(({ number }) => number), [2, 10]);
  assert.deepEqual(draft.state, new Uint8Array([7]));
});

test("each person's drafts, oldest first, and nobody else's", async () => {
  const store = new DraftStore(new IDBFactory());
  await store.write({ ...NOTHING, records: [record("a", "1", 5), record("b", "2"), record("c", "1", 3)] });
  assert.deepEqual((await store.of("1")).map(({ id }) => id), ["c", "a"]);
  assert.deepEqual(await store.of("12"), []);
});

test("emptying one draft leaves no byte of it and all of the others", async () => {
  const store = new DraftStore(new IDBFactory());
  for (const id of ["a", "a2"]) {
    await store.write({
      ...NOTHING,
      records: [record(id, "1")],
      entries: [entry(id, 1), entry(id, 2)],
      state: { draft: id, state: new Uint8Array([7]) },
    });
  }
  await store.write({ ...NOTHING, gone: [{ draft: "a2", number: 1 }] });
  await store.discard("a");
  assert.equal(await store.load("a"), null);
  assert.deepEqual((await store.load("a2"))?.entries.map(({ number }) => number), [2]);
  await store.write({ ...NOTHING, records: [record("a", "1")] });
  assert.deepEqual((await store.load("a"))?.entries, []);
  assert.equal((await store.load("a"))?.state, null);
});

test("a draft that ends and begins again in one change begins with what is new", async () => {
  const store = new DraftStore(new IDBFactory());
  await store.write({ ...NOTHING, records: [record("a", "1")], entries: [entry("a", 1)] });
  await store.write({ ...NOTHING, emptied: ["a"], records: [record("a", "1", 9)], entries: [entry("a", 2)] });
  assert.deepEqual((await store.load("a"))?.entries.map(({ number }) => number), [2]);
});

test("a refusal is noted on a draft that is there, and brings none back", async () => {
  const store = new DraftStore(new IDBFactory());
  await store.write({ ...NOTHING, records: [record("a", "1")], entries: [entry("a", 1)] });
  await store.refuse("a", "new-epoch");
  await store.refuse("b", "new-epoch");
  assert.deepEqual((await store.of("1")).map(({ id, refusal }) => [id, refusal]), [["a", "new-epoch"]]);
});

test("a browser without a database refuses, every time", async () => {
  const store = new DraftStore(undefined);
  await assert.rejects(store.of("1"));
  await assert.rejects(store.write(NOTHING));
});

test("a newer page that changes the tables is let through, and this one hears that it has lost its database", async () => {
  const factory = new IDBFactory();
  let lost = 0;
  const store = new DraftStore(factory, () => (lost += 1));
  await store.of("1");
  await new Promise((done) => (factory.open("collab", 2).onsuccess = done));
  assert.equal(lost, 1);
  await assert.rejects(store.of("1"));
});
