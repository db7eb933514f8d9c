"""Makes traces of two people typing at the same time, in the format of the recorded ones (see `trace.mjs`).

Each person knows what has reached them: their own transactions, and the other's up to a point that lags behind. Now and
then both pause until everything has arrived. Where they type, how much, and when news arrives comes from the seed.
"""

import random
from dataclasses import dataclass, field
from typing import Any

from pycrdt import Doc, Text

_WORDS = ("no ", "tear ", "über", "façade ", "日本", "語 ", "😀", "👩‍👩‍👧 ", "\n", "a", "b", "e\u0301", " — ")
_PAUSE_EVERY = 150

Patch = tuple[int, int, str]


@dataclass
class _Person:
    agent: int
    text: Text = field(default_factory=Text)
    updates: list[bytes] = field(default_factory=list)
    indexes: list[int] = field(default_factory=list)
    seen: int = 0  # how many of the other's transactions have arrived
    tips: set[int] = field(default_factory=set)  # the newest transactions that this person knows
    cursor: int = 0

    def __post_init__(self) -> None:
        # Where both insert at one place, the lower client id comes first: a replay must do the same.
        self.doc: Doc[Any] = Doc({"trace": self.text}, client_id=self.agent + 1)

    def see(self, other: "_Person", count: int, past: list[set[int]]) -> None:
        """Take in the other's first `count` transactions."""
        if count <= self.seen:
            return
        for update in other.updates[self.seen : count]:
            self.doc.apply_update(update)
        self.seen = count
        newest = other.indexes[count - 1]
        self.tips = {newest, *(tip for tip in self.tips if tip not in past[newest])}

    def write(self, patches: list[Patch], index: int) -> None:
        before = self.doc.get_state()
        for position, deleted, inserted in patches:
            content = str(self.text)
            # yrs counts bytes of UTF-8.
            start, end = (len(content[:offset].encode()) for offset in (position, position + deleted))
            if end > start:
                del self.text[start:end]
            if inserted:
                self.text.insert(start, inserted)
        self.updates.append(self.doc.get_update(before))
        self.indexes.append(index)
        self.tips = {index}


def _invent(person: _Person, chance: random.Random) -> list[Patch]:
    """One to three patches near the cursor, each for the text that the ones before it leave."""
    length = len(str(person.text))
    patches: list[Patch] = []
    for _ in range(chance.choice((1, 1, 1, 1, 2, 3))):
        if chance.random() < 0.08:
            person.cursor = chance.randint(0, length)
        position = min(person.cursor, length)
        deleted = min(chance.choice((0, 0, 0, 0, 1, 1, 4, 12)), length - position)
        inserted = chance.choice(_WORDS) if deleted == 0 or chance.random() < 0.4 else ""
        if not deleted and not inserted:
            inserted = "x"
        patches.append((position, deleted, inserted))
        length += len(inserted) - deleted
        person.cursor = position + len(inserted)
    return patches


def make_trace(seed: int, transactions: int) -> dict[str, Any]:
    """A trace without `endContent`: `merge.mjs` finds that in its own way. `text` is what yrs makes of it."""
    chance = random.Random(seed)
    people = [_Person(0), _Person(1)]
    past: list[set[int]] = []
    written: list[dict[str, Any]] = []
    for index in range(transactions):
        if index % _PAUSE_EVERY == 0:
            for person, other in (people, people[::-1]):
                person.see(other, len(other.updates), past)
        person, other = people if chance.random() < 0.5 else people[::-1]
        if chance.random() < 0.15:
            person.see(other, chance.randint(person.seen, len(other.updates)), past)
        past.append({tip for known in person.tips for tip in (known, *past[known])})
        parents = sorted(person.tips)
        patches = _invent(person, chance)
        person.write(patches, index)
        written.append({"parents": parents, "agent": person.agent, "patches": patches})
    for person, other in (people, people[::-1]):
        person.see(other, len(other.updates), past)
    return {"kind": "concurrent", "numAgents": 2, "txns": written, "text": str(people[0].text)}
