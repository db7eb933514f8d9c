"""Reading an update without trusting it: `scan` says what it brings, and refuses what is no update."""

from contextlib import suppress
from random import Random
from typing import Any

import pycrdt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docs_app.documents import updates
from docs_app.documents.updates import (
    MAX_CLIENT,
    MAX_CLOCK,
    MAX_DEPTH,
    MalformedUpdateError,
    Scan,
    Span,
    read_state_vector,
    scan,
)
from tests.collab.crafted import (
    ANY,
    BINARY,
    DELETED,
    DOC,
    ELEMENT,
    EMBED,
    FORMAT,
    FRAGMENT,
    HOOK,
    JSON,
    MAP,
    MOVE,
    STRING,
    TYPE,
    XML_TEXT,
    gc,
    item,
    number,
    poison,
    skip,
    string,
    text,
    typed,
    update,
    values,
)
from tests.collab.writing import sessions, write_together

UNDEFINED, NULL, INTEGER, FLOAT32, FLOAT64, BIG, FALSE, TRUE, WORD, OBJECT, LIST, BYTES = range(127, 115, -1)


def one(*structs: bytes, clock: int = 0) -> bytes:
    return update((1, clock, structs))


def nested(depth: int, container: int = LIST) -> bytes:
    """`depth` lists (or objects) in each other, around nothing."""
    step = b"\x01" if container == LIST else b"\x01" + string("k")
    return (bytes((container,)) + step) * depth + bytes((NULL,))


# -- What an update says -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("update_hex", "expected"),
    [
        ("0000", Scan()),
        ("0101010004010174016100", Scan(blocks=[Span(1, 0, 1)])),
        ("01010101840100016200", Scan(blocks=[Span(1, 1, 2)])),
        ("010101000401017402616200", Scan(blocks=[Span(1, 0, 2)])),
        # The update of "a" and that of "d", with a gap between them.
        ("010301000401017401610a02840102016400", Scan(blocks=[Span(1, 0, 1), Span(1, 3, 4)], apart=True)),
        ("000101010002", Scan(deletes={1: [(0, 2)]})),
    ],
)
def test_the_byte_vectors_of_yjs(update_hex: str, expected: Scan) -> None:
    assert scan(bytes.fromhex(update_hex)) == expected


@pytest.mark.parametrize(
    ("written", "length"),
    [("a", 1), ("é", 1), ("日本", 2), ("😀", 2), ("a😀b", 4), ("\ufeffa", 2), ("x" * 300, 300)],
)
def test_text_counts_in_utf_16_code_units(written: str, length: int) -> None:
    assert scan(one(text(written))).blocks == [Span(1, 0, length)]


@pytest.mark.parametrize(
    ("struct", "length"),
    [
        (gc(7), 7),
        (item(DELETED, number(5)), 5),
        (item(BINARY, string(b"\x00\xff")), 1),
        (item(EMBED, string('{"type":"image"}')), 1),
        (item(FORMAT, string("bold") + string("true")), 1),
        (item(TYPE, number(MAP)), 1),
        (item(TYPE, number(ELEMENT) + string("paragraph")), 1),
        (item(TYPE, number(FRAGMENT)), 1),
        (item(TYPE, number(XML_TEXT)), 1),
        (item(TYPE, number(MAP), key="key"), 1),
        (values(bytes((UNDEFINED,)), bytes((NULL,)), bytes((TRUE,)), bytes((FALSE,))), 4),
        (values(bytes((INTEGER, 0x05)), bytes((INTEGER, 0xBF, 0x7F))), 2),
        (values(bytes((FLOAT32, *range(4))), bytes((FLOAT64, *range(8))), bytes((BIG, *range(8)))), 3),
        (values(bytes((WORD,)) + string("é😀"), bytes((BYTES,)) + string(b"\xff\xfe")), 2),
        (values(bytes((OBJECT, 0)), bytes((LIST, 0)), nested(3), nested(3, OBJECT)), 4),
    ],
)
def test_every_kind_of_content_has_its_length(struct: bytes, length: int) -> None:
    assert scan(one(struct)) == Scan(blocks=[Span(1, 0, length)])
    # Yjs' port in Rust counts the same.
    assert read_state_vector(pycrdt.get_state(one(struct))) == {1: length}


