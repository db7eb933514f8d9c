"""A document in memory: what yrs refuses changes nothing, what has to wait is kept, and its clocks are right."""

import subprocess
import sys
from itertools import pairwise
from random import Random
from typing import Any

import pycrdt
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from docs_app.documents import replica as replica_module
from docs_app.documents.deletes import Deletes, contains, deleted, has_edge_at
from docs_app.documents.replica import EMPTY_UPDATE, NotApplicableError, Replica, join, merge
from docs_app.documents.updates import MalformedUpdateError, Place, Scan, Span, read_state_vector, scan
from tests.collab.crafted import gc, number, poison, skip, text, typed, update
from tests.collab.writing import sessions, write_together

# A session is drawn as a seed, which can't be made smaller.
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
LETTERS = [typed(1, clock, letter) for clock, letter in enumerate("abcde")]
POISON = poison()


def written(replica: Replica) -> str:
    """The text `t` of a document that somebody opens from the replica's state."""
    doc: pycrdt.Doc[Any] = pycrdt.Doc()
    doc.apply_update(replica.state())
    return str(doc.get("t", type=pycrdt.Text))


def clocks_of(replica: Replica) -> dict[int, int]:
    """What yrs itself has integrated."""
    return read_state_vector(replica.state_vector())


# -- What is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hostile", [POISON.panics_on_apply, merge([POISON.base, POISON.panics_when_merged])])
def test_an_update_that_makes_yrs_panic_is_refused_before_yrs_sees_it(hostile: bytes) -> None:
    replica = Replica([POISON.base])
    before, clocks = replica.state(), dict(replica.clocks)
    with pytest.raises(MalformedUpdateError):
        replica.apply(hostile)
    assert replica.state() == before
    assert replica.clocks == clocks == clocks_of(replica)


@pytest.mark.parametrize("hostile", [POISON.panics_on_apply, merge([POISON.base, POISON.panics_when_merged])])
def test_a_panic_is_survived_even_if_the_scan_let_it_through(hostile: bytes) -> None:
    replica = Replica([POISON.base])
    before, clocks = replica.state(), dict(replica.clocks)
    with pytest.raises(NotApplicableError, match="PanicException"):
        replica.apply(hostile, Scan())
    assert deleted(replica.state()) == deleted(before)
    assert replica.clocks == clocks == clocks_of(replica)
    replica.apply(typed(1, 0, "on we go"))
    assert replica.clocks == clocks | {1: 8} == clocks_of(replica)


def test_what_waits_survives_a_panic() -> None:
    replica = Replica([POISON.base, LETTERS[0], LETTERS[2]])
    with pytest.raises(NotApplicableError, match="PanicException"):
        replica.apply(POISON.panics_on_apply, Scan())
    assert replica.pending == [LETTERS[2]]
    replica.apply(LETTERS[1])
    assert (replica.clocks[1], replica.pending) == (3, [])


def test_bytes_that_are_no_update_are_refused_before_yrs_sees_them() -> None:
    replica = Replica()
    with pytest.raises(MalformedUpdateError):
        replica.apply(b"\x00\x00\xff")
    with pytest.raises(MalformedUpdateError):
        Replica([bytes.fromhex("ffffffff0f")])
    assert replica.clocks == {}


def test_json_that_yrs_cannot_read_is_refused_and_changes_nothing() -> None:
    broken = update((1, 0, [bytes((5,)) + b"\x01\x01t\x01{"]))
    replica = Replica([typed(2, 0, "kept")])
    with pytest.raises(MalformedUpdateError):
        replica.apply(broken)
    assert (replica.clocks, written(replica)) == ({2: 4}, "kept")


def test_what_to_fall_back_to_is_the_state_that_somebody_asked_for() -> None:
    replica = Replica([typed(1, 0, "a")])
    state = replica.state()
    assert replica._fallback is state
    replica.apply(typed(1, 1, "b"))
    with pytest.raises(NotApplicableError):
        replica.apply(update((2, 0, [text("smuggled")]), (1, 2, [text("x"), text("y", parent=(1, 0))])))
    assert (written(replica), replica.clocks) == ("ab", {1: 2})
    replica.apply(typed(1, 2, "c"))
    assert written(replica) == "abc"


def test_an_update_that_fails_half_way_leaves_nothing_behind() -> None:
    """The first client's text is fine; the second one's struct has a text's character for a parent."""
    half = update((2, 0, [text("smuggled")]), (1, 0, [text("a"), text("x", parent=(1, 0))]))
    replica = Replica([typed(3, 0, "kept")])
    with pytest.raises(NotApplicableError):
        replica.apply(half)
    assert clocks_of(replica) == replica.clocks == {3: 4}
    assert written(replica) == "kept"


