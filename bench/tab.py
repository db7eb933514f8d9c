"""One tab: a socket that opens a document, answers what a Yjs client must answer, and writes down what arrives when.

Nothing is counted while the load runs; `load` does that afterwards.
"""

import asyncio
import base64
import secrets
import socket
import time
from dataclasses import dataclass, field
from typing import cast

from bench import wire
from bench.edits import typed
from bench.encoding import read_blob

# Chunks that are remembered because others will get the same; longer ones are a newcomer's state.
_MAX_REMEMBERED = 65536


@dataclass(frozen=True)
class Seat:
    """Where a tab connects and as whom. `envelope` is what precedes each message, `greeting` what goes first of all."""

    port: int
    path: str
    headers: dict[str, str]
    envelope: bytes = b""
    greeting: list[bytes] = field(default_factory=list)

    def request(self) -> bytes:
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        lines = [
            f"GET {self.path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n"


class ConnectionEndedError(RuntimeError):
    """The server did not take the tab, or sent it away."""


class Tab(asyncio.Protocol):
    """`known` is shared by the tabs of one server: bytes to what they say."""

    def __init__(
        self, seat: Seat, client: int, known: dict[bytes, wire.Entry], state_vector: bytes | None = None
    ) -> None:
        self.seat, self.client = seat, client
        self.log: list[wire.Entry] = []
        self.times: list[float] = []
        self.typed_at: list[float] = []
        self.saved_from = 0
        self.update_frames = 0
        self.opened_at = self.synced_at = 0.0
        self.synced: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.error: ConnectionEndedError | None = None
        self.leaving = False
        self.state = b""
        self._known = known
        self._state_vector = state_vector or wire.EMPTY_STATE_VECTOR
        self._rest = b""
        self._missing = 0
        self._upgraded = False
        self._awareness_clock = 0
        self._transport: asyncio.Transport | None = None
        self._socket: socket.socket | None = None

    # -- Opening ---------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect; `synced` tells when the server's state is here. Raises OSError."""
        loop = asyncio.get_running_loop()
        self.opened_at = time.monotonic()
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(self._socket, ("127.0.0.1", self.seat.port))
        await loop.create_connection(lambda: self, sock=self._socket)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self.seat.request())

    def _greet(self) -> None:
        for message in self.seat.greeting:
            self.send(message)
        self.send(wire.sync_step_1(self._state_vector))
        self.announce()

    def announce(self) -> None:
        """Say again who is here, as every Yjs client does each 15 seconds."""
        self._awareness_clock += 1
        self.send(wire.awareness(self.client, self._awareness_clock))

    def send(self, message: bytes) -> None:
        assert self._transport is not None
        self._transport.write(wire.frame(self.seat.envelope + message))

    def leave(self) -> None:
        self.leaving = True
        if self._transport is not None:
            self._transport.abort()

    # -- Typing ----------------------------------------------------------------------------------------------------

    def edits(self, count: int) -> list[bytes]:
        """The frames that type the next `count` characters, to be given to `type` in this order."""
        first = len(self.typed_at)
        envelope, client = self.seat.envelope, self.client
        return [wire.frame(envelope + wire.update(typed(client, first + n))) for n in range(count)]

    def type(self, frame: bytes) -> None:
        """Send a frame that `edits` made, straight to the socket when nothing waits before it."""
        self.typed_at.append(time.monotonic())
        self.update_frames += 1
        assert self._transport is not None
        assert self._socket is not None
        if not self._transport.get_write_buffer_size():
            try:
                sent = self._socket.send(frame)
            except BlockingIOError:
                sent = 0
            except OSError:
                # The loop hears of it by reading.
                return
            frame = frame[sent:]
        if frame:
            self._transport.write(frame)

    # -- Reading ---------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        entry = self._known.get(data) if not self._rest else None
        if entry is None:
            entry = self._read(data)
            if entry is None:
                return
        self.log.append(entry)
        self.times.append(time.monotonic())
        if entry.others:
            for kind, rest in entry.others:
                self._hear(kind, rest)

    def _read(self, data: bytes) -> wire.Entry | None:
        """The slow way: bytes that are new, or only part of a frame."""
        whole = not self._rest
        if not self._upgraded:
            data = self._upgrade(data)
            whole = False
        self._missing -= len(data)
        self._rest += data
        if self._missing > 0 or not self._rest:
            return None
        at, self._missing = 0, 0
        try:
            while at < len(self._rest):
                _, _, at = wire.next_frame(self._rest, at)
        except wire.TruncatedError as error:
            self._missing = error.missing
        chunk, self._rest = self._rest[:at], self._rest[at:]
        if not chunk:
            return None
        entry = wire.understand(chunk, enveloped=bool(self.seat.envelope))
        if whole and not self._rest and len(chunk) <= _MAX_REMEMBERED:
            self._known[chunk] = entry
        return entry

    def _upgrade(self, data: bytes) -> bytes:
        head, found, rest = (self._rest + data).partition(b"\r\n\r\n")
        if not found:
            self._rest = head
            return b""
        self._rest = b""
        if not head.startswith(b"HTTP/1.1 101"):
            self._fail(ConnectionEndedError(head.partition(b"\r\n")[0].decode("latin-1")))
            return b""
        self._upgraded = True
        self._greet()
        return rest

    def _hear(self, kind: int, rest: bytes) -> None:
        if kind in (wire.SYNC, wire.SYNC_REPLY):
            if rest[0] == wire.STEP_1:
                self.update_frames += 1
                self.send(wire.sync_step_2())
            elif rest[0] == wire.STEP_2 and not self.synced.done():
                self.synced_at = time.monotonic()
                self.state, _ = read_blob(rest, 1)
                self.synced.set_result(None)
        elif kind == -wire.PING and self._transport is not None:
            self._transport.write(wire.frame(rest, wire.PONG))
        elif kind == -wire.CLOSE:
            self._fail(ConnectionEndedError(f"closed with {int.from_bytes(rest[:2], 'big')}"))
        elif kind == wire.REFUSED or (kind == wire.AUTH and rest[0] == 1 and self.seat.envelope):
            self._fail(ConnectionEndedError(f"refused: {rest!r}"))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.leaving:
            self._fail(ConnectionEndedError(f"the connection ended: {exc}"))

    def _fail(self, error: ConnectionEndedError) -> None:
        self.error = self.error or error
        if not self.synced.done():
            self.synced.set_exception(error)
