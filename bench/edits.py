"""What is typed: Yjs updates (encoding version 1) of one character each, and how to find them again when merged.

Every character is one clock of its writer, so that it can be recognised whatever a server merges or splits.
"""

from typing import NamedTuple

from bench.encoding import read_blob, read_uint, uint

ROOT = "bench"
_ORIGIN, _RIGHT_ORIGIN, _PARENT_KEY = 0x80, 0x40, 0x20
_GC, _DELETED, _STRING, _SKIP = 0, 1, 4, 10
_LETTERS = [letter.encode() for letter in "the quick brown fox jumps over a lazy dog "]


class Span(NamedTuple):
    """Clocks `start` (inclusive) to `end` (exclusive) of one client."""

    client: int
    start: int
    end: int


def typed(client: int, clock: int) -> bytes:
    """The update that types a character behind the writer's last one, at the text's beginning for the first one."""
    who = uint(client)
    letter = _LETTERS[clock % len(_LETTERS)]
    if clock == 0:
        root = ROOT.encode()
        place = b"\x04\x01" + uint(len(root)) + root
    else:
        place = b"\x84" + who + uint(clock - 1)
    return b"\x01\x01" + who + uint(clock) + place + b"\x01" + letter + b"\x00"


class _Reader:
    __slots__ = ("at", "data")

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def uint(self) -> int:
        value, self.at = read_uint(self.data, self.at)
        return value

    def string(self) -> bytes:
        value, self.at = read_blob(self.data, self.at)
        return value


def spans_of(update: bytes) -> list[Span]:
    """Which clocks an update brings. Reads the kinds of structs that the benchmark's text can turn into; raises
    ValueError for another one."""
    reader = _Reader(update)
    spans = []
    for _ in range(reader.uint()):
        structs, client, clock = reader.uint(), reader.uint(), reader.uint()
        for _ in range(structs):
            length, brings = _read_struct(reader)
            if brings:
                spans.append(Span(client, clock, clock + length))
            clock += length
    return spans


def _read_struct(reader: _Reader) -> tuple[int, bool]:
    """A struct's length, and whether it is one: a skip only says that something is missing."""
    info = reader.byte()
    kind = info & 0x1F
    if kind in (_SKIP, _GC):
        return reader.uint(), kind == _GC
    for flag in (_ORIGIN, _RIGHT_ORIGIN):
        if info & flag:
            reader.uint()
            reader.uint()
    if not info & (_ORIGIN | _RIGHT_ORIGIN):
        if reader.uint():
            reader.string()
        else:
            reader.uint()
            reader.uint()
        if info & _PARENT_KEY:
            reader.string()
    if kind == _STRING:
        return len(reader.string().decode()), True
    if kind == _DELETED:
        return reader.uint(), True
    raise ValueError(f"a struct of kind {kind} in the benchmark's text")
