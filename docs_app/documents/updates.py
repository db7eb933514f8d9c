"""What a Yjs update (encoding version 1) says, read without trusting it.

yrs is only ever given bytes that passed `scan`: every count is checked against the bytes that are left, numbers and
nesting are bounded, nothing may follow the end. Format: Yjs, `src/utils/UpdateDecoder.js` and `src/structs`.
"""

import json
from dataclasses import dataclass, field
from typing import NamedTuple

MAX_CLIENT = 2**53 - 1
# yrs keeps clocks in 32 bits and wraps what is larger.
MAX_CLOCK = 2**31 - 1
# yrs decodes nested values by recursion: deep nesting would end the process.
MAX_DEPTH = 32

_HAS_ORIGIN, _HAS_RIGHT_ORIGIN, _HAS_PARENT_KEY, _KIND = 0x80, 0x40, 0x20, 0x1F
# Type references: array, map, text, XML element (which carries a name), fragment, text. Hooks (5) are refused: yrs
# takes their name for the next struct, which could hide edits under another person's id.
_ELEMENT, _HOOK, _LAST_TYPE = 3, 5, 6
# Bytes behind the tag of undefined, null, float32, float64, big integer, false and true.
_ANY_SCALARS = {127: 0, 126: 0, 124: 4, 123: 8, 122: 8, 121: 0, 120: 0}


class _Struct:
    GC, DELETED, BINARY, STRING, EMBED, FORMAT, TYPE, ANY, SKIP = 0, 1, 3, 4, 5, 6, 7, 8, 10


class _Any:
    BYTES, ARRAY, OBJECT, STRING, INTEGER = 116, 117, 118, 119, 125


class MalformedUpdateError(ValueError):
    """The bytes are no Yjs update, or one that Collab does not accept."""


class Span(NamedTuple):
    """Clocks `start` (inclusive) to `end` (exclusive) of one client."""

    client: int
    start: int
    end: int


class Place(NamedTuple):
    """A clock of a client."""

    client: int
    clock: int


@dataclass(slots=True)
class Scan:
    """What an update says. `deletes`: per client the deleted clocks (start, end exclusive), sorted and joined. `needs`:
    the clocks of other clients that it builds upon, end exclusive. `apart`: it must not be merged with others, because
    a client's structs have a gap, it waits for its past, or it puts something into what may be no type. `is_tried`: its
    cost is known to be small (`trial`). `structs`: how many there are; `loose`: how many of them do not follow on the
    one before, so that Yjs has to look for their place. `cuts`: places before which it cuts text, but for its
    deletions; `halves`: those of the second halves of its surrogate pairs."""

    blocks: list[Span] = field(default_factory=list)
    deletes: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    needs: dict[int, int] = field(default_factory=dict)
    apart: bool = False
    is_tried: bool = field(default=False, compare=False)
    structs: int = field(default=0, compare=False)
    loose: int = field(default=0, compare=False)
    cuts: list[Place] = field(default_factory=list, compare=False)
    halves: list[Place] = field(default_factory=list, compare=False)


class _Reader:
    __slots__ = ("data", "end", "pos")

    def __init__(self, data: bytes) -> None:
        self.data, self.pos, self.end = data, 0, len(data)

    def byte(self) -> int:
        try:
            value = self.data[self.pos]
        except IndexError:
            raise MalformedUpdateError("ends too early") from None
        self.pos += 1
        return value

    def uint(self, limit: int) -> int:
        # Written out rather than built on `byte`: this is most of what reading an update costs.
        data, pos = self.data, self.pos
        try:
            value = data[pos]
            pos += 1
            if value >= 0x80:
                value &= 0x7F
                # 8 bytes hold 56 bits, enough for 53; a longer run is hostile.
                for shift in (7, 14, 21, 28, 35, 42, 49):
                    byte = data[pos]
                    pos += 1
                    value |= (byte & 0x7F) << shift
                    if byte < 0x80:
                        break
                else:
                    raise MalformedUpdateError("a number is too long")
        except IndexError:
            raise MalformedUpdateError("ends too early") from None
        if value > limit:
            raise MalformedUpdateError("a number is too large")
        self.pos = pos
        return value

    def count(self) -> int:
        """How many items follow: each takes at least one byte."""
        return self.uint(self.end - self.pos)

    def skip(self, size: int) -> None:
        if size > self.end - self.pos:
            raise MalformedUpdateError("ends too early")
        self.pos += size

    def blob(self) -> bytes:
        size = self.uint(MAX_CLOCK)
        start = self.pos
        self.skip(size)
        return self.data[start : self.pos]

    def text(self) -> None:
        """Read a string that nobody counts: a name, a key, a value."""
        raw = self.blob()
        if not raw.isascii():
            _decode(raw)


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise MalformedUpdateError("a string is not UTF-8") from error


