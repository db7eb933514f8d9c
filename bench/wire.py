"""The bytes of a client: WebSocket frames (RFC 6455), y-websocket messages and Hocuspocus' envelope around them.

Written for speed of reading: in a broadcast every tab gets the same bytes, so what a chunk means is worked out once.
"""

import secrets
from dataclasses import dataclass, field

from bench.edits import Span, spans_of
from bench.encoding import blob, read_blob, read_uint, uint

SYNC, AWARENESS, AUTH, SYNC_REPLY = 0, 1, 2, 4
STEP_1, STEP_2, UPDATE = 0, 1, 2
SAVED, REFUSED = 100, 101
BINARY, CLOSE, PING, PONG = 0x82, 0x88, 0x89, 0x8A
EMPTY_STATE_VECTOR = b"\x00"
EMPTY_UPDATE = b"\x00\x00"


def frame(payload: bytes, kind: int = BINARY) -> bytes:
    """A masked frame. The mask is a real one: servers may take a shorter way for zeros."""
    size = len(payload)
    mask = secrets.token_bytes(4)
    key = (mask * (size // 4 + 1))[:size]
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
    if size < 126:
        head = bytes((kind, 0x80 | size))
    elif size < 65536:
        head = bytes((kind, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((kind, 0x80 | 127)) + size.to_bytes(8, "big")
    return head + mask + masked


def sync_step_1(state_vector: bytes = EMPTY_STATE_VECTOR) -> bytes:
    return bytes((SYNC, STEP_1)) + blob(state_vector)


def sync_step_2(update: bytes = EMPTY_UPDATE) -> bytes:
    return bytes((SYNC, STEP_2)) + blob(update)


def update(data: bytes) -> bytes:
    return bytes((SYNC, UPDATE)) + blob(data)


def awareness(client: int, clock: int) -> bytes:
    state = blob(b'{"user":{"name":"Robin","color":"#1b6e3a"},"cursor":null}')
    return bytes((AWARENESS,)) + blob(uint(1) + uint(client) + uint(clock) + state)


@dataclass(slots=True)
class Entry:
    """What some bytes from a server say: how many frames they are, which marks they bring, up to which of the tab's
    own update frames everything is saved, and messages that the tab itself must look at, as (type, rest)."""

    frames: int = 0
    spans: list[Span] = field(default_factory=list)
    saved: int = 0
    others: list[tuple[int, bytes]] = field(default_factory=list)


class TruncatedError(ValueError):
    """The frame goes on; `missing` more bytes at least."""

    def __init__(self, missing: int) -> None:
        super().__init__(missing)
        self.missing = missing


def next_frame(data: bytes, at: int) -> tuple[int, int, int]:
    """The first byte of the frame at `at`, where its payload begins and ends. Raises TruncatedError."""
    have = len(data) - at
    if have < 2:
        raise TruncatedError(2 - have)
    size, head = data[at + 1] & 0x7F, 2
    if size == 126:
        size, head = int.from_bytes(data[at + 2 : at + 4], "big"), 4
    elif size == 127:
        size, head = int.from_bytes(data[at + 2 : at + 10], "big"), 10
    if have < head or have < head + size:
        raise TruncatedError(head + size - have if have >= head else head - have)
    return data[at], at + head, at + head + size


def understand(data: bytes, *, enveloped: bool) -> Entry:
    """What whole frames say. `enveloped`: each message begins with the document's name, as Hocuspocus does it."""
    entry, at = Entry(), 0
    while at < len(data):
        kind, start, at = next_frame(data, at)
        entry.frames += 1
        if kind != BINARY:
            entry.others.append((-kind, data[start:at]))
            continue
        if enveloped:
            _, start = read_blob(data, start)
        _read_message(entry, data[start:at])
    return entry


def _read_message(entry: Entry, message: bytes) -> None:
    kind = message[0]
    if kind in (SYNC, SYNC_REPLY) and message[1] == UPDATE:
        body, _ = read_blob(message, 2)
        entry.spans += spans_of(body)
    elif kind == SAVED:
        entry.saved = max(entry.saved, read_uint(message, 1)[0])
    elif kind in (SYNC, SYNC_REPLY, AUTH, REFUSED):
        entry.others.append((kind, message[1:]))
