import assert from "node:assert/strict";
import { test } from "node:test";

import * as Y from "yjs";

import { plainText } from "../src/recovery/blocks";
import { fileName } from "../src/recovery/file";
import { readable } from "../src/recovery/readable";
import { whyRefused } from "../src/recovery/unsent";

/** A document with these paragraphs, and what is done to it afterwards as separate updates. */
function edited(
  paragraphs: string[],
  write: (root: Y.XmlFragment) => void,
): { before: Uint8Array; edits: Uint8Array[] } {
  const doc = new Y.Doc();
  const root = doc.getXmlFragment("default");
  for (const text of paragraphs) root.push([paragraph(text)]);
  const before = Y.encodeStateAsUpdate(doc);
  const edits: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => edits.push(update));
  write(root);
  return { before, edits };
}

function paragraph(text: string): Y.XmlElement {
  const element = new Y.XmlElement("paragraph");
  element.insert(0, [new Y.XmlText(text)]);
  return element;
}

function words(root: Y.XmlFragment, block: number): Y.XmlText {
  return (root.get(block) as Y.XmlElement).get(0) as Y.XmlText;
}

test("the paragraphs with unsent changes, and the whole document", () => {
  const { before, edits } = edited(["one", "two", "three"], (root) => {
    words(root, 1).insert(3, " and a half");
    root.insert(3, [paragraph("four")]);
  });
  const text = readable([before], edits);
  assert.equal(plainText(text.changed), "two and a half\n\nfour");
  assert.equal(plainText(text.whole), "one\n\ntwo and a half\n\nthree\n\nfour");
  assert.equal(text.pieces, "");
});

test("a state that has the edits already makes no difference", () => {
  const { before, edits } = edited(["one", "two"], (root) => words(root, 0).insert(0, "1. "));
  const after = Y.mergeUpdates([before, ...edits]);
  assert.equal(plainText(readable([after], edits).changed), "1. one");
});

test("a paragraph that lost words is a changed one, a paragraph that is gone is not", () => {
  const { before, edits } = edited(["keep this", "drop me", "three"], (root) => {
    words(root, 0).delete(4, 5);
    root.delete(1, 1);
  });
  const text = readable([before], edits);
  assert.equal(plainText(text.changed), "keep");
  assert.equal(plainText(text.whole), "keep\n\nthree");
});

test("formatting survives, lists and breaks are readable as plain text", () => {
  const { before, edits } = edited(["bold"], (root) => {
    words(root, 0).format(0, 4, { bold: {} });
    const list = new Y.XmlElement("orderedList");
    list.setAttribute("start", 3 as unknown as string);
    const item = new Y.XmlElement("listItem");
    item.insert(0, [paragraph("third")]);
    list.insert(0, [item]);
    root.push([list]);
  });
  const { changed } = readable([before], edits);
  assert.equal(changed[0]?.firstChild?.marks[0]?.type.name, "bold");
  assert.equal(plainText(changed), "bold\n\n3. third");
});

test("what the schema does not know is shown as its words", () => {
  const { before, edits } = edited([], (root) => {
    const odd = new Y.XmlElement("marquee");
    odd.insert(0, [new Y.XmlText("still words")]);
    root.push([odd]);
  });
  assert.equal(plainText(readable([before], edits).changed), "still words");
});

test("without the text around them: the pieces that were typed, without what was deleted again", () => {
  const { edits } = edited(["the lost past"], (root) => {
    const text = words(root, 0);
    for (const [at, letter] of [...", kept"].entries()) text.insert(13 + at, letter);
    text.insert(0, "At first ");
    text.delete(13, 0);
    text.insert(9, "wrong");
    text.delete(9, 5);
  });
  const text = readable([], edits);
  assert.deepEqual(text.changed, []);
  assert.equal(text.pieces, ", kept\nAt first ");
});

test("the reason is told in words, also of a word that this page does not know", () => {
  assert.equal(whyRefused("trashed"), "this document is in the trash");
  assert.equal(whyRefused("document-full"), "this document has reached its size limit");
  assert.equal(whyRefused("of the future"), "the server did not take them");
});

test("a title becomes a file's name on every system", () => {
  assert.equal(fileName('Plan: "a/b"?', "txt"), "Plan a b (not saved).txt");
  assert.equal(fileName("///", "html"), "Document (not saved).html");
});
