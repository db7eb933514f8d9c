"""The log of a document: rows without gaps, refusals that store nothing, damage that is never taken for emptiness."""

import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.models import Model
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoDbBlocker

from collab.settings import read_database
from docs_app.accounts.models import User
from docs_app.documents import log, replica
from docs_app.documents.log import Committed, Entry, LogDamagedError, Rejected, Row
from docs_app.documents.models import ClientBinding, Document, DocumentSnapshot, DocumentUpdate
from docs_app.documents.replica import NotApplicableError, Replica
from docs_app.documents.updates import scan
from docs_app.workspaces.models import Workspace
from tests.collab.crafted import poison, typed, update

LETTERS = [typed(1, clock, letter) for clock, letter in enumerate("abcdef")]
POISON = poison()


def entry(document: Document, author: User, data: bytes = LETTERS[0], **changes: Any) -> Entry:
    return Entry(document.id, author.pk, data, changes.pop("epoch", document.epoch), **changes)


def write(document: Document, author: User, *updates: bytes) -> None:
    for data in updates:
        (outcome,) = log.append([entry(document, author, data)])
        assert isinstance(outcome, Committed)


def seqs(document: Document) -> list[int]:
    return list(
        DocumentUpdate.objects.filter(document=document).order_by("seq").values_list("seq", flat=True)
    )


def snapshots(document: Document) -> list[int]:
    return list(
        DocumentSnapshot.objects.filter(document=document).order_by("seq").values_list("seq", flat=True)
    )


def everything() -> list[list[Any]]:
    """All that the log could change."""
    models: list[type[Model]] = [Document, DocumentUpdate, DocumentSnapshot, ClientBinding]
    return [list(model._default_manager.order_by("pk").values()) for model in models]


def opened(document: Document) -> Replica:
    return log.replay(log.load(document.id))[0]


def age(document: Document, *only: int) -> None:
    """Make rows two days old."""
    DocumentUpdate.objects.filter(document=document, seq__in=only).update(
        created_at=timezone.now() - timedelta(days=2)
    )


def yesterday() -> Any:
    return timezone.now() - timedelta(days=1)


@pytest.fixture
def second(workspace: Workspace, alice: User) -> Document:
    return Document.objects.create(workspace=workspace, title="Second", created_by=alice)


# -- Appending -----------------------------------------------------------------------------------------------------


def test_rows_are_numbered_without_gaps(document: Document, alice: User, bob: User) -> None:
    first = log.append([entry(document, alice, LETTERS[0]), entry(document, bob, LETTERS[1])])
    then = log.append([entry(document, alice, LETTERS[2])])
    assert first + then == [Committed(1), Committed(2), Committed(3)]
    assert seqs(document) == [1, 2, 3]
    document.refresh_from_db()
    assert (document.seq, document.size) == (3, sum(map(len, LETTERS[:3])))
    authors = (
        DocumentUpdate.objects.filter(document=document).order_by("seq").values_list("author", flat=True)
    )
    assert list(authors) == [alice.pk, bob.pk, alice.pk]


def test_several_documents_are_stored_at_once(document: Document, second: Document, alice: User) -> None:
    outcomes = log.append([entry(document, alice), entry(second, alice), entry(document, alice, LETTERS[1])])
    assert outcomes == [Committed(1), Committed(1), Committed(2)]
    assert (seqs(document), seqs(second)) == ([1, 2], [1])


def test_nothing_to_append_is_no_error(document: Document) -> None:
    assert log.append([]) == []


def test_a_first_use_binds_the_client_to_its_author(document: Document, alice: User) -> None:
    log.append([entry(document, alice, clients=(1,)), entry(document, alice, LETTERS[1], clients=(1, 2))])
    log.append([Entry(document.id, None, typed(3, 0, "server"), 0, (3,))])
    assert log.load(document.id).bindings == {1: alice.pk, 2: alice.pk, 3: None}


