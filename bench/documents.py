"""Documents that exist before a measurement: ordinary ones of 60 KB, and one with the history of a whole paper."""

import gzip
import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pycrdt

from bench.edits import ROOT

# One paper, as it was typed (automerge-perf, Martin Kleppmann): 259,778 edits of a character that leave 104,852.
TRACE = "automerge-paper.json.gz"
_EDITS, _LENGTH = 259_778, 104_852
_EDITS_A_MESSAGE = 1300
Patch = tuple[int, int, str]


@cache
def ordinary(seed: int = 3) -> bytes:
    """The state of a document with 60 KB of text in 2,000 pieces, by four people."""
    chance = random.Random(seed)
    state, length = b"\x00\x00", 0
    for client in range(4):
        doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=chance.getrandbits(32) + client)
        doc.apply_update(state)
        text = doc.get(ROOT, type=pycrdt.Text)
        for _ in range(500):
            with doc.transaction():
                text.insert(chance.randrange(length + 1), "a sentence of thirty letters. ")
            length += 30
        state = doc.get_update()
    return state


@cache
def paper(traces: Path | None) -> tuple[bytes, ...]:
    """The updates that write the paper, each of them 1,300 edits; from the trace if its folder is given, otherwise a
    generated text of the same length and with as many edits."""
    doc: pycrdt.Doc[Any] = pycrdt.Doc()
    text = doc.get(ROOT, type=pycrdt.Text)
    updates = []
    patches = list(_trace(traces / TRACE) if traces else _generated())
    for start in range(0, len(patches), _EDITS_A_MESSAGE):
        before = doc.get_state()
        with doc.transaction():
            for position, deleted, inserted in patches[start : start + _EDITS_A_MESSAGE]:
                if deleted:
                    del text[position : position + deleted]
                if inserted:
                    text.insert(position, inserted)
        updates.append(doc.get_update(before))
    return tuple(updates)


def _trace(file: Path) -> Iterator[Patch]:
    with gzip.open(file) as content:
        for transaction in json.load(content)["txns"]:
            for position, deleted, inserted in transaction["patches"]:
                # pycrdt counts bytes, the trace characters: for ASCII they are the same.
                yield position, deleted, inserted.encode("ascii", "replace").decode()


def _generated() -> Iterator[Patch]:
    """Somebody who types on for a while, takes a part of it back, and now and then goes elsewhere."""
    chance = random.Random(4)
    at = length = 0
    inserting, deleting = _LENGTH + (_EDITS - _LENGTH) // 2, (_EDITS - _LENGTH) // 2
    while inserting or deleting:
        if chance.random() < 0.15:
            at = chance.randrange(length + 1)
        for _ in range(min(inserting, chance.randrange(10, 120))):
            yield at, 0, chance.choice("etaoin shrdlu")
            inserting, at, length = inserting - 1, at + 1, length + 1
        for _ in range(min(deleting, at, chance.randrange(50 if inserting else 200))):
            at -= 1
            yield at, 1, ""
            deleting, length = deleting - 1, length - 1
        if not inserting and deleting:
            at = length
