"""The failure classes of other editors, F1 to F30 (`docs/reliability.md`), that need neither a real server nor a
browser to be shown."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pycrdt
import pytest
from django.db import DatabaseError, connections
from django.utils import timezone

from collab import rooms
from collab.protocol import Close, ProtocolError, decode
from collab.room import Room
from docs_app.accounts.models import User
from docs_app.documents import log, statements
from docs_app.documents.models import Document, DocumentSnapshot, DocumentUpdate
from docs_app.documents.updates import MalformedUpdateError, scan
from tests.faults import wire
from tests.faults.lobby import Lobby, typed
from tests.faults.office import Office, in_database, text_of
from tests.faults.tab import ROOT, until

POISON = json.loads((Path(__file__).parent / "seeds" / "poison_updates.json").read_text())


class Gate:
    """`log.append` behind a door: while it is shut, commits take for ever; `breaks` makes them fail."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.breaks = False
        self.tries = 0

    def append(self, entries: Sequence[log.Entry]) -> list[log.Committed | log.Rejected]:
        self.tries += 1
        assert self.open.wait(30), "the test forgot the door"
        if self.breaks:
            raise DatabaseError("away")
        return log.append(entries)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


@pytest.fixture
async def gated(sqlite_file: Path, gate: Gate) -> Any:
    office = Office(gate.append)
    await office.open()
    yield office
    gate.breaks = False
    gate.open.set()
    await office.close()


async def entry(office: Office, data: bytes, author: int | None = None) -> list[log.Committed | log.Rejected]:
    return await office.call(log.append, [log.Entry(office.document.id, author, data, 0)])


def letters(count: int) -> list[bytes]:
    """Updates of one client that types a letter each: a, b, c …"""
    doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=7)
    text = doc.get(ROOT, type=pycrdt.Text)
    found = []
    subscription = doc.observe(lambda event: found.append(event.update))
    for number in range(count):
        text.insert(number, chr(ord("a") + number % 26))
    doc.unobserve(subscription)
    return found


# -- F1 to F5 ----------------------------------------------------------------------------------------------------


async def test_f01_saved_is_said_after_the_commit_only(gated: Office, gate: Gate) -> None:
    ada, ben = gated.peers[0], gated.peers[1]
    gate.open.clear()
    ada.type(0, "hello")
    ada.send()
    await until(lambda: ben.hear() and (str(ben) == "hello"), "the edit in the other tab")
    await until(lambda: gate.tries, "a commit under way")
    ada.hear()
    assert not ada.saved
    assert (await gated.folded()).rows == []
    gate.open.set()
    await gated.settle()
    assert ada.saved == ada.made
    assert text_of(await gated.folded()) == "hello"


async def test_f01_a_repeated_edit_is_not_saved_before_the_first_one_is(gated: Office, gate: Gate) -> None:
    """A tab that comes back brings what the room holds already. That is no reason to call it saved."""
    ada = gated.peers[0]
    gate.open.clear()
    ada.type(0, "hello")
    ada.send()
    await until(lambda: gate.tries, "a commit under way")
    ada.disconnect()
    ada.connect(gated.room)
    ada.hear()
    ada.send()
    await asyncio.sleep(0)
    ada.hear()
    assert not ada.saved
    gate.open.set()
    await gated.settle()
    assert ada.saved == ada.made


async def test_f01_who_may_only_read_by_now_is_not_told_too_early_either(gated: Office, gate: Gate) -> None:
    """An editor types, is made a viewer before the commit, comes back and answers with all that it has."""
    ada = gated.peers[0]
    gate.open.clear()
    ada.type(0, "hello")
    ada.send()
    await until(lambda: gate.tries, "a commit under way")
    ada.disconnect()
    ada.role = ada.role.VIEWER
    ada.connect(gated.room)
    ada.hear()
    ada.send()
    await asyncio.sleep(0)
    ada.hear()
    assert not ada.saved, "reported saved, and nothing is on disk"


