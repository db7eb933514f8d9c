"""Bytes to messages and back: the y-websocket protocol and Collab's own messages from 100 up.

One message a WebSocket frame. The only module that knows byte values and close codes; `docs/protocol.md` describes
both.
"""

import json
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

_SYNC, _AWARENESS, _AUTH = 0, 1, 2
_SAVED, _REFUSED, _HELLO, _EVENT, _HEARTBEAT = 100, 101, 102, 103, 104
_STEP_1, _STEP_2, _UPDATE = 0, 1, 2

MAX_NUMBER = 2**53 - 1
# A tab speaks for itself alone; a few more ids may linger after a reload.
MAX_AWARENESS_CLIENTS = 10
MAX_AWARENESS_STATE = 4096


class Close(IntEnum):
    """Close codes. 4400 to 4499 tell the tab to stop; after any other it comes back."""

    GOING_AWAY = 1001
    MALFORMED = 1007
    TOO_LARGE = 1009
    INTERNAL_ERROR = 1011
    RESTARTING = 1012
    TRY_AGAIN = 1013
    ACCESS_CHANGED = 4300
    SIGN_IN = 4401
    NO_ACCESS = 4403
    NOT_FOUND = 4404
    NEW_EPOCH = 4409
    IN_TRASH = 4410
    PAGE_TOO_OLD = 4426
    TOO_MANY = 4429


class ProtocolError(ValueError):
    """The frame is no message of the protocol."""


@dataclass(frozen=True, slots=True)
class SyncStep1:
    """What the tab has; it asks for the rest."""

    state_vector: bytes


@dataclass(slots=True)
class SyncStep2:
    """All the tab has that we said we lack."""

    update: bytes


@dataclass(slots=True)
class Update:
    """One edit."""

    update: bytes


class AwarenessState(NamedTuple):
    """What one client id says of itself: `state` is None when it is gone."""

    client: int
    clock: int
    state: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Awareness:
    states: list[AwarenessState]


@dataclass(frozen=True, slots=True)
class QueryAwareness:
    """The tab asks for everybody's awareness."""


Message = SyncStep1 | SyncStep2 | Update | Awareness | QueryAwareness


class _Reader:
    __slots__ = ("data", "pos")

    def __init__(self, data: bytes) -> None:
        self.data, self.pos = data, 0

    def uint(self) -> int:
        # Most numbers are below 128.
        if self.pos < len(self.data) and (first := self.data[self.pos]) < 0x80:
            self.pos += 1
            return first
        value = shift = 0
        # 8 bytes hold 56 bits, enough for the largest number of JavaScript; a longer run is hostile.
        for index in range(self.pos, min(self.pos + 8, len(self.data))):
            byte = self.data[index]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                self.pos = index + 1
                if value > MAX_NUMBER:
                    break
                return value
            shift += 7
        raise ProtocolError("no number where one was expected")

    def blob(self) -> bytes:
        size = self.uint()
        start, self.pos = self.pos, self.pos + size
        if self.pos > len(self.data):
            raise ProtocolError("ends too early")
        return self.data[start : self.pos]

    def finish(self) -> None:
        if self.pos != len(self.data):
            raise ProtocolError("bytes follow the message")


def decode(frame: bytes) -> Message:
    """The message in a frame from a tab; raises ProtocolError. Updates stay bytes: `updates.scan` reads them."""
    reader = _Reader(frame)
    message: Message
    match reader.uint():
        case 0:
            message = _decode_sync(reader)
        case 1:
            message = _decode_awareness(reader.blob())
        case 3:
            message = QueryAwareness()
        case kind:
            raise ProtocolError(f"unknown message type {kind}")
    reader.finish()
    return message


def update_in(frame: bytes) -> bytes | None:
    """The update that a frame carries, None if it carries none or is no message."""
    try:
        message = decode(frame)
    except ProtocolError:
        return None
    return message.update if isinstance(message, SyncStep2 | Update) else None


def _decode_sync(reader: _Reader) -> Message:
    match reader.uint():
        case 0:
            return SyncStep1(reader.blob())
        case 1:
            return SyncStep2(reader.blob())
        case 2:
            return Update(reader.blob())
        case kind:
            raise ProtocolError(f"unknown sync message {kind}")


