"""The log of a document's edits: append, since, load, compact, prune. Takes and returns bytes; blocking, for a thread
that may use the database.

Rows are numbered from 1 without gaps. The state of a document is its newest snapshot plus the rows after it. Whatever
can't be read with certainty raises LogDamagedError: a document that failed to load must never look like an empty one.
"""

import logging
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.db.models.functions import Length
from django.utils import timezone

from docs_app.documents import authors, statements
from docs_app.documents.authors import author_from, guest_of, user_of
from docs_app.documents.models import ClientBinding, Document, DocumentSnapshot, DocumentUpdate
from docs_app.documents.replica import NotApplicableError, Replica
from docs_app.documents.updates import MalformedUpdateError, Place, Scan, Span, scan

logger = logging.getLogger(__name__)


class LogDamagedError(RuntimeError):
    """The rows in the database do not add up to the document."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An update to append. `author_id` is a person or guest (see `authors`; None: the server), `epoch` the document's
    epoch that it was made in; `clients` are Yjs client ids it uses for the first time, now bound to the author."""

    document_id: UUID
    author_id: int | None
    data: bytes
    epoch: int
    clients: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Committed:
    """The entry is on disk as row `seq`."""

    seq: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """The entry was not stored: the document is `gone`, in the `trash`, in a newer `epoch`, or a client id turned out
    to be `not-yours`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the log. A row with `set_aside` is counted but can't be applied."""

    seq: int
    data: bytes
    set_aside: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """Everything needed to open a document: `snapshot` (a Yjs update, None before the first) and what was `pending` at
    that moment, the rows after it, and which person each client id belongs to (None: the server). `scanned` is what the
    snapshot says, if it was read already, now or when it was stored."""

    seq: int
    epoch: int
    schema_version: int
    snapshot_seq: int
    snapshot: bytes | None
    pending: list[bytes]
    rows: list[Row]
    bindings: dict[int, int | None]
    scanned: Scan | None = None


def append(entries: Sequence[Entry]) -> list[Committed | Rejected]:
    """Store all entries, of any number of documents, in one transaction; answers one outcome per entry, in order.
    A database error raises and stores nothing."""
    try:
        return _append(entries)
    except IntegrityError:
        # An author's account was deleted while the edit waited. The edit stays, without a name.
        gone = authors.gone({entry.author_id for entry in entries if entry.author_id is not None})
        if not gone:
            raise
        return _append(
            [replace(e, author_id=None, clients=()) if e.author_id in gone else e for e in entries]
        )


@dataclass(slots=True)
class _Head:
    """What `append` must know of a document; its row is locked."""

    id: UUID
    seq: int
    size: int
    epoch: int
    trashed_at: datetime | None


_Owners = dict[tuple[UUID, int], int | None]


def _append(entries: Sequence[Entry]) -> list[Committed | Rejected]:
    with transaction.atomic():
        heads = _lock({entry.document_id for entry in entries})
        owners = _owners(entries)
        outcomes: list[Committed | Rejected] = []
        rows: list[tuple[object, ...]] = []
        bindings: list[tuple[object, ...]] = []
        changed: dict[UUID, _Head] = {}
        now = timezone.now()
        for entry in entries:
            head = heads.get(entry.document_id)
            if head is None or (refused := _obstacle(head, entry, owners)):
                outcomes.append(Rejected("gone" if head is None else refused))
                continue
            head.seq += 1
            head.size += len(entry.data)
            changed[head.id] = head
            outcomes.append(Committed(head.seq))
            author = user_of(entry.author_id), guest_of(entry.author_id)
            rows.append((head.id, head.seq, *author, entry.data, now, ""))
            bindings += [(head.id, client, *author, now) for client in _bind(entry, owners)]
        statements.insert(
            DocumentUpdate, ("document", "seq", "author", "guest", "data", "created_at", "set_aside"), rows
        )
        statements.insert(ClientBinding, ("document", "client_id", "user", "guest", "created_at"), bindings)
        statements.update(
            Document,
            ("seq", "size", "updated_at", "id"),
            [(head.seq, head.size, now, head.id) for head in changed.values()],
        )
    return outcomes


def _lock(ids: Iterable[UUID]) -> dict[UUID, _Head]:
    # In the order of ids: two processes that commit the same documents must not wait for each other.
    found = Document.objects.select_for_update().filter(id__in=sorted(ids)).order_by("id")
    heads = (_Head(*values) for values in found.values_list("id", "seq", "size", "epoch", "trashed_at"))
    return {head.id: head for head in heads}


