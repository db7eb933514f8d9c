/** Everything a document may contain. A change here must raise SCHEMA_VERSION: see the test that holds the list. */

import { type AnyExtension, getSchema, markInputRule } from "@tiptap/core";
import { Blockquote } from "@tiptap/extension-blockquote";
import { Bold } from "@tiptap/extension-bold";
import { Code } from "@tiptap/extension-code";
import { CodeBlock } from "@tiptap/extension-code-block";
import { Document } from "@tiptap/extension-document";
import { HardBreak } from "@tiptap/extension-hard-break";
import { Heading } from "@tiptap/extension-heading";
import { HorizontalRule } from "@tiptap/extension-horizontal-rule";
import { Italic } from "@tiptap/extension-italic";
import { BulletList, ListItem, OrderedList } from "@tiptap/extension-list";
import { Paragraph } from "@tiptap/extension-paragraph";
import { Strike } from "@tiptap/extension-strike";
import { Text } from "@tiptap/extension-text";
import type { Schema } from "@tiptap/pm/model";

import { Link } from "./link-mark";

/** A tab with a lower number than the document's would delete, for everybody, the nodes it does not know. */
export const SCHEMA_VERSION = 1;

/** The root XmlFragment's name in the Y.Doc. */
export const FIELD = "default";

export const HEADING_LEVELS = [1, 2, 3, 4] as const;

/** The language comes from the document and becomes a class name, which must not be one of the page's own. */
const SafeCodeBlock = CodeBlock.extend({
  renderHTML({ node }) {
    const language: unknown = node.attrs["language"];
    const known = typeof language === "string" && /^[a-z0-9+#-]{1,32}$/i.test(language);
    return ["pre", {}, ["code", { class: known ? `language-${language}` : null }, 0]];
  },
});

/** TipTap's own rules make "2 * 3 * 4" italic: as in Markdown, a star that opens or closes has no space beside it. */
const PlainItalic = Italic.extend({
  addInputRules() {
    const rules = [/(?:^|\s)(\*([^\s*](?:[^*]*[^\s*])?)\*)$/, /(?:^|\s)(_([^\s_](?:[^_]*[^\s_])?)_)$/];
    return rules.map((find) => markInputRule({ find, type: this.type }));
  },
});

export const schemaExtensions: AnyExtension[] = [
  Document,
  Paragraph,
  Text,
  Heading.configure({ levels: [...HEADING_LEVELS] }),
  Bold,
  PlainItalic,
  Strike,
  Code,
  Link,
  BulletList,
  OrderedList,
  ListItem,
  Blockquote,
  SafeCodeBlock,
  HorizontalRule,
  HardBreak,
];

export function documentSchema(): Schema {
  return getSchema(schemaExtensions);
}