def _decode_awareness(body: bytes) -> Awareness:
    reader = _Reader(body)
    count = reader.uint()
    if count > MAX_AWARENESS_CLIENTS:
        raise ProtocolError("awareness of too many clients")
    states = [
        AwarenessState(reader.uint(), reader.uint(), _decode_state(reader.blob())) for _ in range(count)
    ]
    reader.finish()
    return Awareness(states)


def _decode_state(raw: bytes) -> dict[str, Any] | None:
    if len(raw) > MAX_AWARENESS_STATE:
        raise ProtocolError("an awareness state is too large")
    try:
        state = json.loads(raw)
        # Python reads NaN, Infinity, 1e999 and half surrogate pairs, which no browser could read again.
        json.dumps(state, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise ProtocolError("an awareness state is no JSON") from error
    if state is not None and not isinstance(state, dict):
        raise ProtocolError("an awareness state is no object")
    return state


def _uint(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _blob(data: bytes) -> bytes:
    return _uint(len(data)) + data


def _json(value: object) -> bytes:
    return _blob(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def sync_step_1(state_vector: bytes) -> bytes:
    return bytes((_SYNC, _STEP_1)) + _blob(state_vector)


def sync_step_2(update: bytes) -> bytes:
    return bytes((_SYNC, _STEP_2)) + _blob(update)


def update(data: bytes) -> bytes:
    return bytes((_SYNC, _UPDATE)) + _blob(data)


def awareness(states: list[AwarenessState]) -> bytes:
    body = b"".join(_uint(client) + _uint(clock) + _json(state) for client, clock, state in states)
    return bytes((_AWARENESS,)) + _blob(_uint(len(states)) + body)


def saved(count: int, seq: int) -> bytes:
    """This connection's first `count` update frames are committed, the last of them as row `seq` or before it."""
    return bytes((_SAVED,)) + _uint(count) + _uint(seq)


def refused(number: int, reason: str) -> bytes:
    """The connection's update frame `number` was not taken in."""
    return bytes((_REFUSED,)) + _uint(number) + _blob(reason.encode())


def denied(reason: str) -> bytes:
    """The same for a stock client, which knows no numbers (y-protocols: permission denied)."""
    return bytes((_AUTH, 0)) + _blob(reason.encode())


def hello(facts: dict[str, object]) -> bytes:
    return bytes((_HELLO,)) + _json(facts)


def event(facts: dict[str, object]) -> bytes:
    return bytes((_EVENT,)) + _json(facts)


HEARTBEAT = bytes((_HEARTBEAT,))
# For stock clients, which know no message above 3 and give up a silent socket: awareness of nobody.
STOCK_HEARTBEAT = awareness([])


def read_frame(data: bytes, at: int, most: int) -> tuple[bytes, int] | None:
    """The message in the WebSocket frame at `at`, and where the next one begins, if that is what tabs mostly send: a
    whole binary message in one masked frame, of 1 to `most` bytes and less than 64 KiB (RFC 6455, 5.2). None for
    anything else, and for a frame that is not all there."""
    if len(data) < at + 6 or data[at] != 0x82:
        return None
    # The highest bit says that the frame is masked, 126 and 127 that two or eight bytes with the size follow.
    size, start = data[at + 1] - 0x80, at + 6
    if size == 126:
        size, start = int.from_bytes(data[at + 2 : at + 4]), at + 8
        if size < 126:
            return None
    elif size == 127:
        return None
    end = start + size
    if not 0 < size <= most or end > len(data):
        return None
    key = (data[start - 4 : start] * (size // 4 + 1))[:size]
    unmasked = int.from_bytes(data[start:end], "little") ^ int.from_bytes(key, "little")
    return unmasked.to_bytes(size, "little"), end


class Frame:
    """Messages on their way to many, each in a WebSocket frame of its own. They are encoded once, for whoever can write
    them as they are."""

    __slots__ = ("_encoded", "payloads", "size")

    def __init__(self, *payloads: bytes) -> None:
        self.payloads = payloads
        self.size = sum(map(len, payloads))
        self._encoded: bytes | None = None

    @property
    def encoded(self) -> bytes:
        """The unmasked binary WebSocket frames (RFC 6455, 5.2)."""
        if self._encoded is None:
            self._encoded = b"".join(_header(len(payload)) + payload for payload in self.payloads)
        return self._encoded


def _header(size: int) -> bytes:
    if size < 126:
        return bytes((0x82, size))
    if size < 65536:
        return b"\x82\x7e" + size.to_bytes(2)
    return b"\x82\x7f" + size.to_bytes(8)
