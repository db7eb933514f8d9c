import * as Y from "yjs";

/** The blocks of `root` that these updates wrote into or deleted from, and that are still there. */
export function changedBlocks(root: Y.XmlFragment, updates: readonly Uint8Array[]): Set<unknown> {
  const blocks = new Set<unknown>();
  for (const update of updates) {
    const { structs, ds } = Y.decodeUpdate(update);
    for (const { id, length } of structs) mark(root, id.client, id.clock, length, blocks);
    for (const [client, deletions] of ds.clients) {
      for (const { clock, len } of deletions) mark(root, client, clock, len, blocks);
    }
  }
  return blocks;
}

function mark(root: Y.XmlFragment, client: number, clock: number, length: number, blocks: Set<unknown>): void {
  const structs = root.doc?.store.clients.get(client);
  const last = structs?.[structs.length - 1];
  if (structs === undefined || last === undefined) return;
  const end = Math.min(clock + length, last.id.clock + last.length);
  for (let at = clock; at < end; ) {
    const struct = structs[Y.findIndexSS(structs, at)];
    if (struct === undefined) return;
    const block = struct instanceof Y.Item ? blockOf(root, struct) : null;
    if (block !== null) blocks.add(block);
    at = struct.id.clock + struct.length;
  }
}

function blockOf(root: Y.XmlFragment, item: Y.Item): unknown {
  for (let child = item; ; ) {
    const parent: unknown = child.parent;
    if (parent === root) return !child.deleted && child.content instanceof Y.ContentType ? child.content.type : null;
    const above = parent instanceof Y.AbstractType ? parent._item : null;
    if (above === null) return null;
    child = above;
  }
}