async def test_f02_a_load_that_fails_opens_nothing(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, document = await in_database(_ada_and_document)
    await in_database(log.append, [log.Entry(document.id, ada.pk, update, 0) for update in letters(3)])
    await in_database(log.compact, document.id)
    await in_database(lambda: DocumentSnapshot.objects.update(data=b"not zlib"))
    before = await in_database(_everything, document)
    caller = lobby.call(ada, document.id)
    await until(lambda: caller.closed, "a close code")
    assert caller.closed == Close.INTERNAL_ERROR
    assert caller.sent == []
    assert document.id not in lobby.rooms._rooms
    assert await in_database(_everything, document) == before
    with pytest.raises(log.LogDamagedError):
        await in_database(log.compact, document.id)
    assert await in_database(_everything, document) == before


async def test_f02_a_snapshot_that_does_not_open_the_same_is_not_stored(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.peers[0].type(0, "hello")
    await office.settle()
    monkeypatch.setattr("docs_app.documents.replica.Replica.state", lambda self, vector=b"\0": b"\0\0")
    with pytest.raises(log.LogDamagedError):
        await office.compact()
    monkeypatch.undo()
    assert text_of(await office.folded()) == "hello"
    assert (await office.folded()).snapshot is None


async def test_f03_a_room_with_unsaved_edits_is_not_closed(
    lobby: Lobby, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, document = await in_database(_ada_and_document)
    monkeypatch.setattr(rooms, "LINGER", 0.0)
    lobby.rooms.saver._append = gate.append
    gate.open.clear()
    caller = lobby.call(ada, document.id)
    await caller.greeted()
    caller.send(wire.update(typed("hello", 7)))
    await until(lambda: gate.tries, "a commit under way")
    caller.leave()
    await caller.task
    room = lobby.rooms._rooms[document.id]
    await lobby.rooms._close_idle()
    assert lobby.rooms._rooms[document.id] is room
    gate.open.set()
    await lobby.rooms.saver.flushed(room)
    await lobby.rooms._close_idle()
    assert document.id not in lobby.rooms._rooms
    assert text_of(await in_database(log.load, document.id)) == "hello"


async def test_f03_a_tab_that_enters_while_idle_rooms_are_closed_is_not_left_behind(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leaving a group takes a moment with Redis. Whoever enters the next idle room in this moment must find it open,
    or sits in a room that nobody else enters and that hears nothing."""
    ada, first = await in_database(_ada_and_document)
    second = await in_database(lambda: Document.objects.create(workspace=first.workspace, title="Second"))
    callers = [lobby.call(ada, document.id) for document in (first, second)]
    for caller in callers:
        await caller.greeted()
        caller.leave()
        await caller.task
    monkeypatch.setattr(rooms, "LINGER", 0.0)
    joined: list[Any] = []

    async def slow_discard(group: str, channel: str) -> None:
        if not joined:
            joined.append(lobby.call(ada, second.id))
            await joined[0].greeted()

    monkeypatch.setattr(lobby.rooms._layer, "group_discard", slow_discard)
    await lobby.rooms._close_idle()
    assert lobby.rooms._rooms.get(second.id), "the room that somebody has just entered was given up"


async def test_f04_a_row_stored_while_a_snapshot_is_made_survives(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for update in letters(3):
        await entry(office, update)
    replay = log.replay

    def replay_slowly(loaded: log.Loaded) -> Any:
        replayed = replay(loaded)
        monkeypatch.setattr(log, "replay", replay)
        late = log.Entry(office.document.id, None, typed("late", next(clients)), 0)
        log.append([late])
        return replayed

    clients = iter((8, 9))
    for verb in (office.compact, office.prune):
        monkeypatch.setattr(log, "replay", replay_slowly)
        await verb()
        loaded = await office.folded()
        assert {*"abc", *"late"} <= set(text_of(loaded))
        assert loaded.rows[-1].seq == loaded.seq
        assert await office.call(log.verify, office.document.id) == []
    assert (await office.folded()).seq == 5


async def test_f04_two_processes_compact_at_once(office: Office) -> None:
    for update in letters(20):
        await entry(office, update)
    await asyncio.gather(*(in_database(log.compact, office.document.id) for _ in range(4)))
    assert await office.call(DocumentSnapshot.objects.count) == 1
    assert text_of(await office.folded()) == "abcdefghijklmnopqrst"
    assert await office.call(log.verify, office.document.id) == []


async def test_f05_snapshots_do_not_chase_each_other(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row is worth a snapshot here, and still there is only one in `COMPACT_EVERY` seconds."""
    ada, document = await in_database(_ada_and_document)
    made: list[object] = []
    monkeypatch.setattr(rooms, "_compact", made.append)
    monkeypatch.setattr("django.conf.settings.SNAPSHOT_ROWS", 1)
    caller = lobby.call(ada, document.id)
    await caller.greeted()
    for number, update in enumerate(letters(20)):
        caller.send(wire.update(update))
        await until(lambda: caller.saved() == number + 1, "saved")  # noqa: B023
    assert await in_database(lambda: Document.objects.get().seq) == 20
    assert made == [document.id]


# -- F6 to F10 ---------------------------------------------------------------------------------------------------


async def test_f06_coming_back_adds_nothing(office: Office) -> None:
    office.peers[0].type(0, "hello")
    await office.settle()
    rows = await office.rows()
    for _ in range(10):
        await office.restart(crash=False)
        for peer in office.peers:
            peer.connect(office.room)
        await office.settle()
    assert [str(peer) for peer in office.peers] == ["hello"] * 4
    assert await office.rows() == rows


async def test_f06_a_tab_of_a_replaced_history_must_reload(lobby: Lobby) -> None:
    ada, document = await in_database(_ada_and_document)
    await in_database(lambda: Document.objects.update(epoch=3))
    old = lobby.call(ada, document.id, query="v=1&epoch=2")
    await until(lambda: old.closed, "a close code")
    assert old.closed == Close.NEW_EPOCH
    assert old.sent == []
    new = lobby.call(ada, document.id, query="v=1&epoch=3")
    await new.greeted()


async def test_f07_nobody_is_synced_before_the_document_is_loaded(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, document = await in_database(_ada_and_document)
    await in_database(log.append, [log.Entry(document.id, ada.pk, typed("hello", 7), 0)])
    load, may_load = log.load, threading.Event()
    loading = threading.Event()

    def slow(document_id: Any) -> log.Loaded:
        loading.set()
        assert may_load.wait(30)
        return load(document_id)

    monkeypatch.setattr(log, "load", slow)
    caller = lobby.call(ada, document.id)
    caller.send(wire.step_1(b"\0"))
    await until(loading.is_set, "the load")
    assert caller.sent == []
    may_load.set()
    await until(lambda: any(frame[:2] == b"\0\1" for frame in caller.sent), "sync step 2")
    answer = next(frame for frame in caller.sent if frame[:2] == b"\0\1")
    assert b"hello" in answer


async def test_f08_pending_updates_survive_a_snapshot(office: Office) -> None:
    updates = letters(5)
    for index in (0, 3, 4):
        await entry(office, updates[index])
    await office.compact()
    await office.prune()
    assert await office.rows() == 0
    for index in (1, 2):
        await entry(office, updates[index])
    await office.compact()
    assert text_of(await office.folded()) == "abcde"
    assert await office.call(log.verify, office.document.id) == []


async def test_f08_a_deletion_before_its_insertion_survives_a_snapshot(office: Office) -> None:
    doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=7)
    text = doc.get(ROOT, type=pycrdt.Text)
    updates: list[bytes] = []
    subscription = doc.observe(lambda event: updates.append(event.update))
    text.insert(0, "abc")
    del text[1:2]
    doc.unobserve(subscription)
    await entry(office, updates[1])
    await office.compact()
    await office.prune()
    await entry(office, updates[0])
    assert text_of(await office.folded()) == "ac"
    await office.compact()
    assert text_of(await office.folded()) == "ac"
    replica, _ = log.replay(await office.folded())
    assert str(replica.doc.get(ROOT, type=pycrdt.Text)) == "ac"


async def test_f09_an_edit_that_waits_for_another_reaches_everybody(office: Office) -> None:
    ada, ben = office.peers[0], office.peers[1]
    ada.type(0, "first ")
    ada.type(6, "second")
    ada.send(1)
    await office.saver.flushed(office.room)
    ben.hear()
    assert str(ben) == ""
    await office.settle()
    assert [str(peer) for peer in office.peers] == ["first second"] * 4
    assert text_of(await office.folded()) == "first second"


async def test_f10_a_poisonous_row_is_set_aside_and_the_rest_opens(office: Office) -> None:
    base = bytes.fromhex(POISON["base_hex"])
    for data in (base, bytes.fromhex(POISON["poison_apply_hex"]), typed("fine", 7)):
        await entry(office, data)
    await office.restart(crash=False)
    assert list(office.room.failed) == [2]
    assert str(office.room.replica.doc.get(ROOT, type=pycrdt.Text)) == "fine"
    aside = await office.call(
        lambda: list(DocumentUpdate.objects.exclude(set_aside="").values_list("seq", flat=True))
    )
    assert aside == [2]
    await office.compact()
    assert await office.call(log.verify, office.document.id) == []
    ada = office.peers[0]
    ada.connect(office.room)
    ada.type(0, "still ")
    await office.settle()
    assert {"still ", "fine"} == {word for word in ("still ", "fine") if word in str(office.peers[0])}


async def test_f10_poison_from_a_tab_is_refused_and_changes_nothing(office: Office) -> None:
    ada, ben = office.peers[0], office.peers[1]
    base = bytes.fromhex(POISON["base_hex"])
    for client in scan(base).blocks:
        assert ada.connection
        ada.connection.receive(wire.awareness(client.client, 1, {}))
    ada.up.append((wire.update(base), set()))
    await office.settle()
    assert ada.refused == []
    rows = await office.rows()
    before = office.room.replica.state()
    for name in ("poison_apply_hex", "poison_merge_hex"):
        ada.up.append((wire.update(bytes.fromhex(POISON[name])), set()))
    await office.settle()
    assert "malformed" in ada.refused
    assert not office.room.broken
    if len(ada.refused) == 2:
        assert await office.rows() == rows
        assert office.room.replica.state() == before
    ben.type(0, "unharmed")
    await office.settle()
    assert "unharmed" in str(ben)
    assert ben.saved == ben.made
    await office.restart(crash=False)
    assert office.room.failed == {}


# -- F11 to F15 --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", ["ffffffff0f", "ffffffffffffff0f", "", "01"])
def test_f11_a_state_vector_that_promises_too_much_is_refused(office: Office, vector: str) -> None:
    connection = office.peers[0].connection
    assert connection
    with pytest.raises(ProtocolError):
        connection.receive(wire.step_1(bytes.fromhex(vector)))


@pytest.mark.parametrize(
    "update", ["000105ffffffff0f", "ffffffff0f", "01ffffffff0f0100", "", "00", "ff" * 10, "0000ff"]
)
async def test_f11_an_update_that_promises_too_much_is_refused(office: Office, update: str) -> None:
    ada = office.peers[0]
    ada.up.append((wire.update(bytes.fromhex(update)), set()))
    await office.settle()
    assert ada.refused == ["malformed"]
    assert await office.rows() == 0


def test_f12_a_megabyte_of_continuation_bytes_is_refused_at_once() -> None:
    hostile = b"\xff" * 1024 * 1024
    started = time.process_time()
    for frame in (hostile, b"\0" + hostile, b"\0\2" + hostile, b"\1" + hostile):
        with pytest.raises(ProtocolError):
            decode(frame)
    with pytest.raises(MalformedUpdateError):
        scan(hostile)
    assert time.process_time() - started < 0.05


async def test_f13_nobody_writes_under_another_persons_client_id(office: Office) -> None:
    ada, ben = office.peers[0], office.peers[1]
    ada.type(0, "mine")
    await office.settle()
    # A deleted struct of hers, right after what she has typed: her next words would be taken for known.
    forged = (
        wire.uint(1) + wire.uint(1) + wire.uint(ada.client) + wire.uint(4) + b"\0" + wire.uint(1000) + b"\0"
    )
    rows = await office.rows()
    ben.up.append((wire.update(forged), set()))
    ben.up.append((wire.step_2(forged), set()))
    await office.settle()
    assert ben.refused == ["not-yours", "not-yours"]
    assert await office.rows() == rows
    ada.type(4, " still")
    await office.settle()
    assert [str(peer) for peer in office.peers] == ["mine still"] * 4


async def test_f13_an_id_that_somebody_announced_is_theirs_before_they_write(office: Office) -> None:
    ada, ben = office.peers[0], office.peers[1]
    ben.up.append((wire.update(typed("forged", ada.client)), set()))
    await office.settle()
    assert ben.refused == ["not-yours"]
    ada.type(0, "mine")
    await office.settle()
    assert str(ben) == "mine"
    assert ada.saved == ada.made


async def test_f13_bringing_what_is_known_of_others_is_no_forgery(office: Office) -> None:
    ada, ben = office.peers[0], office.peers[1]
    ada.type(0, "mine")
    await office.settle()
    ben.up.append((wire.step_2(ben.doc.get_update()), set()))
    await office.settle()
    assert ben.refused == []


async def test_f15_what_the_doorbell_loses_is_found_in_the_log(office: Office) -> None:
    """A thousand rows of another process, of which only the last is announced."""
    updates = letters(1000)
    await office.call(log.append, [log.Entry(office.document.id, None, update, 0) for update in updates])
    office.room.follow([log.Row(1000, updates[-1])], {})
    assert office.gaps == 1
    await office.catch_up()
    await office.settle()
    assert str(office.peers[3]) == text_of(await office.folded())
    assert len(str(office.peers[3])) == 1000


async def test_f15_reading_rows_of_ones_own_leaves_no_gap_behind(office: Office) -> None:
    """The log may be read between a commit and the word of it. Afterwards nothing is missing, so nothing must be
    looked for at every later commit."""
    ada = office.peers[0]
    update = typed("own", ada.client)
    (committed,) = await office.call(
        log.append, [own := log.Entry(office.document.id, ada.user_id, update, 0, (ada.client,))]
    )
    assert isinstance(committed, log.Committed)
    await office.catch_up()
    office.room.committed([(own, committed.seq)])
    assert office.gaps == 0, "the room believes for ever that rows are missing"


async def test_f15_a_document_opened_while_the_database_is_asked_is_not_called_missing(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The poll asks for the documents that were open when it began. Another one, opened meanwhile, is not in the
    answer; 4404 would stop its tabs for good."""
    ada, first = await in_database(_ada_and_document)
    second = await in_database(lambda: Document.objects.create(workspace=first.workspace, title="Second"))
    one = lobby.call(ada, first.id)
    await one.greeted()
    asked, may_answer = threading.Event(), threading.Event()
    facts_of = rooms._facts_of
    polls: list[int] = []

    def slow(document_ids: Any) -> Any:
        polls.append(len(document_ids))
        asked.set()
        assert may_answer.wait(30)
        return facts_of(document_ids)

    monkeypatch.setattr(rooms, "_facts_of", slow)
    monkeypatch.setattr(rooms, "POLL_EVERY", 0.05)
    polling = asyncio.create_task(lobby.rooms._poll_all())
    await until(asked.is_set, "the poll")
    other = lobby.call(ada, second.id)
    await other.greeted()
    before = len(polls)
    may_answer.set()
    # The next question is asked after the answer to the last one was acted upon.
    await until(lambda: len(polls) > before, "the next poll")
    assert other.closed is None
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)


# -- F19 to F21, F24, F29, F30 -----------------------------------------------------------------------------------


async def test_f19_a_database_that_hesitates_stops_nobody(gated: Office, gate: Gate) -> None:
    ada, ben = gated.peers[0], gated.peers[1]
    gate.open.clear()
    ada.type(0, "hello")
    ada.send()
    await until(lambda: gate.tries, "a commit under way")
    ben.type(0, "meanwhile ")
    ben.send()
    assert ada.connection
    ada.connection.receive(wire.awareness(ada.client, 9, {"cursor": {"anchor": 3}}))
    chidi = gated.peers[2]
    await until(lambda: chidi.hear() and ("hello" in str(chidi) and "meanwhile" in str(chidi)), "both edits")
    await until(
        lambda: chidi.hear() and ((chidi.states.get(ada.client) or {}).get("cursor")), "the cursor's move"
    )
    assert not ada.saved
    assert not ben.saved


async def test_f20_eight_writers_at_once_are_all_served(office: Office) -> None:
    """SQLite: read, then write, in one transaction, from eight threads."""

    def write(number: int) -> list[str]:
        try:
            return [
                str(outcome)
                for turn in range(60)
                for outcome in log.append(
                    [log.Entry(office.document.id, None, typed("x", number * 1000 + turn + 1), 0)]
                )
                if not isinstance(outcome, log.Committed)
            ]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        refused = await asyncio.gather(
            *(asyncio.get_running_loop().run_in_executor(threads, write, number) for number in range(8))
        )
    assert refused == [[]] * 8
    loaded = await office.folded()
    assert [row.seq for row in loaded.rows] == list(range(1, 481))
    assert text_of(loaded) == "x" * 480


@pytest.mark.parametrize("broken", ["update", "insert"])
async def test_f21_a_commit_that_breaks_off_leaves_no_gap(
    office: Office, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    ada = office.peers[0]
    ada.type(0, "one ")
    await office.settle()

    def fail(*arguments: object, **options: object) -> None:
        raise DatabaseError("broken off")

    monkeypatch.setattr(statements, broken, fail)
    with pytest.raises(DatabaseError):
        await entry(office, typed("lost", 99))
    monkeypatch.undo()
    document = await office.call(Document.objects.get)
    assert document.seq == await office.rows() == 1
    ada.type(4, "two")
    await office.settle()
    loaded = await office.folded()
    assert [row.seq for row in loaded.rows] == [1, 2]
    assert text_of(loaded) == "one two"


async def test_f24_what_breaks_one_document_leaves_the_others_alone(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, first = await in_database(_ada_and_document)
    second = await in_database(lambda: Document.objects.create(workspace=first.workspace, title="Second"))
    one, other = lobby.call(ada, first.id), lobby.call(ada, second.id)
    await one.greeted()
    await other.greeted()

    def explode(self: object, *arguments: object, **options: object) -> str:
        raise RuntimeError("a bug")

    room = lobby.rooms._rooms[first.id]
    monkeypatch.setattr(room, "edit", explode.__get__(room))
    one.send(wire.update(typed("x", 7)))
    await until(lambda: one.closed, "the end of one tab")
    assert one.closed == Close.INTERNAL_ERROR
    other.send(wire.update(typed("fine", 8)))
    await until(lambda: other.saved() == 1, "saved")
    assert other.closed is None
    # A document that the database refuses must not keep the others from being saved either.
    append = lobby.rooms.saver._append

    def refuse(entries: list[log.Entry]) -> list[log.Committed | log.Rejected]:
        if any(entry.document_id == first.id for entry in entries):
            raise DatabaseError("this one never")
        return append(entries)

    monkeypatch.setattr(room, "edit", Room.edit.__get__(room))
    monkeypatch.setattr(lobby.rooms.saver, "_append", refuse)
    stuck = lobby.call(ada, first.id)
    await stuck.greeted()
    stuck.send(wire.update(typed("never", 9)))
    other.send(wire.update(typed("still fine", 10)))
    await until(lambda: other.saved() == 2, "saved")
    assert stuck.saved() == 0
    monkeypatch.setattr(lobby.rooms.saver, "_append", append)
    await until(lambda: stuck.saved() == 1, "the other one as well")


async def test_f25_a_page_with_another_schema_gets_nothing_and_changes_nothing(lobby: Lobby) -> None:
    ada, document = await in_database(_ada_and_document)
    old = lobby.call(ada, document.id, query="v=1&schema=0")
    old.send(wire.update(typed("damage", 7)))
    await until(lambda: old.closed, "a close code")
    assert old.closed == Close.PAGE_TOO_OLD
    assert old.sent == []
    await old.task
    assert await in_database(DocumentUpdate.objects.count) == 0


async def test_f29_the_clock_may_go_backwards(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    updates = letters(4)
    for number, update in enumerate(updates):
        monkeypatch.setattr("docs_app.documents.log.timezone.now", lambda: now - timedelta(hours=number))  # noqa: B023
        await entry(office, update)
    monkeypatch.undo()
    assert text_of(await office.folded()) == "abcd"
    await office.compact()
    # By the clock the later rows are the old ones. They build upon the earlier ones, so that none may go.
    assert await office.call(log.prune, office.document.id, now - timedelta(minutes=30)) == 0
    assert await office.rows() == 4
    assert await office.call(log.verify, office.document.id) == []


async def test_f30_a_replaced_history_is_not_brought_back(office: Office) -> None:
    ada, ben = office.peers[0], office.peers[1]
    ada.type(0, "old")
    await office.settle()
    await office.call(lambda: Document.objects.update(epoch=1))
    rows = await office.rows()
    ben.type(3, " and older")
    ben.send()
    await office.saver.flushed(office.room)
    assert ben.line
    assert ben.line.closed == Close.NEW_EPOCH
    ben.hear()
    assert ben.refused == ["epoch"]
    assert ben.saved == set()
    assert await office.rows() == rows
    assert office.room.broken


def _ada_and_document() -> tuple[User, Document]:
    return User.objects.get(name="Ada"), Document.objects.select_related("workspace").get()


def _everything(document: Document) -> list[Any]:
    """All that is stored of a document."""
    return [
        *Document.objects.filter(id=document.id).values_list(),
        *((seq, bytes(data)) for seq, data in document.updates.values_list("seq", "data")),
        *((seq, bytes(data)) for seq, data in document.snapshots.values_list("seq", "data")),
    ]
