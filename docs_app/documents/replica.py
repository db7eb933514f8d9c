"""A document in memory: a yrs `Doc` that survives hostile updates and knows what it still waits for.

A replica stays on the thread that made it; only `bytes` cross to another one.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import pycrdt

from docs_app.documents.updates import MalformedUpdateError, Scan, Span, read_state_vector, scan

# merge_updates takes quadratic time in the number of updates: 200 at once cost a millisecond.
MERGE_BATCH = 200
EMPTY_UPDATE = b"\x00\x00"
EMPTY_STATE_VECTOR = b"\x00"


class NotApplicableError(ValueError):
    """yrs refuses this update on this document; the document is as it was."""


class BrokenReplicaError(RuntimeError):
    """yrs panicked half-way through an update and left traces of it: this replica must be thrown away."""


def merge(updates: Sequence[bytes]) -> bytes:
    """One update that brings what all of them bring, pending parts included. Raises NotApplicableError."""
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


def _refusal(error: BaseException) -> BaseException:
    """NotApplicableError for whatever yrs raises. pyo3's PanicException is no Exception, and must not end a task."""
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return error
    return NotApplicableError(f"{type(error).__name__}: {error}")


class Replica:
    """`clocks` maps each client to its next clock; `pending` holds updates whose past has not arrived."""

    def __init__(self, updates: Iterable[bytes] = ()) -> None:
        """Start from trusted bytes: a snapshot, a state. Raises NotApplicableError."""
        self._doc: pycrdt.Doc[Any] = pycrdt.Doc()
        self.clocks: dict[int, int] = {}
        self.pending: list[bytes] = []
        self._states: dict[bytes, bytes] = {}
        for update in updates:
            self.apply(update)

    @property
    def doc(self) -> pycrdt.Doc[Any]:
        """The yrs document, to be read and left unchanged."""
        return self._doc

    def apply(self, update: bytes, scanned: Scan | None = None) -> None:
        """Take in an update (already scanned, or it is scanned here). Raises MalformedUpdateError or
        NotApplicableError; then nothing has changed. Raises BrokenReplicaError when the replica is lost."""
        scanned = scanned or scan(update)
        try:
            self._doc.apply_update(update)
        except BaseException as error:
            if not isinstance(error, Exception):
                self._replace_doc()
            raise _refusal(error) from error
        self._states.clear()
        if self.pending or not self._advance(scanned):
            self._sort_pending(update, scanned)

    def _replace_doc(self) -> None:
        """After a panic: continue with a new Doc, because yrs promises nothing about the one that panicked."""
        doc: pycrdt.Doc[Any] = pycrdt.Doc()
        try:
            for update in (self._doc.get_update(), *self.pending):
                doc.apply_update(update)
        except BaseException as error:
            raise BrokenReplicaError("the document panicked and can't be read any more") from error
        if read_state_vector(doc.get_state()) != self.clocks:
            raise BrokenReplicaError("the document panicked half-way through an update")
        self._doc = doc

    def _advance(self, scanned: Scan) -> bool:
        """Move the clocks on and say True, if it is certain that nothing in the update waits for something else."""
        clocks = self.clocks
        if any(span.start > clocks.get(span.client, 0) for span in scanned.blocks):
            return False
        after = {span.client: max(span.end, clocks.get(span.client, 0)) for span in scanned.blocks}
        for client, clock in scanned.needs.items():
            if clock > after.get(client, clocks.get(client, 0)):
                return False
        if any(span.end > after.get(span.client, clocks.get(span.client, 0)) for span in scanned.deletes):
            return False
        clocks.update(after)
        return True

    def _sort_pending(self, update: bytes, scanned: Scan) -> None:
        """Ask yrs what it has integrated, and keep the updates of which some part still waits."""
        self.clocks = read_state_vector(self._doc.get_state())
        still = [waiting for waiting in self.pending if not self.covers(scan(waiting))]
        if not self.covers(scanned):
            still.append(update)
        self.pending = still

    def covers(self, scanned: Scan) -> bool:
        """Whether the document already has every clock that the update brings or deletes."""
        return all(self._knows(span) for span in scanned.blocks) and all(map(self._knows, scanned.deletes))

    def _knows(self, span: Span) -> bool:
        return span.end <= self.clocks.get(span.client, 0)

    def brings_nothing(self, scanned: Scan) -> bool:
        """Whether applying the update would change nothing. A client's answer to our state always carries its whole
        delete set, so that an answer without news is not an empty one."""
        if not self.covers(scanned):
            return False
        return not scanned.deletes or DeleteSet(scanned.deletes) <= deleted(self.state(self.state_vector()))

    def state_vector(self) -> bytes:
        """What this replica has, encoded for sync step 1."""
        return self._doc.get_state()

    def state(self, state_vector: bytes = EMPTY_STATE_VECTOR) -> bytes:
        """The update that brings somebody with that state vector up to date, pending parts included. Encoded once for
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
        if self.pending:
            # Doc.get_update leaves out what is pending; somebody who never gets it could not follow later edits.
            state = merge([state, *self.pending])
        if len(self._states) >= 64:
            self._states.clear()
        self._states[state_vector] = state
        return state


class DeleteSet:
    """Deleted clocks as sorted, joined spans per client."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self.spans: dict[int, list[tuple[int, int]]] = {}
        for client, start, end in sorted(spans):
            joined = self.spans.setdefault(client, [])
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((start, end))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeleteSet) and self.spans == other.spans

    __hash__ = None  # type: ignore[assignment]

    def __le__(self, other: "DeleteSet") -> bool:
        """Whether everything deleted here is deleted there."""
        return all(self._within(spans, other.spans.get(client, [])) for client, spans in self.spans.items())

    @staticmethod
    def _within(spans: list[tuple[int, int]], outer: list[tuple[int, int]]) -> bool:
        index = 0
        for start, end in spans:
            while index < len(outer) and outer[index][1] < end:
                index += 1
            if index == len(outer) or outer[index][0] > start:
                return False
        return True


def deleted(update: bytes) -> DeleteSet:
    """What an update deletes. Raises MalformedUpdateError."""
    return DeleteSet(scan(update).deletes)
