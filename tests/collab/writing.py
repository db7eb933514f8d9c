"""Random honest writing: people on pycrdt documents, as hypothesis draws them."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

import pycrdt
from hypothesis import strategies as st

WORDS = ("a", "hello ", "é", "😀", "a😀b", "\n", "日本", "\ufeff", "x" * 40)


@dataclass
class Writer:
    """One person's document; `sent` holds the update of each transaction."""

    random: Random
    client: int
    sent: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=self.client)
        self.text = self.doc.get("t", type=pycrdt.Text)
        self.map = self.doc.get("m", type=pycrdt.Map)
        self.list = self.doc.get("a", type=pycrdt.Array)
        self.tree = self.doc.get("default", type=pycrdt.XmlFragment)
        self._watching = self.doc.observe(lambda event: self.sent.append(event.update))

    def stop(self) -> None:
        self.doc.unobserve(self._watching)

    def hear(self, update: bytes) -> None:
        """Take in what somebody else wrote."""
        kept = len(self.sent)
        self.doc.apply_update(update)
        del self.sent[kept:]

    def write(self) -> None:
        self.random.choice((self._type, self._erase, self._format, self._set, self._push, self._draw))()

    def _place(self) -> int:
        """A position between two characters. pycrdt counts bytes."""
        now = str(self.text)
        return len(now[: self.random.randint(0, len(now))].encode())

    def _type(self) -> None:
        self.text.insert(self._place(), self.random.choice(WORDS))

    def _erase(self) -> None:
        start, end = sorted((self._place(), self._place()))
        if start < end:
            del self.text[start:end]

    def _format(self) -> None:
        start, end = sorted((self._place(), self._place()))
        if start < end:
            self.text.format(start, end, {"bold": self.random.choice((True, None, {"level": 1.5}))})

    def _set(self) -> None:
        key = self.random.choice(("k", "ключ"))
        plain = (1, -5, 2**40, 1.5, None, True, "é😀", b"\x00\xff", [1, {"deep": ["x"]}])
        if self.random.random() < 0.3:
            self.map[key] = pycrdt.Text("inside")
        elif key in self.map and self.random.random() < 0.3:
            del self.map[key]
        else:
            self.map[key] = self.random.choice(plain)

    def _push(self) -> None:
        if len(self.list) and self.random.random() < 0.4:
            del self.list[self.random.randrange(len(self.list))]
        else:
            self.list.append(self.random.choice((1, "two", 3.5, [None], pycrdt.Map({"n": 1}))))

    def _draw(self) -> None:
        children = self.tree.children
        if len(children) and self.random.random() < 0.3:
            del children[self.random.randrange(len(children))]
            return
        paragraph = children.append(pycrdt.XmlElement("paragraph"))
        paragraph.attributes["level"] = "2"
        words = paragraph.children.append(pycrdt.XmlText())
        words.insert(0, self.random.choice(WORDS), {"bold": True} if self.random.random() < 0.5 else None)
        words.insert_embed(0, {"type": "image"})


def write_together(random: Random, people: int = 3, steps: int = 12) -> list[bytes]:
    """What some people wrote who now and then hear of each other, in the order in which it was written."""
    writers = [Writer(random, client) for client in random.sample(range(1, 2**32), people)]
    sent: list[bytes] = []
    for _ in range(steps):
        writer = random.choice(writers)
        before = len(writer.sent)
        writer.write()
        sent += writer.sent[before:]
        if random.random() < 0.4:
            random.choice(writers).hear(writer.doc.get_update())
    for writer in writers:
        writer.stop()
    return sent


sessions = st.integers(0, 2**32).map(lambda seed: write_together(Random(seed)))
