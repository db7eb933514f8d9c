"""The open documents of a process: opening, polling, rechecking and closing them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError

from collab import rooms as rooms_module
from collab.neighbours import PROCESSES, SETTLED_AFTER, Neighbours
from collab.protocol import Close
from collab.rooms import Rooms
from docs_app import access, live
from docs_app.accounts.sessions import Visitor, signed_in
from docs_app.documents import log, processes
from docs_app.documents.log import Loaded, LogDamagedError, Row
from docs_app.sharing.roles import Role
from tests.collab.crafted import typed
from tests.collab.tabs import ALICE, BOB, Tab
from tests.collab.waiting import until

Read = Callable[..., Any]


class Database:
    """What `Rooms.read` finds. `held` stops a function until it is set."""

    def __init__(self) -> None:
        self.rows: dict[UUID, list[Row]] = {}
        self.roles: dict[int, Role] = {ALICE.user_id: Role.EDITOR, BOB.user_id: Role.EDITOR}
        self.signed_out: set[int] = set()
        self.away: Exception | None = None
        self.held: dict[str, asyncio.Event] = {}
        self.asked: list[str] = []

    async def read(self, function: Read, *arguments: Any) -> Any:
        self.asked.append(function.__name__)
        answer = self._answer(function, *arguments)
        if event := self.held.get(function.__name__):
            await event.wait()
        await asyncio.sleep(0)
        if self.away:
            raise self.away
        return answer

    def _answer(self, function: Read, *arguments: Any) -> Any:
        if function is log.load:
            rows = self.rows[arguments[0]]
            return Loaded(
                seq=len(rows),
                epoch=0,
                schema_version=1,
                snapshot_seq=0,
                snapshot=None,
                pending=[],
                rows=list(rows),
                bindings={},
            )
        if function is log.since:
            return self.rows[arguments[0]][arguments[1] :]
        if function is log.bindings_of:
            return {}
        if function is rooms_module._facts_of:
            return {
                key: rooms_module._Fact(len(self.rows[key]), 0, False, 0)
                for key in arguments[0]
                if key in self.rows
            }
        if function is signed_in:
            return {visitor for visitor in arguments[0] if visitor.user_id not in self.signed_out}
        if function in (processes.seen, processes.ended):
            return None
        assert function is access.roles_on
        return {user_id: self.roles[user_id] for user_id in arguments[1] if user_id in self.roles}


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
async def rooms(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rooms]:
    for name in ("BEAT_EVERY", "POLL_EVERY", "RETRY_AFTER"):
        monkeypatch.setattr(rooms_module, name, 0.005)
    rooms = Rooms()
    monkeypatch.setattr(rooms, "read", database.read)
    yield rooms
    await asyncio.wait_for(rooms.stop(), 3)


def new_document(database: Database, *updates: bytes) -> UUID:
    document_id = uuid4()
    database.rows[document_id] = [Row(seq, data) for seq, data in enumerate(updates, start=1)]
    return document_id


async def enter(rooms: Rooms, document_id: UUID, person: Any = ALICE) -> Tab:
    room = await rooms.enter(document_id)
    return Tab(room, person, Role.EDITOR, extended=True, client=11).open()


async def test_everybody_enters_the_same_room(rooms: Rooms, database: Database) -> None:
    document_id = new_document(database, typed(1, 0, "a"))
    opened = await asyncio.gather(*(rooms.enter(document_id) for _ in range(5)))
    assert len({id(room) for room in opened}) == 1
    assert opened[0].replica.clocks == {1: 1}
    assert database.asked.count("load") == 1


@pytest.mark.parametrize("error", [LogDamagedError("no"), OperationalError("away")])
async def test_what_fails_to_load_is_not_open(rooms: Rooms, database: Database, error: Exception) -> None:
    document_id = new_document(database, typed(1, 0, "a"))
    database.away = error
    with pytest.raises(type(error)):
        await rooms.enter(document_id)
    assert rooms._rooms == {}
    database.away = None
    assert (await rooms.enter(document_id)).replica.clocks == {1: 1}


async def test_who_gives_up_does_not_break_off_the_opening(rooms: Rooms, database: Database) -> None:
    document_id = new_document(database)
    database.held["load"] = asyncio.Event()
    impatient = asyncio.ensure_future(rooms.enter(document_id))
    patient = asyncio.ensure_future(rooms.enter(document_id))
    await until(lambda: database.asked)
    impatient.cancel()
    database.held["load"].set()
    assert (await patient).document_id == document_id


async def test_a_broken_room_is_opened_anew(rooms: Rooms, database: Database) -> None:
    document_id = new_document(database, typed(1, 0, "a"))
    room = await rooms.enter(document_id)
    room.abandon()
    again = await rooms.enter(document_id)
    assert again is not room
    assert again.replica.clocks == {1: 1}


async def test_the_poll_finds_what_the_bell_did_not_say(rooms: Rooms, database: Database) -> None:
    document_id = new_document(database, typed(1, 0, "a"))
    rooms.start()
    tab = await enter(rooms, document_id)
    database.rows[document_id].append(Row(2, typed(1, 1, "b")))
    await until(lambda: tab.connection.room.replica.clocks == {1: 2})
    del database.rows[document_id]
    await until(lambda: tab.wire.code == Close.NOT_FOUND)


async def test_a_document_that_opens_during_a_poll_stays_open(rooms: Rooms, database: Database) -> None:
    """The poll asked for those that were open before; this one is not in the answer, and yet it exists."""
    await rooms.enter(new_document(database))
    database.held["_facts_of"] = asyncio.Event()
    rooms.start()
    await until(lambda: "_facts_of" in database.asked)
    tab = await enter(rooms, new_document(database))
    polls = database.asked.count("_facts_of")
    database.held["_facts_of"].set()
    await until(lambda: database.asked.count("_facts_of") > polls)
    assert tab.wire.code is None
    assert not tab.connection.room.broken


async def test_a_database_that_hangs_does_not_silence_the_heartbeats(
    rooms: Rooms, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab = await enter(rooms, new_document(database))
    beats: list[float] = []
    monkeypatch.setattr(tab.connection, "beat", beats.append)
    database.held["_facts_of"] = asyncio.Event()
    rooms.start()
    await until(lambda: "_facts_of" in database.asked)
    before = len(beats)
    await until(lambda: len(beats) > before + 3)


async def test_access_that_ended_closes_the_tab(rooms: Rooms, database: Database) -> None:
    document_id = new_document(database)
    alice, bob = await enter(rooms, document_id, ALICE), await enter(rooms, document_id, BOB)
    del database.roles[ALICE.user_id]
    rooms._hear({"type": "document.event", "document": document_id.hex, "event": {"type": "access"}})
    await until(lambda: alice.wire.code == Close.NO_ACCESS)
    assert bob.wire.code is None


async def test_somebody_who_signed_out_is_sent_to_sign_in(rooms: Rooms, database: Database) -> None:
    alice, elsewhere = (
        await enter(rooms, new_document(database)),
        await enter(rooms, new_document(database), BOB),
    )
    assert Visitor(alice.connection.user_id, alice.connection.session_key) == Visitor(1, "session-a")
    database.signed_out.add(ALICE.user_id)
    rooms._hear({"type": "person.changed", "user": ALICE.user_id})
    await until(lambda: alice.wire.code == Close.SIGN_IN)
    assert elsewhere.wire.code is None


class Layer:
    """A channel layer that takes its time to make the channel."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.groups: set[str] = set()

    async def new_channel(self, prefix: str) -> str:
        await self.ready.wait()
        return prefix

    async def group_add(self, group: str, channel: str) -> None:
        self.groups.add(group)

    async def group_discard(self, group: str, channel: str) -> None:
        self.groups.discard(group)

    async def receive(self, channel: str) -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_document_that_opens_before_the_channel_is_there_hears_the_bell(
    rooms: Rooms, database: Database
) -> None:
    document_id = new_document(database)
    rooms._layer = layer = Layer()
    database.held["load"] = asyncio.Event()
    rooms.start()
    entering = asyncio.ensure_future(rooms.enter(document_id))
    await until(lambda: "load" in database.asked)
    layer.ready.set()
    await until(lambda: live.PEOPLE in layer.groups)
    database.held["load"].set()
    await entering
    await until(lambda: live.group_of(document_id) in layer.groups, "the document's group", seconds=2)