def _bind(entry: Entry, owners: _Owners) -> list[int]:
    """The clients that nobody has used before; they are counted as the author's from now on."""
    fresh = [c for c in dict.fromkeys(entry.clients) if (entry.document_id, c) not in owners]
    owners.update({(entry.document_id, client): entry.author_id for client in fresh})
    return fresh


def _obstacle(head: _Head, entry: Entry, owners: _Owners) -> str:
    """Why the entry can't be stored, or an empty string."""
    if head.trashed_at is not None:
        return "trash"
    if head.epoch != entry.epoch:
        return "epoch"
    if any(owners.get((head.id, client), entry.author_id) != entry.author_id for client in entry.clients):
        return "not-yours"
    return ""


def _owners(entries: Iterable[Entry]) -> _Owners:
    """Who the clients that the entries claim belong to already: another process may have been first."""
    claimed = {(entry.document_id, client) for entry in entries for client in entry.clients}
    if not claimed:
        return {}
    known = ClientBinding.objects.filter(
        document_id__in={document_id for document_id, _ in claimed},
        client_id__in={client for _, client in claimed},
    ).values_list("document_id", "client_id", "user_id", "guest_id")
    return {(document_id, client): author_from(*owner) for document_id, client, *owner in known}


def since(document_id: UUID, seq: int, until: int | None = None) -> list[Row]:
    """The rows after `seq` up to `until` (inclusive), in order. Raises LogDamagedError if one is missing."""
    found = DocumentUpdate.objects.filter(document_id=document_id, seq__gt=seq).order_by("seq")
    if until is not None:
        found = found.filter(seq__lte=until)
    rows = [
        Row(row_seq, bytes(data), bool(aside))
        for row_seq, data, aside in found.values_list("seq", "data", "set_aside")
    ]
    _check_gapless(rows, after=seq)
    return rows


def _check_gapless(rows: Sequence[Row], after: int) -> None:
    # `prune` deletes only below a snapshot, so a hole above one is damage, or a snapshot read a moment too early.
    for expected, row in enumerate(rows, start=after + 1):
        if row.seq != expected:
            raise LogDamagedError(f"row {expected} is missing, the next one is {row.seq}")


def load(document_id: UUID) -> Loaded:
    """Everything needed to open the document. Raises Document.DoesNotExist or LogDamagedError."""
    try:
        return _load(document_id)
    except LogDamagedError:
        # Between two reads, compaction may have stored a newer snapshot and deleted rows below it: look once more.
        return _load(document_id)


def _load(document_id: UUID) -> Loaded:
    document = Document.objects.only("seq", "epoch", "schema_version").get(id=document_id)
    loaded = _read(document, until=None)
    if loaded.seq < document.seq:
        raise LogDamagedError(f"the log ends at {loaded.seq}, the document counts {document.seq}")
    if loaded.snapshot is None or loaded.scanned is not None:
        return loaded
    # Here, because the caller's thread may take its time with a large one; the event loop may not.
    return replace(loaded, scanned=_scan_state(loaded.snapshot_seq, loaded.snapshot))


def _scan_state(seq: int, state: bytes) -> Scan:
    try:
        return scan(state)
    except MalformedUpdateError as error:
        raise LogDamagedError(f"snapshot {seq} can't be read: {error}") from error


def _read(document: Document, until: int | None, base: int | None = None) -> Loaded:
    """The document as it was after row `until`, or as it is now, from the newest snapshot (not after `base`)."""
    snapshots = DocumentSnapshot.objects.filter(document=document)
    if base is not None or until is not None:
        snapshots = snapshots.filter(seq__lte=until if base is None else base)
    stored = snapshots.order_by("-seq").first()
    snapshot_seq = stored.seq if stored else 0
    rows = since(document.id, snapshot_seq, until)
    snapshot, pending = _unpack(stored) if stored else (None, [])
    return Loaded(
        seq=rows[-1].seq if rows else snapshot_seq,
        epoch=document.epoch,
        schema_version=document.schema_version,
        snapshot_seq=snapshot_seq,
        snapshot=snapshot,
        pending=pending,
        rows=rows,
        bindings=bindings_of(document.id),
        scanned=_scan_in(stored.facts) if stored and stored.facts else None,
    )