def test_what_is_refused_stores_nothing_and_the_rest_is_stored(
    document: Document, second: Document, alice: User, bob: User
) -> None:
    log.append([entry(second, alice, clients=(1,))])
    trashed = Document.objects.create(
        workspace=document.workspace, title="Old", created_by=alice, trashed_at=timezone.now()
    )
    gone = Document(workspace=document.workspace, title="Never stored")
    outcomes = log.append(
        [
            entry(trashed, alice, clients=(5,)),
            entry(document, alice),
            entry(gone, alice),
            entry(document, alice, LETTERS[1], epoch=7),
            entry(second, bob, LETTERS[1], clients=(1, 6)),
            entry(document, bob, LETTERS[1]),
        ]
    )
    assert outcomes == [
        Rejected("trash"),
        Committed(1),
        Rejected("gone"),
        Rejected("epoch"),
        Rejected("not-yours"),
        Committed(2),
    ]
    assert (seqs(trashed), seqs(document), seqs(second)) == ([], [1, 2], [1])
    assert set(ClientBinding.objects.values_list("client_id", "user_id")) == {(1, alice.pk)}
    trashed.refresh_from_db()
    second.refresh_from_db()
    assert (trashed.seq, trashed.size, second.seq, second.size) == (0, 0, 1, len(LETTERS[0]))


@pytest.mark.parametrize("bound", [True, False], ids=["bound before", "first used here"])
@pytest.mark.parametrize("owner_first", [True, False])
def test_two_people_in_one_append_cannot_share_a_client(
    document: Document, alice: User, bob: User, bound: bool, owner_first: bool
) -> None:
    if bound:
        log.append([entry(document, alice, clients=(1,))])
    people = (alice, bob) if owner_first or not bound else (bob, alice)
    outcomes = log.append([entry(document, person, LETTERS[1], clients=(1,)) for person in people])
    refused = [
        person for person, outcome in zip(people, outcomes, strict=True) if outcome == Rejected("not-yours")
    ]
    assert refused == [bob]


@pytest.mark.django_db(transaction=True)
def test_an_edit_outlives_its_authors_account(document: Document, alice: User, charlie: User) -> None:
    """Somebody's account is deleted while their last edit waits: neither it nor what others wrote may be stuck."""
    ghost = charlie.pk
    charlie.delete()
    outcomes = log.append([Entry(document.id, ghost, LETTERS[0], 0), entry(document, alice, LETTERS[1])])
    assert isinstance(outcomes[1], Committed)


@pytest.mark.django_db(transaction=True)
def test_a_database_error_stores_nothing(document: Document, alice: User) -> None:
    before = everything()
    with pytest.raises(TypeError):
        log.append([entry(document, alice), entry(document, alice, object())])  # type: ignore[arg-type]
    assert everything() == before


# -- Reading -------------------------------------------------------------------------------------------------------


def test_rows_since_a_number(document: Document, alice: User) -> None:
    write(document, alice, *LETTERS[:4])
    assert log.since(document.id, 2) == [Row(3, LETTERS[2]), Row(4, LETTERS[3])]
    assert log.since(document.id, 1, until=2) == [Row(2, LETTERS[1])]
    assert log.since(document.id, 4) == []


def test_a_new_document_is_empty(document: Document) -> None:
    loaded = log.load(document.id)
    assert (loaded.seq, loaded.snapshot, loaded.rows, loaded.bindings) == (0, None, [], {})
    assert opened(document).clocks == {}


def test_opening_is_the_newest_snapshot_and_the_rows_after_it(document: Document, alice: User) -> None:
    write(document, alice, *LETTERS[:3])
    assert log.compact(document.id) == 3
    write(document, alice, *LETTERS[3:5])
    loaded = log.load(document.id)
    assert (loaded.seq, loaded.snapshot_seq) == (5, 3)
    assert loaded.rows == [Row(4, LETTERS[3]), Row(5, LETTERS[4])]
    assert opened(document).clocks == {1: 5}


