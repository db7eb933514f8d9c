"""A document in memory: a yrs `Doc` that survives hostile updates and knows what it still waits for.

yrs is given only what it can integrate at once. What arrives before its past is kept here until that past is complete:
yrs' own memory of such updates is left out of the states it encodes, and joining overlapping ones ends the process.

A replica stays on the thread that made it; only `bytes` cross to another one.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import pycrdt

from docs_app.documents.deletes import Deletes, contains, deleted, has_edge_at
from docs_app.documents.updates import MalformedUpdateError, Place, Scan, read_state_vector, scan

# merge_updates takes quadratic time in the number of updates: 200 at once cost a millisecond.
MERGE_BATCH = 200
EMPTY_UPDATE = b"\x00\x00"
EMPTY_STATE_VECTOR = b"\x00"
# What may wait for its past in one document. Honest clients send an edit after what it builds upon.
MAX_PENDING = 1000
MAX_PENDING_BYTES = 4 * 1024 * 1024
# Bytes of edits after which the state to fall back to is encoded anew.
FALLBACK_EVERY = 64 * 1024
# What Yjs may look at to place one update's insertions: 0.2 us each. Beyond that, and with more insertions than typing
# makes, an update is tried elsewhere first (`trial`). In `MAX_WAITING` insertions of those that wait for their past.
MAX_STEPS = 250_000
MAX_UNTRIED = 8
MAX_WAITING = 64
MAX_STATES = 64
MAX_STATE_BYTES = 1024 * 1024


class NotApplicableError(ValueError):
    """yrs refuses this update on this document; the document is as it was."""


class BrokenReplicaError(RuntimeError):
    """The document can't be brought back to what it was before a failed update: this replica must be thrown away."""


def _refusal(error: BaseException) -> BaseException:
    """NotApplicableError for whatever yrs raises. pyo3's PanicException is no Exception, and must not end a task."""
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return error
    return NotApplicableError(f"{type(error).__name__}: {error}")


def merge(updates: Sequence[bytes]) -> bytes:
    """One update that brings what all of them bring. Only for updates that follow on each other (see `join`). Raises
    NotApplicableError."""
    level = list(updates)
    if not level:
        return EMPTY_UPDATE
    try:
        while len(level) > 1:
            batches = (level[start : start + MERGE_BATCH] for start in range(0, len(level), MERGE_BATCH))
            level = [pycrdt.merge_updates(*batch) for batch in batches]
    except BaseException as error:
        raise _refusal(error) from error
    return level[0]


def join(updates: Iterable[tuple[bytes, Scan]]) -> list[bytes]:
    """As few updates as can safely be made of these, in order. Two are merged only if both are plain edits of one
    client each, and the second begins where that client's part so far ends: what overlaps, leaves a gap or is `apart`
    stays by itself."""
    groups: list[list[bytes]] = []
    ends: dict[int, int] = {}
    is_open = False
    for update, scanned in updates:
        is_plain = not scanned.apart and len(scanned.blocks) <= 1
        if not (is_open and is_plain and all(ends.get(c, start) == start for c, start, _ in scanned.blocks)):
            groups.append([])
            ends = {}
        groups[-1].append(update)
        ends.update((client, end) for client, _, end in scanned.blocks)
        is_open = is_plain
    joined: list[bytes] = []
    for group in groups:
        try:
            joined.append(merge(group))
        except NotApplicableError:
            # Each was applied by itself; that they can't be merged is no reason to lose them.
            joined += group
    return joined


