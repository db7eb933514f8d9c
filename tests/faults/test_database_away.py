"""The database takes no edits for a while: people go on writing together, are told, and nothing is lost."""

import asyncio
import random
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError

from collab.protocol import Close
from docs_app.documents import log
from docs_app.documents.models import Document
from tests.faults import wire
from tests.faults.conftest import Team, Tune, WithTeam, long_or_short, stored, verified
from tests.faults.lobby import Lobby, typed
from tests.faults.office import Office, in_database
from tests.faults.tab import Tab, until
from tests.server import Server
from tests.services import Service

AWAY = long_or_short(30, 6)
SAVING, NOT_SAVING = {"type": "saving", "ok": True}, {"type": "saving", "ok": False}
# Frames are 0.5 KB in the test of the bound.
SMALL_BOUND = 40_000


@contextmanager
def locked(server: Server) -> Iterator[None]:
    """Another program writes to the SQLite file and does not finish."""
    connection = sqlite3.connect(server.data_dir / "collab.sqlite3", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@asynccontextmanager
async def typing(tabs: Sequence[Tab], pause: float = 0.02) -> AsyncIterator[None]:
    """Everybody types all the time."""

    async def type_on(tab: Tab) -> None:
        while True:
            tab.type(f"<{tab.name}.{len(tab.words)}>")
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))

    tasks = [asyncio.create_task(type_on(tab)) for tab in tabs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def all_end_equal(server: Server, tabs: Sequence[Tab]) -> None:
    """Every word of everybody is in every tab and in the database, once."""
    await until(lambda: not any(tab.unsaved for tab in tabs), "everything saved")
    await until(lambda: len({str(tab) for tab in tabs}) == 1, "the same text everywhere")
    missing = [word for tab in tabs for word in tab.words if str(tabs[0]).count(word) != 1]
    assert not missing
    (text,) = await asyncio.to_thread(stored, server, 0)
    assert text == str(tabs[0])
    await asyncio.to_thread(verified, server)


async def three_tabs(everybody: Team) -> list[Tab]:
    tabs = [everybody.tab(person) for person in ("ada", "ben", "chidi")]
    await until(lambda: all(tab.is_online for tab in tabs), "all tabs online")
    return tabs


async def goes_on_while_away(tabs: Sequence[Tab], seconds: float) -> None:
    """For so long nothing is saved, tabs are told so, and what one types the others see."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    await until(lambda: all(NOT_SAVING in tab.events for tab in tabs), "the news that nothing is saved")
    before = [set(tab.saved) for tab in tabs]
    while loop.time() < ends:
        words = [tab.words[-1] for tab in tabs if tab.words]
        await until(lambda: all(word in str(tab) for tab in tabs for word in words), "words of the others", 5)  # noqa: B023
        await asyncio.sleep(0.2)
    assert [set(tab.saved) for tab in tabs] == before


async def test_sqlite_is_locked_by_another_program(tuned: Tune, team: WithTeam) -> None:
    server = tuned({"database.timeout": 1})
    tabs = await three_tabs(team(server))
    async with typing(tabs):
        await until(lambda: all(tab.saved for tab in tabs), "the first words saved")
        with locked(server):
            await goes_on_while_away(tabs, AWAY)
        await until(lambda: all(SAVING in tab.events for tab in tabs), "the news that edits are saved again")
    await all_end_equal(server, tabs)
    assert [tab.connections for tab in tabs] == [1] * 3
    assert [tab.refused for tab in tabs] == [[]] * 3


async def test_more_waits_than_may(tuned: Tune, team: WithTeam) -> None:
    server = tuned({"database.timeout": 1}, COLLAB_MAX_UNSAVED=str(SMALL_BOUND))
    tabs = await three_tabs(team(server))
    async with typing(tabs):
        await until(lambda: all(tab.saved for tab in tabs), "the first words saved")
        with locked(server):
            for tab in tabs:
                tab.type("<" + tab.name * 8000 + ">")
            await until(lambda: all("busy" in tab.refused for tab in tabs), "refusals")
            await until(
                lambda: all(NOT_SAVING in tab.events for tab in tabs), "the news that nothing is saved"
            )
        await until(lambda: all(4300 in tab.closes for tab in tabs), "the tabs sent away to come back")
    await all_end_equal(server, tabs)
    assert {reason for tab in tabs for reason in tab.refused} == {"busy"}


async def test_postgres_is_stopped_and_started(postgres: Service, tuned: Tune, team: WithTeam) -> None:
    server = tuned(postgres=True)
    tabs = await three_tabs(team(server))
    async with typing(tabs):
        await until(lambda: all(tab.saved for tab in tabs), "the first words saved")
        await asyncio.to_thread(postgres.stop)
        try:
            await goes_on_while_away(tabs, AWAY)
        finally:
            await asyncio.to_thread(postgres.start)
        await until(lambda: all(SAVING in tab.events for tab in tabs), "the news that edits are saved again")
    await all_end_equal(server, tabs)
    assert [tab.refused for tab in tabs] == [[]] * 3


async def test_postgres_answers_nothing(postgres: Service, tuned: Tune, team: WithTeam) -> None:
    """Not refused and not answered, as behind a broken network. Nothing may wait for ever without a word."""
    server = tuned(postgres=True)
    url = server.environment["DATABASE_URL"]
    tabs = await three_tabs(team(server))
    async with typing(tabs):
        await until(lambda: all(tab.saved for tab in tabs), "the first words saved")
        with psycopg.connect(url) as blocker:
            blocker.execute("LOCK TABLE docs_app_document IN ACCESS EXCLUSIVE MODE")
            await until(
                lambda: all(NOT_SAVING in tab.events for tab in tabs), "the news that nothing is saved", 15
            )
    await all_end_equal(server, tabs)


# -- In this process: what a real database does too seldom ----------------------------------------------------------


class Door:
    """`log.append` that waits, or fails, as the test says."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.breaks = False
        self.waiting = threading.Event()

    def append(self, entries: list[log.Entry]) -> list[log.Committed | log.Rejected]:
        self.waiting.set()
        assert self.open.wait(30), "the test forgot the door"
        if self.breaks:
            raise DatabaseError("away")
        return log.append(entries)


@pytest.fixture
async def door(lobby: Lobby) -> AsyncIterator[Door]:
    door = Door()
    lobby.rooms.saver._append = door.append
    yield door
    door.breaks = False
    door.open.set()


async def _two_documents(lobby: Lobby) -> tuple[Any, Any, Callable[..., Any]]:
    def make() -> tuple[Any, Document, Document]:
        document = Document.objects.select_related("workspace").get()
        ada = document.workspace.memberships.get(kind="owner").user
        return ada, document, Document.objects.create(workspace=document.workspace, title="Quiet")

    ada, busy, quiet = await in_database(make)
    tabs = [lobby.call(ada, document.id) for document in (busy, quiet)]
    for tab in tabs:
        await tab.greeted()
    return tabs[0], tabs[1], lambda document: lobby.call(ada, document)


async def test_a_tab_that_was_refused_in_a_quiet_document_is_sent_for_too(
    lobby: Lobby, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One document fills what may wait; in another one the first edit is refused. Nothing of it waits, and still its
    tab has to hear when there is room again, or the edit stays on that page alone."""
    monkeypatch.setattr("django.conf.settings.MAX_UNSAVED", 1000)
    busy, quiet, _ = await _two_documents(lobby)
    door.breaks = True
    busy.send(wire.update(typed("x" * 2000, 7)))
    await until(lambda: NOT_SAVING in busy.events(), "the news that nothing is saved")
    quiet.send(wire.update(typed("my only words", 8)))
    await until(lambda: quiet.refusals() == ["busy"], "the refusal")
    door.breaks = False
    await until(lambda: busy.saved() == 1, "the large edit saved")
    await until(lambda: quiet.closed == Close.ACCESS_CHANGED, "the tab sent away to come back", 3)


async def test_a_tab_that_was_refused_while_a_commit_took_long_is_sent_for_too(
    lobby: Lobby, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database did not fail, it was slow: the refused edits have to come again all the same."""
    monkeypatch.setattr("django.conf.settings.MAX_UNSAVED", 1000)
    busy, _, _ = await _two_documents(lobby)
    door.open.clear()
    busy.send(wire.update(typed("x" * 2000, 7)))
    await until(door.waiting.is_set, "a commit under way")
    busy.send(wire.update(typed("refused", 8)))
    await until(lambda: busy.refusals() == ["busy"], "the refusal")
    door.open.set()
    await until(lambda: busy.saved() == 1, "the large edit saved")
    await until(lambda: busy.closed == Close.ACCESS_CHANGED, "the tab sent away to come back", 3)


async def test_a_commit_that_hangs_is_no_secret(lobby: Lobby, door: Door) -> None:
    busy, _, _ = await _two_documents(lobby)
    door.open.clear()
    busy.send(wire.update(typed("hello", 7)))
    await until(lambda: NOT_SAVING in busy.events(), "the news that nothing is saved", 12)
    door.open.set()
    await until(lambda: SAVING in busy.events(), "the news that edits are saved again")
    assert busy.saved() == 1


async def test_an_edit_that_waits_is_committed_before_later_ones(sqlite_file: Any) -> None:
    door = Door()
    office = Office(door.append)
    await office.open()
    ada = office.peers[0]
    door.breaks = True
    for number in range(20):
        ada.type(number, "x")
        ada.send()
        await asyncio.sleep(0.005)
    door.breaks = False
    await office.settle()
    assert ada.saved == ada.made
    loaded = await office.folded()
    replica, failed = log.replay(loaded)
    assert not failed
    assert not replica.pending
    assert str(office.peers[1]) == "x" * 20
    await office.close()


async def test_stopping_without_a_database_ends_in_time_and_says_so(tuned: Tune, team: WithTeam) -> None:
    """What could not be committed stays with the tabs, and the next start takes it from them."""
    server = tuned({"database.timeout": 1, "collab.server.STOP_WITHIN": 2})
    tabs = await three_tabs(team(server))
    with locked(server):
        for tab in tabs:
            tab.type(f"<{tab.name}.kept>")
        await until(lambda: all(NOT_SAVING in tab.events for tab in tabs), "the news that nothing is saved")
        assert await asyncio.to_thread(server.stop) == 1
        assert "unsaved edits" in server.log()
    assert not any(tab.saved for tab in tabs)
    await asyncio.to_thread(server.start)
    await until(lambda: all(tab.is_online for tab in tabs), "all tabs back")
    await all_end_equal(server, tabs)
