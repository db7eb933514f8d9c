"""The protocol as a peer speaks it, written down once more: a test that shared the server's own code would agree with
its mistakes."""

import json
from typing import Any

SYNC, AWARENESS, AUTH, QUERY = 0, 1, 2, 3
SAVED, REFUSED, HELLO, EVENT, HEARTBEAT = 100, 101, 102, 103, 104
STEP_1, STEP_2, UPDATE = 0, 1, 2


def uint(value: int) -> bytes:
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def blob(data: bytes) -> bytes:
    return uint(len(data)) + data


def step_1(state_vector: bytes) -> bytes:
    return bytes((SYNC, STEP_1)) + blob(state_vector)


def step_2(update: bytes) -> bytes:
    return bytes((SYNC, STEP_2)) + blob(update)


def update(data: bytes) -> bytes:
    return bytes((SYNC, UPDATE)) + blob(data)


def awareness(client: int, clock: int, state: object) -> bytes:
    return raw_awareness(client, clock, json.dumps(state).encode())


def raw_awareness(client: int, clock: int, state: bytes) -> bytes:
    """Awareness of one client whose state need not be JSON."""
    return bytes((AWARENESS,)) + blob(uint(1) + uint(client) + uint(clock) + blob(state))


class Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.pos = data, 0

    def uint(self) -> int:
        value = shift = 0
        while True:
            byte = self.data[self.pos]
            self.pos += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def blob(self) -> bytes:
        size = self.uint()
        start, self.pos = self.pos, self.pos + size
        assert self.pos <= len(self.data), "the server sent a message that ends too early"
        return self.data[start : self.pos]

    def json(self) -> Any:
        return json.loads(self.blob(), parse_constant=_not_json)


def _not_json(name: str) -> None:
    raise AssertionError(f"the server sent {name}, which no browser can read")


def states_of(frame: bytes) -> dict[int, Any]:
    """Client to state of an awareness message, read as strictly as a browser does."""
    reader = Reader(frame)
    assert reader.uint() == AWARENESS
    reader = Reader(reader.blob())
    states = {}
    for _ in range(reader.uint()):
        client, _clock = reader.uint(), reader.uint()
        states[client] = reader.json()
    return states
