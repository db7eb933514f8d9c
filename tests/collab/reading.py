"""What the server says, read byte for byte as a tab does, with nothing of the server's own code."""

import json
from dataclasses import dataclass
from typing import Any

STEP_1, STEP_2, UPDATE, AWARENESS, DENIED = "step 1", "step 2", "update", "awareness", "denied"
SAVED, REFUSED, HELLO, EVENT, HEARTBEAT = "saved", "refused", "hello", "event", "heartbeat"


@dataclass(frozen=True)
class Heard:
    """`body` is the update or state vector, the numbers, the reason, the facts, or the states by client."""

    kind: str
    body: Any = None


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self.left = data

    def number(self) -> int:
        value = shift = 0
        while True:
            byte, self.left = self.left[0], self.left[1:]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def bytes(self) -> bytes:
        size = self.number()
        found, self.left = self.left[:size], self.left[size:]
        assert len(found) == size
        return found

    def json(self) -> Any:
        def refuse(name: str) -> None:
            raise ValueError(f"{name} is no JSON for a browser")

        return json.loads(self.bytes().decode(), parse_constant=refuse)


def read(frame: bytes) -> Heard:
    """The one message in a frame."""
    data = _Bytes(frame)
    heard = _read(data)
    assert not data.left, "bytes follow the message"
    return heard


def _read(data: _Bytes) -> Heard:
    match data.number():
        case 0:
            return Heard((STEP_1, STEP_2, UPDATE)[data.number()], data.bytes())
        case 1:
            states = _Bytes(data.bytes())
            found = {states.number(): (states.number(), states.json()) for _ in range(states.number())}
            assert not states.left
            return Heard(AWARENESS, found)
        case 2:
            assert data.number() == 0
            return Heard(DENIED, data.bytes().decode())
        case 100:
            return Heard(SAVED, (data.number(), data.number()))
        case 101:
            return Heard(REFUSED, (data.number(), data.bytes().decode()))
        case (102 | 103) as kind:
            return Heard(HELLO if kind == 102 else EVENT, data.json())
        case 104:
            return Heard(HEARTBEAT)
        case kind:
            raise AssertionError(f"unknown message {kind}")
