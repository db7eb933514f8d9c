"""Random scripts of four people typing over a bad network: in the end all peers, on yrs or on stock Yjs, the room and
the log are equal.

A failing script is shrunk and printed as a list of steps. Keep it: paste it as an `@example`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pycrdt
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from docs_app.documents import log
from tests.faults.conftest import long_or_short
from tests.faults.office import Office, clocks, copy_database, text_of, yrs_document
from tests.faults.tab import ROOT
from tests.faults.yjs import Documents

PEERS = st.integers(0, 3)
PLACE = st.integers(0, 40)
NUMBER = st.integers(0, 4)


@dataclass(frozen=True)
class Types:
    peer: int
    place: int
    text: str


@dataclass(frozen=True)
class Deletes:
    peer: int
    place: int
    length: int


@dataclass(frozen=True)
class Sends:
    """The network delivers one of the peer's frames, not always the oldest."""

    peer: int
    index: int = 0


@dataclass(frozen=True)
class Repeats:
    peer: int
    index: int = 0


@dataclass(frozen=True)
class Loses:
    peer: int
    index: int = 0


@dataclass(frozen=True)
class Hears:
    peer: int


@dataclass(frozen=True)
class Leaves:
    peer: int


@dataclass(frozen=True)
class ComesBack:
    peer: int


@dataclass(frozen=True)
class Commits:
    """The saver has time to commit what waits."""


@dataclass(frozen=True)
class Compacts:
    pass


@dataclass(frozen=True)
class Prunes:
    pass


@dataclass(frozen=True)
class Restarts:
    pass


@dataclass(frozen=True)
class Crashes:
    pass


@dataclass(frozen=True)
class WrittenElsewhere:
    """Another process stores an edit, and this one hears of it."""

    text: str


Step = (
    Types | Deletes | Sends | Repeats | Loses | Hears | Leaves | ComesBack
    | Commits | Compacts | Prunes | Restarts | Crashes | WrittenElsewhere
)  # fmt: skip

TEXT = st.text("abcdefgh \n", min_size=1, max_size=6)
STEPS = st.one_of(
    st.builds(Types, PEERS, PLACE, TEXT),
    st.builds(Types, PEERS, PLACE, TEXT),
    st.builds(Deletes, PEERS, PLACE, st.integers(1, 8)),
    st.builds(Sends, PEERS, NUMBER),
    st.builds(Sends, PEERS, NUMBER),
    st.builds(Repeats, PEERS, NUMBER),
    st.builds(Loses, PEERS, NUMBER),
    st.builds(Hears, PEERS),
    st.builds(Leaves, PEERS),
    st.builds(ComesBack, PEERS),
    st.builds(Commits),
    st.builds(Compacts),
    st.builds(Prunes),
    st.builds(Restarts),
    st.builds(Crashes),
    st.builds(WrittenElsewhere, TEXT),
)


async def play(office: Office, step: Step) -> None:
    match step:
        case Types(peer, place, text):
            office.peers[peer].type(place, text)
        case Deletes(peer, place, length):
            office.peers[peer].delete(place, length)
        case Sends(peer, index):
            office.peers[peer].send(index)
        case Repeats(peer, index):
            office.peers[peer].repeat(index)
        case Loses(peer, index):
            del office.peers[peer].up[index : index + 1]
        case Hears(peer):
            office.peers[peer].hear()
        case Leaves(peer):
            office.peers[peer].disconnect()
        case ComesBack(peer):
            office.peers[peer].disconnect()
            office.peers[peer].connect(office.room)
        case Commits():
            await office.saver.flushed(office.room)
        case Compacts():
            await office.compact()
        case Prunes():
            await office.prune()
        case Restarts() | Crashes():
            await office.restart(crash=isinstance(step, Crashes))
        case WrittenElsewhere(text):
            await office.elsewhere(text)
            await office.catch_up()
    # Timers of the room run between any two steps.
    await asyncio.sleep(0)


async def converges(office: Office) -> None:
    """Everybody comes back; then nobody has what another lacks, and what was reported saved is on disk."""
    await office.catch_up()
    for peer in office.peers:
        peer.disconnect()
    # One after the other: a peer may hold what another one's later edits build upon.
    for peer in office.peers:
        peer.connect(office.room)
        await office.settle()
    loaded = await office.folded()
    for peer in office.peers:
        peer.disconnect()
        peer.connect(office.room)
    await office.settle()
    assert [peer.refused for peer in office.peers] == [[]] * 4
    texts = [str(peer) for peer in office.peers]
    replica = office.room.replica
    assert texts == [str(replica.doc.get(ROOT, type=pycrdt.Text))] * 4
    assert texts[0] == text_of(loaded)
    assert replica.pending == []
    for peer in office.peers:
        assert clocks(peer.doc) == replica.clocks
        assert peer.saved == peer.made
    assert await office.call(log.verify, office.document.id) == []


async def in_office(
    work: Callable[[Office], Awaitable[None]], new_doc: Callable[[int], Any] = yrs_document
) -> None:
    office = Office(new_doc=new_doc)
    await office.open()
    try:
        await work(office)
    finally:
        await office.close()


async def run(script: list[Step], new_doc: Callable[[int], Any] = yrs_document) -> None:
    async def work(office: Office) -> None:
        for step in script:
            await play(office, step)
        await converges(office)

    await in_office(work, new_doc)


def scripts(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@scripts(long_or_short(5000, 200))
@given(script=st.lists(STEPS, max_size=60))
@example(script=[Types(0, 0, "a"), Sends(0), Hears(1), Types(1, 1, "b"), Crashes(), ComesBack(1)])
def test_everybody_ends_with_the_same_document(template: Path, sqlite_file: Path, script: list[Step]) -> None:
    copy_database(template, sqlite_file)
    asyncio.run(run(script))


@scripts(long_or_short(1000, 20))
@given(script=st.lists(STEPS, max_size=60))
@example(script=[Types(0, 0, "a"), Sends(0), Hears(1), Types(1, 1, "b"), Crashes(), ComesBack(1)])
def test_stock_yjs_documents_end_the_same(
    template: Path, sqlite_file: Path, yjs: Documents, script: list[Step]
) -> None:
    copy_database(template, sqlite_file)
    yjs.forget()
    asyncio.run(run(script, yjs))
