"""Commits edits: one per process, many documents in one transaction, at most every 100 ms, or every 20 ms while other
processes wait for them.

Nothing is reported as saved before its transaction has committed. While the database is away, edits wait here and
people go on writing.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.db import close_old_connections

from docs_app.documents import log
from docs_app.documents.log import Committed, Entry, Rejected
from docs_app.documents.replica import join
from docs_app.documents.updates import Scan

logger = logging.getLogger(__name__)

INTERVAL = 0.1
# The same while people at another process, who hear of an edit only when it is committed, have one of the documents.
URGENT_INTERVAL = 0.02
MAX_DOCUMENTS = 200
MAX_BACKOFF = 5.0
# Seconds after which a commit that has not ended counts as not saving.
SLOW = 3.0
# Documents that are told of their commit before the loop goes on with what arrived meanwhile.
REPORTS_AT_ONCE = 10


class Sender(Protocol):
    """Whoever made an edit and waits to hear that it is saved."""

    def saved(self, count: int, seq: int) -> None: ...

    def refuse(self, number: int, reason: str) -> None: ...


@dataclass(slots=True)
class Edit:
    """An update as a person sent it: frame `number` of `sender`. `clients` are ids that it uses for the first time.
    Without an update there is nothing to store: the sender waits for what it sent before. `in_order`: it waits for its
    past, or others waited for it, so that it must stand in the log where it came."""

    update: bytes | None
    scanned: Scan
    author_id: int
    clients: tuple[int, ...]
    sender: Sender
    number: int
    in_order: bool = False


class Saveable(Protocol):
    """An open document, as far as the saver must know it."""

    document_id: UUID
    epoch: int
    seq: int
    is_urgent: bool

    def committed(self, rows: list[tuple[Entry, int]]) -> None:
        """These rows are on disk; the number is each one's seq."""

    def rejected(self, reason: str) -> None:
        """The log does not take this document's edits any more."""

    def saving(self, ok: bool) -> None:
        """Whether the database takes edits at the moment."""


Batch = dict[Saveable, list[Edit]]
Answered = list[tuple[Entry, Committed | Rejected]]