# Each is an item that a gc of the same client overlaps in part while one of them waits: yrs joins what waits, and reads
# memory that is not there. What waits must be kept out of yrs until its past is complete.
CRASHES = {
    "a gc inside an item that waits": ["01010100a101010300", "01010101000200"],
    "an item around a gc that waits": ["01010201000100", "02010102000201020084010304f09f988000"],
    "an item behind a gap, around a gc that waits": ["01010103000200", "010201000a0284010304f09f988000"],
    "both wait for a third": ["010103028101020200", "020101020001010303000100"],
    "a gap in the middle": ["01010101000100", "0201010084020204f09f98800202000a01000200"],
}


@pytest.mark.parametrize("name", CRASHES)
def test_updates_that_end_the_process_inside_yrs_do_not_reach_it(name: str) -> None:
    """Accepted or refused, but the process must live: a segmentation fault takes every document down with it."""
    program = (
        "import sys\n"
        "from docs_app.documents.replica import NotApplicableError, Replica\n"
        "from docs_app.documents.updates import MalformedUpdateError\n"
        "replica = Replica()\n"
        "for update in sys.argv[1:]:\n"
        "    try:\n"
        "        replica.apply(bytes.fromhex(update))\n"
        "    except (MalformedUpdateError, NotApplicableError):\n"
        "        continue\n"
        "replica.state()\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, *CRASHES[name]], capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr.decode()[-500:]


# -- What waits ----------------------------------------------------------------------------------------------------


def test_updates_in_the_wrong_order_wait_for_their_past() -> None:
    replica = Replica([LETTERS[0], LETTERS[3], LETTERS[4]])
    assert (replica.clocks, replica.pending) == ({1: 1}, [LETTERS[3], LETTERS[4]])
    assert written(replica) == "a"
    # A snapshot made meanwhile keeps them.
    copy = Replica([replica.state(), *replica.pending])
    for later in LETTERS[1:3]:
        copy.apply(later)
    assert (copy.clocks, copy.pending) == ({1: 5}, [])
    assert written(copy) == "abcde"


def test_a_deletion_waits_for_what_it_deletes() -> None:
    deletion = update(deletes=[(1, [(1, 2)])])
    replica = Replica([LETTERS[0], deletion])
    assert replica.pending == [deletion]
    copy = Replica([replica.state(), *replica.pending])
    for later in LETTERS[1:]:
        copy.apply(later)
    assert copy.pending == []
    assert written(copy) == "ade"


def test_an_update_waits_for_another_client() -> None:
    answer = update((2, 0, [text("!", origin=(1, 1))]))
    replica = Replica([LETTERS[0], answer])
    assert (replica.clocks, replica.pending) == ({1: 1}, [answer])
    copy = Replica([replica.state(), *replica.pending])
    copy.apply(LETTERS[1])
    assert (copy.clocks, copy.pending) == ({1: 2, 2: 1}, [])
    assert written(copy) == "ab!"


def test_an_update_with_a_gap_waits_until_the_gap_is_filled() -> None:
    gapped = update((1, 0, [text("a"), skip(2), text("d", origin=(1, 2))]))
    replica = Replica([gapped])
    assert (replica.clocks, replica.pending) == ({}, [gapped])
    replica.apply(typed(1, 0, "abc"))
    assert (replica.clocks, replica.pending) == ({1: 4}, [])
    assert written(replica) == "abcd"


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica_module, "MAX_PENDING", 2)
    replica = Replica([LETTERS[1], LETTERS[2]])
    with pytest.raises(NotApplicableError):
        replica.apply(LETTERS[3])
    assert replica.pending == [LETTERS[1], LETTERS[2]]
    replica.apply(LETTERS[0])
    assert (replica.clocks, replica.pending) == ({1: 3}, [])


def test_the_bytes_of_what_waits_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica_module, "MAX_PENDING_BYTES", len(LETTERS[1]) + len(LETTERS[2]))
    replica = Replica([LETTERS[1], LETTERS[2]])
    with pytest.raises(NotApplicableError):
        replica.apply(LETTERS[3])
    assert replica.pending == [LETTERS[1], LETTERS[2]]
    # What has waited and goes in makes room again.
    replica.apply(LETTERS[0])
    late = [typed(2, 1, "a"), typed(2, 2, "b")]
    for each in late:
        replica.apply(each)
    assert (replica.clocks, replica.pending) == ({1: 3}, late)


@settings(max_examples=60, deadline=None, phases=WITHOUT_SHRINKING)
@given(sessions, st.randoms(use_true_random=False))
def test_in_whatever_order_updates_arrive_the_clocks_are_those_of_yrs(
    sent: list[bytes], random: Random
) -> None:
    random.shuffle(sent)
    replica = Replica()
    for each in sent:
        replica.apply(each)
        known = {client: clock for client, clock in replica.clocks.items() if clock}
        assert known == {client: clock for client, clock in clocks_of(replica).items() if clock}
    assert replica.pending == []
    assert replica.brings_nothing(scan(replica.state()))
    assert Replica([replica.state()]).clocks == replica.clocks


