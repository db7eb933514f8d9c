"""Daphne with what fan-out and safety need: a broadcast that encodes a frame once, limits, back-pressure, a clean stop.

The application sees an ASGI extension, `scope["extensions"]["collab.broadcast"]`, a factory of transports (see
`consumers.Source`); without it, on any other server, it uses plain `send` and `receive`.
"""

import asyncio
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import daphne.server
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from django.conf import settings
from twisted.internet import defer

from collab import process
from collab.protocol import Close, Frame, read_frame

logger = logging.getLogger(__name__)

# Daphne's 50 costs a second when a hundred tabs connect at once.
BACKLOG = 2048
# Frames and bytes from one tab that may wait for the application before its socket is no longer read.
MAX_INBOUND = 64
MAX_INBOUND_BYTES = 2 * 1024 * 1024
STOP_WITHIN = 8.0
# A thread that prepares a commit gives way to the event loop after so many seconds. Python's 5 ms would be most of the
# time that an edit takes to get to the others.
GIVE_WAY_AFTER = 0.0005
# The frame limit is about the update; its envelope comes on top.
ENVELOPE = 64


class DirectTransport:
    """Frames written straight to the socket when nothing is queued, through Twisted otherwise."""

    def __init__(self, websocket: "CollabWebSocket") -> None:
        self._websocket = websocket
        self._send = websocket.transport.socket.send

    def write(self, frame: Frame) -> int:
        websocket = self._websocket
        if websocket.state != WebSocketProtocol.STATE_OPEN:
            return 0
        transport = websocket.transport
        data = frame.encoded
        queued: int = len(transport.dataBuffer) - transport.offset + transport._tempDataLen  # noqa: SLF001 (Twisted has no public count)
        if not queued:
            try:
                sent = self._send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError:
                # Broken: the reactor finds out by reading, and the application hears of it as a disconnect.
                return 0
            if sent == len(data):
                return 0
            data = data[sent:]
        transport.write(data)
        return queued + len(data)

    def feed(self, take: Callable[[bytes], bool]) -> None:
        self._websocket.take = take

    def close(self, code: Close) -> None:
        # A peer that does not answer the closing handshake within a second is dropped with all that is queued.
        self._websocket.serverClose(int(code))


