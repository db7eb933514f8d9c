"""A Yjs client of somebody who writes into a document what no editor would."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pycrdt
from websockets.sync.client import connect
from websockets.sync.connection import Connection
from websockets.typing import Origin

from tests.server import Server, sign_in

PATIENCE = 30


class RawPeer:
    """Holds the whole document in `doc`, its text in `root`. `send` shares what was changed since."""

    def __init__(self, socket: Connection) -> None:
        self._socket = socket
        self.doc: pycrdt.Doc[Any] = pycrdt.Doc()
        self.root: pycrdt.XmlFragment = self.doc.get("default", type=pycrdt.XmlFragment)
        socket.send(pycrdt.create_sync_message(self.doc))
        while True:
            frame = self._hear()
            if frame[0] == pycrdt.YMessageType.SYNC:
                answer = pycrdt.handle_sync_message(frame[1:], self.doc)
                if answer is not None:
                    socket.send(answer)
                if frame[1] == pycrdt.YSyncMessageType.SYNC_STEP2:
                    break
        self._sent = self.doc.get_state()

    def send(self) -> None:
        self._socket.send(pycrdt.create_update_message(self.doc.get_update(self._sent)))
        self._sent = self.doc.get_state()

    def send_bytes(self, frame: bytes) -> None:
        self._socket.send(frame)

    def _hear(self) -> bytes:
        frame = self._socket.recv(timeout=PATIENCE)
        assert isinstance(frame, bytes)
        return frame


@contextmanager
def raw_peer(server: Server, document: str, name: str) -> Iterator[RawPeer]:
    """Join a document as a stock client of this person's."""
    address = f"{server.url.replace('http', 'ws', 1)}/ws/documents/{document}"
    cookie = {"Cookie": f"sessionid={sign_in(server, server.people[name])}"}
    with connect(
        address, additional_headers=cookie, origin=Origin(server.url), max_size=None, open_timeout=PATIENCE
    ) as socket:
        yield RawPeer(socket)
