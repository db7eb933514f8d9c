"""One open document: whose edits are taken in, who hears of them, and how it follows the log."""

import pytest
from pytest_django import Settings

from collab import room as room_module
from collab.protocol import Close, Frame
from docs_app.documents import replica
from docs_app.documents.log import Row
from docs_app.documents.replica import NotApplicableError, merge
from docs_app.documents.updates import Span, read_state_vector, scan
from docs_app.sharing.roles import Role
from tests.collab import reading
from tests.collab.crafted import gc, poison, text, typed, update
from tests.collab.tabs import ALICE, BOB, CAROL, Office, Tab, Wire
from tests.collab.waiting import until

POISON = poison()


def unchanged(office: Office, *others: Tab) -> bool:
    """Nothing was applied, stored, bound, or sent to anybody."""
    room = office.room
    return (
        read_state_vector(room.replica.state_vector()) == room.replica.clocks == {}
        and not office.saver.edits
        and not room.bindings
        and not room._outbox
        and not any(tab.heard() for tab in others)
    )


def blocks(updates: list[bytes]) -> list[Span]:
    return [span for each in updates for span in scan(each).blocks]


# -- Taking in -----------------------------------------------------------------------------------------------------


async def test_an_edit_reaches_the_others_and_the_saver(office: Office) -> None:
    alice, bob = office.enter(ALICE), office.enter(BOB)
    sent = alice.type("hello")
    assert office.saver.edits[0].update == sent
    assert office.room.replica.clocks == {alice.client: 5}
    await until(lambda: bob.wire.frames)
    assert bob.updates() == [sent]
    assert alice.heard() == []


async def test_nothing_is_called_saved_before_the_commit(office: Office) -> None:
    alice = office.enter(ALICE)
    alice.type()
    alice.type()
    assert alice.heard(reading.SAVED) == []
    office.commit()
    assert alice.heard(reading.SAVED)[-1].body == (2, 2)


async def test_what_is_known_needs_no_new_row(office: Office) -> None:
    alice = office.enter(ALICE)
    sent = alice.type()
    alice.send(sent)
    assert [edit.update for edit in office.saver.edits] == [sent, None]
    office.commit()
    alice.heard()
    alice.send(sent)
    assert office.saver.edits == []
    assert [message.body for message in alice.heard(reading.SAVED)] == [(3, 1)]


async def test_an_answer_without_news_is_saved_at_once(office: Office) -> None:
    alice = office.enter(ALICE)
    alice.type("abc")
    alice.send(update(deletes=[(alice.client, [(1, 1)])]))
    office.commit()
    alice.heard()
    alice.answer(office.room.replica.state())
    assert office.saver.edits == []
    assert [message.body for message in alice.heard()] == [(3, 2)]


# -- Whose client ids ----------------------------------------------------------------------------------------------


async def test_the_first_use_binds(office: Office) -> None:
    alice = office.enter(ALICE)
    alice.type()
    alice.type()
    assert [edit.clients for edit in office.saver.edits] == [(alice.client,), ()]
    assert office.room.bindings == {alice.client: ALICE.user_id}


async def test_another_tab_of_the_same_person_may_go_on_with_it(office: Office) -> None:
    first, second = office.enter(ALICE), office.enter(ALICE)
    first.type()
    second.send(typed(first.client, 1, "y"))
    assert office.room.replica.clocks == {first.client: 2}


async def test_nobody_writes_under_another_persons_id(office: Office) -> None:
    alice, bob, carol = office.enter(ALICE), office.enter(BOB), office.enter(CAROL)
    alice.type("abc")
    await until(lambda: carol.wire.frames)
    alice.heard()
    carol.heard()
    office.saver.edits.clear()
    bob.send(typed(alice.client, 3, "forged"))
    bob.send(update((alice.client, 3, [gc(1000)])))
    bob.send(update((alice.client, 10, [gc(1)])))
    bob.answer(update((bob.client, 0, [text("mine")]), (alice.client, 3, [text("forged")])))
    assert bob.refusals() == [(number, "not-yours") for number in (1, 2, 3, 4)]
    assert office.room.replica.clocks == {alice.client: 3}
    assert office.room.bindings == {alice.client: ALICE.user_id}
    assert office.saver.edits == []
    alice.type("d")
    await until(lambda: carol.wire.frames)
    assert blocks(carol.updates()) == [Span(alice.client, 3, 4)]