@settings(max_examples=25, deadline=None, phases=WITHOUT_SHRINKING)
@given(sessions, st.randoms(use_true_random=False))
def test_a_snapshot_at_any_moment_loses_nothing(sent: list[bytes], random: Random) -> None:
    whole = Replica(sent)
    random.shuffle(sent)
    replica = Replica()
    for each in sent:
        replica.apply(each)
        if random.random() < 0.2:
            replica = Replica([replica.state(), *replica.pending])
    assert replica.clocks == whole.clocks
    assert deleted(replica.state()) == deleted(whole.state())
    assert written(replica) == written(whole)


def test_structs_that_wait_for_each_other_do_not_count_as_applied() -> None:
    circle = update((1, 0, [text("a", origin=(2, 0))]), (2, 0, [text("b", origin=(1, 0))]))
    replica = Replica()
    try:
        replica.apply(circle)
    except (MalformedUpdateError, NotApplicableError):
        assert replica.pending == []
    assert replica.clocks == clocks_of(replica)


# -- What is known -------------------------------------------------------------------------------------------------


def test_the_same_update_again_brings_nothing() -> None:
    replica = Replica(LETTERS)
    assert replica.brings_nothing(scan(LETTERS[2]))
    assert replica.brings_nothing(scan(EMPTY_UPDATE))
    assert not replica.brings_nothing(scan(typed(1, 5, "f")))
    assert not replica.brings_nothing(scan(typed(2, 0, "f")))


def test_what_waits_is_not_known_yet() -> None:
    replica = Replica([LETTERS[0], LETTERS[2]])
    assert not replica.brings_nothing(scan(LETTERS[2]))


def test_a_deletion_brings_something_once() -> None:
    deletion = update(deletes=[(1, [(1, 2)])])
    replica = Replica(LETTERS)
    assert not replica.brings_nothing(scan(deletion))
    replica.apply(deletion)
    assert replica.brings_nothing(scan(deletion))
    assert replica.brings_nothing(scan(replica.state()))
    assert not replica.brings_nothing(scan(update(deletes=[(1, [(1, 3)])])))
    assert not replica.brings_nothing(scan(update(deletes=[(9, [(0, 1)])])))


# -- States --------------------------------------------------------------------------------------------------------


def test_a_state_is_encoded_once_between_two_edits() -> None:
    replica = Replica(LETTERS[:2])
    first = replica.state()
    assert replica.state() is first
    replica.apply(LETTERS[2])
    assert replica.state() != first
    assert written(replica) == "abc"


def test_a_state_brings_what_the_other_lacks() -> None:
    replica = Replica(LETTERS)
    assert scan(replica.state(b"\x01\x01\x03")).blocks == [Span(1, 3, 5)]
    assert replica.state(replica.state_vector()) == EMPTY_UPDATE


@pytest.mark.parametrize("vector", [b"", b"\x01", b"\x01\x01", bytes.fromhex("ffffffff0f"), b"\x00\x00"])
def test_a_state_for_no_state_vector_is_refused(vector: bytes) -> None:
    with pytest.raises(MalformedUpdateError):
        Replica(LETTERS).state(vector)


def test_states_for_many_different_readers_do_not_pile_up() -> None:
    """Readers choose their state vectors: what is kept for them must not be a multiple of a large document."""
    replica = Replica([typed(1, 0, "x" * 100_000)])
    for stranger in range(2, 60):
        replica.state(b"\x01" + number(stranger) + b"\x01")
    assert sum(map(len, replica._states.values())) < 10 * 100_000


# -- Merging -------------------------------------------------------------------------------------------------------


def test_merging_nothing_is_the_empty_update() -> None:
    assert merge([]) == EMPTY_UPDATE
    assert merge([LETTERS[0]]) == LETTERS[0]


def joined(*updates: bytes) -> list[bytes]:
    return join((each, scan(each)) for each in updates)


def test_what_follows_on_each_other_is_joined() -> None:
    (one,) = joined(*LETTERS[:5])
    assert scan(one).blocks == [Span(1, 0, 5)]
    (both,) = joined(LETTERS[0], typed(2, 0, "x"), LETTERS[1], typed(2, 1, "y"))
    assert sorted(scan(both).blocks) == [Span(1, 0, 2), Span(2, 0, 2)]


