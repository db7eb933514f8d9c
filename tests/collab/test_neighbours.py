"""Processes that share a document tell each other who is in it, and forget who falls silent."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgpack
import pytest

from collab import neighbours as neighbours_module
from collab import presence as presence_module
from collab import room as room_module
from collab.neighbours import FORGET_AFTER, MAX_MESSAGE_STATES, PROCESSES, SETTLED_AFTER, Neighbours
from collab.presence import Sighting
from collab.protocol import AwarenessState
from collab.room import Room
from tests.collab import reading
from tests.collab.tabs import ALICE, BOB, CAROL, Office, Tab
from tests.collab.waiting import until

DOCUMENT = UUID("6f1c1c1e-0000-4000-8000-000000000001")


class Town:
    """Processes on one channel layer, which carries what msgpack can carry. `away`: it loses everything."""

    def __init__(self) -> None:
        self.processes: list[Process] = []
        self.sent: list[dict[str, Any]] = []
        self.away = False

    def ring(self, group: str, message: dict[str, Any]) -> None:
        self.sent.append(message)
        if not self.away:
            carried = msgpack.unpackb(msgpack.packb(message))
            for one in self.processes:
                asyncio.get_running_loop().call_soon(one.hear, group, carried)

    def take_sent(self, kind: str) -> list[dict[str, Any]]:
        found = [message for message in self.sent if message["type"] == kind]
        self.sent.clear()
        return found

    def new(self) -> "Process":
        self.processes.append(Process(self, f"process {len(self.processes)}"))
        return self.processes[-1]


class Process:
    def __init__(self, town: Town, name: str) -> None:
        self.office = Office(on_presence=self._changed)
        self.room = self.office.room
        self.room.document_id = DOCUMENT
        rooms: dict[UUID, Room] = {DOCUMENT: self.room}
        self.neighbours = Neighbours(name, rooms, town.ring)
        self.is_alive = True

    def _changed(self, room: Room, changes: list[Sighting]) -> None:
        self.neighbours.tell_changes(room, changes)

    def hear(self, group: str, message: dict[str, Any]) -> None:
        if self.is_alive:
            if group == PROCESSES:
                self.neighbours.hear_roll(message)
            else:
                self.neighbours.hear_presence(self.room, message)

    def enter(self, person: Any) -> Tab:
        tab = self.office.enter(person)
        if len(self.room.members) == 1:
            self.neighbours.ask(self.room)
        return tab

    def here(self) -> dict[int, str]:
        """Client ids and names of everybody, as somebody who opens the document now is told."""
        return {one.client: one.state["user"]["name"] for one in self.room.presence.everybody() if one.state}


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock, in a list to be moved. Not the event loop's."""
    now = [1000.0]
    clock = SimpleNamespace(monotonic=lambda: now[0], time_ns=time.time_ns)
    monkeypatch.setattr(neighbours_module, "time", clock)
    monkeypatch.setattr(presence_module, "time", clock)
    return now


def heard_by(tab: Tab) -> list[dict[int, Any]]:
    """The awareness messages that arrived since the last call: client ids to clocks and states."""
    return [heard.body for heard in tab.heard(reading.AWARENESS)]


async def settled() -> None:
    """Everything that was sent has been heard and answered."""
    for _ in range(20):
        await asyncio.sleep(0)


async def call_roll(town: Town) -> None:
    for one in town.processes:
        if one.is_alive:
            one.neighbours.call_roll()
    await settled()


async def meeting(town: Town) -> tuple[Process, Process, Tab, Tab]:
    """Alice in one process, Bob in another one, and everybody knows."""
    one, other = town.new(), town.new()
    await call_roll(town)
    alice = one.enter(ALICE)
    alice.announce(1)
    bob = other.enter(BOB)
    bob.announce(2)
    await until(lambda: one.here() == other.here() == {1: "Alice", 2: "Bob"}, "both in both")
    await settled()
    return one, other, alice, bob