async def test_the_forged_update_of_the_fixture(office: Office) -> None:
    victim, attacker = office.enter(ALICE), office.enter(BOB)
    victim.client = POISON.victim
    victim.type("a")
    attacker.send(POISON.forged)
    assert attacker.refusals() == [(1, "not-yours")]
    victim.type("b")
    assert office.room.replica.clocks == {POISON.victim: 2}


async def test_what_the_server_has_may_come_back_from_anybody(office: Office) -> None:
    alice, bob = office.enter(ALICE), office.enter(BOB)
    known = alice.type("abc")
    bob.answer(merge([known, typed(bob.client, 0, "mine")]))
    assert bob.refusals() == []
    assert office.room.replica.clocks == {alice.client: 3, bob.client: 4}
    assert office.room.bindings == {alice.client: ALICE.user_id, bob.client: BOB.user_id}


async def test_an_id_that_somebody_announced_cannot_be_taken(office: Office) -> None:
    alice, bob = office.enter(ALICE), office.enter(BOB)
    alice.announce()
    bob.send(typed(alice.client, 0, "forged"))
    assert bob.refusals() == [(1, "not-yours")]
    alice.type("mine")
    assert office.room.bindings == {alice.client: ALICE.user_id}


async def test_the_servers_own_ids_belong_to_nobody(office: Office) -> None:
    office.room.follow([Row(1, typed(5, 0, "seed"))], {5: None})
    alice = office.enter(ALICE)
    alice.send(typed(5, 4, "x"))
    assert alice.refusals() == [(1, "not-yours")]


async def test_what_is_there_without_an_owner_cannot_be_gone_on_with() -> None:
    office = Office(typed(5, 0, "old"))
    alice = office.enter(ALICE)
    alice.send(typed(5, 3, "x"))
    assert alice.refusals() == [(1, "not-yours")]


async def test_a_tab_cannot_take_ids_without_end(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_module, "MAX_CLAIMS", 3)
    alice = office.enter(ALICE)
    for client in range(101, 104):
        alice.send(typed(client, 0, "x"))
    alice.send(typed(104, 0, "x"))
    assert alice.refusals() == [(4, "not-yours")]
    assert set(office.room.bindings) == {101, 102, 103}


async def test_after_a_crash_others_may_bring_what_somebody_wrote() -> None:
    office = Office(since_crash=1.0)
    bob = office.enter(BOB)
    bob.answer(merge([typed(77, 0, "lost by the crash"), typed(bob.client, 0, "mine")]))
    assert bob.refusals() == []
    assert 77 not in office.room.bindings
    bob.send(typed(78, 0, "x"))
    bob.send(typed(77, 17, "no whole state"))
    assert bob.refusals() == [(3, "not-yours")]
    alice = office.enter(ALICE)
    alice.announce(77)
    alice.send(typed(77, 17, "!"))
    assert office.room.bindings[77] == ALICE.user_id


async def test_long_after_a_crash_others_bring_words_of_the_absent_only() -> None:
    office = Office(since_crash=3600.0)
    alice, bob = office.enter(ALICE), office.enter(BOB)
    alice.announce(77)
    bob.answer(typed(77, 0, "hers, who is here"))
    assert bob.refusals() == [(1, "not-yours")]
    bob.answer(typed(78, 0, "of somebody who is not"))
    assert bob.refusals() == []
    assert office.room.replica.clocks == {78: 22}


