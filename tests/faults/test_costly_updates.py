"""Updates of a few kilobytes that would keep Yjs busy for seconds or minutes: it finds the place of an insertion by
looking at its neighbours. Nobody else waits for them, they are refused, and large honest ones get through."""

import time
from collections.abc import Callable

import pytest

from collab.protocol import Close
from docs_app.accounts.models import User
from docs_app.documents.models import Document, DocumentUpdate
from docs_app.documents.replica import EMPTY_UPDATE
from docs_app.documents.trial import Trial
from tests.collab.crafted import gc, poison, text, update, values
from tests.faults import wire
from tests.faults.lobby import Caller, Lobby, typed
from tests.faults.office import in_database
from tests.faults.tab import ROOT, until

BASE = 7
# Of the loop's CPU time; what is tried is given 50 ms elsewhere.
SLOW = 0.25


def in_one_place(count: int) -> bytes:
    """One client inserts behind the first character, each time before a later one: each has to be compared with all
    before it."""
    return update((8, 0, [text("a", origin=(BASE, 0), right=(BASE, 1 + n)) for n in range(count)]))


def in_one_place_alone(count: int) -> bytes:
    """The same, with the text it needs."""
    structs = [text("a", origin=(BASE, 0), right=(BASE, 1 + n)) for n in range(count)]
    return update((BASE, 0, [text("x" * (count + 1), parent=ROOT)]), (8, 0, structs))


def past_others(count: int) -> bytes:
    """As many clients as one tab may bring leave something behind one character, and the last one has to be compared
    with all of it, and with all that it has brought itself."""
    others = [(100 + n, 0, [text("b", origin=(BASE, 0), right=(BASE, 1 + n))]) for n in range(100)]
    return update(*others, (8, 0, [text("a", origin=(BASE, 0), right=(BASE, 200 + n)) for n in range(count)]))


def at_the_start(count: int) -> bytes:
    """What somebody writes who adds to the top of a list: each before the last, and quick."""
    first = text("a", right=(BASE, 0))
    return update((8, 0, [first, *(text("a", right=(8, n)) for n in range(count - 1))]))


async def two_tabs(lobby: Lobby) -> tuple[Caller, Caller]:
    """Ada's and Ben's tab on a document of 5,000 characters."""
    ada, ben, document = await in_database(
        lambda: (User.objects.get(name="Ada"), User.objects.get(name="Ben"), Document.objects.get())
    )
    one, other = lobby.call(ada, document.id), lobby.call(ben, document.id)
    await one.greeted()
    await other.greeted()
    one.send(wire.update(update((BASE, 0, [text("x" * 5000, parent=ROOT)]))))
    await until(one.saved, "the text saved")
    return one, other


@pytest.mark.parametrize("build", [in_one_place, past_others])
async def test_an_update_that_would_take_seconds_is_refused(
    lobby: Lobby, build: Callable[[int], bytes]
) -> None:
    hostile, other = await two_tabs(lobby)
    rows = await in_database(DocumentUpdate.objects.count)
    started = time.thread_time()
    hostile.send(wire.update(build(4000)))
    await until(hostile.refusals, "the refusal")
    assert hostile.refusals() == ["too-costly"]
    assert time.thread_time() - started < SLOW
    assert await in_database(DocumentUpdate.objects.count) == rows
    # Numbers go on where they were, and so do people.
    hostile.send(wire.update(typed("after", 21)))
    other.send(wire.update(typed("beside", 22)))
    await until(lambda: hostile.saved() == 3 and other.saved() == 1, "both saved")


async def test_many_insertions_that_are_quick_get_through(lobby: Lobby) -> None:
    ada, _ = await two_tabs(lobby)
    for _ in range(2):  # known already: nothing to try
        ada.send(wire.update(at_the_start(20_000)))
    await until(lambda: ada.saved() == 3, "saved")
    assert ada.refusals() == []


async def test_what_comes_while_an_update_is_tried_comes_after_it(lobby: Lobby) -> None:
    ada, ben = await two_tabs(lobby)
    ada.send(wire.update(at_the_start(20_000)))
    ada.send(wire.update(update((8, 20_000, [text("end", origin=(8, 19_999))]))))
    ben.send(wire.update(typed("meanwhile", 22)))
    await until(lambda: ada.saved() == 3 and ben.saved() == 1, "saved")
    room = await lobby.rooms.enter((await in_database(Document.objects.get)).id)
    assert room.replica.pending == []
    assert room.replica.clocks == {BASE: 5000, 8: 20_003, 22: 9}


async def test_what_would_be_costly_may_not_wait_for_others(lobby: Lobby) -> None:
    """Ada's next keystroke would have to pay for it."""
    hostile, ada = await two_tabs(lobby)
    structs = [text("a", origin=(BASE, 0), right=(BASE, 1 + n)) for n in range(4000)]
    hostile.send(wire.update(update((8, 0, [text("a", origin=(9, 0)), *structs]))))
    await until(hostile.refusals, "the refusal")
    assert hostile.refusals() == ["too-costly"]
    ada.send(wire.update(typed("ada", 9)))
    await until(ada.saved, "saved")


async def test_without_a_process_to_try_it_in_the_tab_comes_back(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, _ = await two_tabs(lobby)
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    ada.send(wire.update(at_the_start(20_000)))
    await until(ada.refusals, "the refusal")
    assert ada.refusals() == ["busy"]
    monkeypatch.undo()
    await until(lambda: ada.closed == Close.ACCESS_CHANGED, "called back")


def test_a_panic_is_quick_and_the_trial_goes_on() -> None:
    """What yrs refuses is no concern of the trial, and it goes on."""
    poisonous, trial = poison(), Trial()
    try:
        assert trial.is_affordable(poisonous.base, poisonous.panics_on_apply)
        assert not trial.is_affordable(EMPTY_UPDATE, in_one_place_alone(4000))
        assert trial.is_affordable(EMPTY_UPDATE, EMPTY_UPDATE)
    finally:
        trial.close()


MEGABYTE = 1_000_000
FULL_FRAMES = {
    "deletions": update(deletes=[(BASE, [(2 * (n % 2400), 1) for n in range(300_000)])]),
    "values": update((8, 0, [values(*[b"\x7e"] * (MEGABYTE - 100))])),
    "collected": update((8, 0, [gc(1)] * (MEGABYTE // 2 - 100))),
    "insertions": update((8, 0, [text("a", parent=ROOT)] * (MEGABYTE // 11))),
}


@pytest.mark.parametrize("kind", FULL_FRAMES)
async def test_a_full_frame_does_not_hold_the_others_up(lobby: Lobby, kind: str) -> None:
    hostile, _ = await two_tabs(lobby)
    started = time.thread_time()
    hostile.send(wire.update(FULL_FRAMES[kind]))
    await until(lambda: hostile.refusals() or hostile.saved() == 2, "an answer")
    spent = time.thread_time() - started
    print(f"{kind}: {spent * 1000:.0f} ms of the loop's time")
    assert spent < SLOW
