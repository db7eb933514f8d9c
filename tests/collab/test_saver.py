"""Committing edits: nothing is called saved before it is on disk, and nothing is forgotten when the disk is away."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError
from pytest_django import Settings

from collab import saver as saver_module
from collab.saver import Edit, Saver
from docs_app.documents import replica
from docs_app.documents.log import Committed, Entry, Rejected
from docs_app.documents.replica import NotApplicableError, Replica
from docs_app.documents.updates import Scan, scan
from tests.collab.crafted import typed
from tests.collab.waiting import until

ALICE, BOB = 1, 2


class Disk:
    """An `append` that can be held up or broken, and remembers every row."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.begun = 0
        self.broken: Exception | None = None
        self.refuses: UUID | None = None
        self.rejects: str | None = None
        self.rows: dict[UUID, list[Entry]] = {}

    def append(self, entries: list[Entry]) -> list[Committed | Rejected]:
        self.begun += 1
        assert self.open.wait(10)
        if self.broken or any(entry.document_id == self.refuses for entry in entries):
            raise self.broken or OperationalError("no")
        outcomes: list[Committed | Rejected] = []
        for entry in entries:
            if self.rejects:
                outcomes.append(Rejected(self.rejects))
                continue
            rows = self.rows.setdefault(entry.document_id, [])
            rows.append(entry)
            outcomes.append(Committed(len(rows)))
        return outcomes

    def clocks(self, document: "Document") -> dict[int, int]:
        return Replica([entry.data for entry in self.rows.get(document.document_id, [])]).clocks


@dataclass(eq=False)
class Document:
    document_id: UUID = field(default_factory=uuid4)
    epoch: int = 3
    seq: int = 0
    is_urgent: bool = False
    told: list[bool] = field(default_factory=list)
    rejections: list[str] = field(default_factory=list)
    broken: bool = False

    def committed(self, rows: list[tuple[Entry, int]]) -> None:
        if self.broken:
            raise RuntimeError("no room")
        self.seq = rows[-1][1]

    def rejected(self, reason: str) -> None:
        self.rejections.append(reason)

    def saving(self, ok: bool) -> None:
        if self.broken:
            raise RuntimeError("no room")
        self.told.append(ok)


@dataclass(eq=False)
class Sender:
    heard: list[tuple[int, int]] = field(default_factory=list)
    refusals: list[tuple[int, str]] = field(default_factory=list)

    def saved(self, count: int, seq: int) -> None:
        self.heard.append((count, seq))

    def refuse(self, number: int, reason: str) -> None:
        self.refusals.append((number, reason))


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
async def saver(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Saver]:
    monkeypatch.setattr(saver_module, "INTERVAL", 0.004)
    saver = Saver(disk.append)
    saver.start()
    yield saver
    disk.open.set()
    disk.broken = disk.refuses = None
    await asyncio.wait_for(saver.stop(), 3)


def edit(
    sender: Sender, number: int, client: int = 1, author: int = ALICE, claims: tuple[int, ...] = ()
) -> Edit:
    """The sender's edit with this number: one letter behind the last one."""
    update = typed(client, number - 1, "x")
    return Edit(update, scan(update), author, claims, sender, number)


async def test_nothing_is_saved_before_its_commit(saver: Saver, disk: Disk) -> None:
    document, sender = Document(), Sender()
    disk.open.clear()
    saver.add(document, edit(sender, 1))
    await until(lambda: disk.begun)
    assert sender.heard == []
    assert saver.has_unsaved(document)
    disk.open.set()
    await until(lambda: sender.heard)
    assert sender.heard == [(1, 1)]
    assert disk.clocks(document) == {1: 1}
    await saver.flushed(document)
    assert not saver.has_unsaved(document)


