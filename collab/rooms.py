"""Every open document of this process: opens and closes rooms, and listens for what happened elsewhere.

The channel layer is a doorbell. Whatever it loses is found by asking the database for each open document's last
sequence number every few seconds, and more often while the layer is known to be away.
"""

import asyncio
import logging
import math
import os
import secrets
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from collab.neighbours import PROCESSES, ROLL_CALL_EVERY, Neighbours
from collab.presence import Sighting
from collab.protocol import Close
from collab.room import Room, UntriedError
from collab.saver import Saver
from docs_app import access, live
from docs_app.accounts.sessions import Visitor, signed_in
from docs_app.documents import log, processes
from docs_app.documents.log import Entry, LogDamagedError
from docs_app.documents.models import Document
from docs_app.documents.trial import Trial
from docs_app.live import LAYER_AWAY
from docs_app.sharing.links import still_here

logger = logging.getLogger(__name__)

T = TypeVar("T")

BEAT_EVERY = 2.0
RETRY_AFTER = 1.0
POLL_EVERY = 4.0
POLL_WHILE_AWAY = 1.0
# How long the channel layer may take before a document opens without it.
LAYER_WITHIN = 1.0
# A process hears its own roll call. After this silence it makes new connections, whatever the old ones look like.
DEAF_AFTER = 3 * ROLL_CALL_EVERY
RECHECK_EVERY = 60.0
# Between the look at somebody's rights and their place in the room, at most.
JOINS_WITHIN = 15.0
# An empty room stays open a while: people reload, and the next one to open the document finds it ready.
LINGER = 60.0
MAX_IDLE_ROOMS = 200
COMPACT_EVERY = 30.0
# Seconds that a process which ends may spend on snapshots.
TIDY_FOR = 1.0
ROWS_WORTH_A_SNAPSHOT = 20
# Larger commits are announced by number only; the others then read the log.
MAX_RUNG_BYTES = 64 * 1024