def scan(update: bytes) -> Scan:
    """Read a whole update; raises MalformedUpdateError. Linear in its length."""
    reader = _Reader(update)
    result = Scan()
    seen: set[int] = set()
    for _ in range(reader.count()):
        _read_client(reader, result, seen)
    _read_deletes(reader, result)
    if reader.pos != reader.end:
        raise MalformedUpdateError("bytes follow the end")
    return result


def _read_client(reader: _Reader, result: Scan, seen: set[int]) -> None:
    structs = reader.count()
    client = reader.uint(MAX_CLIENT)
    if client in seen:
        raise MalformedUpdateError("a client appears twice")
    seen.add(client)
    start = clock = reader.uint(MAX_CLOCK)
    result.structs += structs
    for _ in range(structs):
        kind = reader.byte()
        if kind == _Struct.SKIP:
            result.apart = True
            if clock > start:
                result.blocks.append(Span(client, start, clock))
            start = clock = clock + _length(reader)
        elif kind == _Struct.GC:
            clock += _length(reader)
        else:
            clock += _read_item(reader, kind, Place(client, clock), result)
        if clock > MAX_CLOCK:
            raise MalformedUpdateError("a clock is too large")
    if clock > start:
        result.blocks.append(Span(client, start, clock))


def _length(reader: _Reader) -> int:
    if not (length := reader.uint(MAX_CLOCK)):
        raise MalformedUpdateError("an empty struct")
    return length


def _need(reader: _Reader, place: Place, result: Scan, cut: int) -> bool:
    """Read the id of a struct that the one at `place` builds upon; answers whether that is the one just before it.
    `cut`: 1 if that one's text is cut behind it, 0 if before it."""
    client, clock = reader.uint(MAX_CLIENT), reader.uint(MAX_CLOCK - 1) + 1
    result.cuts.append(Place(client, clock - 1 + cut))
    needs = result.needs
    if client == place.client:
        if clock > place.clock:
            # Browsers throw on it, and nothing that follows from this client could ever be applied.
            raise MalformedUpdateError("a struct builds upon its own future")
        return clock == place.clock
    if clock > needs.get(client, 0):
        needs[client] = clock
    return False


def _read_item(reader: _Reader, info: int, place: Place, result: Scan) -> int:
    """Read the item at a place, behind its info byte; answer its length in clocks."""
    if not (info & _HAS_ORIGIN and _need(reader, place, result, cut=1)):
        result.loose += 1
    if info & _HAS_RIGHT_ORIGIN:
        _need(reader, place, result, cut=0)
    if not info & (_HAS_ORIGIN | _HAS_RIGHT_ORIGIN):
        if reader.uint(1):
            reader.text()
        else:
            _need(reader, place, result, cut=0)
            # yrs finds out only when it integrates the struct whether this is a type, and then fails on the whole.
            result.apart = True
        if info & _HAS_PARENT_KEY:
            reader.text()
    if info & _KIND == _Struct.STRING:
        return _read_string(reader, place, result)
    return _read_content(reader, info & _KIND)


def _read_string(reader: _Reader, place: Place, result: Scan) -> int:
    """Read text, answer its length in UTF-16 code units, as Yjs counts it."""
    raw = reader.blob()
    if not raw:
        raise MalformedUpdateError("an empty string")
    if raw.isascii():
        return len(raw)
    length = 0
    for character in _decode(raw):
        length += 1
        if character > "\uffff":
            result.halves.append(Place(place.client, place.clock + length))
            length += 1
    return length


