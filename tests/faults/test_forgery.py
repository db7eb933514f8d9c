"""An editor who does not play by Yjs' rules: the same clocks twice with different content, other people's clocks
once more, pasts that never come. Others' text stays, what was saved opens again, and the process lives.

`seeds/crashes.json` holds sequences of updates that ended the process in yrs.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pycrdt
import pytest

from docs_app.documents.replica import NotApplicableError, Replica, merge
from tests.faults import wire
from tests.faults.office import Office, Peer, text_of
from tests.faults.tab import ROOT
from tests.server import ROOT as REPOSITORY

CRASHES: dict[str, list[str]] = json.loads((Path(__file__).parent / "seeds" / "crashes.json").read_text())

# What the server does with the edits of one person: apply each, answer somebody who comes, merge them into rows, and
# load these again.
_SERVE = """
import json, sys
from docs_app.documents.replica import BrokenReplicaError, MalformedUpdateError, NotApplicableError, Replica, merge
refused = (BrokenReplicaError, MalformedUpdateError, NotApplicableError)
room, taken, loaded = Replica(), [], Replica()
for update in map(bytes.fromhex, json.load(sys.stdin)):
    try:
        room.apply(update)
        taken.append(update)
    except refused:
        pass
room.state()
for start in range(0, len(taken), 7):
    try:
        loaded.apply(merge(taken[start : start + 7]))
    except refused:
        pass
loaded.state()
print("lives")
"""


def item(clock_of: int, clock: int, text: str) -> bytes:
    """One client's block of an update: a string at the beginning of the text, at this clock."""
    body = b"\4\1" + wire.blob(b"typed") + wire.blob(text.encode())
    return wire.uint(1) + wire.uint(clock_of) + wire.uint(clock) + body


def collected(client: int, clock: int, length: int) -> bytes:
    """One client's block: deleted content that was collected."""
    return wire.uint(1) + wire.uint(client) + wire.uint(clock) + b"\0" + wire.uint(length)


def update_of(*blocks: bytes) -> bytes:
    return wire.uint(len(blocks)) + b"".join(blocks) + b"\0"


