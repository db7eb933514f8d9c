import assert from "node:assert/strict";
import test from "node:test";

import { SCHEMA_VERSION, documentSchema } from "../src/editor/schema";

const schema = documentSchema();

/**
 * A tab deletes what its schema does not know. Whoever changes one of these lists raises SCHEMA_VERSION, and with it
 * the server's, so that pages opened before the change are asked to reload.
 */
test("what documents of schema version 1 are made of", () => {
  assert.equal(SCHEMA_VERSION, 1);
  assert.deepEqual(Object.keys(schema.nodes).sort(), [
    "blockquote",
    "bulletList",
    "codeBlock",
    "doc",
    "hardBreak",
    "heading",
    "horizontalRule",
    "listItem",
    "orderedList",
    "paragraph",
    "text",
  ]);
  assert.deepEqual(Object.keys(schema.marks).sort(), ["bold", "code", "italic", "link", "strike"]);
});

test("their attributes and content", () => {
  const attributes = Object.values(schema.nodes)
    .filter((type) => Object.keys(type.spec.attrs ?? {}).length > 0)
    .map((type) => `${type.name}: ${Object.keys(type.spec.attrs ?? {}).sort().join(", ")}`);
  assert.deepEqual(attributes.sort(), ["codeBlock: language", "heading: level", "orderedList: start, type"]);
  assert.deepEqual(Object.keys(schema.marks["link"]?.spec.attrs ?? {}), ["href"]);
  const content = Object.fromEntries(Object.values(schema.nodes).map((type) => [type.name, type.spec.content ?? ""]));
  assert.deepEqual(content, {
    doc: "block+",
    paragraph: "inline*",
    text: "",
    heading: "inline*",
    bulletList: "listItem+",
    orderedList: "listItem+",
    listItem: "paragraph block*",
    blockquote: "block+",
    codeBlock: "text*",
    horizontalRule: "",
    hardBreak: "",
  });
});

test("a code block's language becomes a class only when it is a plain word", () => {
  const classOf = (language: unknown): unknown => {
    const type = schema.nodes["codeBlock"];
    const spec: unknown = type?.spec.toDOM?.(type.create({ language }));
    assert.ok(Array.isArray(spec) && Array.isArray(spec[2]));
    return (spec[2][1] as { class: unknown }).class;
  };
  assert.equal(classOf("c++"), "language-c++");
  for (const hostile of ["x notice", 'x" onload="', "", null, 5, {}, "a".repeat(33)]) {
    assert.equal(classOf(hostile), null);
  }
});