def test_a_skip_is_a_gap() -> None:
    assert scan(one(text("ab"), skip(3), gc(2))).blocks == [Span(1, 0, 2), Span(1, 5, 7)]
    assert scan(one(skip(3), gc(2))).blocks == [Span(1, 3, 5)]
    assert scan(one(text("ab"), skip(3))).blocks == [Span(1, 0, 2)]


def test_needs_are_the_neighbours_and_parents_of_its_items() -> None:
    built = one(
        text("a", origin=(7, 3), right=(8, 0)),
        text("b", parent=(9, 4)),
        text("c", origin=(7, 1)),
    )
    assert scan(built).needs == {7: 4, 8: 1, 9: 5}


def test_several_clients_and_deletions() -> None:
    built = update((1, 0, [text("ab")]), (2, 5, [gc(1)]), deletes=[(1, [(0, 1), (3, 2)]), (9, [(0, 4)])])
    assert scan(built) == Scan(
        blocks=[Span(1, 0, 2), Span(2, 5, 6)], deletes={1: [(0, 1), (3, 5)], 9: [(0, 4)]}
    )


def test_the_largest_numbers_that_are_accepted() -> None:
    assert scan(update((MAX_CLIENT, 0, [gc(MAX_CLOCK)]))).blocks == [Span(MAX_CLIENT, 0, MAX_CLOCK)]
    assert scan(update(deletes=[(MAX_CLIENT, [(MAX_CLOCK - 1, 1)])])).deletes == {
        MAX_CLIENT: [(MAX_CLOCK - 1, MAX_CLOCK)]
    }


def test_nesting_is_bounded() -> None:
    for container in (LIST, OBJECT):
        assert scan(one(values(nested(MAX_DEPTH, container)))).blocks == [Span(1, 0, 1)]
        with pytest.raises(MalformedUpdateError, match="nested too deeply"):
            scan(one(values(nested(MAX_DEPTH + 1, container))))
        with pytest.raises(MalformedUpdateError, match="nested too deeply"):
            scan(one(values(nested(100_000, container))))


def test_values_side_by_side_are_no_nesting() -> None:
    assert scan(one(values(bytes((LIST, 3, NULL, LIST, 0, NULL)), bytes((NULL,))))).blocks == [Span(1, 0, 2)]


# -- What is no update ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00", id="no deletions"),
        pytest.param(b"\xff" * 10, id="ten times ff"),
        pytest.param(bytes.fromhex("0000ff"), id="trailing byte"),
        pytest.param(bytes.fromhex("ffffffff0f"), id="five bytes that ended the process"),
        pytest.param(bytes.fromhex("000105ffffffff0f"), id="eight bytes that ended the process"),
        pytest.param(typed(1, 0, "a") + b"\x00", id="trailing zero"),
        pytest.param(typed(1, 0, "a")[:-1], id="cut short"),
        pytest.param(update((1, 0, [gc(1)]), (1, 1, [gc(1)])), id="a client twice"),
        pytest.param(update(deletes=[(1, [(0, 1)]), (1, [(1, 1)])]), id="a client deleted from twice"),
        pytest.param(one(gc(0)), id="an empty gc"),
        pytest.param(one(skip(0)), id="an empty skip"),
        pytest.param(one(item(DELETED, number(0))), id="nothing deleted"),
        pytest.param(one(text("")), id="empty text"),
        pytest.param(one(values()), id="no values"),
        pytest.param(update(deletes=[(1, [(0, 0)])]), id="an empty deletion"),
        pytest.param(update((1, 0, [gc(2**31)])), id="a length over 2^31"),
        pytest.param(update((1, 2**31, [gc(1)])), id="a clock over 2^31"),
        pytest.param(update((1, MAX_CLOCK, [gc(1)])), id="an end over 2^31"),
        pytest.param(update((1, 1, [gc(MAX_CLOCK - 1), gc(1)])), id="a sum over 2^31"),
        pytest.param(update((2**53, 0, [gc(1)])), id="a client over 2^53"),
        pytest.param(update(deletes=[(2**53, [(0, 1)])]), id="a deleted client over 2^53"),
        pytest.param(update(deletes=[(1, [(MAX_CLOCK, 1)])]), id="a deletion over 2^31"),
        pytest.param(one(text("a", origin=(2**53, 0))), id="an origin's client over 2^53"),
        pytest.param(one(text("a", origin=(2, 2**31))), id="an origin's clock over 2^31"),
        pytest.param(one(item(STRING, number(2**40) + b"a")), id="text longer than the update"),
        pytest.param(one(item(STRING, string(b"\xff"))), id="text that is no UTF-8"),
        pytest.param(one(item(STRING, string(b"\xed\xa0\x80"))), id="half a surrogate pair"),
        pytest.param(one(item(EMBED, string(b"\xff"))), id="an embed that is no UTF-8"),
        pytest.param(one(item(FORMAT, string(b"\xff") + string("1"))), id="a format that is no UTF-8"),
        pytest.param(one(item(TYPE, number(7))), id="an unknown type"),
        pytest.param(one(item(DOC, string("guid") + b"\x76\x00")), id="a subdocument"),
        pytest.param(one(item(MOVE, b"\x00\x00\x00")), id="a move"),
        pytest.param(one(item(12, b"\x00")), id="unknown content"),
        pytest.param(one(bytes((0x10 | STRING,)) + b"\x01\x01t\x01a"), id="an unknown flag"),
        pytest.param(one(bytes((0x80,)) + b"\x01\x00\x01"), id="a gc with an origin"),
        pytest.param(one(values(bytes((115,)))), id="an unknown value"),
        pytest.param(one(values(bytes((FLOAT64, 0, 0)))), id="half a number"),
        pytest.param(one(values(bytes((LIST,)) + number(2**30))), id="a list longer than the update"),
        pytest.param(one(values(bytes((INTEGER,)) + b"\xff" * 9)), id="an integer without end"),
        pytest.param(bytes((1, 1, 1)) + b"\x80" * 9 + b"\x00", id="a number in ten bytes"),
    ],
)
def test_is_refused(hostile: bytes) -> None:
    with pytest.raises(MalformedUpdateError):
        scan(hostile)