async def test_access_that_ends_while_the_document_opens(rooms: Rooms, database: Database) -> None:
    """The tab's right was looked up before; the news of its end arrives before the tab is in the room."""
    document_id = new_document(database)
    database.held["load"] = asyncio.Event()
    entering = asyncio.ensure_future(enter(rooms, document_id))
    await until(lambda: database.asked)
    del database.roles[ALICE.user_id]
    rooms._hear({"type": "document.event", "document": document_id.hex, "event": {"type": "access"}})
    database.held["load"].set()
    tab = await entering
    await until(lambda: tab.wire.code == Close.NO_ACCESS, "the close", seconds=2)


async def test_rights_that_change_in_a_whole_tree(rooms: Rooms, database: Database) -> None:
    """One message names every page of the tree, of which few are open and one is just being opened."""
    here, elsewhere, opening = (new_document(database) for _ in range(3))
    tab, other = await enter(rooms, here), await enter(rooms, elsewhere)
    database.held["load"] = asyncio.Event()
    entering = asyncio.ensure_future(enter(rooms, opening))
    await until(lambda: opening in rooms._opening)
    del database.roles[ALICE.user_id]
    rooms._hear({"type": "rights.changed", "documents": [here.hex, opening.hex, uuid4().hex]})
    database.held["load"].set()
    late = await entering
    await until(lambda: tab.wire.code == late.wire.code == Close.NO_ACCESS, "both closes", seconds=2)
    assert other.wire.code is None


