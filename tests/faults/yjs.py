"""Stock Yjs documents on Node, with the few methods of pycrdt's that the office's peers use."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.peers.conftest import Peer as Program

Observer = Callable[["Written"], None]


@dataclass(frozen=True)
class Written:
    """What a document tells its observers, for each edit of its own; what it is given they do not hear of."""

    update: bytes


class Documents:
    """All documents of a running `tests/peers/documents.mjs`. Made with `documents(client_id)`."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def __call__(self, client: int) -> "Document":
        self.ask("make", client)
        return Document(self, client)

    def forget(self) -> None:
        """Begin anew, without any."""
        self.ask("forget", 0)

    def ask(self, order: str, client: int, **more: object) -> Any:
        self._program.say({"order": order, "client": client, **more})
        return self._program.hear()


class Document:
    def __init__(self, documents: Documents, client: int) -> None:
        self._documents, self._client = documents, client
        self._observers: list[Observer] = []

    def get(self, name: str, *, type: object) -> "Text":  # noqa: A002 (pycrdt's name)
        """Its only text."""
        return Text(self)

    def observe(self, observer: Observer) -> Observer:
        self._observers.append(observer)
        return observer

    def unobserve(self, observer: Observer) -> None:
        self._observers.remove(observer)

    def apply_update(self, update: bytes) -> None:
        self.ask("apply", update=base64.b64encode(update).decode())

    def get_state(self) -> bytes:
        return base64.b64decode(self.ask("state"))

    def get_update(self, since: bytes) -> bytes:
        return base64.b64decode(self.ask("update", since=base64.b64encode(since).decode()))

    def ask(self, order: str, **more: object) -> Any:
        return self._documents.ask(order, self._client, **more)

    def write(self, order: str, **more: object) -> None:
        for update in self.ask(order, **more):
            for observer in self._observers:
                observer(Written(base64.b64decode(update)))


class Text:
    def __init__(self, document: Document) -> None:
        self._document = document

    def insert(self, at: int, text: str) -> None:
        self._document.write("insert", at=at, text=text)

    def __delitem__(self, span: slice) -> None:
        self._document.write("delete", at=span.start, length=span.stop - span.start)

    def __len__(self) -> int:
        """In UTF-16 code units, as Yjs counts its places."""
        return len(str(self).encode("utf-16-le")) // 2

    def __str__(self) -> str:
        return str(self._document.ask("text"))