def _read_content(reader: _Reader, kind: int) -> int:
    match kind:
        case _Struct.DELETED:
            return _length(reader)
        case _Struct.FORMAT:
            reader.text()
            _read_json(reader)
        case _Struct.TYPE:
            reference = reader.uint(_LAST_TYPE)
            if reference == _HOOK:
                raise MalformedUpdateError("an XML hook")
            if reference == _ELEMENT:
                reader.text()
        case _Struct.EMBED:
            _read_json(reader)
        case _Struct.BINARY:
            reader.blob()
        case _Struct.ANY:
            if not (count := reader.count()):
                raise MalformedUpdateError("an empty list")
            for _ in range(count):
                _read_any(reader)
            return count
        case _:
            # Subdocuments (9) and moves (11) are no part of a Collab document; lists of JSON (2) are no longer written
            # by any Yjs, and yrs reads one string more than they have.
            raise MalformedUpdateError("unknown content")
    return 1


def _read_json(reader: _Reader) -> None:
    try:
        json.loads(reader.blob(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedUpdateError("a value is no JSON") from error


def _refuse_constant(name: str) -> None:
    # Python reads NaN and Infinity, browsers do not.
    raise ValueError(name)


def _read_any(reader: _Reader) -> None:
    """Read one value; `open_` counts what is left to read in each list or object around it."""
    open_: list[tuple[int, bool]] = [(1, False)]
    while open_:
        left, keyed = open_.pop()
        if not left:
            continue
        open_.append((left - 1, keyed))
        if keyed:
            reader.text()
        match reader.byte():
            case _Any.STRING:
                reader.text()
            case _Any.INTEGER:
                _read_any_integer(reader)
            case (_Any.ARRAY | _Any.OBJECT) as container:
                if len(open_) > MAX_DEPTH:
                    raise MalformedUpdateError("nested too deeply")
                open_.append((reader.count(), container == _Any.OBJECT))
            case _Any.BYTES:
                reader.blob()
            case kind:
                if (size := _ANY_SCALARS.get(kind)) is None:
                    raise MalformedUpdateError("an unknown value")
                reader.skip(size)


def _read_any_integer(reader: _Reader) -> None:
    """A sign and 6 bits in the first byte, then 7 a byte. Browsers throw on what they can't count exactly."""
    byte = reader.byte()
    magnitude, shift = byte & 0x3F, 6
    while byte >= 0x80:
        byte = reader.byte()
        magnitude |= (byte & 0x7F) << shift
        shift += 7
        if magnitude > MAX_CLIENT or shift > 62:
            raise MalformedUpdateError("a number is too large")


def _read_deletes(reader: _Reader, result: Scan) -> None:
    seen: set[int] = set()
    for _ in range(reader.count()):
        client = reader.uint(MAX_CLIENT)
        if client in seen:
            raise MalformedUpdateError("a client appears twice")
        seen.add(client)
        spans = []
        for _ in range(reader.count()):
            start = reader.uint(MAX_CLOCK)
            end = start + _length(reader)
            if end > MAX_CLOCK:
                raise MalformedUpdateError("a clock is too large")
            spans.append((start, end))
        if spans:
            result.deletes[client] = _joined(spans)


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    spans.sort()
    joined = spans[:1]
    for span in spans:
        start, end = joined[-1]
        if span[0] > end:
            joined.append(span)
        elif span[1] > end:
            joined[-1] = (start, span[1])
    return joined


def read_state_vector(data: bytes) -> dict[int, int]:
    """Client to next clock; raises MalformedUpdateError."""
    reader = _Reader(data)
    vector: dict[int, int] = {}
    for _ in range(reader.count()):
        client = reader.uint(MAX_CLIENT)
        vector[client] = reader.uint(MAX_CLOCK)
    if reader.pos != reader.end:
        raise MalformedUpdateError("bytes follow the end")
    return vector