def test_a_snapshot_is_not_read_again_to_open_it(
    document: Document, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes were read before they were stored, and what they said stands beside them."""
    write(document, alice, typed(1, 0, "a😀b"), typed(2, 0, "x"))
    log.compact(document.id)
    before = opened(document)

    def refuse(data: bytes) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(log, "scan", refuse)
    monkeypatch.setattr(replica, "scan", refuse)
    after = opened(document)
    monkeypatch.undo()
    assert after.clocks == before.clocks == {1: 4, 2: 1}
    with pytest.raises(NotApplicableError, match="half"):
        after.apply(update(deletes=[(1, [(2, 1)])]))


def test_a_snapshot_of_before_that_is_read(document: Document, alice: User) -> None:
    write(document, alice, typed(1, 0, "a😀b"))
    log.compact(document.id)
    DocumentSnapshot.objects.update(facts=None)
    assert opened(document).clocks == {1: 4}
    with pytest.raises(NotApplicableError, match="half"):
        opened(document).apply(update(deletes=[(1, [(2, 1)])]))
    assert log.verify(document.id) == []


def test_a_document_that_does_not_exist(document: Document) -> None:
    missing = document.id
    document.delete()
    with pytest.raises(Document.DoesNotExist):
        log.load(missing)


# -- Damage --------------------------------------------------------------------------------------------------------


def lose_first(document: Document) -> None:
    DocumentUpdate.objects.filter(document=document, seq=1).delete()


def lose_middle(document: Document) -> None:
    DocumentUpdate.objects.filter(document=document, seq=2).delete()


def lose_last(document: Document) -> None:
    DocumentUpdate.objects.filter(document=document, seq=3).delete()


def lose_all(document: Document) -> None:
    DocumentUpdate.objects.filter(document=document).delete()


def unreadable_snapshot(document: Document) -> None:
    DocumentSnapshot.objects.create(document=document, seq=3, data=b"no zlib", size=7)


def foreign_snapshot(document: Document) -> None:
    DocumentSnapshot.objects.create(document=document, seq=3, data=zlib.compress(b"no update"), size=9)


def halved_snapshot(document: Document) -> None:
    log.compact(document.id)
    stored = DocumentSnapshot.objects.get(document=document)
    stored.data = bytes(stored.data)[:-4]
    stored.save()


DAMAGES = [
    lose_first,
    lose_middle,
    lose_last,
    lose_all,
    unreadable_snapshot,
    foreign_snapshot,
    halved_snapshot,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_log_does_not_open_and_is_not_changed(
    document: Document, alice: User, damage: Callable[[Document], None]
) -> None:
    write(document, alice, *LETTERS[:3])
    damage(document)
    age(document, 1, 2, 3)
    before = everything()
    with pytest.raises(LogDamagedError):
        opened(document)
    with suppress(LogDamagedError):
        assert log.compact(document.id) is None
    assert log.verify(document.id) != []
    assert everything() == before


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_rows_below_which_one_is_missing_are_not_pruned(
    document: Document, alice: User, missing: int
) -> None:
    write(document, alice, *LETTERS[:6])
    log.compact(document.id)
    age(document, 1, 2, 3)
    DocumentUpdate.objects.filter(document=document, seq=missing).delete()
    before = everything()
    with pytest.raises(LogDamagedError):
        log.prune(document.id, yesterday())
    assert everything() == before


def test_a_sound_log_has_nothing_to_report(document: Document, alice: User) -> None:
    write(document, alice, *LETTERS[:3])
    log.compact(document.id)
    write(document, alice, LETTERS[3])
    assert log.verify(document.id) == []


# -- Rows that can't be applied ------------------------------------------------------------------------------------


def test_a_row_that_cannot_be_applied_is_set_aside_and_the_rest_opens(
    document: Document, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    write(document, alice, POISON.base, POISON.panics_on_apply, typed(1, 0, "after"))
    replica, failed = log.replay(log.load(document.id))
    assert list(failed) == [2]
    assert replica.clocks[1] == 5
    log.set_aside(document.id, failed)
    assert "row 2" in caplog.text
    assert [row.set_aside for row in log.since(document.id, 0)] == [False, True, False]
    again, failed = log.replay(log.load(document.id))
    assert failed == {}
    assert again.clocks == replica.clocks


def test_compaction_sets_aside_what_it_cannot_apply_and_prune_keeps_it(
    document: Document, alice: User
) -> None:
    write(document, alice, POISON.base, POISON.panics_on_apply, typed(1, 0, "after"))
    assert log.compact(document.id) == 3
    assert opened(document).clocks[1] == 5
    age(document, 1, 2, 3)
    assert log.prune(document.id, yesterday()) == 1
    assert seqs(document) == [2, 3]
    assert bytes(DocumentUpdate.objects.get(document=document, seq=2).data) == POISON.panics_on_apply


# -- Compaction ----------------------------------------------------------------------------------------------------


def test_compaction_deletes_nothing_and_does_nothing_twice(document: Document, alice: User) -> None:
    assert log.compact(document.id) is None
    write(document, alice, *LETTERS[:3])
    assert log.compact(document.id) == 3
    assert (seqs(document), snapshots(document)) == ([1, 2, 3], [3])
    before = everything()
    assert log.compact(document.id) is None
    assert everything() == before


def test_a_snapshot_keeps_what_waits_for_its_past(document: Document, alice: User) -> None:
    deletion = update(deletes=[(1, [(2, 1)])])
    write(document, alice, LETTERS[0], LETTERS[3], LETTERS[4], deletion)
    log.compact(document.id)
    write(document, alice, LETTERS[1], LETTERS[2])
    assert log.load(document.id).snapshot_seq == 4
    replica = opened(document)
    assert (replica.clocks, replica.pending) == ({1: 5}, [])
    assert replica.brings_nothing(scan(deletion))
    assert log.compact(document.id) == 6
    assert opened(document).clocks == {1: 5}


def test_the_newest_snapshot_and_the_oldest_are_kept(document: Document, alice: User) -> None:
    for letter in LETTERS[:4]:
        write(document, alice, letter)
        log.compact(document.id)
    assert snapshots(document) == [1, 4]


def test_the_size_is_that_of_the_snapshot_and_the_rows_after_it(document: Document, alice: User) -> None:
    write(document, alice, *LETTERS[:3])
    log.compact(document.id)
    document.refresh_from_db()
    stored = DocumentSnapshot.objects.get(document=document)
    assert document.size == stored.size == len(zlib.decompress(bytes(stored.data)))
    write(document, alice, LETTERS[3])
    document.refresh_from_db()
    assert document.size == stored.size + len(LETTERS[3])


def test_a_new_epoch_during_compaction_stores_no_snapshot(
    document: Document, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(document, alice, *LETTERS[:2])
    fold = log._snapshot_of

    def meanwhile(*arguments: Any) -> DocumentSnapshot:
        Document.objects.filter(id=document.id).update(epoch=1)
        return fold(*arguments)

    monkeypatch.setattr(log, "_snapshot_of", meanwhile)
    assert log.compact(document.id) is None
    assert snapshots(document) == []


def test_an_edit_during_compaction_survives(
    document: Document, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(document, alice, *LETTERS[:2])
    fold = log._snapshot_of

    def meanwhile(*arguments: Any) -> DocumentSnapshot:
        write(document, alice, LETTERS[2])
        return fold(*arguments)

    monkeypatch.setattr(log, "_snapshot_of", meanwhile)
    assert log.compact(document.id) == 2
    monkeypatch.undo()
    age(document, 1, 2, 3)
    log.prune(document.id, yesterday())
    assert (seqs(document), snapshots(document)) == ([3], [2])
    assert opened(document).clocks == {1: 3}


def test_a_snapshot_that_would_lose_something_is_not_stored(
    document: Document, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(document, alice, *LETTERS[:3])
    monkeypatch.setattr(Replica, "state", lambda self, vector=b"": LETTERS[0])
    with pytest.raises(LogDamagedError):
        log.compact(document.id)
    assert snapshots(document) == []


# -- Pruning -------------------------------------------------------------------------------------------------------


def test_nothing_is_pruned_without_a_snapshot(document: Document, alice: User) -> None:
    write(document, alice, *LETTERS[:3])
    age(document, 1, 2, 3)
    assert log.prune(document.id, yesterday()) == 0
    assert seqs(document) == [1, 2, 3]


def test_prune_deletes_the_old_rows_and_keeps_a_snapshot_of_exactly_these(
    document: Document, alice: User
) -> None:
    write(document, alice, *LETTERS[:5])
    log.compact(document.id)
    age(document, 1, 2)
    assert log.prune(document.id, yesterday()) == 2
    assert (seqs(document), snapshots(document)) == ([3, 4, 5], [2, 5])
    base = DocumentSnapshot.objects.get(document=document, seq=2)
    assert Replica([zlib.decompress(bytes(base.data))]).clocks == {1: 2}
    assert opened(document).clocks == {1: 5}
    assert log.verify(document.id) == []
    assert log.prune(document.id, yesterday()) == 0


def test_prune_does_not_go_beyond_the_newest_snapshot(document: Document, alice: User) -> None:
    write(document, alice, *LETTERS[:2])
    log.compact(document.id)
    write(document, alice, *LETTERS[2:4])
    age(document, 1, 2, 3, 4)
    assert log.prune(document.id, yesterday()) == 2
    assert (seqs(document), snapshots(document)) == ([3, 4], [2])
    assert opened(document).clocks == {1: 4}


def test_prune_ends_at_the_first_row_that_is_young(document: Document, alice: User) -> None:
    """Clocks go back sometimes: a young row may stand before an old one."""
    write(document, alice, *LETTERS[:5])
    log.compact(document.id)
    age(document, 1, 3, 4)
    assert log.prune(document.id, yesterday()) == 1
    assert seqs(document) == [2, 3, 4, 5]


def test_a_row_that_turns_out_unreadable_is_not_pruned(document: Document, alice: User) -> None:
    """It could be applied when the snapshot was made, and can't any more: somebody has to look at it."""
    write(document, alice, POISON.base, POISON.panics_on_apply, typed(1, 0, "after"))
    log.compact(document.id)
    DocumentUpdate.objects.filter(document=document).update(set_aside="")
    age(document, 1, 2, 3)
    log.prune(document.id, yesterday())
    assert 2 in seqs(document)


# -- Many at once --------------------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgresql"])
def real_database(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """A database in a file, or in PostgreSQL, with our own settings: the tests' usual one is in memory."""
    if request.param == "postgresql":
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("new_database")("template1"))
    else:
        monkeypatch.delenv("DATABASE_URL", raising=False)
    database = {**connections.databases["default"], "OPTIONS": {}, **read_database(tmp_path)}
    monkeypatch.setitem(connections.databases, "default", database)
    with django_db_blocker.unblock():
        kept = connections["default"]
        del connections["default"]
        try:
            call_command("migrate", verbosity=0, interactive=False)
            yield
        finally:
            connections["default"].close()
            connections["default"] = kept


@pytest.fixture
def shared(real_database: None) -> tuple[Document, User]:
    owner = User.objects.create_user("alice@example.org", name="Alice Amsel")
    workspace = Workspace.objects.create(name="Aviary")
    return Document.objects.create(workspace=workspace, title="Field notes", created_by=owner), owner


def at_once(work: Callable[[int], Any], people: int) -> list[Any]:
    """Run `work` for everybody in threads that begin together; raises what any of them raised."""
    together = threading.Barrier(people)

    def begin(number: int) -> Any:
        together.wait()
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(people) as pool:
        return list(pool.map(begin, range(people)))


def test_eight_writers_to_one_document(shared: tuple[Document, User]) -> None:
    document, owner = shared

    def write_sixty(number: int) -> list[int]:
        taken = []
        for clock in range(60):
            (outcome,) = log.append(
                [entry(document, owner, typed(number + 1, clock, "x"), clients=(number + 1,))]
            )
            assert isinstance(outcome, Committed)
            taken.append(outcome.seq)
        return taken

    taken = at_once(write_sixty, 8)
    assert sorted(chain.from_iterable(taken)) == list(range(1, 481)) == seqs(document)
    assert all(one == sorted(one) for one in taken)
    assert opened(document).clocks == dict.fromkeys(range(1, 9), 60)


def test_two_compactions_at_once_while_somebody_types(shared: tuple[Document, User]) -> None:
    document, owner = shared
    write(document, owner, *(typed(1, clock, "x") for clock in range(40)))

    def work(number: int) -> None:
        for clock in range(40, 60):
            if number:
                log.compact(document.id)
            else:
                write(document, owner, typed(1, clock, "x"))

    at_once(work, 3)
    assert seqs(document) == list(range(1, 61))
    assert len(snapshots(document)) <= 2
    assert opened(document).clocks == {1: 60}
    assert log.verify(document.id) == []


def test_pruning_while_others_open_and_compact(shared: tuple[Document, User]) -> None:
    document, owner = shared
    write(document, owner, *(typed(1, clock, "x") for clock in range(40)))
    log.compact(document.id)

    def work(number: int) -> None:
        for step in range(8):
            if number == 0:
                age(document, *range(1, 5 * step))
                log.prune(document.id, yesterday())
            elif number == 1:
                write(document, owner, typed(1, 40 + step, "x"))
                log.compact(document.id)
            else:
                assert opened(document).clocks[1] >= 40

    at_once(work, 4)
    assert opened(document).clocks == {1: 48}
    assert log.verify(document.id) == []


# -- On both databases ---------------------------------------------------------------------------------------------


def test_rows_come_back_as_they_were_written(shared: tuple[Document, User]) -> None:
    """Ids, moments and bytes are other things to each database."""
    document, owner = shared
    data = bytes(range(256))
    before = timezone.now()
    outcomes = log.append(
        [
            entry(document, owner, data, clients=(1, 2**53 - 1)),
            Entry(document.id, None, b"", 0, (3,)),
        ]
    )
    assert outcomes == [Committed(1), Committed(2)]
    rows = DocumentUpdate.objects.filter(document=document).order_by("seq")
    assert [(bytes(row.data), row.author, row.set_aside) for row in rows] == [
        (data, owner, ""),
        (b"", None, ""),
    ]
    assert log.load(document.id).bindings == {1: owner.pk, 2**53 - 1: owner.pk, 3: None}
    document.refresh_from_db()
    assert (document.seq, document.size) == (2, 256)
    stamps = {document.updated_at, *(row.created_at for row in rows)}
    stamps.update(binding.created_at for binding in ClientBinding.objects.all())
    assert len(stamps) == 1
    assert before <= stamps.pop() <= timezone.now()


def test_many_rows_take_no_more_statements_than_one(
    shared: tuple[Document, User], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    document, owner = shared
    others = Document.objects.bulk_create(
        Document(workspace=document.workspace, title=f"{n}", created_by=owner) for n in range(50)
    )
    # Begin, read and lock the documents, read owners, write rows, bindings and documents, commit.
    with django_assert_num_queries(7):
        log.append([entry(one, owner, clients=(1,)) for one in others])


def test_an_account_that_is_deleted_while_its_edit_waits(shared: tuple[Document, User]) -> None:
    document, owner = shared
    charlie = User.objects.create_user("charlie@example.org", name="Charlie")
    ghost = charlie.pk
    charlie.delete()
    outcomes = log.append(
        [Entry(document.id, ghost, LETTERS[0], 0, (1,)), entry(document, owner, LETTERS[1])]
    )
    assert outcomes == [Committed(1), Committed(2)]
    assert list(DocumentUpdate.objects.values_list("author_id", flat=True).order_by("seq")) == [
        None,
        owner.pk,
    ]
    assert log.load(document.id).bindings == {}
