import * as Y from "yjs";

/**
 * What was typed, in the order it was typed, when the text around it is not known: one line for each place. What these
 * updates deleted again is left out.
 */
export function typedPieces(updates: readonly Uint8Array[]): string {
  const decoded = updates.map((update) => Y.decodeUpdate(update));
  const deleted = Y.mergeDeleteSets(decoded.map(({ ds }) => ds));
  let text = "";
  let last: Y.ID | null = null;
  for (const struct of decoded.flatMap(({ structs }) => structs)) {
    if (!(struct instanceof Y.Item) || !(struct.content instanceof Y.ContentString)) continue;
    const words = remaining(struct.id, struct.content.str, deleted);
    const follows = Y.compareIDs(last, struct.origin);
    text += follows || text === "" || words === "" ? words : `\n${words}`;
    last = struct.lastId;
  }
  return text;
}

function remaining({ client, clock }: Y.ID, text: string, deleted: ReturnType<typeof Y.createDeleteSet>): string {
  if (!deleted.clients.has(client)) return text;
  return text
    .split("")
    .filter((_, index) => !Y.isDeleted(deleted, Y.createID(client, clock + index)))
    .join("");
}