@pytest.mark.parametrize("whole", [typed(1, 0, "hello"), poison().base], ids=["small", "large"])
def test_every_beginning_of_an_update_is_refused(whole: bytes) -> None:
    scan(whole)
    for end in range(len(whole)):
        with pytest.raises(MalformedUpdateError):
            scan(whole[:end])


@pytest.mark.parametrize(
    "struct",
    [
        # yrs takes the name of a hook for the next struct: it could hide edits under other people's names.
        pytest.param(item(TYPE, number(HOOK) + string("a")), id="an XML hook"),
        # yrs reads one string more than the list has.
        pytest.param(item(JSON, number(1) + string("1")), id="a list of JSON"),
    ],
)
def test_content_that_yrs_reads_differently_is_refused(struct: bytes) -> None:
    with pytest.raises(MalformedUpdateError):
        scan(one(struct))


@pytest.mark.parametrize("magnitude", [2**53, 2**55, 2**62 - 1])
@pytest.mark.parametrize("sign", [0x00, 0x40])
def test_an_integer_that_makes_browsers_throw_is_refused(magnitude: int, sign: int) -> None:
    encoded = bytes((INTEGER, 0x80 | sign | magnitude & 0x3F)) + number(magnitude >> 6)
    with pytest.raises(MalformedUpdateError):
        scan(one(values(encoded)))


@pytest.mark.parametrize(
    "structs",
    [
        pytest.param([text("a", origin=(1, 0))], id="its own origin"),
        pytest.param([text("ab", origin=(1, 1))], id="an origin inside itself"),
        pytest.param([text("a", right=(1, 0))], id="its own right neighbour"),
        pytest.param([text("a", parent=(1, 0))], id="its own parent"),
        pytest.param([text("a", origin=(1, 1)), text("b")], id="an origin that comes later"),
    ],
)
def test_a_struct_that_builds_on_its_own_future_is_refused(structs: list[bytes]) -> None:
    # Browsers throw on it, and nothing that follows from this client can ever be applied.
    with pytest.raises(MalformedUpdateError):
        scan(update((1, 0, structs)))


def test_a_megabyte_of_ff_is_refused_after_a_few_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0

    class Counting(updates._Reader):
        __slots__ = ()

        def byte(self) -> int:
            nonlocal read
            read += 1
            return super().byte()

    monkeypatch.setattr(updates, "_Reader", Counting)
    for refuse in (scan, read_state_vector):
        read = 0
        with pytest.raises(MalformedUpdateError):
            refuse(b"\xff" * 2**20)
        assert read <= 8