async def test_days_after_a_crash_nobody_brings_words_of_others() -> None:
    office = Office(typed(77, 0, "known"), since_crash=25 * 3600.0)
    bob = office.enter(BOB)
    bob.answer(typed(77, 5, "!"))
    assert bob.refusals() == [(1, "not-yours")]


async def test_words_of_others_that_may_be_news_are_not_refused_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ben was on another process, which has stored them, or was killed a moment ago."""
    office = Office(typed(77, 0, "known"), may_lag=True)
    bob = office.enter(BOB)
    bob.answer(typed(77, 5, "!"))
    assert bob.wire.code == Close.TRY_AGAIN
    assert bob.refusals() == []
    # A single edit is never news of others.
    again = office.enter(BOB)
    again.send(typed(77, 5, "!"))
    assert again.refusals() == [(1, "not-yours")]
    monkeypatch.setattr(room_module, "DOUBT_FOR", 0.0)
    again.answer(typed(77, 5, "!"))
    assert again.refusals() == [(2, "not-yours")]
    assert office.room.replica.clocks == {77: 5}
    assert not office.saver.edits


# -- Refused -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.VIEWER, Role.COMMENTER])
async def test_who_may_not_write_is_refused_and_nothing_changes(office: Office, role: Role) -> None:
    reader, other = office.enter(CAROL, role), office.enter(ALICE)
    reader.type("x")
    reader.answer(typed(reader.client, 0, "y"))
    reader.send(update(deletes=[(9, [(0, 1)])]))
    assert reader.refusals() == [(number, "read-only") for number in (1, 2, 3)]
    assert unchanged(office, reader, other)


async def test_a_readers_answer_without_news_is_no_offence(office: Office) -> None:
    alice, reader = office.enter(ALICE), office.enter(CAROL, Role.VIEWER)
    alice.type("abc")
    office.commit()
    reader.heard()
    reader.answer(office.room.replica.state())
    reader.answer(b"\x00\x00")
    assert [message.body for message in reader.heard(reading.SAVED, reading.REFUSED)] == [(1, 1), (2, 1)]


async def test_a_reader_is_not_told_saved_for_what_is_not_on_disk(office: Office) -> None:
    alice, reader = office.enter(ALICE), office.enter(CAROL, Role.VIEWER)
    alice.type("abc")
    reader.answer(office.room.replica.state())
    assert reader.heard(reading.SAVED) == []
    office.commit()
    assert [message.body for message in reader.heard(reading.SAVED)] == [(1, 1)]


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(bytes.fromhex("0000ff"), id="trailing"),
        pytest.param(bytes.fromhex("000105ffffffff0f"), id="a bomb"),
        pytest.param(POISON.panics_on_apply, id="poison"),
    ],
)
async def test_what_is_no_update_is_refused(office: Office, hostile: bytes) -> None:
    alice, bob = office.enter(ALICE), office.enter(BOB)
    alice.send(hostile)
    alice.answer(hostile)
    assert alice.refusals() == [(1, "malformed"), (2, "malformed")]
    assert unchanged(office, alice, bob)


async def test_what_yrs_refuses_leaves_nothing_behind(office: Office) -> None:
    """The first client's text is fine; the second one's struct has a character for a parent."""
    alice, bob = office.enter(ALICE), office.enter(BOB)
    alice.send(update((52, 0, [text("smuggled")]), (51, 0, [text("a"), text("x", parent=(51, 0))])))
    assert alice.refusals() == [(1, "malformed")]
    assert unchanged(office, alice, bob)


async def test_a_full_document_takes_nothing_more(office: Office, settings: Settings) -> None:
    settings.MAX_DOCUMENT = 100
    alice = office.enter(ALICE)
    alice.type("x" * 60)
    alice.heard()
    alice.type("y" * 60)
    assert alice.refusals() == [(2, "document-full")]
    assert office.room.replica.clocks == {alice.client: 60}


async def test_everybody_hears_when_the_document_is_half_full(office: Office, settings: Settings) -> None:
    settings.MAX_DOCUMENT = 100
    alice, bob = office.enter(ALICE), office.enter(BOB)
    alice.type("x" * 60)
    event = {"type": "size", "bytes": office.room.size, "limit": 100}
    assert [message.body for message in bob.heard(reading.EVENT)] == [event]
    late = Tab(office.room, CAROL, Role.VIEWER, extended=True, client=9).open()
    assert [message.body for message in late.heard(reading.EVENT)] == [event]


async def test_too_much_that_waits_for_the_database(office: Office) -> None:
    alice = office.enter(ALICE)
    office.saver.full = True
    alice.type()
    assert alice.refusals() == [(1, "busy")]
    assert office.room.replica.clocks == {}
    # It is called back when there is room again, and brings the edit once more.
    office.room.call_back()
    assert alice.wire.code == Close.ACCESS_CHANGED


async def test_refused_frames_count_as_frames(office: Office) -> None:
    alice = office.enter(ALICE)
    alice.type()
    alice.send(b"")
    alice.type()
    assert alice.refusals() == [(2, "malformed")]
    office.commit()
    assert alice.heard(reading.SAVED)[-1].body == (3, 2)


async def test_a_stock_client_is_denied_in_its_own_words(office: Office) -> None:
    reader = office.enter(CAROL, Role.VIEWER, extended=False)
    reader.type()
    assert [(message.kind, message.body) for message in reader.heard()] == [(reading.DENIED, "read-only")]


# -- Sending on ----------------------------------------------------------------------------------------------------


async def test_edits_of_a_busy_moment_leave_as_one_frame(office: Office) -> None:
    alice, bob, carol = office.enter(ALICE), office.enter(BOB), office.enter(CAROL)
    for _ in range(5):
        alice.type()
    bob.type()
    await until(lambda: carol.wire.frames)
    (merged,) = carol.updates()
    assert set(blocks([merged])) == {Span(alice.client, 0, 5), Span(bob.client, 0, 1)}
    # Those who wrote get the same frame: their own part of it changes nothing.
    assert alice.updates() == bob.updates() == [merged]


async def test_who_writes_alone_hears_nothing_back(office: Office) -> None:
    alice, twin = office.enter(ALICE), office.enter(ALICE)
    for _ in range(3):
        alice.type()
    await until(lambda: twin.wire.frames)
    assert blocks(twin.updates()) == [Span(alice.client, 0, 3)]
    assert alice.updates() == []


class Clock:
    """An event loop whose time a test moves. What is to be called is noted, and never called."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.called_at: list[float] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: object) -> object:
        self.called_at.append(when)
        return callback


