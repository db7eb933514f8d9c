"""A browser tab in Python: a Yjs peer that speaks `v=1` as the page does.

It numbers its update frames, keeps what is not acknowledged, comes back with backoff and jitter, and remembers every
word that was ever reported saved. A word is a mark that occurs once, so that it can be found in any text.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Any

import pycrdt
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.faults import wire
from tests.server import Server

ROOT = "typed"
MAX_BACKOFF = 1.0


async def until(condition: Callable[[], object], what: str, seconds: float = 30) -> None:
    """Return as soon as the condition holds; raises AssertionError that names what did not come."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not condition():
        assert loop.time() < deadline, f"{what} did not come within {seconds:g} s"
        await asyncio.sleep(0.01)


class Tab:
    """`words` are all that were typed here, `saved` those that the server confirmed, `refused` the answers to frames
    that it did not take. `stopped_by` is the close code after which a page does not come back by itself."""

    def __init__(
        self, server: Server, document: str, session: str, name: str, *, query: str = "", maker: int = 0
    ) -> None:
        self.name = name
        self._uri = f"{server.url.replace('http', 'ws', 1)}/ws/documents/{document}?v=1{query}"
        self._headers = {"Cookie": f"sessionid={session}"}
        self._origin = server.url
        self.doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=maker) if maker else pycrdt.Doc()
        self.text: pycrdt.Text = self.doc.get(ROOT, type=pycrdt.Text)
        self._remote = False
        self._subscription: Any = self.doc.observe(self._changed)
        self.words: list[str] = []
        self.saved: set[str] = set()
        self.refused: list[str] = []
        self.events: list[dict[str, Any]] = []
        self.presence: dict[int, Any] = {}
        self.role: str | None = None
        self.closes: list[int] = []
        self.connections = 0
        self.stopped_by: int | None = None
        self.is_synced = False
        self._clock = 0
        self._socket: ClientConnection | None = None
        self._outbox: asyncio.Queue[bytes] = asyncio.Queue()
        self._reading = asyncio.Event()
        self._reading.set()
        self._number = 0
        self._frames: dict[int, set[str]] = {}
        self._typing: set[str] = set()
        self._life: asyncio.Task[None] | None = None
        self._online = asyncio.Event()

    # -- What a person does ------------------------------------------------------------------------------------

    def type(self, word: str, at: int | None = None) -> None:
        """Insert a word, at the end if no place is given."""
        self.words.append(word)
        self._typing = {word}
        # Counted in bytes, as pycrdt counts: what others write need not be ASCII.
        length = len(self.text)
        self.text.insert(min(length if at is None else at, length), word)
        self._typing = set()

    def delete(self, start: int, length: int) -> None:
        del self.text[start : start + length]

    def go_online(self) -> None:
        self._online.set()
        if self._life is None:
            self._life = asyncio.create_task(self._live(), name=f"tab {self.name}")

    async def go_offline(self) -> None:
        """Lose the network: what was under way is lost with it."""
        self._online.clear()
        if self._socket:
            self._socket.transport.abort()
        await until(lambda: self._socket is None, f"{self.name} offline")

    def move_to(self, server: Server) -> None:
        """Reach another server from the next connection on, as behind a proxy."""
        self._uri = self._uri.replace(
            self._origin.replace("http", "ws", 1), server.url.replace("http", "ws", 1)
        )
        self._origin = server.url

    async def close(self) -> None:
        """Close the page, which may be closed already."""
        if self._subscription:
            self.doc.unobserve(self._subscription)
            self._subscription = None
        if self._life:
            self._life.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._life

    def stall(self) -> None:
        """Stop reading; TCP will tell the server."""
        self._reading.clear()

    def read_on(self) -> None:
        self._reading.set()

    def send(self, frame: bytes) -> None:
        """Send a frame as it is. An update frame must be counted (see `send_update`)."""
        self._outbox.put_nowait(frame)

    def send_update(self, update: bytes, words: set[str] | None = None) -> int:
        """Send an update frame; answers its number."""
        return self._number_it(wire.update(update), words or set())

    # -- What it shows -----------------------------------------------------------------------------------------

    @property
    def is_online(self) -> bool:
        if self._life and self._life.done() and not self._life.cancelled() and self._life.exception():
            self._life.result()
        return self._socket is not None and self.is_synced

    @property
    def unsaved(self) -> list[str]:
        return [word for word in self.words if word not in self.saved]

    def __str__(self) -> str:
        return str(self.text)

    # -- The line ----------------------------------------------------------------------------------------------

    async def _live(self) -> None:
        failures = 0
        while self.stopped_by is None:
            await self._online.wait()
            try:
                async with connect(
                    self._uri,
                    origin=self._origin,  # type: ignore[arg-type]
                    additional_headers=self._headers,
                    compression=None,
                    max_size=None,
                    ping_interval=None,
                    proxy=None,
                    close_timeout=1,
                ) as socket:
                    await self._serve(socket)
                    failures = 0
            except ConnectionClosed as closed:
                failures = 0 if self.is_synced else failures + 1
                self._ended(closed)
            except (OSError, InvalidHandshake, TimeoutError, EOFError):
                failures += 1
            self._socket = None
            self.is_synced = False
            if self.stopped_by is None:
                await asyncio.sleep(min(MAX_BACKOFF, 0.05 * 2**failures) * random.uniform(0.5, 1))

    def _ended(self, closed: ConnectionClosed) -> None:
        code = closed.rcvd.code if closed.rcvd else 1006
        self.closes.append(code)
        if 4400 <= code < 4500:
            self.stopped_by = code

    async def _serve(self, socket: ClientConnection) -> None:
        self._outbox = asyncio.Queue()
        self._number, self._frames = 0, {}
        self._socket = socket
        self.connections += 1
        self._clock += 1
        self.send(wire.step_1(self.doc.get_state()))
        # Before the answer to the server's step 1: what it brings must be known to be ours.
        self.send(wire.awareness(self.doc.client_id, self._clock, {"cursor": None}))
        writer = asyncio.create_task(self._write(socket, self._outbox))
        try:
            async for message in socket:
                await self._reading.wait()
                assert isinstance(message, bytes), "the server sent text"
                self._hear(message)
            # `async for` hides an orderly end; the code says whether to come back.
            await socket.recv()
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            self._socket = None

    async def _write(self, socket: ClientConnection, outbox: "asyncio.Queue[bytes]") -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await socket.send(await outbox.get())

    def _number_it(self, frame: bytes, words: set[str]) -> int:
        self._number += 1
        self._frames[self._number] = words
        self.send(frame)
        return self._number

    def _changed(self, event: Any) -> None:
        if not self._remote and self._socket is not None:
            self._number_it(wire.update(event.update), set(self._typing))

    def _take(self, update: bytes) -> None:
        self._remote = True
        try:
            self.doc.apply_update(update)
        finally:
            self._remote = False

    def _hear(self, message: bytes) -> None:
        reader = wire.Reader(message)
        match reader.uint():
            case wire.SYNC:
                self._hear_sync(reader.uint(), reader.blob())
            case wire.AWARENESS:
                self.presence.update(wire.states_of(message))
            case wire.SAVED:
                count, _seq = reader.uint(), reader.uint()
                for number in [number for number in self._frames if number <= count]:
                    self.saved |= self._frames.pop(number)
            case wire.REFUSED:
                self._frames.pop(reader.uint(), None)
                self.refused.append(reader.blob().decode())
            case wire.HELLO:
                self.role = reader.json()["role"]
            case wire.EVENT:
                self.events.append(reader.json())

    def _hear_sync(self, kind: int, body: bytes) -> None:
        if kind == wire.STEP_1:
            # All that was typed and not confirmed is in it, or the server has it and confirms it with this frame.
            self._number_it(wire.step_2(self.doc.get_update(body)), set(self.unsaved))
        else:
            self._take(body)
            self.is_synced |= kind == wire.STEP_2
