"""A tab on a real WebSocket, with a real Yjs document (pycrdt) behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Protocol

import pycrdt
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from collab import protocol
from collab.protocol import AwarenessState
from tests.collab import reading
from tests.collab.reading import Heard
from tests.collab.waiting import until
from tests.server import Server


class Peer:
    """`sent` counts update frames, `saved` how many the server called saved, `refused` the others by number."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.doc: pycrdt.Doc[Any] = pycrdt.Doc()
        self.text = self.doc.get("t", type=pycrdt.Text)
        self.heard: list[Heard] = []
        self.sent = self.saved = 0
        self.refused: dict[int, str] = {}
        self._reader = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        with suppress(ConnectionClosed):
            async for frame in self.socket:
                assert isinstance(frame, bytes)
                heard = reading.read(frame)
                await self._take(heard)
                self.heard.append(heard)

    async def _take(self, heard: Heard) -> None:
        match heard.kind:
            case reading.STEP_1:
                await self.send(protocol.sync_step_2(self.doc.get_update(heard.body)))
            case reading.STEP_2 | reading.UPDATE:
                self.doc.apply_update(heard.body)
            case reading.SAVED:
                self.saved = heard.body[0]
            case reading.REFUSED:
                self.refused[heard.body[0]] = heard.body[1]

    async def send(self, frame: bytes) -> None:
        """Send a frame, counted if it carries an update."""
        self.sent += frame[:2] in (b"\x00\x01", b"\x00\x02")
        await self.socket.send(frame)

    async def open(self) -> "Peer":
        """Ask for what is there, say who we are, and wait until both are up to date."""
        await self.announce()
        await self.send(protocol.sync_step_1(self.doc.get_state()))
        await self.hears(reading.STEP_2)
        return self

    async def announce(self, **state: Any) -> None:
        await self.send(protocol.awareness([AwarenessState(self.doc.client_id, len(self.heard) + 1, state)]))

    async def type(self, words: str) -> None:
        before = self.doc.get_state()
        self.text += words
        await self.send(protocol.update(self.doc.get_update(before)))

    async def hears(self, kind: str, body: object = None) -> Heard:
        """The first message of this kind (and body), as soon as it is there."""

        def found() -> Heard | None:
            fitting = (heard for heard in self.heard if heard.kind == kind and body in (None, heard.body))
            return next(fitting, None)

        await until(lambda: found() or self._reader.done(), f"{kind} {body or ''}")
        heard = found()
        assert heard, f"closed with {self.socket.close_code} instead of {kind}"
        return heard

    async def sees(self, condition: Callable[[str], object]) -> None:
        await until(lambda: condition(str(self.text)), "the text")

    async def all_saved(self) -> None:
        await until(lambda: self.saved >= self.sent, "saved")

    async def closed(self) -> int | None:
        """The close code."""
        await asyncio.wait_for(self.socket.wait_closed(), 10)
        await self._reader
        return self.socket.close_code

    async def leave(self) -> None:
        await self.socket.close()
        await self._reader


def address(server: Server, document_id: str, query: str = "?v=1") -> str:
    return f"ws://127.0.0.1:{server.port}/ws/documents/{document_id}{query}"


def handshake(url: str, session: str | None, origin: str | None) -> connect:
    """A handshake as a browser does it."""
    headers = {"Cookie": f"sessionid={session}"} if session else {}
    shown = Origin(origin) if origin is not None else None
    return connect(url, additional_headers=headers, origin=shown, max_size=None, compression=None)


class Join(Protocol):
    async def __call__(
        self, server: Server, document_id: str, session: str | None, query: str = "?v=1"
    ) -> Peer: ...


@asynccontextmanager
async def joining() -> AsyncIterator[Join]:
    """Opens sockets that are closed in the end."""
    async with AsyncExitStack() as stack:

        async def join(server: Server, document_id: str, session: str | None, query: str = "?v=1") -> Peer:
            peer = Peer(await handshake(address(server, document_id, query), session, server.url))
            stack.push_async_callback(peer.leave)
            return peer

        yield join
