"""One open document in this process: applies edits, sends them on, follows the log.

An edit's way is `edit` (gate), `_flush` (to the other tabs), then `saver` (to disk) and `committed`.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

from django.conf import settings

from collab import protocol
from collab.presence import Presence, Sighting, Speaker
from collab.protocol import AwarenessState, Close, Frame
from collab.saver import Edit, Saver, Sender
from docs_app.documents import log
from docs_app.documents.log import Entry, Loaded
from docs_app.documents.replica import BrokenReplicaError, NotApplicableError, join
from docs_app.documents.updates import MalformedUpdateError, Scan, scan
from docs_app.sharing.roles import Role

logger = logging.getLogger(__name__)

# After a flush that took d seconds of processor time the next one waits d, so that a busy room costs at most half the
# loop; and where several people write at once, long enough that there is something to merge.
MIN_BUSY_DELAY = 0.002
MAX_FLUSH_DELAY = 0.05
AWARENESS_INTERVAL = 0.05
# Client ids that one connection may use for the first time: an honest tab brings one per offline visit.
MAX_CLAIMS = 200
# How many seconds after a crash tabs may bring what others had sent on through them: words of the absent, and of those
# who are here themselves.
RELAY_FOR = 24 * 3600.0
RELAY_BESIDE_FOR = 120.0
# How long another process's words, or the news of its end, may take to get here; doubts come again after a pause.
DOUBT_FOR = 10.0
DOUBT_AGAIN = 60.0

_CLOSE_FOR = {
    "gone": Close.NOT_FOUND,
    "trash": Close.IN_TRASH,
    "epoch": Close.NEW_EPOCH,
    "not-yours": Close.RESTARTING,
}


class UntriedError(Exception):
    """The update may cost too much time: have it tried (`Rooms.try_out`), then give it again. Nothing has changed."""

    def __init__(self, update: bytes, scanned: Scan) -> None:
        super().__init__()
        self.update, self.scanned = update, scanned


class Member(Speaker, Sender, Protocol):
    """A participant, as far as the room must know it."""

    @property
    def user_id(self) -> int: ...

    @property
    def session_key(self) -> str: ...

    claimed: int
    was_refused: bool

    def beat(self, now: float) -> None: ...

    def role_is(self, role: Role | None) -> None: ...

    def write(self, frame: Frame) -> None: ...

    def tell(self, event: dict[str, object]) -> None: ...

    def close(self, code: Close) -> None: ...


class Room:
    """Lives on the event loop. `on_commit` hears which rows this process stored, to ring at the others' doors;
    `on_gap` is asked to read the log when rows are missing; `on_join` hears that somebody came; `on_presence` what
    people here did, for other processes, at most every `AWARENESS_INTERVAL`."""

    def __init__(
        self,
        document_id: UUID,
        loaded: Loaded,
        *,
        saver: Saver,
        on_commit: Callable[["Room", list[tuple[Entry, int]]], None],
        on_gap: Callable[["Room"], None],
        on_join: Callable[["Room"], None] = lambda room: None,
        on_presence: Callable[["Room", list[Sighting]], None] = lambda room, changes: None,
        since_crash: Callable[[], float] = lambda: math.inf,
        may_lag: bool = False,
    ) -> None:
        self.document_id, self.epoch, self.seq = document_id, loaded.epoch, loaded.seq
        self.schema_version = loaded.schema_version
        self.replica, self.failed = log.replay(loaded)
        self.bindings = loaded.bindings
        self.presence = Presence()
        self.members: set[Member] = set()
        self.opened_at = self.left_at = time.monotonic()
        self.rights_changed_at = -math.inf
        self.broken = self.catching_up = self.frozen = False
        self.rows_since_snapshot = len(loaded.rows)
        self.bytes_since_snapshot = sum(len(row.data) for row in loaded.rows)
        stored = [loaded.snapshot or b"", *loaded.pending]
        self.size = sum(map(len, stored)) + self.bytes_since_snapshot
        self._saver, self._on_commit, self._on_gap = saver, on_commit, on_gap
        self._on_join, self._on_presence, self._since_crash = on_join, on_presence, since_crash
        self._may_lag, self._doubted_at = may_lag, -math.inf
        self._loop = asyncio.get_running_loop()
        self._outbox: list[tuple[Member | None, bytes, Scan]] = []
        self._flush_at: asyncio.TimerHandle | None = None
        self._next_flush = 0.0
        self._awareness_at: asyncio.TimerHandle | None = None
        self._next_awareness = 0.0
        self._stored_ahead: set[int] = set()
        self.is_saving = True
        # Whether another process has people here.
        self.is_urgent = False

    # -- Who is here ---------------------------------------------------------------------------------------------

    def join(self, member: Member) -> None:
        self.members.add(member)
        self._on_join(self)

    def leave(self, member: Member) -> None:
        self.members.discard(member)
        self.presence.leave(member)
        self._schedule_awareness()
        self.left_at = time.monotonic()

    def announce(self, member: Member, states: list[AwarenessState]) -> None:
        """Take in what a tab says of itself."""
        self.presence.announce(member, states)
        self._schedule_awareness()

    def hear_elsewhere(self, process: str, sightings: list[Sighting]) -> None:
        """Take in what another process says of its people."""
        self.presence.hear(process, sightings)
        self._schedule_awareness()

    def forget_elsewhere(self, before: float) -> None:
        """End the states of other processes' people that were last told before this moment of `time.monotonic`."""
        self.presence.forget(before)
        self._schedule_awareness()

    def _schedule_awareness(self) -> None:
        if self.presence.has_changes and self._awareness_at is None:
            delay = max(0.0, self._next_awareness - self._loop.time())
            self._awareness_at = self._loop.call_later(delay, self._send_awareness)

    def _send_awareness(self) -> None:
        self._awareness_at = None
        self._next_awareness = self._loop.time() + AWARENESS_INTERVAL
        own = self.presence.own_changes()
        # Back to the sender as well: stock clients take the echo as a sign of life.
        frame = Frame(protocol.awareness(self.presence.take_changes()))
        for member in list(self.members):
            member.write(frame)
        if own:
            self._on_presence(self, own)

    def tell(self, event: dict[str, object]) -> None:
        """Pass an event on to every tab."""
        for member in list(self.members):
            member.tell(event)

    def close(self, code: Close) -> None:
        """Send everybody away."""
        for member in list(self.members):
            member.close(code)

    # -- An edit -------------------------------------------------------------------------------------------------

    def edit(
        self,
        sender: Member,
        number: int,
        update: bytes,
        *,
        whole_state: bool,
        scanned: Scan | None = None,
        tab: Member | None = None,
    ) -> str:
        """Take in a person's update; answers why it was refused, or an empty string. A refused one changes nothing.
        `whole_state`: the update is all that the sender has and we lack, rather than one edit. `tab`: the member that
        has the update already, if that is not the sender. Raises UntriedError."""
        try:
            scanned = scanned or scan(update)
            if self._is_known(scanned, whole_state=whole_state):
                self.acknowledge(sender, number)
                return ""
            claims = self._claims(sender, scanned, whole_state=whole_state)
            if claims is None:
                return "not-yours"
            if self._saver.is_full:
                return "busy"
            if self.size + len(update) > settings.MAX_DOCUMENT:
                return "document-full"
            if not self.replica.may_wait(scanned):
                return "too-costly"
            if not scanned.is_tried and self.replica.may_take_long(scanned):
                raise UntriedError(update, scanned)
            update, scanned = self.replica.without_known(update, scanned)
            integrated = self.replica.apply(update, scanned)
        except (MalformedUpdateError, NotApplicableError) as error:
            logger.warning(
                "document %s: refused %d bytes of user %d: %s",
                self.document_id,
                len(update),
                sender.user_id,
                error,
            )
            return "malformed"
        except BrokenReplicaError:
            logger.exception("document %s: must be read anew", self.document_id)
            self.abandon()
            return "malformed"
        # What waits would make others in its row wait as well; so would what it waited for, joined with what follows.
        in_order = len(integrated) != 1
        scanned.apart = scanned.apart or in_order
        self.grow(len(update))
        self.bindings.update(dict.fromkeys(claims, sender.user_id))
        sender.claimed += len(claims)
        self._saver.add(self, Edit(update, scanned, sender.user_id, claims, sender, number, in_order))
        # What waits for its past is stored, and sent on when that has arrived: browsers throw on some of what may wait.
        for index, (each, its_scan) in enumerate(integrated):
            self._post(None if index else tab or sender, each, its_scan)
        return ""

    def grow(self, more: int) -> None:
        """Count bytes, and warn everybody when the document is half full."""
        before, self.size = self.size, self.size + more
        if before < settings.MAX_DOCUMENT // 2 <= self.size:
            self.tell(self.fullness())

    def fullness(self) -> dict[str, object]:
        """The event that says how large the document is and may be, in bytes."""
        return {"type": "size", "bytes": self.size, "limit": settings.MAX_DOCUMENT}

    def has_all_of(self, update: bytes, scanned: Scan | None = None) -> bool:
        """Whether the update would change nothing here."""
        try:
            return self.replica.brings_nothing(scanned or scan(update))
        except MalformedUpdateError:
            return False

    def _is_known(self, scanned: Scan, *, whole_state: bool) -> bool:
        # Looking up deletions costs a walk over all of them: worth it for a whole state, not for every backspace.
        return (whole_state or not scanned.deletes) and self.replica.brings_nothing(scanned)

    def acknowledge(self, sender: Member, number: int) -> None:
        """Confirm a frame without news, but never before the sender's earlier frames are on disk."""
        if self._saver.has_unsaved(self):
            self._saver.add(self, Edit(None, Scan(), sender.user_id, (), sender, number))
        else:
            sender.saved(number, self.seq)

    def _claims(self, sender: Member, scanned: Scan, *, whole_state: bool) -> tuple[int, ...] | None:
        """The client ids that the sender uses here for the first time, None if one belongs to somebody else."""
        # After a crash a tab may hold what others wrote in the last moments, sent on but never committed. For a while
        # such edits are taken from anybody who may write, or later ones could never be applied; the row's author is
        # whoever brought them, and the id is left to be claimed by whoever announces it. People who are here bring
        # their own, except at first, when each may wait for the other's.
        since_crash = self._since_crash() if whole_state else math.inf
        claims = []
        for client, _, end in scanned.blocks:
            known = self.replica.clocks.get(client, 0)
            if end <= known or self.bindings.get(client) == sender.user_id:
                continue
            speaker = self.presence.speaker_of(client)
            is_own = speaker is not None and speaker.identity["id"] == sender.identity["id"]
            relaying = since_crash < (RELAY_FOR if speaker is None or is_own else RELAY_BESIDE_FOR)
            if client not in self.bindings and (is_own or not (speaker or known or relaying)):
                claims.append(client)
            elif not relaying:
                return None
        return tuple(claims) if sender.claimed + len(claims) <= MAX_CLAIMS else None

    def may_be_behind(self) -> bool:
        """Whether what a tab brings of others may be news that has not come here yet: from a process that has stored it
        a moment ago, or was killed a moment ago. Only for some seconds: a tab that forges must be told so."""
        now = self._loop.time()
        if now - self._doubted_at > DOUBT_AGAIN:
            self._doubted_at = now
        return self._may_lag and now - self._doubted_at < DOUBT_FOR

    def _post(self, sender: Member | None, update: bytes, scanned: Scan) -> None:
        """Put an update into the outbox: it leaves at once after a quiet moment, with others when the room is busy."""
        self._outbox.append((sender, update, scanned))
        if self._flush_at is None:
            self._flush_at = self._loop.call_at(max(self._loop.time(), self._next_flush), self._flush)

    def _flush(self) -> None:
        self._flush_at = None
        # Not by the clock: a commit in another thread must not keep edits back.
        started = time.thread_time()
        outbox, self._outbox = self._outbox, []
        senders = {sender for sender, _, _ in outbox}
        # What several people wrote goes to all of them as one frame: one's own edits change nothing when they return.
        alone = next(iter(senders)) if len(senders) == 1 else None
        joined = join((update, scanned) for _, update, scanned in outbox)
        # What could not be joined is written at once all the same: a call to the kernel is what costs most.
        frame = Frame(*map(protocol.update, joined))
        for member in list(self.members):
            if member is not alone:
                member.write(frame)
        spent = time.thread_time() - started
        delay = max(spent, MIN_BUSY_DELAY) if len(senders) > 1 else spent
        self._next_flush = self._loop.time() + min(delay, MAX_FLUSH_DELAY)

    # -- The log -------------------------------------------------------------------------------------------------

    def committed(self, rows: list[tuple[Entry, int]]) -> None:
        """Rows of this process are on disk. If others were stored before them, those have to be read."""
        self.rows_since_snapshot += len(rows)
        self.bytes_since_snapshot += sum(len(entry.data) for entry, _ in rows)
        self._stored_ahead.update(seq for _, seq in rows if seq > self.seq)
        self._advance()
        self._on_commit(self, rows)
        if self._stored_ahead:
            self._on_gap(self)

    def _advance(self) -> None:
        while self.seq + 1 in self._stored_ahead:
            self.seq += 1
            self._stored_ahead.remove(self.seq)

    def rejected(self, reason: str) -> None:
        self.abandon(_CLOSE_FOR.get(reason, Close.RESTARTING))

    def saving(self, ok: bool) -> None:
        if ok != self.is_saving:
            self.is_saving = ok
            self.tell({"type": "saving", "ok": ok})

    def call_back(self) -> None:
        """Have the tabs come back whose edits we had no room for, now that there is: they bring them again."""
        for member in [member for member in self.members if member.was_refused]:
            member.close(Close.ACCESS_CHANGED)

    def follow(self, rows: Sequence[log.Row], bindings: dict[int, int | None]) -> None:
        """Take in rows that other processes stored; those before `seq + 1` are known, a gap is left to be read."""
        self.bindings.update(bindings)
        for row in rows:
            if row.seq <= self.seq or row.seq in self._stored_ahead:
                continue
            if row.seq != self.seq + 1:
                self._on_gap(self)
                return
            if not row.set_aside:
                self._apply_stored(row)
            self.seq = row.seq
            self.rows_since_snapshot += 1
            self.bytes_since_snapshot += len(row.data)
            self._advance()

    def _apply_stored(self, row: log.Row) -> None:
        try:
            scanned = scan(row.data)
            integrated = self.replica.apply(row.data, scanned)
        except (MalformedUpdateError, NotApplicableError, BrokenReplicaError):
            # Another process could apply it. Reading the document anew tells which of us is wrong.
            logger.exception("document %s: row %d can't be applied", self.document_id, row.seq)
            self.abandon()
        else:
            self.grow(len(row.data))
            for each, its_scan in integrated:
                self._post(None, each, its_scan)

    def abandon(self, code: Close = Close.RESTARTING) -> None:
        """Give this room up: nobody enters it any more, and its tabs come back to a new one."""
        self.broken = True
        self.close(code)