class SlowWire(Wire):
    """A transport that needs some processor time for a frame, and so moves that clock."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        super().__init__()
        self.clock, self.seconds = clock, seconds

    def write(self, frame: Frame) -> int:
        self.clock.now += self.seconds
        return 0


@pytest.fixture
def clock(office: Office, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the room's loop, and of the processor time that it uses."""
    clock = Clock()
    monkeypatch.setattr(office.room, "_loop", clock)
    monkeypatch.setattr("collab.room.time.thread_time", clock.time)
    return clock


@pytest.mark.parametrize(("took", "waits"), [(0.03, 0.03), (0.0, 0.0), (9.0, room_module.MAX_FLUSH_DELAY)])
async def test_after_a_slow_flush_the_next_one_waits_as_long(
    office: Office, clock: Clock, monkeypatch: pytest.MonkeyPatch, took: float, waits: float
) -> None:
    alice, bob = office.enter(ALICE), office.enter(BOB)
    monkeypatch.setattr(bob.connection, "_transport", SlowWire(clock, took))
    alice.type()
    assert clock.called_at == [1000.0]
    office.room._flush()
    alice.type()
    assert clock.called_at[1] == pytest.approx(1000.0 + took + waits)


async def test_where_several_people_write_there_is_something_to_merge(office: Office, clock: Clock) -> None:
    alice, bob = office.enter(ALICE), office.enter(BOB)
    alice.type()
    bob.type()
    office.room._flush()
    alice.type()
    assert clock.called_at == [1000.0, 1000.0 + room_module.MIN_BUSY_DELAY]