class Saver:
    """Call from the event loop only."""

    def __init__(self, append: Callable[[list[Entry]], list[Committed | Rejected]] = log.append) -> None:
        self._append = append
        self._waiting: Batch = {}
        self._wake = asyncio.Event()
        self._urgent = asyncio.Event()
        self._round = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        # One thread, so that batches are committed in the order they were taken.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="saver")
        self._task: asyncio.Task[None] | None = None
        self._limit = MAX_DOCUMENTS
        self._in_flight: Batch = {}
        self._bytes = 0
        # Of the outage under way: whose edits the database has not taken since, and what was logged in full.
        self._failing: set[Saveable] = set()
        self._logged: set[type[Exception]] = set()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="saver")

    async def stop(self) -> None:
        """Commit everything that waits, then end."""
        await self._idle.wait()
        if self._task:
            self._task.cancel()
        self._thread.shutdown(wait=False)

    def add(self, document: Saveable, edit: Edit) -> None:
        """Commit this edit with the next transaction."""
        self._bytes += len(edit.update or b"")
        self._waiting.setdefault(document, []).append(edit)
        self._idle.clear()
        self._wake.set()
        if document.is_urgent:
            self._urgent.set()

    async def flushed(self, document: Saveable) -> None:
        """Wait until every edit of the document that was added so far has been committed."""
        while self.has_unsaved(document):
            await self._round.wait()

    @property
    def is_full(self) -> bool:
        """Whether so much waits for the database that nothing more may be taken in."""
        return self._bytes >= settings.MAX_UNSAVED

    def has_unsaved(self, document: Saveable) -> bool:
        """Whether an edit of the document has not been committed yet."""
        return document in self._waiting or document in self._in_flight

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            await self._wake.wait()
            started = loop.time()
            # Taken out before the write: an edit that arrives meanwhile belongs to the next transaction.
            self._urgent.clear()
            self._in_flight = batch = self._take()
            failures = 0 if await self._commit(batch) else failures + 1
            self._in_flight = {}
            self._round.set()
            self._round = asyncio.Event()
            if not self._waiting:
                self._wake.clear()
                self._idle.set()
            if failures:
                pause = min(MAX_BACKOFF, INTERVAL * 2**failures)
                await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 (no secret)
            else:
                await self._rest(started)

    async def _rest(self, started: float) -> None:
        """Return when the next transaction may begin, after one that began at a moment of the loop's clock."""
        now = asyncio.get_running_loop().time
        await asyncio.sleep(started + min(URGENT_INTERVAL, INTERVAL) - now())
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, started + INTERVAL - now())):
                await self._urgent.wait()

    def _take(self) -> Batch:
        chosen = list(self._waiting)[: self._limit]
        return {document: self._waiting.pop(document) for document in chosen}

    async def _commit(self, batch: Batch) -> bool:
        """Whether the database took the batch. If not, its edits wait again, before later ones of the same document and
        after other documents."""
        try:
            answers = await self._written(batch)
        except Exception as error:
            # Whatever it is: the edits are not on disk, and must neither be forgotten nor called saved.
            if self._is_news(batch, error):
                logger.exception("the edits of %d documents can't be committed now", len(batch))
            else:
                reason = " ".join(f"{type(error).__name__}: {error}".split())
                logger.warning("the edits of %d documents still can't be committed: %s", len(batch), reason)
            for document, edits in batch.items():
                self._waiting[document] = edits + self._waiting.pop(document, [])
            for document in batch:
                _tell_saving(document, ok=False)
            # One document that the database refuses must not keep the others waiting: find it by halving.
            self._limit = max(1, self._limit // 2)
            return False
        self._limit = min(MAX_DOCUMENTS, self._limit * 2)
        self._log_recovery(batch)
        self._bytes -= sum(len(edit.update or b"") for edits in batch.values() for edit in edits)
        for number, (document, answered) in enumerate(zip(batch, answers, strict=True), start=1):
            try:
                _report(document, batch[document], answered)
            except Exception:
                # The edits are on disk. Whoever was not told asks again when its tab comes back.
                logger.exception("document %s: what was saved can't be reported", document.document_id)
                document.rejected("unreported")
            if number % REPORTS_AT_ONCE == 0:
                await asyncio.sleep(0)
        return True

    def _is_news(self, batch: Batch, error: Exception) -> bool:
        """Whether this outage has not had such an error yet. An outage is tried again every few seconds, perhaps for
        hours: a traceback each time would bury everything else."""
        is_news = type(error) not in self._logged
        self._logged.add(type(error))
        self._failing.update(batch)
        return is_news

    def _log_recovery(self, batch: Batch) -> None:
        """Say that an outage is over, once the last of the edits that it held up is committed."""
        if not self._failing:
            return
        self._failing.difference_update(batch)
        if not self._failing:
            self._logged.clear()
            logger.warning("the database takes edits again, all that waited longer is committed")

    async def _written(self, batch: Batch) -> list[Answered]:
        """Have the thread commit the batch; answers for each document what became of its entries. A database that
        neither takes nor refuses them is waited for, but tabs are told."""
        work = [(document.document_id, document.epoch, edits) for document, edits in batch.items()]
        writing = asyncio.get_running_loop().run_in_executor(self._thread, self._write, work)
        done, _ = await asyncio.wait({writing}, timeout=SLOW)
        if not done:
            logger.warning("the database has not answered for %g s", SLOW)
            for document in {*self._in_flight, *self._waiting}:
                _tell_saving(document, ok=False)
        return await writing

    def _write(self, work: list[tuple[UUID, int, list[Edit]]]) -> list[Answered]:
        entries = [_entries(*one) for one in work]
        outcomes: list[Committed | Rejected] = []
        if flat := list(chain.from_iterable(entries)):
            close_old_connections()
            outcomes = self._append(flat)
        answers = iter(outcomes)
        return [[(entry, next(answers)) for entry in some] for some in entries]


@dataclass(slots=True)
class _Row:
    """Edits of one author that can be stored as one row, and where it stands among the rows of a batch."""

    author_id: int
    index: int
    edits: list[Edit] = field(default_factory=list)


def _entries(document_id: UUID, epoch: int, edits: Iterable[Edit]) -> list[Entry]:
    """As few rows as possible, each of one author and after everything that it builds upon: whoever reads the log in
    order never has to wait for a later row. A hostile client may have sent what waits in two versions: which of them
    counts depends on the order, and must not change when the log is replayed."""
    rows: list[_Row] = []
    latest: dict[int, _Row] = {}
    written: dict[int, int] = {}
    for edit in edits:
        if edit.in_order:
            latest.clear()
        row = latest.get(edit.author_id)
        upon = (
            *edit.scanned.needs,
            *edit.scanned.deletes,
            *(client for client, _, _ in edit.scanned.blocks),
        )
        if row is None or any(written.get(client, -1) > row.index for client in upon):
            row = latest[edit.author_id] = _Row(edit.author_id, len(rows))
            rows.append(row)
        row.edits.append(edit)
        written.update({client: row.index for client, _, _ in edit.scanned.blocks})
        if edit.in_order:
            latest.clear()
    return [
        Entry(document_id, row.author_id, data, epoch, clients)
        for row in rows
        for data, clients in _merged(row)
    ]


def _merged(row: _Row) -> Iterable[tuple[bytes, tuple[int, ...]]]:
    clients = tuple(client for edit in row.edits for client in edit.clients)
    for data in join((edit.update, edit.scanned) for edit in row.edits if edit.update is not None):
        yield data, clients


def _tell_saving(document: Saveable, *, ok: bool) -> None:
    try:
        document.saving(ok)
    except Exception:
        # Saving must go on for the others, and for this one's edits too.
        logger.exception("document %s: could not be told about saving", document.document_id)


def _report(document: Saveable, edits: list[Edit], outcomes: Answered) -> None:
    rows = [(entry, outcome.seq) for entry, outcome in outcomes if isinstance(outcome, Committed)]
    refused = {
        entry.author_id: outcome.reason for entry, outcome in outcomes if isinstance(outcome, Rejected)
    }
    document.saving(True)
    if rows:
        document.committed(rows)
    last = max((seq for _, seq in rows), default=document.seq)
    newest: dict[Sender, int] = {}
    for edit in edits:
        if edit.author_id in refused:
            edit.sender.refuse(edit.number, refused[edit.author_id])
        else:
            newest[edit.sender] = edit.number
    for sender, number in newest.items():
        sender.saved(number, last)
    for reason in set(refused.values()):
        document.rejected(reason)