async def test_what_arrives_during_a_commit_belongs_to_the_next(saver: Saver, disk: Disk) -> None:
    document, sender = Document(), Sender()
    disk.open.clear()
    saver.add(document, edit(sender, 1))
    await until(lambda: disk.begun)
    for number in (2, 3):
        saver.add(document, edit(sender, number))
    disk.open.set()
    await until(lambda: sender.heard[-1:] == [(3, 2)])
    assert sender.heard == [(1, 1), (3, 2)]
    assert disk.clocks(document) == {1: 3}


async def test_others_who_wait_for_a_commit_do_not_wait_long(
    saver: Saver, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saver_module, "INTERVAL", 3600.0)
    calm, urgent, sender = Document(), Document(is_urgent=True), Sender()
    saver.add(calm, edit(Sender(), 1))
    await until(lambda: disk.clocks(calm))
    saver.add(calm, edit(sender, 2))
    await asyncio.sleep(3 * saver_module.URGENT_INTERVAL)
    assert sender.heard == []
    # It takes with it what else is there.
    saver.add(urgent, edit(Sender(), 1))
    await until(lambda: sender.heard)
    assert disk.clocks(urgent) == {1: 1}
    saver.add(urgent, edit(sender, 2))
    await until(lambda: disk.clocks(urgent) == {1: 2})


async def test_a_row_per_author_and_an_answer_per_tab(saver: Saver, disk: Disk) -> None:
    document, first, second, bob = Document(), Sender(), Sender(), Sender()
    disk.open.clear()
    saver.add(Document(), edit(Sender(), 1))
    await until(lambda: disk.begun)
    saver.add(document, edit(first, 1, client=1, claims=(1,)))
    saver.add(document, edit(bob, 1, client=2, author=BOB, claims=(2,)))
    saver.add(document, edit(second, 1, client=3, claims=(3,)))
    saver.add(document, edit(first, 2, client=1))
    disk.open.set()
    await until(lambda: bob.heard and first.heard and second.heard)
    rows = disk.rows[document.document_id]
    assert [(row.author_id, row.clients, row.epoch) for row in rows] == [(ALICE, (1, 3), 3), (BOB, (2,), 3)]
    assert Replica([rows[0].data]).clocks == {1: 2, 3: 1}
    assert (first.heard, second.heard, bob.heard) == ([(2, 2)], [(1, 2)], [(1, 2)])


async def test_a_frame_without_news_waits_for_the_ones_before_it(saver: Saver, disk: Disk) -> None:
    document, sender = Document(), Sender()
    disk.open.clear()
    saver.add(document, edit(sender, 1))
    saver.add(document, Edit(None, Scan(), ALICE, (), sender, 2))
    await until(lambda: disk.begun)
    assert sender.heard == []
    disk.open.set()
    await until(lambda: sender.heard)
    assert sender.heard == [(2, 1)]
    assert len(disk.rows[document.document_id]) == 1


async def test_only_frames_without_news_need_no_row(saver: Saver, disk: Disk) -> None:
    document, sender = Document(seq=7), Sender()
    saver.add(document, Edit(None, Scan(), ALICE, (), sender, 1))
    await until(lambda: sender.heard)
    assert sender.heard == [(1, 7)]
    assert disk.rows == {}


async def test_a_failure_keeps_everything_in_order_and_is_told(saver: Saver, disk: Disk) -> None:
    document, sender = Document(), Sender()
    disk.broken = OperationalError("database is locked")
    saver.add(document, edit(sender, 1))
    await until(lambda: document.told)
    for number in (2, 3):
        saver.add(document, edit(sender, number))
    await until(lambda: disk.begun >= 3)
    assert sender.heard == []
    assert saver.has_unsaved(document)
    assert set(document.told) == {False}
    disk.broken = None
    await until(lambda: sender.heard)
    assert sender.heard == [(3, 1)]
    assert document.told[-1] is True
    assert disk.clocks(document) == {1: 3}


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[int, bool]]:
    """Level of each line that the saver logged, and whether a traceback follows it."""
    return [(one.levelno, one.exc_info is not None) for one in caplog.records if one.name == "collab.saver"]


