import type { Node } from "@tiptap/pm/model";
import * as Y from "yjs";

import { FIELD, documentSchema } from "../editor/schema";
import { blockNode } from "./blocks";
import { changedBlocks } from "./changed-blocks";
import { typedPieces } from "./pieces";

/** Unsent text as a person can read it. */
export interface Readable {
  /** The blocks with unsent changes in them; empty when only deletions are unsent, or the text around is unknown. */
  readonly changed: readonly Node[];
  /** The whole document with the changes; empty when it is unknown. */
  readonly whole: readonly Node[];
  /** What was typed, when that is all that is known; else empty. */
  readonly pieces: string;
}

/** `past` is the state that the edits were made on, as far as it is known; it may already contain them. */
export function readable(past: readonly Uint8Array[], edits: readonly Uint8Array[]): Readable {
  const schema = documentSchema();
  const doc = new Y.Doc();
  try {
    for (const update of [...past, ...edits]) Y.applyUpdate(doc, update);
    const root = doc.getXmlFragment(FIELD);
    const blocks = root.toArray().map((block) => ({ block, node: blockNode(block, schema) }));
    const whole = blocks.map(({ node }) => node);
    // Edits that build on what is missing show up nowhere in the document.
    if (doc.store.pendingStructs !== null) return { changed: [], whole, pieces: typedPieces(edits) };
    const touched = changedBlocks(root, edits);
    return { changed: blocks.filter(({ block }) => touched.has(block)).map(({ node }) => node), whole, pieces: "" };
  } finally {
    doc.destroy();
  }
}

/** Whether every update can be read: a device may give back less than it was given. */
export function isWhole(updates: readonly Uint8Array[]): boolean {
  try {
    for (const update of updates) Y.decodeUpdate(update);
    return true;
  } catch {
    return false;
  }
}