def _facts(scanned: Scan) -> dict[str, Any]:
    """What has to be known of a state, which has no gaps, needs nothing and waits for nothing, to apply it."""
    return {
        "blocks": [list(span) for span in scanned.blocks],
        "halves": [list(place) for place in scanned.halves],
        "structs": scanned.structs,
    }


def _scan_in(facts: dict[str, Any]) -> Scan:
    # Not read again at every opening, which takes longer than all the rest: the state was read and opened before it was
    # stored, and zlib's checksum tells whether these are still its bytes.
    return Scan(
        blocks=[Span(*span) for span in facts["blocks"]],
        halves=[Place(*place) for place in facts["halves"]],
        structs=facts["structs"],
    )


def bindings_of(document_id: UUID) -> dict[int, int | None]:
    """Whom each client id belongs to (see `authors`)."""
    known = ClientBinding.objects.filter(document_id=document_id)
    return {
        client: author_from(*owner)
        for client, *owner in known.values_list("client_id", "user_id", "guest_id")
    }


def _unpack(stored: DocumentSnapshot) -> tuple[bytes, list[bytes]]:
    """The state and the pending updates of a snapshot."""
    try:
        state = zlib.decompress(bytes(stored.data))
        framed = zlib.decompress(bytes(stored.pending)) if stored.pending else b""
    except zlib.error as error:
        raise LogDamagedError(f"snapshot {stored.seq} can't be unpacked: {error}") from error
    pending = []
    while framed:
        end = 4 + int.from_bytes(framed[:4])
        pending.append(framed[4:end])
        framed = framed[end:]
    return state, pending


def _open_snapshot(seq: int, state: bytes, pending: Iterable[bytes], scanned: Scan | None = None) -> Replica:
    replica = Replica()
    try:
        replica.apply(state, scanned)
        for update in pending:
            replica.apply(update)
    except (NotApplicableError, MalformedUpdateError) as error:
        raise LogDamagedError(f"snapshot {seq} can't be applied: {error}") from error
    return replica


def replay(loaded: Loaded) -> tuple[Replica, dict[int, str]]:
    """The document in memory, and the rows that can't be applied with the reason. Raises LogDamagedError for a snapshot
    that can't be applied."""
    replica = Replica()
    if loaded.snapshot is not None:
        replica = _open_snapshot(loaded.snapshot_seq, loaded.snapshot, loaded.pending, loaded.scanned)
    failed: dict[int, str] = {}
    for row in loaded.rows:
        if row.set_aside:
            continue
        try:
            replica.apply(row.data)
        except (NotApplicableError, MalformedUpdateError) as error:
            failed[row.seq] = str(error)
    if replica.failed:
        failed |= {row.seq: replica.failed[row.data] for row in loaded.rows if row.data in replica.failed}
    return replica, failed


def set_aside(document_id: UUID, failed: dict[int, str]) -> None:
    """Mark rows that can't be applied; they stay in the log for somebody to look at, and the rest opens."""
    for seq, reason in failed.items():
        logger.error("document %s: row %d can't be applied and is set aside: %s", document_id, seq, reason)
        DocumentUpdate.objects.filter(document_id=document_id, seq=seq).update(
            set_aside=reason[:200] or "unknown"
        )


def compact(document_id: UUID) -> int | None:
    """Store a snapshot of the document as it is now; answers its seq, None if there was nothing new to store. Deletes
    no row (see `prune`). People may type meanwhile, and two processes may try at once."""
    loaded = load(document_id)
    if not loaded.rows:
        return None
    replica, failed = replay(loaded)
    set_aside(document_id, failed)
    snapshot = _snapshot_of(replica, loaded.seq)
    with transaction.atomic():
        document = Document.objects.select_for_update().get(id=document_id)
        if document.epoch != loaded.epoch or not _store(document, snapshot):
            return None
        after = DocumentUpdate.objects.filter(document=document, seq__gt=loaded.seq)
        document.size = snapshot.size + (after.aggregate(bytes=Sum(Length("data")))["bytes"] or 0)
        document.save(update_fields=["size"])
        _drop_middle_snapshots(document)
    return loaded.seq


