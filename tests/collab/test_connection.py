"""One participant: the greeting, heartbeats, and what ends a connection."""

import pytest
from pytest_django import Settings

from collab import protocol
from collab.connection import HEARTBEAT_AFTER, MAX_QUEUED
from collab.protocol import Close, ProtocolError
from docs_app.documents.log import Row
from docs_app.sharing.roles import Role
from tests.collab import reading
from tests.collab.crafted import typed
from tests.collab.reading import Heard
from tests.collab.tabs import ALICE, BOB, Office, Tab


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock, in a list to be moved."""
    now = [1000.0]
    monkeypatch.setattr("collab.connection.time.monotonic", lambda: now[0])
    return now


def opened(office: Office, *, extended: bool = True, role: Role = Role.EDITOR) -> Tab:
    return Tab(office.room, ALICE, role, extended=extended, client=99).open()


# -- The greeting --------------------------------------------------------------------------------------------------


async def test_the_greeting(office: Office, settings: Settings) -> None:
    settings.MAX_FRAME = 1234
    bob = office.enter(BOB)
    bob.type("hello")
    bob.announce()
    office.commit()
    hello, step_1, here = opened(office, role=Role.VIEWER).heard()
    assert hello == Heard(
        reading.HELLO,
        {
            "role": "viewer",
            "person": {"id": "1", "name": "Alice", "colour": "#1b6e3a"},
            "seq": 1,
            "epoch": 0,
            "schemaVersion": 1,
            "limits": {"frameBytes": 1234, "awarenessBytes": 4096},
        },
    )
    assert step_1 == Heard(reading.STEP_1, bytes((1, bob.client, 5)))
    assert here == Heard(reading.AWARENESS, {bob.client: (1, {"user": BOB.identity, "cursor": 1})})


async def test_a_stock_client_hears_standard_messages_only(office: Office) -> None:
    tab = opened(office, extended=False)
    tab.type()
    office.commit()
    office.room.saving(ok=False)
    office.room.tell({"type": "title", "title": "x"})
    assert [message.kind for message in tab.heard()] == [reading.STEP_1, reading.AWARENESS]


async def test_step_1_is_answered_with_what_is_missing(office: Office) -> None:
    office.enter(BOB).send(typed(5, 0, "hello"))
    tab = office.enter(ALICE)
    tab.connection.receive(protocol.sync_step_1(b"\x00"))
    tab.connection.receive(protocol.sync_step_1(b"\x01\x05\x05"))
    assert tab.heard() == [Heard(reading.STEP_2, typed(5, 0, "hello")), Heard(reading.STEP_2, b"\x00\x00")]


@pytest.mark.parametrize("vector", [b"", b"\x01", b"\x00\x00", bytes.fromhex("ffffffff0f")])
async def test_step_1_without_a_state_vector_is_no_message(office: Office, vector: bytes) -> None:
    tab = office.enter(ALICE)
    with pytest.raises(ProtocolError):
        tab.connection.receive(protocol.sync_step_1(vector))
    assert tab.heard() == []


async def test_a_query_is_answered_with_everybody(office: Office) -> None:
    bob, tab = office.enter(BOB), office.enter(ALICE)
    bob.announce()
    tab.connection.receive(b"\x03")
    assert list(tab.heard()[0].body) == [bob.client]


# -- Limits --------------------------------------------------------------------------------------------------------


async def test_an_update_over_the_limit_is_refused(office: Office, settings: Settings) -> None:
    settings.MAX_FRAME = 50
    tab = office.enter(ALICE)
    tab.type("x" * 60)
    assert tab.refusals() == [(1, "too-large")]
    assert office.room.replica.clocks == {}


async def test_a_reader_that_has_stopped_reading_is_closed(office: Office) -> None:
    tab = office.enter(ALICE)
    tab.wire.stuck = True
    sent = 0
    while tab.wire.code is None:
        office.room.tell({"type": "title", "title": "x" * 50_000})
        sent += 50_000
    assert tab.wire.code == Close.TRY_AGAIN
    assert MAX_QUEUED <= sent <= MAX_QUEUED + 200_000
    assert tab.connection not in office.room.members
    frames = len(tab.wire.frames)
    office.room.tell({"type": "title", "title": "too late"})
    assert len(tab.wire.frames) == frames


async def test_a_large_document_on_a_slow_line_is_no_reader_that_has_stopped(office: Office) -> None:
    """The state is 3 MB and takes a while. Closing the tab for that would begin it all again, without end."""
    office.room.follow([Row(1, typed(5, 0, "x" * 3_000_000))], {})
    tab = office.enter(ALICE)
    tab.wire.stuck = True
    tab.connection.receive(protocol.sync_step_1(b"\x00"))
    assert len(tab.wire.frames[0]) > 3_000_000
    office.room.tell({"type": "title", "title": "renamed meanwhile"})
    assert tab.wire.code is None


# -- Signs of life -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("extended", "beat"), [(True, Heard(reading.HEARTBEAT)), (False, Heard(reading.AWARENESS, {}))]
)
async def test_a_silence_is_broken_with_something_the_client_understands(
    office: Office, now: list[float], extended: bool, beat: Heard
) -> None:
    tab = office.enter(ALICE, extended=extended)
    now[0] += HEARTBEAT_AFTER - 0.1
    tab.connection.beat(now[0])
    assert tab.heard() == []
    now[0] += 0.1
    tab.connection.beat(now[0])
    assert tab.heard() == [beat]
    tab.connection.beat(now[0] + 1)
    assert tab.heard() == []


async def test_whatever_is_sent_is_a_sign_of_life(office: Office, now: list[float]) -> None:
    tab = office.enter(ALICE)
    now[0] += HEARTBEAT_AFTER
    office.room.tell({"type": "title", "title": "x"})
    tab.connection.beat(now[0] + 1)
    assert [message.kind for message in tab.heard()] == [reading.EVENT]


# -- The end -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "code"),
    [
        (None, Close.NO_ACCESS),
        (Role.VIEWER, Close.ACCESS_CHANGED),
        (Role.OWNER, Close.ACCESS_CHANGED),
        (Role.EDITOR, None),
    ],
)
async def test_another_role_ends_the_connection(
    office: Office, role: Role | None, code: Close | None
) -> None:
    tab = office.enter(ALICE)
    tab.connection.role_is(role)
    assert tab.wire.code == code
    tab.type()
    assert bool(office.saver.edits) == (code is None)


async def test_nothing_is_taken_in_while_the_process_stops(office: Office) -> None:
    tab = office.enter(ALICE)
    office.room.frozen = True
    tab.type()
    assert (office.saver.edits, tab.heard()) == ([], [])


async def test_it_is_closed_once(office: Office) -> None:
    tab = office.enter(ALICE)
    tab.connection.close(Close.RESTARTING)
    tab.connection.close(Close.NOT_FOUND)
    tab.connection.gone()
    assert tab.wire.code == Close.RESTARTING
    assert office.room.members == set()
