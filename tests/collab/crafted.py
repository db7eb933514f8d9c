"""Yjs updates written by hand, byte for byte: also those that no honest client would write."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

GC, DELETED, JSON, BINARY, STRING, EMBED, FORMAT, TYPE, ANY, DOC, SKIP, MOVE = range(12)
ARRAY, MAP, TEXT, ELEMENT, FRAGMENT, HOOK, XML_TEXT = range(7)

Id = tuple[int, int]
Structs = tuple[int, int, Sequence[bytes]]
Deletes = tuple[int, Sequence[tuple[int, int]]]


def number(value: int) -> bytes:
    """A varUint: seven bits a byte, the lowest first."""
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*parts, value))


def string(text: str | bytes) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return number(len(raw)) + raw


def item(
    kind: int,
    content: bytes,
    *,
    origin: Id | None = None,
    right: Id | None = None,
    parent: str | Id = "t",
    key: str | None = None,
) -> bytes:
    """One item. It has a parent (a root's name or a type's id) and a key only if it has no neighbours."""
    info = kind | (0x80 if origin else 0) | (0x40 if right else 0) | (0x20 if key is not None else 0)
    body = b"".join(number(side[0]) + number(side[1]) for side in (origin, right) if side)
    if not (origin or right):
        if isinstance(parent, str):
            body += b"\x01" + string(parent)
        else:
            body += b"\x00" + number(parent[0]) + number(parent[1])
        if key is not None:
            body += string(key)
    return bytes((info,)) + body + content


def text(value: str, *, origin: Id | None = None, right: Id | None = None, parent: str | Id = "t") -> bytes:
    return item(STRING, string(value), origin=origin, right=right, parent=parent)


def values(*encoded: bytes) -> bytes:
    """An item of values in the `any` encoding."""
    return item(ANY, number(len(encoded)) + b"".join(encoded))


def gc(length: int) -> bytes:
    return bytes((GC,)) + number(length)


def skip(length: int) -> bytes:
    return bytes((SKIP,)) + number(length)


def update(*clients: Structs, deletes: Sequence[Deletes] = ()) -> bytes:
    """An update of `(client, first clock, structs)` that deletes `(client, ((clock, length), …))`."""
    blocks = b"".join(
        number(len(structs)) + number(client) + number(clock) + b"".join(structs)
        for client, clock, structs in clients
    )
    ranges = b"".join(
        number(client) + number(len(spans)) + b"".join(number(at) + number(size) for at, size in spans)
        for client, spans in deletes
    )
    return number(len(clients)) + blocks + number(len(deletes)) + ranges


def typed(client: int, clock: int, value: str) -> bytes:
    """What a client sends that types behind its own last character, or first into an empty text."""
    origin = (client, clock - 1) if clock else None
    return update((client, clock, [text(value, origin=origin)]))


@dataclass(frozen=True)
class Poison:
    """A document, updates that make yrs panic on it, and a forged one (see the file's note)."""

    base: bytes
    panics_on_apply: bytes
    panics_when_merged: bytes
    forged: bytes
    victim: int


def poison() -> Poison:
    file = Path(__file__).parents[1] / "fixtures" / "poison_updates.json"
    found = json.loads(file.read_text())
    return Poison(
        base=bytes.fromhex(found["base_hex"]),
        panics_on_apply=bytes.fromhex(found["poison_apply_hex"]),
        panics_when_merged=bytes.fromhex(found["poison_merge_hex"]),
        forged=bytes.fromhex(found["forged_gc_hex"]),
        victim=found["victim_client"],
    )