async def test_rights_of_several_people_that_change(rooms: Rooms, database: Database) -> None:
    document_id = new_document(database)
    tab, other = await enter(rooms, document_id), await enter(rooms, document_id, BOB)
    del database.roles[ALICE.user_id]
    rooms._hear({"type": "people.changed", "users": [BOB.user_id, ALICE.user_id]})
    await until(lambda: tab.wire.code == Close.NO_ACCESS, "the close", seconds=2)
    assert other.wire.code is None


async def test_an_empty_room_is_closed_after_a_while(
    rooms: Rooms, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms_module, "LINGER", 0.0)
    kept = await enter(rooms, new_document(database))
    await rooms.enter(new_document(database))
    await rooms._close_idle()
    assert list(rooms._rooms.values()) == [kept.connection.room]


async def test_a_room_that_somebody_enters_while_others_are_closed_stays(
    rooms: Rooms, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two rooms of one document in one process would not hear of each other."""
    monkeypatch.setattr(rooms_module, "LINGER", 0.0)
    first, second = new_document(database), new_document(database)
    await rooms.enter(first)
    await rooms.enter(second)
    entered: list[Tab] = []

    async def slow_layer(verb: str, document_id: UUID) -> None:
        if verb == "group_discard" and not entered:
            entered.append(await enter(rooms, second))

    monkeypatch.setattr(rooms, "_group", slow_layer)
    await rooms._close_idle()
    assert await rooms.enter(second) is entered[0].connection.room


# -- The channel layer is away -------------------------------------------------------------------------------------


class Redis(Layer):
    """A layer to other processes. `refuses`: groups can't be joined; `silent`: it takes everything and delivers
    nothing, until it is connected anew."""

    def __init__(self) -> None:
        super().__init__()
        self.ready.set()
        self.refuses = self.silent = False
        self.flushed = 0
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def group_add(self, group: str, channel: str) -> None:
        if self.refuses:
            raise ConnectionError("away")
        await asyncio.sleep(0.005)
        await super().group_add(group, channel)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if group in self.groups and not self.silent:
            self._queue.put_nowait(message)

    async def receive(self, channel: str) -> dict[str, Any]:
        return await self._queue.get()

    async def flush(self) -> None:
        self.groups.clear()
        self.silent = False
        self.flushed += 1


@pytest.fixture
def redis(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> Redis:
    monkeypatch.setattr(rooms_module, "ROLL_CALL_EVERY", 0.01)
    rooms._layer = redis = Redis()
    rooms._is_alone = False
    return redis


async def test_a_document_that_opened_without_the_layer_joins_its_group_later(
    rooms: Rooms, database: Database, redis: Redis
) -> None:
    rooms.start()
    await until(lambda: not rooms._neighbours.layer_is_away, "its own roll call")
    redis.refuses = True
    document_id = new_document(database)
    await enter(rooms, document_id)
    assert live.group_of(document_id) not in redis.groups
    redis.refuses = False
    await until(lambda: live.group_of(document_id) in redis.groups, "the document's group")


async def test_a_process_hears_itself_from_its_start(
    rooms: Rooms, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only from the second roll call: till then it would keep to itself what its people do."""
    monkeypatch.setattr(rooms_module, "ROLL_CALL_EVERY", 60.0)
    rooms.start()
    await until(lambda: not rooms._neighbours.layer_is_away, "its own roll call", 2)


async def test_a_document_opens_while_the_layer_does_not_answer(
    rooms: Rooms, database: Database, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms.start()
    await until(lambda: rooms._channel)
    monkeypatch.setattr(rooms_module, "LAYER_WITHIN", 0.01)
    monkeypatch.setattr(redis, "group_add", lambda group, channel: asyncio.Event().wait())
    tab = await asyncio.wait_for(enter(rooms, new_document(database)), 2)
    assert tab.wire.code is None


async def test_who_hears_not_even_itself_connects_anew(
    rooms: Rooms, database: Database, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms_module, "DEAF_AFTER", 0.1)
    document_id = new_document(database)
    rooms.start()
    await enter(rooms, document_id)
    await until(lambda: not rooms._neighbours.layer_is_away, "its own roll call")
    assert redis.flushed == 0
    redis.silent = True
    await until(
        lambda: redis.flushed and live.group_of(document_id) in redis.groups, "all groups joined anew"
    )
    assert {live.PEOPLE, PROCESSES} <= redis.groups


async def test_who_comes_is_told_how_far_the_log_must_reach(rooms: Rooms, database: Database) -> None:
    """What was stored while the document opened here was rung for nobody: the answer to our question says so."""
    document_id = new_document(database, typed(1, 0, "a"))
    tab = await enter(rooms, document_id)
    database.rows[document_id].append(Row(2, typed(1, 1, "b")))
    answer = {"type": "document.presence", "process": "other", "states": [], "ask": False}
    rooms._hear({**answer, "document": document_id.hex, "seq": 2})
    await until(lambda: tab.connection.room.replica.clocks == {1: 2})
    asked = len(database.asked)
    rooms._hear({**answer, "document": document_id.hex, "seq": 2})
    assert len(database.asked) == asked


async def test_nobody_elsewhere_no_bell(rooms: Rooms, database: Database, redis: Redis) -> None:
    tab = await enter(rooms, new_document(database))
    room = tab.connection.room
    entry = log.Entry(room.document_id, ALICE.user_id, typed(1, 0, "a"), 0)
    rooms._announce(room, [(entry, 1)])
    rung = rooms._bell.qsize()
    room.opened_at -= SETTLED_AFTER
    rooms._announce(room, [(entry, 2)])
    assert rooms._bell.qsize() == rung
    rooms._neighbours.hear_roll({"process": "other", "documents": room.document_id.bytes})
    rooms._announce(room, [(entry, 3)])
    assert rooms._bell.qsize() == rung + 1


async def test_cursors_elsewhere_are_no_reason_to_read_the_log(rooms: Rooms, database: Database) -> None:
    document_id = new_document(database, typed(1, 0, "a"))
    database.held["load"] = asyncio.Event()
    entering = asyncio.ensure_future(enter(rooms, document_id))
    await until(lambda: database.asked)
    presence = {"type": "document.presence", "process": "other", "states": [], "ask": False}
    rooms._hear({**presence, "document": document_id.hex})
    database.held["load"].set()
    await entering
    assert "since" not in database.asked


@pytest.mark.parametrize(
    ("is_alone", "is_away", "waited", "polls"),
    [
        (False, False, 1.0, False),
        (False, False, 4.0, True),
        (False, True, 0.5, False),
        (False, True, 1.0, True),
        (True, True, 1.0, False),
        (True, True, 4.0, True),
    ],
)
async def test_the_log_is_polled_more_often_while_the_layer_is_away(
    monkeypatch: pytest.MonkeyPatch, is_alone: bool, is_away: bool, waited: float, polls: bool
) -> None:
    rooms = Rooms()
    rooms._is_alone = is_alone
    monkeypatch.setattr(Neighbours, "layer_is_away", is_away)
    assert rooms._must_poll(waited) is polls


async def test_at_the_end_documents_with_many_rows_get_a_snapshot(
    rooms: Rooms, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[UUID] = []
    monkeypatch.setattr(rooms_module, "_compact", made.append)
    long, longer, short = (new_document(database) for _ in range(3))
    for document_id, rows, size in ((long, 30, 100), (longer, 20, 1000), (short, 19, 10_000)):
        room = await rooms.enter(document_id)
        room.rows_since_snapshot, room.bytes_since_snapshot = rows, size
    await rooms.stop()
    assert made == []
    await rooms.tidy()
    assert made == [longer, long]


async def test_tidying_up_takes_no_longer_than_it_may(
    rooms: Rooms, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[UUID] = []
    monkeypatch.setattr(rooms_module, "_compact", made.append)
    monkeypatch.setattr(rooms_module, "TIDY_FOR", -1.0)
    room = await rooms.enter(new_document(database))
    room.rows_since_snapshot = 100
    await rooms.tidy()
    assert made == []
