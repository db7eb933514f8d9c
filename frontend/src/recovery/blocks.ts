import { Node, type Schema } from "@tiptap/pm/model";
import * as Y from "yjs";

interface Json {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** One block of the document as a node of the schema; as plain text when a peer wrote what the schema does not know. */
export function blockNode(block: unknown, schema: Schema): Node {
  try {
    const [json] = toJson(block);
    const node = Node.fromJSON(schema, json);
    node.check();
    return node;
  } catch {
    // Whatever stands there, its words are worth more than its form.
    const text = wordsOf(block);
    return schema.node("paragraph", null, text === "" ? [] : [schema.text(text)]);
  }
}

function toJson(item: unknown): Json[] {
  if (item instanceof Y.XmlText) return item.toDelta().map(textJson);
  if (!(item instanceof Y.XmlElement)) throw new TypeError("Neither element nor text");
  const content = item.toArray().flatMap(toJson);
  return [{ type: item.nodeName, attrs: item.getAttributes(), ...(content.length > 0 ? { content } : {}) }];
}

function textJson({ insert, attributes = {} }: { insert: unknown; attributes?: Record<string, unknown> }): Json {
  // Overlapping marks carry a hash behind their name: `link--aGVsbG8h`.
  const marks = Object.entries(attributes).map(([name, attrs]) => ({ type: name.replace(/--[\w+/=]{8}$/, ""), attrs }));
  return { type: "text", text: insert, marks };
}

function wordsOf(item: unknown): string {
  if (item instanceof Y.XmlText) {
    const parts: { insert: unknown }[] = item.toDelta();
    return parts.map(({ insert }) => (typeof insert === "string" ? insert : "")).join("");
  }
  return item instanceof Y.XmlElement ? item.toArray().map(wordsOf).join(" ") : "";
}

/** Blocks as plain text: an empty line between them, a dash before each item of a list. */
export function plainText(nodes: readonly Node[]): string {
  return nodes.map((node) => textOf(node, "")).join("\n\n");
}

function textOf(node: Node, indent: string): string {
  if (node.isTextblock) return node.textBetween(0, node.content.size, "\n", (leaf) => (leaf.isInline ? "\n" : ""));
  if (node.type.name === "horizontalRule") return "---";
  const children = node.children;
  if (node.type.name !== "bulletList" && node.type.name !== "orderedList") {
    return children.map((child) => textOf(child, indent)).join(`\n${indent}`);
  }
  const first = Number(node.attrs["start"] ?? 1);
  return children
    .map((child, index) => {
      const sign = node.type.name === "orderedList" ? `${first + index}. ` : "- ";
      return sign + textOf(child, `${indent}${" ".repeat(sign.length)}`);
    })
    .join(`\n${indent}`);
}