def test_counts_are_held_against_the_bytes_that_are_left() -> None:
    """A claim of a million clients, structs, values or deletions in a few bytes is refused where it is made."""
    many = number(2**20)
    for claim in (many, b"\x01" + many, b"\x00" + many, b"\x00\x01\x01" + many):
        with pytest.raises(MalformedUpdateError, match="too large"):
            scan(claim + b"\x00" * 20)


def test_the_work_grows_with_the_length_only(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = 0

    class Counting(updates._Reader):
        __slots__ = ()

        def uint(self, limit: int) -> int:
            nonlocal numbers
            numbers += 1
            return super().uint(limit)

    monkeypatch.setattr(updates, "_Reader", Counting)
    for structs in (1000, 4000):
        numbers = 0
        scan(update((1, 0, [text("a", origin=(2, 0))] * structs)))
        assert numbers < 4 * structs


# -- Agreement with pycrdt -----------------------------------------------------------------------------------------


def _ends(update_: bytes) -> dict[int, int]:
    """Of each client whose structs begin at 0: where the first run of them ends, as a state vector counts."""
    return {span.client: span.end for span in reversed(scan(update_).blocks) if span.start == 0}


@settings(max_examples=60, deadline=None)
@given(sessions)
def test_it_agrees_with_pycrdt_about_what_an_update_brings(sent: list[bytes]) -> None:
    clocks: dict[int, int] = {}
    whole: pycrdt.Doc[Any] = pycrdt.Doc()
    for each in sent:
        assert _ends(each) == read_state_vector(pycrdt.get_state(each))
        for span in scan(each).blocks:
            clocks[span.client] = max(clocks.get(span.client, 0), span.end)
        whole.apply_update(each)
    assert clocks == read_state_vector(whole.get_state())
    assert _ends(whole.get_update()) == clocks
    assert _ends(pycrdt.merge_updates(*sent)) == clocks


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_a_damaged_update_raises_one_error_only(seed: int) -> None:
    random = Random(seed)
    damaged = bytearray(random.choice(write_together(random, people=2, steps=4) or [b"\x00\x00"]))
    for _ in range(random.randint(1, 4)):
        match random.randrange(4):
            case 0:
                damaged[random.randrange(len(damaged))] = random.choice((0, 1, 127, 128, 255))
            case 1:
                damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
            case 2:
                damaged.insert(random.randrange(len(damaged) + 1), random.randrange(256))
            case _:
                del damaged[random.randrange(len(damaged)) :]
                damaged += b"\x00"
    try:
        ends = _ends(bytes(damaged))
    except MalformedUpdateError:
        return
    # What it accepts, yrs refuses or reads in the same way.
    with suppress(ValueError):
        assert read_state_vector(pycrdt.get_state(bytes(damaged))) == ends


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_noise_raises_one_error_only(noise: bytes) -> None:
    for read in (scan, read_state_vector):
        try:
            read(noise)
        except MalformedUpdateError:
            continue
        assert noise[:1] == b"\x00" or len(noise) > 2


# -- State vectors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vector_hex", "expected"), [("00", {}), ("010102", {1: 2}), ("0201020304", {1: 2, 3: 4})]
)
def test_a_state_vector_is_read(vector_hex: str, expected: dict[int, int]) -> None:
    assert read_state_vector(bytes.fromhex(vector_hex)) == expected


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"\x01",
        b"\x01\x01",
        b"\x00\x00",
        bytes.fromhex("ffffffff0f"),
        b"\x01" + number(2**53) + b"\x01",
        b"\x01\x01" + number(2**31),
    ],
)
def test_a_state_vector_is_refused(hostile: bytes) -> None:
    with pytest.raises(MalformedUpdateError):
        read_state_vector(hostile)


def test_any_is_never_confused_with_other_kinds() -> None:
    """The struct behind each kind of content is found where it begins."""
    for struct in (values(nested(5)), item(EMBED, string("{}")), item(ANY, b"\x01\x77" + string("w"))):
        assert scan(one(struct, text("ab"))).blocks == [Span(1, 0, 3)]