def _snapshot_of(replica: Replica, seq: int) -> DocumentSnapshot:
    """A snapshot, not stored yet, that is proven to open as this replica."""
    state, pending = replica.state(), replica.pending
    scanned = _scan_state(seq, state)
    if not _open_snapshot(seq, state, pending, scanned).equals(replica):
        raise LogDamagedError("the snapshot does not open as the document it was made of")
    framed = b"".join(len(update).to_bytes(4) + update for update in pending)
    return DocumentSnapshot(
        seq=seq,
        data=zlib.compress(state),
        pending=zlib.compress(framed) if framed else b"",
        size=len(state) + len(framed),
        facts=_facts(scanned),
    )


def _store(document: Document, snapshot: DocumentSnapshot) -> bool:
    """Whether the snapshot was stored; False if another process was first. The document's row is locked."""
    if DocumentSnapshot.objects.filter(document=document, seq=snapshot.seq).exists():
        return False
    snapshot.document = document
    snapshot.save()
    return True


def _drop_middle_snapshots(document: Document) -> None:
    """Keep the newest snapshot and the oldest, which the rows that are left build upon."""
    seqs = list(
        DocumentSnapshot.objects.filter(document=document).order_by("seq").values_list("seq", flat=True)
    )
    DocumentSnapshot.objects.filter(document=document, seq__in=seqs[1:-1]).delete()


def prune(document_id: UUID, before: datetime) -> int:
    """Delete the rows written before a moment, in the transaction that stores the snapshot of exactly these rows;
    answers how many. A row that was set aside ends what can be deleted: somebody has to look at it first. Raises
    LogDamagedError if the rows do not follow on each other."""
    document = Document.objects.get(id=document_id)
    newest = DocumentSnapshot.objects.filter(document=document).order_by("-seq").first()
    if newest is None:
        return 0
    rows = DocumentUpdate.objects.filter(document=document)
    kept = (
        rows.exclude(created_at__lt=before, set_aside="")
        .order_by("seq")
        .values_list("seq", flat=True)
        .first()
    )
    through = min(newest.seq, kept - 1) if kept is not None else newest.seq
    if not rows.filter(seq__lte=through).exists():
        return 0
    # From the oldest snapshot, not the newest: each row is replayed once more before it goes.
    loaded = _read(document, until=through, base=_base_seq(document))
    if loaded.seq != through:
        raise LogDamagedError(f"row {through} is missing")
    replica, failed = replay(loaded)
    if failed:
        set_aside(document_id, failed)
        return 0
    snapshot = _snapshot_of(replica, through)
    with transaction.atomic():
        locked = Document.objects.select_for_update().get(id=document_id)
        if locked.epoch != document.epoch:
            return 0
        _store(locked, snapshot)
        deleted_rows, _ = rows.filter(seq__lte=through).delete()
        DocumentSnapshot.objects.filter(document=document, seq__lt=through).delete()
    return deleted_rows


def verify(document_id: UUID) -> list[str]:
    """Replay every row that is kept and compare with what is stored; answers what differs, in sentences."""
    document = Document.objects.get(id=document_id)
    try:
        base = _base_seq(document)
        replica, _ = replay(_read(document, until=base, base=base))
        problems = _replay_and_compare(document, replica, since(document_id, base))
        current = _load(document_id)
        opened, failed = replay(current)
    except LogDamagedError as error:
        return [str(error)]
    problems += [f"row {seq} can't be applied: {reason}" for seq, reason in failed.items()]
    if not problems and not replica.equals(opened):
        problems.append("the document opens differently from what its rows say")
    return problems


def _base_seq(document: Document) -> int:
    """What all kept rows build upon: the seq of the oldest snapshot that is needed, 0 if every row is kept."""
    first_row = (
        DocumentUpdate.objects.filter(document=document).order_by("seq").values_list("seq", flat=True).first()
    )
    return first_row - 1 if first_row else document.seq


def _replay_and_compare(document: Document, replica: Replica, rows: Sequence[Row]) -> list[str]:
    """Apply the rows one by one; what can't be applied, and snapshots that are not what the rows before them make."""
    stored = {snapshot.seq: snapshot for snapshot in DocumentSnapshot.objects.filter(document=document)}
    problems = []
    for row in rows:
        if not row.set_aside:
            try:
                replica.apply(row.data)
            except (NotApplicableError, MalformedUpdateError) as error:
                problems.append(f"row {row.seq} can't be applied: {error}")
        if (snapshot := stored.get(row.seq)) and not _open_snapshot(row.seq, *_unpack(snapshot)).equals(
            replica
        ):
            problems.append(f"snapshot {row.seq} differs from the rows before it")
    return problems