def test_what_leaves_a_gap_or_overlaps_stays_by_itself() -> None:
    assert joined(LETTERS[0], LETTERS[3], LETTERS[4]) == [LETTERS[0], merge(LETTERS[3:5])]
    assert joined(LETTERS[0], LETTERS[0]) == [LETTERS[0], LETTERS[0]]
    gapped = update((1, 0, [text("a"), skip(2), text("d", origin=(1, 2))]))
    assert joined(gapped, LETTERS[4]) == [gapped, LETTERS[4]]


def test_merging_many_takes_them_in_batches() -> None:
    many = [typed(1, clock, "x") for clock in range(1000)]
    assert written(Replica([merge(many)])) == "x" * 1000


def test_merging_what_cannot_be_merged_says_so() -> None:
    with pytest.raises(NotApplicableError):
        merge([LETTERS[0], b"\x01\x01"])


@settings(max_examples=40, deadline=None, phases=WITHOUT_SHRINKING)
@given(st.integers(0, 2**32))
def test_merged_updates_can_be_read_again(seed: int) -> None:
    random = Random(seed)
    sent = write_together(random)
    cuts = sorted(random.sample(range(len(sent) + 1), min(3, len(sent) + 1)))
    parts = [sent[start:end] for start, end in pairwise([0, *cuts, len(sent)])]
    random.shuffle(parts)
    merged = [merge(part) for part in parts]
    assert Replica(merged).clocks == Replica(sent).clocks
    assert deleted(merge(merged)) == deleted(merge(sent))


# -- Delete sets ---------------------------------------------------------------------------------------------------

drawn_spans = st.dictionaries(
    st.integers(1, 3), st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8)), max_size=12)
)
Drawn = dict[int, list[tuple[int, int]]]


def deletes_of(drawn: Drawn) -> Deletes:
    return deleted(update(deletes=list(drawn.items())))


def numbers_in(drawn: Drawn) -> set[tuple[int, int]]:
    return {
        (client, clock)
        for client, spans in drawn.items()
        for start, length in spans
        for clock in range(start, start + length)
    }


@settings(max_examples=300, deadline=None)
@given(drawn_spans, drawn_spans)
def test_a_delete_set_is_a_set_of_clocks(one: Drawn, other: Drawn) -> None:
    assert contains(deletes_of(other), deletes_of(one)) == (numbers_in(one) <= numbers_in(other))
    assert (deletes_of(one) == deletes_of(other)) == (numbers_in(one) == numbers_in(other))


@settings(max_examples=100, deadline=None)
@given(drawn_spans)
def test_spans_are_joined_and_sorted(drawn: Drawn) -> None:
    for joined in deletes_of(drawn).values():
        assert all(left[1] < right[0] for left, right in pairwise(joined))


@settings(max_examples=300, deadline=None)
@given(drawn_spans, st.sets(st.builds(Place, st.integers(1, 3), st.integers(0, 40)), max_size=20))
def test_the_edges_of_what_is_deleted(drawn: Drawn, places: set[Place]) -> None:
    edges = {
        (client, clock) for client, spans in deletes_of(drawn).items() for span in spans for clock in span
    }
    assert has_edge_at(deletes_of(drawn), places) == bool(edges & places)


def test_what_an_update_deletes() -> None:
    assert deleted(update(deletes=[(1, [(3, 2), (0, 3)])])) == {1: [(0, 5)]}
    assert deleted(update((1, 0, [gc(2), skip(2), gc(1)]))) == {}


# -- What yrs and browsers see differently -------------------------------------------------------------------------


@pytest.mark.parametrize("half", [1, 2], ids=["first half", "second half"])
def test_deleting_half_of_a_surrogate_pair_loses_nothing_else(half: int) -> None:
    """Browsers count an emoji as two and may delete one of them. yrs can't cut it: what it encodes afterwards has other
    clocks or an empty text, lacks the "b", and never opens again as a snapshot."""
    replica = Replica([typed(1, 0, "a😀b")])
    try:
        replica.apply(update(deletes=[(1, [(half, 1)])]))
    except NotApplicableError:
        assert written(replica) == "a😀b"
    assert "b" in written(replica)
    assert Replica([replica.state()]).equals(replica)


@pytest.mark.parametrize("json", ["{", "", "nul", "NaN", "undefined", '"\x01"', "[1,]"])
def test_what_waits_can_be_read_by_browsers(json: str) -> None:
    """It is sent on before yrs has looked at it; a browser would throw at each attempt to open the document."""
    embed = bytes((5,)) + b"\x01\x01t" + number(len(json)) + json.encode()
    format_ = bytes((6,)) + b"\x01\x01t\x01k" + number(len(json)) + json.encode()
    replica = Replica()
    for struct in (embed, format_):
        with pytest.raises((MalformedUpdateError, NotApplicableError)):
            replica.apply(update((1, 5, [struct])))
    assert replica.pending == []
