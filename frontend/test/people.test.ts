import assert from "node:assert/strict";
import test from "node:test";

import { isPlaced } from "../src/editor/carets";
import { inkOn, safeColour } from "../src/editor/colour";
import { parsePerson } from "../src/connection/facts";
import { initials, peopleHere } from "../src/editor/people";

const ALICE = { id: "1", name: "Alice", colour: "#112233" };
const BOB = { id: "2", name: "Bob", colour: "#445566" };

test("one entry a person, the reader first, then by name", () => {
  const carol = { id: "3", name: "carol", colour: "#000000" };
  const states = [{ user: carol }, { user: BOB }, { user: ALICE }, { user: BOB, cursor: {} }, { user: ALICE }];
  assert.deepEqual(peopleHere(states, ALICE), [ALICE, BOB, carol]);
});

test("the reader is here even before the server says so", () => {
  assert.deepEqual(peopleHere([], ALICE), [ALICE]);
});

test("states that name nobody are nobody", () => {
  const strange = [null, 5, {}, { user: null }, { user: { id: "9", name: "X", colour: "red;x" } }, { user: { id: 9 } }];
  assert.deepEqual(peopleHere(strange, ALICE), [ALICE]);
});

test("initials", () => {
  assert.equal(initials("Ada King Lovelace"), "AL");
  assert.equal(initials("évelyne"), "É");
  assert.equal(initials("  ana   berg "), "AB");
  assert.equal(initials("𝒜da"), "𝒜");
});

test("colours that are none become grey", () => {
  assert.equal(safeColour("#AbCdEf"), "#AbCdEf");
  for (const value of ["red", "#fff", "#12345g", "#123456;x", "url(x)", null, 5]) {
    assert.equal(safeColour(value), "#6b7280");
  }
});

test("text on a colour is the one with more contrast", () => {
  assert.equal(inkOn("#f5c518"), "dark");
  assert.equal(inkOn("#7c3aed"), "light");
  assert.equal(inkOn("#000000"), "light");
  assert.equal(inkOn("#ffffff"), "dark");
});

test("only cursors that can be looked up are drawn", () => {
  const id = { client: 1, clock: 2 };
  const good = [
    { type: null, tname: "default", item: null, assoc: -1 },
    { type: id, tname: null, item: null, assoc: 0 },
    { type: null, tname: null, item: id },
  ];
  for (const place of good) assert.equal(isPlaced({ user: ALICE, cursor: { anchor: place, head: place } }), true);
  const bad = [null, 5, {}, { anchor: good[0] }, { anchor: good[0], head: { tname: "other" } }];
  for (const cursor of [...bad, { anchor: good[0], head: { item: { client: 1, clock: "2" } } }]) {
    assert.equal(isPlaced({ user: ALICE, cursor }), false, JSON.stringify(cursor));
  }
  assert.equal(isPlaced({ cursor: { anchor: good[0], head: good[0] } }), false);
});

test("a picture is one of this server's or none", () => {
  const avatar = `/avatars/7/${"0a".repeat(16)}`;
  const of = (value: unknown): unknown => parsePerson({ id: "7", name: "Bob", colour: "#1b6e3a", avatar: value });
  assert.deepEqual(of(avatar), { id: "7", name: "Bob", colour: "#1b6e3a", avatar });
  for (const strange of ["https://evil.example/x.png", "//evil.example/avatars/7/aa", `${avatar}?x`, 7, null, undefined]) {
    assert.deepEqual(of(strange), { id: "7", name: "Bob", colour: "#1b6e3a" });
  }
});
