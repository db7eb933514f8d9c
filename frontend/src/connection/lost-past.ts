import * as Y from "yjs";

/**
 * Whether `update` builds on something that a replica with this state vector lacks and the update does not bring.
 * Such a replica would store it and never show it. Deletions do not count: there is no text in them to lose.
 */
export function buildsOnLost(update: Uint8Array, stateVector: Uint8Array): boolean {
  const { structs } = Y.decodeUpdate(update);
  const brought = new Map<number, { start: number; end: number }[]>();
  for (const { id, length } of structs.filter((struct) => !(struct instanceof Y.Skip))) {
    const spans = brought.get(id.client) ?? [];
    spans.push({ start: id.clock, end: id.clock + length });
    brought.set(id.client, spans);
  }
  const known = Y.decodeStateVector(stateVector);
  const isMissing = ({ client, clock }: Y.ID): boolean => {
    if (clock < (known.get(client) ?? 0)) return false;
    return !(brought.get(client) ?? []).some(({ start, end }) => start <= clock && clock < end);
  };
  return structs.some((struct) => !(struct instanceof Y.Skip) && needs(struct).some(isMissing));
}

function needs(struct: Y.Item | Y.GC): Y.ID[] {
  const { client, clock } = struct.id;
  const needed = clock > 0 ? [Y.createID(client, clock - 1)] : [];
  if (struct instanceof Y.Item) {
    // A decoded item names its parent by id; only a root is named by a string.
    const parent: unknown = struct.parent;
    for (const id of [struct.origin, struct.rightOrigin, parent]) if (id instanceof Y.ID) needed.push(id);
  }
  return needed;
}