@pytest.mark.parametrize("name", CRASHES)
def test_f11_the_process_lives(name: str) -> None:
    child = subprocess.run(
        [sys.executable, "-c", _SERVE],
        input=json.dumps(CRASHES[name]),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, f"ended by signal {-child.returncode}: {child.stderr[-500:]}"
    assert child.stdout == "lives\n"


async def test_f13_what_somebody_has_just_typed_is_not_replaced_in_the_log(office: Office) -> None:
    """Ben sends Ada's newest clocks once more, as collected, beside a word of his own. The room knows them already;
    but his row may come before hers, and whoever loads the log would take his."""
    ada, ben = office.peers[0], office.peers[1]
    ben.type(0, "b")
    ben.send()
    ada.type(0, "secret")
    ada.send()
    ben.up.append((wire.update(update_of(item(ben.client, 1, "x"), collected(ada.client, 0, 6))), set()))
    await office.settle()
    assert ada.saved == ada.made
    assert "secret" in text_of(await office.folded()), "it was reported saved and is not in the log"


async def test_f13_what_somebody_has_just_typed_reaches_the_others(office: Office) -> None:
    """The same between two flushes: both edits leave in one merged frame."""
    ada, ben, chidi = office.peers[:3]
    ben.up.append((wire.update(update_of(item(ben.client, 0, "x"), collected(ada.client, 0, 6))), set()))
    ada.type(0, "secret")
    ada.send()
    ben.send()
    await office.settle()
    assert "secret" in str(chidi)
    assert len({str(peer) for peer in office.peers}) == 1


async def test_the_same_clocks_twice_mean_the_same_to_everybody(office: Office) -> None:
    ada = office.peers[0]
    for update in (update_of(collected(ada.client, 0, 5)), update_of(item(ada.client, 0, "hello world"))):
        ada.up.append((wire.update(update), set()))
    await office.settle()
    others = {str(peer) for peer in office.peers[1:]}
    assert others == {text_of(await office.folded())}
    await office.restart(crash=False)
    late = office.peers[3]
    late.connect(office.room)
    late.hear()
    assert {str(late)} == others


# An item whose parent is no container, before the item that it calls its parent.
_ORPHAN = bytes.fromhex("0102d30f022701036d61700163000800d30f02037c3f8000007c400000007c4040000000")
_PARENT = bytes.fromhex("0101d30f002801036d61700161037c3f8000007c400000007c4040000000")


def test_f10_a_refused_update_leaves_no_trace() -> None:
    """yrs refuses half-way through: what it has taken in by then must be gone, or the room shows what no log holds."""
    replica = Replica()
    before = replica.doc.get_update()
    with pytest.raises(NotApplicableError):
        replica.apply(merge([_ORPHAN, _PARENT]))
    assert replica.doc.get_update() == before
    assert replica.state_vector() == b"\0"


async def test_f10_poison_that_waited_takes_no_words_with_it(office: Office) -> None:
    """The saver merges what one person sent into a row. What turns out to be poison when its past arrives is set aside
    when the document is opened, and only that."""
    ada = office.peers[0]
    ada.type(0, "words of the same tenth of a second ")
    ada.up += [(wire.update(_ORPHAN), set()), (wire.update(_PARENT), set())]
    await office.settle()
    assert ada.saved == ada.made
    await office.restart(crash=False)
    assert len(office.room.failed) == 1
    assert "tenth of a second" in text_of(await office.folded())


async def test_a_past_that_never_comes_keeps_nobody_out(office: Office) -> None:
    """What waits is sent to everybody who opens the document, merged with the rest of it."""
    ada, ben = office.peers[0], office.peers[1]
    ben.type(0, "hello")
    for update in (_ORPHAN, update_of(item(ada.client, 20, "later"))):
        ada.up.append((wire.update(update), set()))
    await office.settle()
    for number in range(3):
        late = Peer("late", ben.user_id, client=3000 + number)
        late.connect(office.room)
        late.hear()
        assert str(late) == "hello"
        late.disconnect()
        await office.compact()
        await office.restart(crash=False)
    assert (await office.folded()).snapshot is not None


def _waiting_for(client: int, clock: int) -> bytes:
    """An update of client 3000 that builds upon a struct which nobody has."""
    origin = wire.uint(client) + wire.uint(clock)
    return wire.uint(1) + wire.uint(1) + wire.uint(3000) + b"\0\x84" + origin + wire.blob(b"waits") + b"\0"


async def test_f09_what_waits_takes_no_saved_words_with_it(office: Office) -> None:
    """Both in the same tenth of a second, of the same person: in one row the words would wait as well."""
    ada = office.peers[0]
    ada.type(0, "words")
    ada.up.append((wire.update(_waiting_for(9999, 5)), set()))
    await office.settle()
    assert ada.saved == ada.made
    await office.restart(crash=False)
    assert str(office.room.replica.doc.get(ROOT, type=pycrdt.Text)) == "words"


async def test_f09_what_waits_does_not_shut_others_out(office: Office) -> None:
    """A Yjs page that was sent an update without its past keeps it, and carries it in every answer to sync step 1
    (`encodeStateAsUpdate` merges what is pending). Its own words in the same answer must get in."""
    ada, ben = office.peers[0], office.peers[1]
    ada.up.append((wire.update(_waiting_for(9999, 5)), set()))
    await office.settle()
    has_it = any(b"waits" in frame for frame in ben.heard)
    ben.disconnect()
    ben.type(0, "typed offline")
    ben.connect(office.room)
    ben.hear()
    if has_it:
        frame, marks = ben.up.pop()
        own = wire.Reader(frame[2:]).blob()
        ben.up.append((wire.step_2(pycrdt.merge_updates(own, _waiting_for(9999, 5))), marks))
    await office.settle()
    assert ben.refused == []
    assert ben.saved == ben.made
    assert str(office.peers[2]) == "typed offline"


async def test_which_of_two_versions_counts_does_not_change_in_the_log(office: Office) -> None:
    """Ben sends his first clock twice: once upon a word of Ada's that is still on its way, once upon nothing. Hers
    comes last, so the second version counts; as rows of one author each, hers would come first."""
    ada, ben = office.peers[0], office.peers[1]
    apart: pycrdt.Doc[Any] = pycrdt.Doc(client_id=ben.client)
    ada.type(0, "a")
    ada.send()
    ada.type(1, "b")
    apart.apply_update(ada.doc.get_update())
    apart.get(ROOT, type=pycrdt.Text).insert(2, "first")
    assert ben.connection
    ben.connection.receive(wire.update(apart.get_update(ada.doc.get_state())))
    ben.connection.receive(wire.update(update_of(item(ben.client, 0, "other"))))
    ada.send()
    ben.disconnect()
    await office.settle()
    in_room = office.room.replica.state()
    await office.restart(crash=False)
    assert office.room.replica.state() == in_room
    assert "other" in text_of(await office.folded())
