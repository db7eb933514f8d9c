"""The byte examples in `docs/protocol.md` are what the code reads and writes."""

import re
from pathlib import Path

import pytest

from collab import protocol
from collab.protocol import Awareness, AwarenessState, QueryAwareness, SyncStep1, SyncStep2, Update
from docs_app.documents.updates import Span, read_state_vector, scan

DOCUMENT = Path(__file__).parents[2] / "docs" / "protocol.md"
EXAMPLE = re.compile(r"^\| `((?:[0-9a-f]{2} ?)+)` \| (.+) \|$", re.MULTILINE)
NAMED = {text: bytes.fromhex(spaced) for spaced, text in EXAMPLE.findall(DOCUMENT.read_text())}

EMPTY = SyncStep1(b"\x00")
TYPED_A = bytes.fromhex("0101010004010174016100")
TYPED_B = bytes.fromhex("01010101840100016200")

FROM_TABS = {
    "sync step 1 of an empty document": EMPTY,
    "sync step 2 that brings nothing": SyncStep2(b"\x00\x00"),
    'update: "a"': Update(TYPED_A),
    'update: "b" behind it': Update(TYPED_B),
    "sync step 1 of a document that has both": SyncStep1(bytes.fromhex("010102")),
    'awareness of client 1, clock 1: `{"user":{"name":"é"}}`': Awareness(
        [AwarenessState(1, 1, {"user": {"name": "é"}})]
    ),
    "awareness: client 1 is gone, clock 2": Awareness([AwarenessState(1, 2, None)]),
    "query awareness": QueryAwareness(),
    "heartbeat for stock clients: awareness of nobody": Awareness([]),
}
FROM_THE_SERVER = {
    "sync step 1 of an empty document": protocol.sync_step_1(b"\x00"),
    "sync step 2 that brings nothing": protocol.sync_step_2(b"\x00\x00"),
    'update: "a"': protocol.update(TYPED_A),
    'update: "b" behind it': protocol.update(TYPED_B),
    "sync step 1 of a document that has both": protocol.sync_step_1(bytes.fromhex("010102")),
    'awareness of client 1, clock 1: `{"user":{"name":"é"}}`': protocol.awareness(
        [AwarenessState(1, 1, {"user": {"name": "é"}})]
    ),
    "awareness: client 1 is gone, clock 2": protocol.awareness([AwarenessState(1, 2, None)]),
    'denied: "no"': protocol.denied("no"),
    "saved: the first 3 update frames, row 7": protocol.saved(3, 7),
    'refused: update frame 4, "read-only"': protocol.refused(4, "read-only"),
    "heartbeat": protocol.HEARTBEAT,
    "heartbeat for stock clients: awareness of nobody": protocol.STOCK_HEARTBEAT,
}


def test_every_example_is_checked() -> None:
    assert set(NAMED) == set(FROM_TABS) | set(FROM_THE_SERVER)


@pytest.mark.parametrize("name", FROM_TABS)
def test_an_example_from_a_tab_is_read_as_described(name: str) -> None:
    assert protocol.decode(NAMED[name]) == FROM_TABS[name]


@pytest.mark.parametrize("name", FROM_THE_SERVER)
def test_an_example_from_the_server_is_written_as_described(name: str) -> None:
    assert NAMED[name] == FROM_THE_SERVER[name]


def test_the_updates_inside_say_what_the_text_says() -> None:
    assert scan(TYPED_A).blocks == [Span(1, 0, 1)]
    assert scan(TYPED_B).blocks == [Span(1, 1, 2)]
    assert read_state_vector(bytes.fromhex("010102")) == {1: 2}


def test_every_close_code_is_in_the_table() -> None:
    table = DOCUMENT.read_text().partition("## Close codes")[2].partition("##")[0]
    written = {
        int(code) for row in re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE) for code in row.split(",")
    }
    assert written == {int(code) for code in protocol.Close}