async def test_a_process_that_opens_a_document_asks_who_is_there(town: Town) -> None:
    one, other = town.new(), town.new()
    await call_roll(town)
    one.enter(ALICE).announce(1)
    await settled()
    other.enter(BOB)
    await settled()
    assert other.here() == {1: "Alice"}


async def test_moves_are_seen_in_the_other_process(town: Town) -> None:
    _, _, alice, bob = await meeting(town)
    alice.heard()
    bob.announce(2, clock=2, cursor="moved")
    moved = (2, {"user": BOB.identity, "cursor": "moved"})
    await until(lambda: moved in [states.get(2) for states in heard_by(alice)], "Bob's move")


async def test_many_moves_of_many_tabs_are_one_message_an_interval(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_module, "AWARENESS_INTERVAL", 0.2)
    one, other, alice, _ = await meeting(town)
    carol = one.enter(CAROL)
    carol.announce(3)
    await until(lambda: 3 in other.here())
    town.sent.clear()
    for clock in range(2, 102):
        alice.announce(1, clock=clock, cursor=clock)
        carol.announce(3, clock=clock, cursor=clock)
    await until(lambda: {state.clock for state in other.room.presence.everybody()} == {101, 1})
    assert len(town.take_sent("document.presence")) == 1


async def test_what_came_from_elsewhere_is_not_told_on(town: Town) -> None:
    _, other, _, bob = await meeting(town)
    town.sent.clear()
    bob.announce(2, clock=2)
    await until(lambda: town.sent)
    await asyncio.sleep(0.12)  # more than two intervals, in which nothing may follow
    assert {message["process"] for message in town.sent} == {other.neighbours._process}


async def test_nothing_is_told_while_nobody_else_has_the_document(town: Town) -> None:
    one, other = town.new(), town.new()
    await call_roll(town)
    alice = one.enter(ALICE)
    town.sent.clear()
    alice.announce(1)
    await until(lambda: alice.heard(reading.AWARENESS))
    await call_roll(town)
    assert town.take_sent("document.presence") == []
    assert other.here() == {}


async def test_who_leaves_is_gone_in_the_other_process(town: Town) -> None:
    one, _, alice, bob = await meeting(town)
    alice.heard()
    bob.connection.gone()
    await until(lambda: one.here() == {1: "Alice"})
    await until(lambda: (1, None) in [states.get(2) for states in heard_by(alice)])


async def test_a_killed_process_leaves_no_ghosts(town: Town, now: list[float]) -> None:
    one, other, alice, _ = await meeting(town)
    other.is_alive = False
    alice.heard()
    for _ in range(5):
        now[0] += FORGET_AFTER / 5
        await call_roll(town)
        assert one.here() == {1: "Alice", 2: "Bob"}
    now[0] += FORGET_AFTER / 5
    await call_roll(town)
    assert one.here() == {1: "Alice"}
    await until(lambda: (1, None) in [states.get(2) for states in heard_by(alice)])
    assert not one.neighbours._shared


async def test_a_process_that_lives_is_not_forgotten(town: Town, now: list[float]) -> None:
    one, other, _, _ = await meeting(town)
    for _ in range(12):
        now[0] += FORGET_AFTER / 5
        await call_roll(town)
    assert one.here() == other.here() == {1: "Alice", 2: "Bob"}


async def test_what_the_layer_lost_is_told_with_the_next_roll(town: Town) -> None:
    one, other = town.new(), town.new()
    await call_roll(town)
    town.away = True
    one.enter(ALICE).announce(1)
    other.enter(BOB).announce(2)
    await settled()
    assert (one.here(), other.here()) == ({1: "Alice"}, {2: "Bob"})
    town.away = False
    await call_roll(town)
    assert one.here() == other.here() == {1: "Alice", 2: "Bob"}


