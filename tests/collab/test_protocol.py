"""Bytes to messages and back; what is no message is refused."""

import json
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import OP_BINARY, OP_CONT, OP_PING, OP_TEXT
from websockets.frames import Frame as TheirFrame
from websockets.streams import StreamReader

from collab import protocol
from collab.protocol import (
    MAX_AWARENESS_CLIENTS,
    MAX_AWARENESS_STATE,
    Awareness,
    AwarenessState,
    Frame,
    ProtocolError,
    QueryAwareness,
    SyncStep1,
    SyncStep2,
    Update,
)
from tests.collab import reading
from tests.collab.crafted import number, string
from tests.collab.reading import Heard


def told(*states: tuple[int, int, str | bytes]) -> bytes:
    """An awareness frame with each state's JSON as it stands."""
    body = b"".join(number(client) + number(clock) + string(raw) for client, clock, raw in states)
    return b"\x01" + string(number(len(states)) + body)


# -- From a tab ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ("00000100", SyncStep1(b"\x00")),
        ("000003010102", SyncStep1(b"\x01\x01\x02")),
        ("0001020000", SyncStep2(b"\x00\x00")),
        ("00010c010101000401017402616200", SyncStep2(bytes.fromhex("010101000401017402616200"))),
        ("00020b0101010004010174016100", Update(bytes.fromhex("0101010004010174016100"))),
        (
            "011a010101167b2275736572223a7b226e616d65223a22c3a9227d7d",
            Awareness([AwarenessState(1, 1, {"user": {"name": "é"}})]),
        ),
        ("0108010102046e756c6c", Awareness([AwarenessState(1, 2, None)])),
        ("010100", Awareness([])),
        ("03", QueryAwareness()),
    ],
)
def test_messages_of_a_tab(frame: str, message: protocol.Message) -> None:
    assert protocol.decode(bytes.fromhex(frame)) == message


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00", id="sync without a kind"),
        pytest.param(b"\x00\x03\x00", id="an unknown kind of sync"),
        pytest.param(b"\x00\x00", id="step 1 without a state vector"),
        pytest.param(b"\x00\x02\x05ab", id="an update cut short"),
        pytest.param(b"\x00\x02" + number(2**40) + b"ab", id="an update of a terabyte"),
        pytest.param(b"\x00\x00\x01\x00\x00", id="bytes behind step 1"),
        pytest.param(b"\x03\x00", id="bytes behind a query"),
        pytest.param(b"\x01\x01\x00\x00", id="bytes behind awareness"),
        pytest.param(b"\x01\x02\x00\x00", id="bytes inside awareness"),
        pytest.param(b"\x01\x01\x01", id="awareness of somebody who is missing"),
        pytest.param(b"\x80" * 9 + b"\x00", id="a number of ten bytes"),
        pytest.param(b"\xff" * 2**20, id="a megabyte of ff"),
        pytest.param(told((2**53, 0, "{}")), id="a client over 2^53"),
        pytest.param(told((1, 2**53, "{}")), id="a clock over 2^53"),
        pytest.param(
            told(*((client, 0, "{}") for client in range(MAX_AWARENESS_CLIENTS + 1))), id="too many"
        ),
        pytest.param(told((1, 0, json.dumps({"cursor": "x" * MAX_AWARENESS_STATE}))), id="a large state"),
        pytest.param(told((1, 0, "")), id="no JSON"),
        pytest.param(told((1, 0, b"\xff")), id="no UTF-8"),
        pytest.param(told((1, 0, "{")), id="half an object"),
        pytest.param(told((1, 0, "undefined")), id="undefined"),
        pytest.param(told((1, 0, "[]")), id="a list"),
        pytest.param(told((1, 0, "7")), id="a number"),
        pytest.param(told((1, 0, '"text"')), id="text"),
        pytest.param(told((1, 0, "true")), id="true"),
        pytest.param(told((1, 0, '{"cursor":NaN}')), id="NaN"),
        pytest.param(told((1, 0, '{"cursor":-Infinity}')), id="Infinity"),
        pytest.param(told((1, 0, '{"cursor":' + "[" * 2000 + "]" * 2000 + "}")), id="deep JSON"),
    ],
)
def test_is_no_message(frame: bytes) -> None:
    with pytest.raises(ProtocolError):
        protocol.decode(frame)