class Rooms:
    """Call from the event loop only."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.saver = Saver()
        # When a process was last killed, on this process's clock; None until the database was asked.
        self._crashed_at: float | None = None
        self._rooms: dict[UUID, Room] = {}
        self._opening: dict[UUID, asyncio.Task[Room]] = {}
        self._heard_while_opening: set[UUID] = set()
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="rooms")
        self._compactor = ThreadPoolExecutor(1, thread_name_prefix="compactor")
        self._trial = Trial()
        self._compacted_at: dict[UUID, float] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._bell: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue(10_000)
        # Any: its types leave out what both layers have, the prefix of a new channel.
        self._layer: Any = get_channel_layer()
        # In memory the layer reaches this process only, which knows what it stored.
        self._is_alone = isinstance(self._layer, InMemoryChannelLayer)
        self._process = f"{os.getpid()}.{secrets.token_hex(4)}"
        self._neighbours = Neighbours(self._process, self._rooms, self._ring_at)
        self._channel = ""
        self._outside: set[UUID] = set()
        self._people_changed_at = -math.inf
        self._seats: Counter[UUID | int] = Counter()

    def start(self) -> None:
        self.saver.start()
        for work in (
            self._listen,
            self._ring,
            self._beat,
            self._stay_noted,
            self._poll_all,
            self._recheck_all,
            self._close_all_idle,
        ):
            self._spawn(self._forever(work))
        if not self._is_alone:
            self._spawn(self._forever(self._call_roll))

    async def stop(self) -> None:
        """Take no more edits, commit those that are here, then send every tab away so that it comes back elsewhere."""
        for room in self._rooms.values():
            # What a tab sends from now on it has not been told is saved, so it keeps it and sends it again.
            room.frozen = True
        await self.saver.stop()
        try:
            await self.read(processes.ended, self._process)
        except DatabaseError as error:
            logger.warning("the next server will take this one for killed: %s", error)
        for room in self._rooms.values():
            room.close(Close.RESTARTING)
        for task in list(self._tasks):
            task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._trial.close()

    async def tidy(self) -> None:
        """After `stop`: spare whoever opens these documents next the replay of what was typed lately. Those with most
        of it first, as long as there is time."""
        until = time.monotonic() + TIDY_FOR
        due = [room for room in self._rooms.values() if room.rows_since_snapshot >= ROWS_WORTH_A_SNAPSHOT]
        for room in sorted(due, key=lambda room: -room.bytes_since_snapshot):
            if time.monotonic() > until:
                break
            await self.loop.run_in_executor(self._compactor, _compact, room.document_id)
        self._compactor.shutdown(wait=False, cancel_futures=True)

    async def _forever(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                await work()
            except LAYER_AWAY as error:
                # The poll finds what the doorbell would have said.
                logger.warning("the channel layer is away: %s", error)
            except DatabaseError as error:
                logger.warning("the database is away: %s", error)
            except Exception:
                # Without heartbeats and polls the tabs would slowly go blind: log it and go on.
                logger.exception("%s failed", work.__name__)
            await asyncio.sleep(RETRY_AFTER)

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("a background task ended", exc_info=error)

    async def read(self, function: Callable[..., T], *arguments: object) -> T:
        """Run a function that uses the database in a thread of its own."""

        def call() -> T:
            close_old_connections()
            return function(*arguments)

        return await self.loop.run_in_executor(self._threads, call)

    # -- Opening and closing -------------------------------------------------------------------------------------

    async def enter(self, document_id: UUID) -> Room:
        """The document's room, opened if it is not. Raises Document.DoesNotExist, LogDamagedError or DatabaseError;
        then nothing has been opened."""
        room = self._rooms.get(document_id)
        if room and not room.broken:
            return room
        if document_id not in self._opening:
            self._opening[document_id] = self.loop.create_task(self._open(document_id, room))
        # Shielded: a tab that goes away must not break off the opening for the others.
        return await asyncio.shield(self._opening[document_id])

    async def _open(self, document_id: UUID, broken: Room | None) -> Room:
        try:
            if broken:
                await self.saver.flushed(broken)
            # First the doorbell, then the log: nothing may fall between them.
            await self._group("group_add", document_id)
            if self._crashed_at is None:
                await self._note_processes()
            loaded = await self.read(log.load, document_id)
            room = Room(
                document_id,
                loaded,
                saver=self.saver,
                on_commit=self._announce,
                on_gap=self._catch_up_soon,
                on_join=self._joined,
                on_presence=self._presence_changed,
                since_crash=self._since_crash,
                may_lag=not self._is_alone,
            )
            if room.failed:
                await self.read(log.set_aside, document_id, room.failed)
            self._rooms[document_id] = room
        finally:
            del self._opening[document_id]
        if document_id in self._heard_while_opening:
            self._heard_while_opening.discard(document_id)
            room.rights_changed_at = time.monotonic()
            self._catch_up_soon(room)
        return room

    async def _note_processes(self) -> None:
        age = await self.read(processes.seen, self._process, self._is_alone)
        if self._crashed_at is None and age is not None:
            logger.warning("a server process did not stop in order: tabs may bring what it had not saved")
        self._crashed_at = -math.inf if age is None else time.monotonic() - age

    def _since_crash(self) -> float:
        return time.monotonic() - (-math.inf if self._crashed_at is None else self._crashed_at)

    async def _stay_noted(self) -> None:
        while True:
            await asyncio.sleep(processes.SEEN_EVERY)
            # Alone, there is nobody whose death could be noticed, and nobody to notice ours before the next start.
            if self._crashed_at is not None and not self._is_alone:
                await self._note_processes()

    @contextmanager
    def seat(self, document_id: UUID, user_id: int) -> Iterator[bool]:
        """Whether there is a place for one more tab of this person on this document. Counted from before the tab enters
        until it is gone: tabs that come at once count as well."""
        self._seats.update((document_id, user_id))
        try:
            yield (
                self._seats[document_id] <= settings.MAX_SOCKETS_PER_DOCUMENT
                and self._seats[user_id] <= settings.MAX_SOCKETS_PER_PERSON
            )
        finally:
            self._seats.subtract((document_id, user_id))
            for key in (document_id, user_id):
                if not self._seats[key]:
                    del self._seats[key]

    def rights_changed_since(self, moment: float, room: Room) -> bool:
        """Whether news of somebody's rights came after a moment of `time.monotonic`."""
        return max(room.rights_changed_at, self._people_changed_at) >= moment

    async def _group(self, verb: str, document_id: UUID) -> None:
        if not self._channel:
            # All groups are joined with the first channel.
            return
        try:
            async with asyncio.timeout(LAYER_WITHIN):
                await getattr(self._layer, verb)(live.group_of(document_id), self._channel)
        except LAYER_AWAY as error:
            logger.warning("the channel layer is away: %s", str(error) or "no answer")
            self._outside.add(document_id)

    async def _join_groups(self) -> None:
        """Join the groups of open documents that could not be joined when they were opened."""
        outside, self._outside = self._outside, set()
        for document_id in outside:
            if document_id in self._rooms or document_id in self._opening:
                await self._group("group_add", document_id)

    async def _close_idle(self) -> None:
        now = time.monotonic()
        empty = sorted((r for r in self._rooms.values() if not r.members), key=lambda room: room.left_at)
        for index, room in enumerate(empty):
            overdue = room.broken or now - room.left_at > LINGER or index < len(empty) - MAX_IDLE_ROOMS
            # Looked at again: somebody may have entered while an earlier room of this list left its group.
            if not overdue or room.members or self.saver.has_unsaved(room):
                continue
            if self._rooms.get(room.document_id) is not room:
                continue
            if room.rows_since_snapshot >= ROWS_WORTH_A_SNAPSHOT:
                self._compact_soon(room)
            del self._rooms[room.document_id]
            await self._group("group_discard", room.document_id)
            if room.document_id in self._rooms or room.document_id in self._opening:
                await self._group("group_add", room.document_id)

    async def try_out(self, room: Room, untried: UntriedError) -> str:
        """Find out in another process what an update costs; answers why it can't be taken in, or an empty string. The
        update is tried on the document as it is now: people go on typing, which does not change its cost much."""
        state = room.replica.state()
        try:
            affordable = await asyncio.to_thread(self._trial.is_affordable, state, untried.update)
        except OSError:
            logger.exception("an update can't be tried now")
            return "busy"
        untried.scanned.is_tried = affordable
        return "" if affordable else "too-costly"

    # -- The log -------------------------------------------------------------------------------------------------

    def _announce(self, room: Room, rows: list[tuple[Entry, int]]) -> None:
        """Ring for the other processes, and make a snapshot when many rows have piled up."""
        if not self._is_alone and self._neighbours.may_hear(room):
            self._ring_for(room, rows)
        if (
            room.rows_since_snapshot >= settings.SNAPSHOT_ROWS
            or room.bytes_since_snapshot >= settings.SNAPSHOT_BYTES
        ):
            self._compact_soon(room)

    def _ring_for(self, room: Room, rows: list[tuple[Entry, int]]) -> None:
        small = sum(len(entry.data) for entry, _ in rows) <= MAX_RUNG_BYTES
        message = {
            "type": "document.updates",
            "document": room.document_id.hex,
            "process": self._process,
            "last": max(seq for _, seq in rows),
            "rows": [(seq, entry.data) for entry, seq in rows] if small else [],
            "bindings": [(client, entry.author_id) for entry, _ in rows for client in entry.clients],
        }
        self._ring_at(live.group_of(room.document_id), message)

    def _ring_at(self, group: str, message: dict[str, Any]) -> None:
        try:
            self._bell.put_nowait((group, message))
        except asyncio.QueueFull:
            logger.warning("%s: the doorbell is behind, others will read the log", group)

    def _presence_changed(self, room: Room, changes: list[Sighting]) -> None:
        if not self._is_alone:
            self._neighbours.tell_changes(room, changes)

    def _catch_up_soon(self, room: Room) -> None:
        if not room.catching_up:
            room.catching_up = True
            self._spawn(self._catch_up(room))

    async def _catch_up(self, room: Room) -> None:
        try:
            rows = await self.read(log.since, room.document_id, room.seq)
            bindings = await self.read(log.bindings_of, room.document_id)
        except LogDamagedError:
            logger.exception("document %s: the log can't be followed", room.document_id)
            room.abandon()
        except DatabaseError as error:
            logger.warning("document %s: the log can't be read now: %s", room.document_id, error)
        else:
            room.follow(rows, bindings)
        finally:
            room.catching_up = False

    def _compact_soon(self, room: Room) -> None:
        now = time.monotonic()
        if now - self._compacted_at.get(room.document_id, -COMPACT_EVERY) < COMPACT_EVERY:
            return
        self._compacted_at[room.document_id] = now
        room.rows_since_snapshot = room.bytes_since_snapshot = 0
        self._compactor.submit(_compact, room.document_id)

    # -- Listening -----------------------------------------------------------------------------------------------

    async def _ring(self) -> None:
        while True:
            group, message = await self._bell.get()
            await self._layer.group_send(group, message)

    async def _listen(self) -> None:
        try:
            self._channel = await self._layer.new_channel("collab")
            for group in (live.PEOPLE, PROCESSES):
                await self._layer.group_add(group, self._channel)
            for document_id in [*self._rooms, *self._opening]:
                await self._layer.group_add(live.group_of(document_id), self._channel)
            if not self._is_alone:
                self._neighbours.call_roll()
            while True:
                async with asyncio.timeout(None if self._is_alone else DEAF_AFTER):
                    message = await self._layer.receive(self._channel)
                self._hear(message)
        except Exception:
            # All anew: a connection may be dead without a word, and a channel that nobody reads would fill the memory.
            self._channel = ""
            await self._layer.flush()
            raise

    async def _call_roll(self) -> None:
        while True:
            await asyncio.sleep(ROLL_CALL_EVERY)
            self._neighbours.call_roll()
            if not self._neighbours.layer_is_away:
                await self._join_groups()

    def _hear(self, message: dict[str, Any]) -> None:
        match message:
            case {"type": "process.roll"}:
                self._neighbours.hear_roll(message)
            case {"type": "person.changed", "user": user_id}:
                self._people_changed({user_id})
            case {"type": "people.changed", "users": user_ids}:
                self._people_changed(set(user_ids))
            case {"type": "rights.changed", "documents": documents}:
                self._rights_changed({UUID(document) for document in documents})
            case _:
                self._hear_of_document(UUID(message["document"]), message)

    def _hear_of_document(self, document_id: UUID, message: dict[str, Any]) -> None:
        room = self._rooms.get(document_id)
        if room is None:
            # Who is elsewhere is asked when somebody has come; everything else must be looked up when the room is open.
            if document_id in self._opening and message["type"] != "document.presence":
                self._heard_while_opening.add(document_id)
        elif message["type"] == "document.event":
            self._hear_event(room, message["event"])
        elif message["type"] == "document.presence":
            self._neighbours.hear_presence(room, message)
            if room.seq < message["seq"]:
                self._catch_up_soon(room)
        elif message["process"] != self._process:
            rows = [log.Row(seq, bytes(data)) for seq, data in message["rows"]]
            room.follow(rows, {int(client): user_id for client, user_id in message["bindings"]})
            if room.seq < message["last"]:
                self._catch_up_soon(room)

    def _people_changed(self, user_ids: set[int]) -> None:
        self._people_changed_at = time.monotonic()
        for room in self._rooms.values():
            if any(member.user_id in user_ids for member in room.members):
                self._spawn(self._recheck(room))

    def _rights_changed(self, document_ids: set[UUID]) -> None:
        self._heard_while_opening |= document_ids & self._opening.keys()
        for document_id in document_ids & self._rooms.keys():
            self._hear_event(self._rooms[document_id], {"type": "access"})

    def _hear_event(self, room: Room, event: dict[str, object]) -> None:
        if event["type"] == "access":
            room.rights_changed_at = time.monotonic()
            self._spawn(self._recheck(room))
        else:
            room.tell(event)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY)
            now = time.monotonic()
            for room in list(self._rooms.values()):
                if not self.saver.is_full:
                    room.call_back()
                for member in list(room.members):
                    member.beat(now)

    async def _close_all_idle(self) -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY)
            await self._close_idle()

    async def _poll_all(self) -> None:
        """Find what a lost doorbell would have said."""
        polled_at = time.monotonic()
        while True:
            await asyncio.sleep(min(POLL_WHILE_AWAY, POLL_EVERY) / 2)
            if not self._must_poll(time.monotonic() - polled_at):
                continue
            polled_at = time.monotonic()
            # Only those asked for: a document that opens meanwhile is not in the answer.
            if asked := [room for room in self._rooms.values() if not room.broken]:
                facts = await self.read(_facts_of, [room.document_id for room in asked])
                for room in asked:
                    self._compare(room, facts.get(room.document_id))

    def _must_poll(self, waited: float) -> bool:
        is_away = not self._is_alone and self._neighbours.layer_is_away
        return waited >= (min(POLL_WHILE_AWAY, POLL_EVERY) if is_away else POLL_EVERY)

    def _compare(self, room: Room, fact: "_Fact | None") -> None:
        """Act on what the database says of a room's document."""
        if fact is None:
            room.abandon(Close.NOT_FOUND)
        elif fact.trashed:
            room.abandon(Close.IN_TRASH)
        elif fact.epoch != room.epoch:
            room.abandon(Close.NEW_EPOCH)
        elif not self.saver.has_unsaved(room):
            if fact.seq > room.seq:
                self._catch_up_soon(room)
            else:
                # A snapshot has made it smaller.
                room.size = fact.size

    async def _recheck_all(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_EVERY)
            for room in list(self._rooms.values()):
                await self._recheck(room)

    def _joined(self, room: Room) -> None:
        """What somebody may do was looked up a moment before they joined; if it has changed since, look again. And when
        the first one comes, ask who is in the document elsewhere."""
        if len(room.members) == 1 and not self._is_alone:
            self._neighbours.ask(room)
        if time.monotonic() - max(room.rights_changed_at, self._people_changed_at) < JOINS_WITHIN:
            self._spawn(self._recheck(room))

    async def _recheck(self, room: Room) -> None:
        """Ask again who is still signed in and what everybody here may do."""
        visitors = {Visitor(member.user_id, member.session_key) for member in room.members}
        if not visitors:
            return
        facts = await self.read(_facts_of, [room.document_id])
        self._compare(room, facts.get(room.document_id))
        if room.broken:
            return
        guests = {visitor for visitor in visitors if visitor.user_id < 0}
        valid = await self.read(signed_in, visitors - guests)
        if guests:
            valid |= await self.read(still_here, guests)
        roles = await self.read(access.roles_on, room.document_id, {user_id for user_id, _ in visitors})
        for member in list(room.members):
            visitor = Visitor(member.user_id, member.session_key)
            if visitor not in visitors:
                continue
            if visitor not in valid:
                member.close(Close.SIGN_IN)
            else:
                member.role_is(roles.get(member.user_id))


class _Fact(NamedTuple):
    """What the database says of an open document."""

    seq: int
    epoch: int
    trashed: bool
    size: int


def _facts_of(document_ids: list[UUID]) -> dict[UUID, _Fact]:
    found = Document.objects.filter(id__in=document_ids).values_list(
        "id", "seq", "epoch", "trashed_at", "size"
    )
    return {key: _Fact(seq, epoch, trashed is not None, size) for key, seq, epoch, trashed, size in found}


def _compact(document_id: UUID) -> None:
    close_old_connections()
    try:
        log.compact(document_id)
        log.prune(document_id, timezone.now() - timedelta(days=settings.HISTORY_DAYS))
    except (DatabaseError, LogDamagedError, Document.DoesNotExist):
        # The rows are all there; the next compaction tries again.
        logger.exception("document %s: no snapshot was made", document_id)