async def test_somebody_reconnects_to_the_other_process(town: Town) -> None:
    """With the same clock, as stock clients do, before the old connection is known to be dead: nobody sees them go."""
    one, other, alice, bob = await meeting(town)
    again = other.enter(ALICE)
    again.announce(1)
    await until(
        lambda: one.room.presence.speaker_of(1) is not alice.connection, "the old process hears of it"
    )
    bob.heard()
    alice.connection.gone()
    await call_roll(town)
    assert one.here() == other.here() == {1: "Alice", 2: "Bob"}
    again.announce(1, clock=2, cursor="moved")
    await until(lambda: {state.clock for state in one.room.presence.everybody()} == {1, 2})
    assert all(state for states in heard_by(bob) for _, state in states.values())


async def test_the_layer_is_away_when_ones_own_roll_call_is_not_heard(town: Town, now: list[float]) -> None:
    one = town.new()
    found = [one.neighbours.layer_is_away]
    for away in (False, True, True, True, False):
        town.away = away
        now[0] += 2.0
        await call_roll(town)
        found.append(one.neighbours.layer_is_away)
    assert found == [True, False, False, True, True, False]


async def test_nothing_is_queued_while_the_layer_is_away(town: Town, now: list[float]) -> None:
    _, _, alice, _ = await meeting(town)
    now[0] += neighbours_module.AWAY_AFTER + 1
    town.sent.clear()
    alice.heard()
    alice.announce(1, clock=2)
    moved = (2, {"user": ALICE.identity, "cursor": 1})
    await until(lambda: moved in [states.get(1) for states in heard_by(alice)])
    assert town.sent == []


async def test_the_doorbell_is_silent_where_nobody_would_hear_it(town: Town, now: list[float]) -> None:
    """But rings for a document that was opened only now: who has it too may not have said so yet."""
    one, other = town.new(), town.new()
    one.room.opened_at = now[0]
    rings = [one.neighbours.may_hear(one.room)]
    for people in ([], [BOB], []):
        now[0] += SETTLED_AFTER
        for person in people:
            other.enter(person)
        await call_roll(town)
        rings.append(one.neighbours.may_hear(one.room))
    other.is_alive = False
    now[0] += FORGET_AFTER + 1
    await call_roll(town)
    rings.append(one.neighbours.may_hear(one.room))
    assert rings == [True, False, True, True, False]


async def test_a_thousand_people_are_told_in_messages_of_bounded_size(town: Town) -> None:
    one, other = town.new(), town.new()
    speaker = one.enter(ALICE)
    large = {"anchor": "x" * 4000}
    for client in range(1000):
        one.room.presence.announce(
            Tab(one.room, ALICE, speaker.connection.role, extended=True, client=client).connection,
            [AwarenessState(client, 1, {"cursor": large})],
        )
    other.enter(BOB)
    await settled()
    assert len(other.here()) == 1000
    for message in town.take_sent("document.presence"):
        assert len(message["states"]) <= MAX_MESSAGE_STATES
        assert len(msgpack.packb(message)) < 80_000


@pytest.mark.parametrize(
    "row",
    [
        [7, 1, 1, '{"user": {"id": 3}}'],
        [7, 1, 1, "[]"],
        [7, 1, 1, "{}"],
        [-7, 1, 1, '{"user": {"id": "3"}}'],
        [7, 2**60, 1, '{"user": {"id": "3"}}'],
        [7, 1, 1, '{"user": {"id": "3"}, "cursor": "' + "x" * 40_000 + '"}'],
    ],
)
async def test_what_no_process_would_say_is_dropped(town: Town, row: list[Any]) -> None:
    one = town.new()
    message = {"type": "document.presence", "process": "strange", "states": [row], "ask": False}
    one.neighbours.hear_presence(one.room, message)
    assert one.here() == {}


async def test_ids_above_32_bits_survive(town: Town) -> None:
    one = town.new()
    one.neighbours.tell_changes(one.room, [])
    one.neighbours._tell(one.room, [Sighting(2**53 - 1, 2**53 - 1, 2**50, {"cursor": 10**30})])
    (message,) = town.take_sent("document.presence")
    assert message["states"] == [[2**53 - 1, 2**53 - 1, 2**50, '{"cursor": 1000000000000000000000000000000}']]