class CollabWebSocket(WebSocketProtocol):
    """A socket that is not read while the application is behind. `take` is offered each binary message before it is
    queued for `receive`, while nothing is queued before it and the application waits for more: a queue, a future and a
    task's step cost as much as taking an edit in."""

    paused = False
    inbound_bytes = 0
    take: Callable[[bytes], bool] | None = None
    is_waited_for = False

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        # Most of what comes is whole small frames, which need no state. Autobahn has the rest.
        if self.take and not (
            self.data or self.current_frame or self.inside_message or self.autoPingTimeoutCall
        ):
            at, most = 0, self.maxMessagePayloadSize
            while self.state == self.STATE_OPEN and (found := read_frame(data, at, most)):
                payload, at = found
                self.onMessage(payload, True)
            data = data[at:] if at else data
        if data:
            self._dataReceived(data)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803 (autobahn's names)
        if self.take and isBinary and self.is_waited_for and not self.application_queue.qsize():
            self.last_ping = time.time()
            if self.take(payload):
                return
        try:
            super().onMessage(payload, isBinary)
        except UnicodeDecodeError:
            self.serverClose(Close.MALFORMED)
        self.inbound_bytes += len(payload)
        if not self.paused and self._is_behind(MAX_INBOUND, MAX_INBOUND_BYTES):
            self.paused = True
            self.transport.pauseProducing()

    def onClose(self, wasClean: bool, code: int, reason: str) -> None:  # noqa: N802, N803 (autobahn's names)
        self.take = None
        super().onClose(wasClean, code, reason)

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802 (Daphne's name)
        # Not sendClose, which takes only 1000 and 3000 upwards: a server may well say 1011, 1012 or 1013.
        self.sendCloseFrame(code=code or 1000, reasonUtf8=None, isReply=False)

    def _is_behind(self, frames: int, size: int) -> bool:
        return self.application_queue.qsize() >= frames or self.inbound_bytes >= size

    def taken(self, message: dict[str, Any]) -> None:
        """Hear that the application took a message; read on, once it has caught up."""
        self.inbound_bytes -= len(message.get("bytes") or message.get("text", "").encode())
        if self.paused and not self._is_behind(MAX_INBOUND // 2, MAX_INBOUND_BYTES // 2):
            self.paused = False
            self.transport.resumeProducing()


class CollabWebSocketFactory(WebSocketFactory):
    protocol = CollabWebSocket

    def setProtocolOptions(self, **options: Any) -> None:  # noqa: N802 (autobahn's name)
        # Say why with a close code (1009 for what is too large) instead of dropping the connection without a word.
        super().setProtocolOptions(**options, failByDrop=False)


# Daphne names its factory at module level and takes none as a parameter.
daphne.server.WebSocketFactory = CollabWebSocketFactory


class Server(daphne.server.Server):
    """One process on one port. `run` returns when the server has stopped; then call `end_process`."""

    def __init__(
        self,
        application: Any,
        host: str,
        port: int,
        *,
        on_ready: Callable[[], None],
        on_clean_end: Callable[[], None],
    ) -> None:
        quoted = host.replace(":", "\\:")
        super().__init__(
            application,
            endpoints=[f"tcp:port={port}:interface={quoted}:backlog={BACKLOG}"],
            ready_callable=None,
            websocket_max_message_size=settings.MAX_FRAME + ENVELOPE,
            websocket_max_frame_size=settings.MAX_FRAME + ENVELOPE,
            websocket_timeout=-1,
            server_name="collab",
        )
        sys.setswitchinterval(GIVE_WAY_AFTER)
        self._on_ready, self._on_clean_end = on_ready, on_clean_end
        self._ports: list[Any] = []
        self.failed = False
        self.in_order = False

    def listen_success(self, port: Any) -> None:
        super().listen_success(port)
        self._ports.append(port)
        # Small frames must not wait for the acknowledgement of earlier ones; accepted sockets inherit this.
        port.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._on_ready()

    def listen_error(self, failure: Any) -> None:
        self.failed = True
        logger.critical("can't listen: %s", failure.getErrorMessage())
        self.stop()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """As Daphne does, with the broadcast extension and a `receive` that lets a paused socket go on."""
        if scope["type"] != "websocket":
            return super().create_application(protocol, scope)
        inbound: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        scope["asgi"] = {"version": "3.0"}
        scope["extensions"] = {"collab.broadcast": lambda send: DirectTransport(protocol)}

        async def receive() -> dict[str, Any]:
            protocol.is_waited_for = True
            message = await inbound.get()
            protocol.is_waited_for = False
            protocol.taken(message)
            return message

        async def send(message: dict[str, Any]) -> None:
            await self.handle_reply(protocol, message)

        task = asyncio.ensure_future(self.application(scope=scope, receive=receive, send=send))
        self.connections[protocol]["application_instance"] = task
        return inbound

    def kill_all_applications(self) -> Any:
        """Before the reactor stops: take nobody in, commit every edit, send the tabs away, then end what is left."""
        for port in self._ports:
            port.stopListening()
        # A request that hangs in a thread must not keep the process alive: the next one waits for its lock.
        last_resort = threading.Timer(STOP_WITHIN + 1.5, self._give_up)
        last_resort.daemon = True
        last_resort.start()
        return defer.Deferred.fromFuture(asyncio.ensure_future(self._end()))

    def _give_up(self) -> None:
        logger.critical("something hangs, ending all the same")
        self.end_process()

    def end_process(self) -> None:
        """End at once with 0 if every edit is committed. Threads are not waited for: none holds an edit."""
        if self.in_order:
            self._on_clean_end()
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0 if self.in_order else 1)

    async def _tidy(self) -> None:
        # Nothing depends on it: what hangs here is ended by the last resort, in order all the same.
        try:
            await process.tidy()
        except Exception:
            logger.exception("documents could not be tidied up")

    async def _end(self) -> None:
        try:
            await asyncio.wait_for(process.stop(), STOP_WITHIN)
            self.in_order = True
        except TimeoutError:
            logger.critical("stopped with unsaved edits, the database did not take them in %g s", STOP_WITHIN)
        except Exception:
            logger.exception("stopped, perhaps with unsaved edits")
        else:
            await self._tidy()
        running = [details.get("application_instance") for details in self.connections.values()]
        tasks = [task for task in running if task and not task.done()]
        # The tabs answer the closing handshake in a moment; after it their tasks end by themselves.
        await asyncio.wait(tasks, timeout=0.3) if tasks else None
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=0.5) if tasks else None