class Replica:
    """`clocks` maps each client to its next clock; `failed` holds updates that waited for their past and could not be
    applied when it came, with the reason."""

    def __init__(self, updates: Iterable[bytes] = ()) -> None:
        """Start from these updates. Raises MalformedUpdateError or NotApplicableError."""
        self._doc: pycrdt.Doc[Any] = pycrdt.Doc()
        self._structs = 0
        self.clocks: dict[int, int] = {}
        self.failed: dict[bytes, str] = {}
        self._waiting: dict[bytes, Scan] = {}
        self._waiting_bytes = 0
        self._halves: set[Place] = set()
        self._states: dict[bytes, bytes] = {}
        self._state_bytes = 0
        self._deleted: Deletes | None = None
        # A state, and the updates applied since: what to begin with anew after yrs failed half-way.
        self._fallback = EMPTY_UPDATE
        self._since: list[bytes] = []
        self._since_bytes = 0
        for update in updates:
            self.apply(update)

    @property
    def doc(self) -> pycrdt.Doc[Any]:
        """The yrs document, to be read and left unchanged."""
        return self._doc

    def apply(self, update: bytes, scanned: Scan | None = None) -> list[tuple[bytes, Scan]]:
        """Take in an update (already scanned, or it is scanned here), or keep it until its past has arrived; answers
        what is in the document now that was not before, in order: nothing, the update, or also some that waited for it.
        Raises MalformedUpdateError or NotApplicableError; then nothing has changed. Raises BrokenReplicaError when the
        replica is lost."""
        scanned = scanned or scan(update)
        if not self._is_complete(scanned):
            self._keep(update, scanned)
            return []
        self._integrate(update, scanned)
        integrated = [(update, scanned)]
        if self._waiting:
            integrated += self._integrate_pending()
        return integrated

    def _is_complete(self, scanned: Scan) -> bool:
        """Whether everything that the update builds upon or deletes is here or comes with it."""
        clocks = self.clocks
        ends: dict[int, int] = {}
        for client, start, end in scanned.blocks:
            if start > clocks.get(client, 0) and start > ends.get(client, 0):
                return False
            ends[client] = end
        for client, clock in scanned.needs.items():
            if clock > clocks.get(client, 0) and clock > ends.get(client, 0):
                return False
        return not scanned.deletes or all(
            spans[-1][1] <= max(clocks.get(client, 0), ends.get(client, 0))
            for client, spans in scanned.deletes.items()
        )

    def may_take_long(self, scanned: Scan) -> bool:
        """Whether Yjs may have to look long for the places of what this update inserts."""
        return scanned.loose > MAX_UNTRIED and scanned.loose * (self._structs + scanned.structs) > MAX_STEPS

    def may_wait(self, scanned: Scan) -> bool:
        """Whether the update needs no other, or may wait for it: whoever brings what it waits for takes it in as well,
        and must not have to pay much for it."""
        if (scanned.loose <= MAX_WAITING and not self._waiting) or self._is_complete(scanned):
            return True
        loose = scanned.loose + sum(waiting.loose for waiting in self._waiting.values())
        return loose <= MAX_WAITING or loose * (self._structs + scanned.structs) <= 4 * MAX_STEPS

    @property
    def pending(self) -> list[bytes]:
        """Updates whose past has not arrived, in the order they came."""
        return list(self._waiting)

    def _keep(self, update: bytes, scanned: Scan) -> None:
        if update in self._waiting:
            return
        if len(self._waiting) >= MAX_PENDING or self._waiting_bytes + len(update) > MAX_PENDING_BYTES:
            raise NotApplicableError("too much waits for a past that has not arrived")
        self._waiting[update] = scanned
        self._waiting_bytes += len(update)

    def _integrate_pending(self) -> list[tuple[bytes, Scan]]:
        """Take in what has become complete, until nothing more does. What fails now can't be refused any more: it is
        remembered in `failed`."""
        integrated = []
        while ready := [item for item in self._waiting.items() if self._is_complete(item[1])]:
            for update, scanned in ready:
                del self._waiting[update]
                self._waiting_bytes -= len(update)
                try:
                    self._integrate(update, scanned)
                except NotApplicableError as error:
                    self.failed[update] = str(error)
                else:
                    integrated.append((update, scanned))
        return integrated

    def _integrate(self, update: bytes, scanned: Scan) -> None:
        self._check_cuts(scanned)
        try:
            self._doc.apply_update(update)
        except BaseException as error:
            self._fall_back()
            raise _refusal(error) from error
        # Two clients of one update may each build upon the other's struct: only yrs can tell whether they wait.
        circular = any(clock > self.clocks.get(client, 0) for client, clock in scanned.needs.items())
        if circular and not self._has(scanned):
            self._fall_back()
            raise NotApplicableError("its structs wait for each other")
        clocks = self.clocks
        for client, _, end in scanned.blocks:
            if end > clocks.get(client, 0):
                clocks[client] = end
        self._structs += scanned.structs
        self._halves.update(scanned.halves)
        self._states.clear()
        self._state_bytes = 0
        self._deleted = None
        self._since.append(update)
        self._since_bytes += len(update)
        if self._since_bytes > FALLBACK_EVERY + len(self._fallback) // 4:
            self._fallback, self._since, self._since_bytes = self._doc.get_update(), [], 0

    def _check_cuts(self, scanned: Scan) -> None:
        """Refuse what cuts a character in half. Browsers count an emoji as two and could; yrs loses the other half, and
        from then on encodes states that do not open."""
        known = {Place(client, self.clocks.get(client, 0)) for client, _, _ in scanned.blocks}
        for halves in (self._halves, set(scanned.halves)):
            if halves and (not halves.isdisjoint(scanned.cuts) or has_edge_at(scanned.deletes, halves)):
                raise NotApplicableError("it cuts a character in half")
        if not known.isdisjoint(scanned.halves):
            raise NotApplicableError("it cuts a character in half")

    def _has(self, scanned: Scan) -> bool:
        clocks = read_state_vector(self._doc.get_state())
        return all(end <= clocks.get(client, 0) for client, _, end in scanned.blocks)

    def _fall_back(self) -> None:
        """Begin anew: what failed half-way has left its first half behind, and after a panic yrs promises nothing."""
        doc: pycrdt.Doc[Any] = pycrdt.Doc()
        try:
            for update in (self._fallback, *self._since):
                doc.apply_update(update)
        except BaseException as error:
            raise BrokenReplicaError("the document can't be brought back to what it was") from error
        self._doc = doc

    def without_known(self, update: bytes, scanned: Scan) -> tuple[bytes, Scan]:
        """The update without structs that are known already: what is stored and sent on then follows on what everybody
        has. Browsers throw on some that overlap, and a row must not bring another person's words in its own version.
        Raises NotApplicableError."""
        clocks = self.clocks
        for client, start, _ in scanned.blocks:
            if start < clocks.get(client, 0):
                break
        else:
            return update, scanned
        try:
            trimmed = pycrdt.get_update(update, self._doc.get_state())
        except BaseException as error:
            raise _refusal(error) from error
        return trimmed, scan(trimmed)

    def covers(self, scanned: Scan) -> bool:
        """Whether the document already has every clock that the update brings or deletes."""
        clocks = self.clocks
        # A loop, as elsewhere on a keystroke's way: a generator costs more than what it looks at.
        for client, _, end in scanned.blocks:
            if end > clocks.get(client, 0):
                return False
        return not scanned.deletes or all(
            spans[-1][1] <= clocks.get(client, 0) for client, spans in scanned.deletes.items()
        )

    def brings_nothing(self, scanned: Scan) -> bool:
        """Whether applying the update would change nothing. A client's answer to our state always carries its whole
        delete set, so that an answer without news is not an empty one."""
        if not self.covers(scanned):
            return False
        return not scanned.deletes or contains(self.deleted(), scanned.deletes)

    def deleted(self) -> Deletes:
        """All that is deleted here. Walks over all of it, once between two edits."""
        if self._deleted is None:
            self._deleted = deleted(self._doc.get_update(self._doc.get_state()))
        return self._deleted

    def state_vector(self) -> bytes:
        """What this replica has, encoded for sync step 1."""
        return self._doc.get_state()

    def state(self, state_vector: bytes = EMPTY_STATE_VECTOR) -> bytes:
        """The update that brings somebody with that state vector up to date, without what is pending. Encoded once for
        everybody who asks between two edits. Raises MalformedUpdateError."""
        if (known := self._states.get(state_vector)) is not None:
            return known
        read_state_vector(state_vector)
        try:
            state = self._doc.get_update(state_vector)
        except BaseException as error:
            if isinstance(refusal := _refusal(error), NotApplicableError):
                raise MalformedUpdateError(str(refusal)) from error
            raise
        # Readers choose their state vectors: what is kept for them must stay small beside the document.
        if len(self._states) >= MAX_STATES or self._state_bytes > MAX_STATE_BYTES:
            self._states.clear()
            self._state_bytes = 0
        if state_vector == EMPTY_STATE_VECTOR:
            # The same bytes serve as what to fall back to.
            self._fallback, self._since, self._since_bytes = state, [], 0
        self._states[state_vector] = state
        self._state_bytes += len(state)
        return state

    def equals(self, other: "Replica") -> bool:
        """Whether both hold the same edits, deletions and pending updates."""
        return (
            self.clocks == other.clocks
            and self.deleted() == other.deleted()
            and sorted(self.pending) == sorted(other.pending)
        )