async def test_time_that_others_used_is_no_reason_to_wait(
    office: Office, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit holds the interpreter while the room sends."""
    alice, bob = office.enter(ALICE), office.enter(BOB)
    monkeypatch.setattr("collab.room.time.thread_time", lambda: 5.0)
    monkeypatch.setattr(bob.connection, "_transport", SlowWire(clock, 0.03))
    alice.type()
    office.room._flush()
    alice.type()
    assert clock.called_at == [1000.0, pytest.approx(1000.0 + 0.03)]


async def test_what_cannot_be_merged_is_sent_as_it_came(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(updates: list[bytes]) -> bytes:
        raise NotApplicableError("no")

    monkeypatch.setattr(replica, "merge", refuse)
    alice, bob = office.enter(ALICE), office.enter(BOB)
    sent = [alice.type(), alice.type()]
    await until(lambda: len(bob.wire.frames) == 2)
    assert bob.updates() == sent


async def test_what_waits_for_its_past_is_stored_and_sent_on_behind_it(office: Office) -> None:
    alice, bob = office.enter(ALICE), office.enter(BOB)
    late, early = typed(alice.client, 1, "b"), typed(alice.client, 0, "a")
    alice.send(late)
    assert bob.wire.frames == []
    alice.send(early)
    await until(lambda: bob.wire.frames)
    assert bob.updates() == [early, late]
    assert [edit.update for edit in office.saver.edits] == [late, early]


# -- Who is here ---------------------------------------------------------------------------------------------------


async def test_awareness_reaches_everybody_and_its_sender(office: Office) -> None:
    alice, bob = office.enter(ALICE), office.enter(BOB)
    alice.announce(cursor={"at": 1})
    await until(lambda: alice.wire.frames and bob.wire.frames)
    expected = {alice.client: (1, {"user": ALICE.identity, "cursor": {"at": 1}})}
    assert alice.heard()[0].body == bob.heard()[0].body == expected


async def test_who_leaves_is_gone_for_the_others(office: Office) -> None:
    alice, bob = office.enter(ALICE), office.enter(BOB)
    alice.announce()
    await until(lambda: bob.wire.frames)
    bob.heard()
    alice.connection.gone()
    await until(lambda: bob.wire.frames)
    assert [message.body for message in bob.heard(reading.AWARENESS)] == [{alice.client: (1, None)}]
    assert office.room.members == {bob.connection}


async def test_awareness_that_cannot_be_written_down_does_not_close_the_door(office: Office) -> None:
    """Even a reader can announce half a character, and everybody who comes later is told of it."""
    reader = office.enter(CAROL, Role.VIEWER)
    raw = b'{"cursor":"\\ud800"}'
    try:
        reader.connection.receive(b"\x01" + bytes((len(raw) + 4, 1, 9, 1, len(raw))) + raw)
    except ValueError:
        assert office.room.presence.everybody() == []
    assert office.enter(ALICE).connection in office.room.members


# -- Following the log ---------------------------------------------------------------------------------------------


async def test_rows_of_others_are_taken_in_and_sent_on(office: Office) -> None:
    alice = office.enter(ALICE)
    office.room.follow([Row(1, typed(5, 0, "a")), Row(2, typed(5, 1, "b"))], {5: BOB.user_id})
    assert (office.room.seq, office.room.replica.clocks, office.room.bindings) == (
        2,
        {5: 2},
        {5: BOB.user_id},
    )
    await until(lambda: alice.wire.frames)
    assert blocks(alice.updates()) == [Span(5, 0, 2)]
    assert office.saver.edits == []
    alice.send(typed(5, 2, "forged"))
    assert alice.refusals() == [(1, "not-yours")]


async def test_known_rows_are_passed_over(office: Office) -> None:
    rows = [Row(1, typed(5, 0, "a")), Row(2, typed(5, 1, "b"))]
    office.room.follow(rows, {})
    office.room._outbox.clear()
    office.room.follow(rows, {})
    assert (office.room.seq, office.room._outbox, office.gaps) == (2, [], 0)


async def test_a_gap_is_left_to_be_read(office: Office) -> None:
    office.room.follow([Row(1, typed(5, 0, "a")), Row(3, typed(5, 2, "c"))], {})
    assert (office.room.seq, office.room.replica.clocks, office.gaps) == (1, {5: 1}, 1)
    office.room.follow([Row(2, typed(5, 1, "b")), Row(3, typed(5, 2, "c"))], {})
    assert (office.room.seq, office.room.replica.clocks) == (3, {5: 3})


async def test_a_row_that_was_set_aside_is_counted_only(office: Office) -> None:
    office.room.follow([Row(1, b"no update", set_aside=True), Row(2, typed(5, 0, "a"))], {})
    assert (office.room.seq, office.room.replica.clocks, office.room.broken) == (2, {5: 1}, False)


async def test_a_row_that_cannot_be_applied_gives_the_room_up(office: Office) -> None:
    alice = office.enter(ALICE)
    office.room.follow([Row(1, b"no update")], {})
    assert office.room.broken
    assert alice.wire.code == Close.RESTARTING


async def test_own_rows_move_the_number_on(office: Office) -> None:
    alice = office.enter(ALICE)
    alice.type()
    alice.type()
    office.commit()
    assert (office.room.seq, office.rung, office.gaps) == (2, [1, 2], 0)


async def test_own_rows_behind_somebody_elses_wait_for_those(office: Office) -> None:
    alice = office.enter(ALICE)
    alice.type()
    office.commit(first_seq=2)
    assert (office.room.seq, office.gaps) == (0, 1)
    office.room.follow([Row(1, typed(5, 0, "a")), Row(2, b"my own, never read")], {})
    assert (office.room.seq, office.room.broken) == (2, False)
    assert office.room.replica.clocks == {5: 1, alice.client: 1}


async def test_own_rows_that_were_read_before_the_commit_was_heard_of(office: Office) -> None:
    """Another process's bell makes us read the log just when our own row is in it already."""
    alice = office.enter(ALICE)
    sent = alice.type()
    office.room.follow([Row(1, sent)], {})
    office.commit(first_seq=1)
    alice.type()
    office.commit()
    assert (office.room.seq, office.gaps, office.room._stored_ahead) == (2, 0, set())


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("gone", Close.NOT_FOUND),
        ("trash", Close.IN_TRASH),
        ("epoch", Close.NEW_EPOCH),
        ("not-yours", Close.RESTARTING),
        ("unreported", Close.RESTARTING),
    ],
)
async def test_a_rejection_sends_everybody_away(office: Office, reason: str, code: Close) -> None:
    alice, bob = office.enter(ALICE), office.enter(BOB)
    office.room.rejected(reason)
    assert (alice.wire.code, bob.wire.code) == (code, code)
    assert office.room.broken
    assert office.room.members == set()


async def test_everybody_hears_when_the_database_is_away_and_back(office: Office) -> None:
    alice = office.enter(ALICE)
    for ok in (True, False, False, True, True):
        office.room.saving(ok=ok)
    events = [message.body for message in alice.heard(reading.EVENT)]
    assert events == [{"type": "saving", "ok": False}, {"type": "saving", "ok": True}]
    office.room.saving(ok=False)
    late = Tab(office.room, BOB, Role.EDITOR, extended=True, client=9).open()
    assert [message.body for message in late.heard(reading.EVENT)] == [{"type": "saving", "ok": False}]