@pytest.mark.parametrize("kind", sorted(set(range(256)) - {0, 1, 3}))
def test_a_tab_sends_no_other_types(kind: int) -> None:
    for rest in (b"", b"\x00", string("body")):
        with pytest.raises(ProtocolError):
            protocol.decode(number(kind) + rest)


def test_the_limits_of_awareness_are_allowed() -> None:
    whole = json.dumps({"cursor": "x" * (MAX_AWARENESS_STATE - len('{"cursor": ""}'))})
    assert len(whole) == MAX_AWARENESS_STATE
    message = protocol.decode(
        told(*((client, 0, "{}") for client in range(MAX_AWARENESS_CLIENTS - 1)), (99, 1, whole))
    )
    assert isinstance(message, Awareness)
    assert len(message.states) == MAX_AWARENESS_CLIENTS


@pytest.mark.parametrize(
    "raw",
    ['{"cursor":1e999}', '{"cursor":-1e999}', '{"cursor":"\\ud800"}', '{"cursor":{"\\udfff":1}}'],
)
def test_awareness_that_would_break_other_tabs_goes_no_further(raw: str) -> None:
    """Python reads these as infinity and half a character: writing them down again fails, or browsers can't read it."""
    try:
        message = protocol.decode(told((1, 1, raw)))
    except ProtocolError:
        return
    assert isinstance(message, Awareness)
    assert reading.read(protocol.awareness(message.states)).kind == reading.AWARENESS


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=100))
def test_noise_raises_one_error_only(noise: bytes) -> None:
    try:
        message = protocol.decode(noise)
    except ProtocolError:
        return
    assert noise[0] in (0, 1, 3)
    assert message is not None


# -- From the server -----------------------------------------------------------------------------------------------

FACTS = {"name": "日本", "list": [1, None]}


@pytest.mark.parametrize(
    ("frame", "heard"),
    [
        (protocol.sync_step_1(b"\x01\x01\x02"), Heard(reading.STEP_1, b"\x01\x01\x02")),
        (protocol.sync_step_2(b"\x00" * 300), Heard(reading.STEP_2, b"\x00" * 300)),
        (protocol.update(b""), Heard(reading.UPDATE, b"")),
        (protocol.awareness([]), Heard(reading.AWARENESS, {})),
        (
            protocol.awareness([AwarenessState(2**32, 7, FACTS), AwarenessState(1, 0, None)]),
            Heard(reading.AWARENESS, {2**32: (7, FACTS), 1: (0, None)}),
        ),
        (protocol.denied("read-only"), Heard(reading.DENIED, "read-only")),
        (protocol.saved(3, 2**40), Heard(reading.SAVED, (3, 2**40))),
        (protocol.refused(200, "not-yours"), Heard(reading.REFUSED, (200, "not-yours"))),
        (protocol.hello({"seq": 1, **FACTS}), Heard(reading.HELLO, {"seq": 1, **FACTS})),
        (
            protocol.event({"type": "title", "title": "é"}),
            Heard(reading.EVENT, {"type": "title", "title": "é"}),
        ),
        (protocol.HEARTBEAT, Heard(reading.HEARTBEAT)),
        (protocol.STOCK_HEARTBEAT, Heard(reading.AWARENESS, {})),
    ],
)
def test_messages_of_the_server(frame: bytes, heard: Heard) -> None:
    assert reading.read(frame) == heard


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1), st.binary(max_size=300))
def test_numbers_and_bytes_there_and_back(client: int, clock: int, data: bytes) -> None:
    states = [AwarenessState(client, clock, {"cursor": clock})]
    assert protocol.decode(protocol.awareness(states)) == Awareness(states)
    assert protocol.decode(protocol.update(data)) == Update(data)
    assert protocol.decode(protocol.sync_step_1(data)) == SyncStep1(data)
    assert protocol.decode(protocol.sync_step_2(data)) == SyncStep2(data)