IN_FULL, IN_A_LINE = (logging.ERROR, True), (logging.WARNING, False)


async def test_an_outage_is_logged_in_full_once_and_its_end_in_a_line(
    saver: Saver, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        disk.broken = OperationalError("connection refused\n\tIs the server running?")
        document, sender = Document(), Sender()
        saver.add(document, edit(sender, 1))
        await until(lambda: len(logged(caplog)) >= 3)
        disk.broken = None
        await saver.flushed(document)
        first, *later, end = logged(caplog)
        assert first == IN_FULL
        assert set(later) == {IN_A_LINE}
        assert end == IN_A_LINE
        assert not any("\n" in message for message in caplog.messages)
        assert "again" in caplog.messages[-1]
        # The next outage is another one; what is saved without one says nothing.
        caplog.clear()
        saver.add(document, edit(sender, 2))
        await saver.flushed(document)
        assert logged(caplog) == []


async def test_another_error_in_an_outage_is_logged_in_full_as_well(
    saver: Saver, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    disk.broken = OperationalError("away")
    saver.add(Document(), edit(Sender(), 1))
    await until(lambda: len(logged(caplog)) >= 2)
    disk.broken = TypeError("a mistake of ours")
    await until(lambda: logged(caplog).count(IN_FULL) == 2)


async def test_an_outage_of_one_document_lasts_until_its_edits_are_saved(
    saver: Saver, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    """Others that are saved meanwhile end no outage: its traceback would come again at each try."""
    bad, good, sender = Document(), Document(), Sender()
    disk.refuses = bad.document_id
    saver.add(bad, edit(Sender(), 1))
    await until(lambda: len(logged(caplog)) >= 1)
    saver.add(good, edit(sender, 1))
    await until(lambda: disk.clocks(good) == {1: 1})
    caplog.clear()
    await until(lambda: len(logged(caplog)) >= 2)
    assert set(logged(caplog)) == {IN_A_LINE}
    assert not any("again" in message for message in caplog.messages)
    disk.refuses = None
    await saver.flushed(bad)
    assert "again" in caplog.messages[-1]


async def test_one_document_that_the_database_refuses_does_not_hold_up_the_others(
    saver: Saver, disk: Disk
) -> None:
    bad, others, sender = Document(), [Document() for _ in range(20)], Sender()
    disk.refuses = bad.document_id
    for document in (*others[:10], bad, *others[10:]):
        saver.add(document, edit(sender, 1))
    await until(lambda: all(disk.clocks(document) == {1: 1} for document in others))
    assert saver.has_unsaved(bad)
    assert bad.told[-1] is False
    disk.refuses = None
    await until(lambda: disk.clocks(bad) == {1: 1})


async def test_at_most_so_many_documents_in_one_transaction(
    saver: Saver, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saver_module, "MAX_DOCUMENTS", 4)
    saver._limit = 4
    sizes: list[int] = []
    append = disk.append

    def counted(entries: list[Entry]) -> list[Committed | Rejected]:
        sizes.append(len(entries))
        return append(entries)

    saver._append = counted
    for document in [Document() for _ in range(10)]:
        saver.add(document, edit(Sender(), 1))
    await until(lambda: len(disk.rows) == 10)
    assert sizes == [4, 4, 2]


async def test_updates_that_cannot_be_merged_are_stored_one_by_one(
    saver: Saver, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(updates: list[bytes]) -> bytes:
        raise NotApplicableError("no")

    monkeypatch.setattr(replica, "merge", refuse)
    document, sender = Document(), Sender()
    for number in (1, 2, 3):
        saver.add(document, edit(sender, number, claims=(1,) if number == 1 else ()))
    await until(lambda: sender.heard)
    rows = disk.rows[document.document_id]
    assert len(rows) == 3
    assert rows[0].clients == (1,)
    assert sender.heard == [(3, 3)]
    assert disk.clocks(document) == {1: 3}


async def test_what_was_merged_can_be_read_again(saver: Saver, disk: Disk) -> None:
    """yrs merges these two into an update with an empty text, which nobody accepts: the row would be lost."""
    cut = [bytes.fromhex("01010302000200"), bytes.fromhex("0101030344010704f09f988000")]
    document, sender = Document(), Sender()
    for number, data in enumerate(cut, start=1):
        saver.add(document, Edit(data, scan(data), ALICE, (), sender, number))
    await until(lambda: sender.heard)
    for row in disk.rows[document.document_id]:
        Replica([row.data])


async def test_a_rejection_is_told_to_tab_and_document(saver: Saver, disk: Disk) -> None:
    document, sender = Document(), Sender()
    disk.rejects = "trash"
    for number in (1, 2):
        saver.add(document, edit(sender, number))
    await until(lambda: document.rejections)
    assert document.rejections == ["trash"]
    assert sender.refusals == [(1, "trash"), (2, "trash")]
    assert sender.heard == []


async def test_a_document_that_fails_to_hear_does_not_stop_the_saving(saver: Saver, disk: Disk) -> None:
    broken, sender = Document(broken=True), Sender()
    saver.add(broken, edit(Sender(), 1))
    await until(lambda: broken.rejections)
    saver.add(Document(), edit(sender, 1))
    await until(lambda: sender.heard)


async def test_a_document_that_fails_to_hear_of_a_failure_does_not_stop_the_saving(
    saver: Saver, disk: Disk
) -> None:
    broken, document, sender = Document(broken=True), Document(), Sender()
    disk.broken = OperationalError("away")
    saver.add(broken, edit(Sender(), 1))
    saver.add(document, edit(sender, 1))
    await until(lambda: disk.begun)
    disk.broken = None
    await until(lambda: sender.heard, "the other document's edit", seconds=3)
    await until(lambda: disk.clocks(broken) == {1: 1}, "the edit itself", seconds=3)


async def test_stop_commits_everything(saver: Saver, disk: Disk) -> None:
    documents, sender = [Document() for _ in range(5)], Sender()
    disk.open.clear()
    for document in documents:
        saver.add(document, edit(sender, 1))
    await until(lambda: disk.begun)
    for document in documents:
        saver.add(document, edit(sender, 2))
    disk.open.set()
    await asyncio.wait_for(saver.stop(), 3)
    assert all(disk.clocks(document) == {1: 2} for document in documents)


async def test_too_much_that_waits_is_told(saver: Saver, disk: Disk, settings: Settings) -> None:
    document, sender = Document(), Sender()
    disk.open.clear()
    first = edit(sender, 1)
    assert first.update is not None
    settings.MAX_UNSAVED = len(first.update)
    saver.add(document, first)
    assert saver.is_full
    disk.open.set()
    await until(lambda: sender.heard)
    assert not saver.is_full


async def test_a_commit_of_many_documents_does_not_keep_the_loop(
    saver: Saver, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are made in the saver's thread, and the documents are told of their commit a few at a time."""
    joined_by: set[int] = set()

    def join(updates: Iterable[tuple[bytes, Scan]]) -> list[bytes]:
        joined_by.add(threading.get_ident())
        return replica.join(updates)

    monkeypatch.setattr(saver_module, "join", join)
    documents, sender = [Document() for _ in range(50)], Sender()
    told: list[int] = []

    def watch() -> None:
        told.append(len(sender.heard))
        if len(sender.heard) < len(documents):
            asyncio.get_running_loop().call_soon(watch)

    disk.open.clear()
    for document in documents:
        saver.add(document, edit(sender, 1))
    await until(lambda: disk.begun)
    watch()
    disk.open.set()
    await until(lambda: len(sender.heard) == len(documents))
    assert joined_by.isdisjoint({threading.get_ident()})
    assert len({count for count in told if 0 < count < len(documents)}) >= 4
    assert not any(document.rejections for document in documents)