# -- Frames --------------------------------------------------------------------------------------------------------


def parsed(encoded: bytes) -> TheirFrame:
    """The frame as the `websockets` library reads it; fails if anything is missing or left over."""
    stream = StreamReader()
    stream.feed_data(encoded)
    stream.feed_eof()
    reader: Generator[None, None, Any] = TheirFrame.parse(stream.read_exact, mask=False)
    try:
        while True:
            next(reader)
    except StopIteration as done:
        assert not stream.buffer
        found: TheirFrame = done.value
        return found


@pytest.mark.parametrize("size", [1, 3, 4, 125, 126, 127, 65535])
def test_whole_frames_of_a_tab_are_read_one_after_the_other(size: int) -> None:
    message = bytes(n % 251 for n in range(size))
    data = b"".join(TheirFrame(OP_BINARY, each).serialize(mask=True) for each in (message, b"next"))
    assert (first := protocol.read_frame(data, 0, size)) is not None
    assert first[0] == message
    assert protocol.read_frame(data, first[1], 4) == (b"next", len(data))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(TheirFrame(OP_TEXT, b"text").serialize(mask=True), id="text"),
        pytest.param(TheirFrame(OP_PING, b"ping").serialize(mask=True), id="a control frame"),
        pytest.param(TheirFrame(OP_BINARY, b"part", fin=False).serialize(mask=True), id="a beginning"),
        pytest.param(TheirFrame(OP_CONT, b"part").serialize(mask=True), id="an end"),
        pytest.param(TheirFrame(OP_BINARY, b"bare").serialize(mask=False) + b"\0" * 9, id="no mask"),
        pytest.param(b"\xc2" + TheirFrame(OP_BINARY, b"x").serialize(mask=True)[1:], id="an extension"),
        pytest.param(TheirFrame(OP_BINARY, b"").serialize(mask=True), id="nothing"),
        pytest.param(TheirFrame(OP_BINARY, b"x" * 1001).serialize(mask=True), id="too much"),
        pytest.param(TheirFrame(OP_BINARY, b"x" * 65536).serialize(mask=True), id="too much, a long size"),
        pytest.param(b"\x82\xfe\x00\x7d" + b"\0" * 4 + b"x" * 125, id="a size in more bytes than it needs"),
    ],
)
def test_other_frames_are_left_to_a_full_parser(data: bytes) -> None:
    assert protocol.read_frame(data, 0, 1000) is None


@pytest.mark.parametrize("size", [1, 125, 126, 1000])
def test_a_frame_is_not_read_before_it_is_all_there(size: int) -> None:
    data = TheirFrame(OP_BINARY, b"x" * size).serialize(mask=True)
    assert all(protocol.read_frame(data[:end], 0, 1000) is None for end in range(len(data)))


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 2**20])
def test_a_frame_is_a_whole_unmasked_binary_one(size: int) -> None:
    payload = bytes(range(256)) * (size // 256) + bytes(size % 256)
    frame = parsed(Frame(payload).encoded)
    assert (frame.opcode, frame.data, frame.fin) == (OP_BINARY, payload, True)
    assert (frame.rsv1, frame.rsv2, frame.rsv3) == (False, False, False)


def test_several_messages_are_a_frame_each() -> None:
    frame = Frame(b"one", b"x" * 200, b"three")
    alone = [Frame(payload) for payload in frame.payloads]
    assert frame.encoded == b"".join(one.encoded for one in alone)
    assert frame.size == sum(one.size for one in alone) == 208


def test_a_frame_is_encoded_once() -> None:
    frame = Frame(b"payload")
    assert frame.encoded is frame.encoded
