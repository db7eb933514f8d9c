"""One browser tab on a WebSocket.

A plain ASGI application with its own receive loop: Channels' consumers hop to a thread for every message, which costs
more than taking an edit in.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol
from urllib.parse import parse_qsl
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError

from collab import protocol
from collab.connection import Connection, Participant, Transport
from collab.pace import Pace
from collab.process import rooms
from collab.protocol import Close, Frame, ProtocolError
from collab.room import Room, UntriedError
from docs_app import access
from docs_app.accounts.models import User
from docs_app.content import SCHEMA_VERSION
from docs_app.documents.log import LogDamagedError
from docs_app.documents.models import Document
from docs_app.documents.trial import ALLOWED
from docs_app.documents.updates import MalformedUpdateError, Scan, scan
from docs_app.sharing.links import guests_in

logger = logging.getLogger(__name__)

# Bytes from which on a frame is read in a thread.
LARGE_FRAME = 32 * 1024

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class _RefusedError(Exception):
    """The tab gets no connection; `code` tells it why."""

    def __init__(self, code: Close) -> None:
        super().__init__(code)
        self.code = code


async def _close(send: Send, code: Close) -> None:
    try:
        await send({"type": "websocket.close", "code": int(code)})
    except Exception:
        # Plain Daphne takes 1000 and 3000 upwards only; after any close but 4400 to 4499 the tab comes back anyway.
        logger.warning("this server does not close with %d", code, exc_info=True)
        await send({"type": "websocket.close"})


class Source(Transport, Protocol):
    """A transport that can hand over what it reads."""

    def feed(self, take: Callable[[bytes], bool]) -> None:
        """From now on offer each message to `take` as soon as it is read. What `take` answers False to, and whatever
        comes before that has been dealt with, comes by `receive`."""


class AsgiTransport:
    """Frames through `send`, one after the other, on any ASGI server."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._queue: deque[Frame | Close] = deque()
        self._queued = 0
        self._task: asyncio.Task[None] | None = None

    def write(self, frame: Frame) -> int:
        self._queued += frame.size
        self._push(frame)
        return self._queued

    def feed(self, take: Callable[[bytes], bool]) -> None:
        """Leave it at `receive`: this server offers nothing else."""

    def close(self, code: Close) -> None:
        self._push(code)

    def _push(self, item: Frame | Close) -> None:
        self._queue.append(item)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        try:
            while self._queue:
                item = self._queue.popleft()
                if isinstance(item, Frame):
                    for payload in item.payloads:
                        await self._send({"type": "websocket.send", "bytes": payload})
                    self._queued -= item.size
                else:
                    await _close(self._send, item)
        except OSError:
            # The tab is gone; the receive loop hears of it.
            self._queue.clear()
        finally:
            self._task = None


async def document_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Serve one tab from the handshake to the end. The Origin has been checked before (see `asgi`)."""
    await receive()
    await send({"type": "websocket.accept"})
    user, document_id = scope["user"], UUID(str(scope["url_route"]["kwargs"]["document_id"]))
    # The session is in memory: whose it is has been looked up in it.
    guests = [] if isinstance(user, User) else guests_in(scope["session"])
    with rooms().seat(document_id, user.pk or -min(guests, default=0)) as has_place:
        try:
            connection, transport = await _enter(scope, send, user, guests, document_id, has_place=has_place)
        except _RefusedError as refused:
            await _close(send, refused.code)
            return
        await _serve(connection, transport, receive)


async def _serve(connection: Connection, transport: Source, receive: Receive) -> None:
    pace = Pace()
    try:
        connection.open()
        transport.feed(partial(_take, connection, pace))
        await _receive_all(connection, pace, receive)
    except Exception:
        logger.exception("document %s: a tab's connection failed", connection.room.document_id)
        connection.close(Close.INTERNAL_ERROR)
    finally:
        connection.gone()


async def _enter(
    scope: dict[str, Any],
    send: Send,
    user: User | AnonymousUser,
    guests: list[int],
    document_id: UUID,
    *,
    has_place: bool,
) -> tuple[Connection, Source]:
    """The tab's connection and what carries it. Raises _RefusedError. No byte of the document is read before the
    person's right to it is known."""
    if not guests and not (isinstance(user, User) and user.is_active):
        raise _RefusedError(Close.SIGN_IN)
    if not has_place:
        raise _RefusedError(Close.TOO_MANY)
    asked_at = time.monotonic()
    try:
        found = await rooms().read(access.find_for, user, guests, document_id)
        if found is None:
            raise _RefusedError(Close.NOT_FOUND)
        room = await rooms().enter(document_id)
        while rooms().rights_changed_since(asked_at, room):
            # Rights may have ended while the document was loaded: nothing is taken in on the word of before.
            asked_at = time.monotonic()
            found = await rooms().read(access.find_for, user, guests, document_id)
            if found is None:
                raise _RefusedError(Close.NOT_FOUND)
    except Document.DoesNotExist as error:
        raise _RefusedError(Close.NOT_FOUND) from error
    except (DatabaseError, LogDamagedError) as error:
        # Never an empty document instead of one that failed to load.
        logger.exception("document %s can't be opened", document_id)
        raise _RefusedError(Close.INTERNAL_ERROR) from error
    query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    if outdated := _outdated(query, room):
        raise _RefusedError(outdated)
    make_transport = scope.get("extensions", {}).get("collab.broadcast", AsgiTransport)
    transport: Source = make_transport(send)
    connection = Connection(
        room=room,
        transport=transport,
        participant=Participant.of(found[0], scope["session"].session_key or ""),
        role=found[2],
        extended=query.get("v") == "1",
    )
    return connection, transport


def _outdated(query: dict[str, str], room: Room) -> Close | None:
    """Why a tab that was loaded some time ago must be reloaded first. What it holds would damage the document:
    nodes that its schema does not know are deleted, and edits to a replaced history bring that history back."""
    if query.get("schema", str(SCHEMA_VERSION)) != str(SCHEMA_VERSION):
        return Close.PAGE_TOO_OLD
    if query.get("epoch", str(room.epoch)) != str(room.epoch):
        return Close.NEW_EPOCH
    return None


def _take(connection: Connection, pace: Pace, data: bytes) -> bool:
    """Deal with a message at once, unless it is a large one, comes too fast or may cost much. Tells no error: the
    connection is closed for it, and the receive loop hears of that."""
    if len(data) > LARGE_FRAME or not pace.admits(len(data)):
        return False
    started = time.perf_counter()
    try:
        connection.receive(data)
    except UntriedError:
        return False
    except ProtocolError as error:
        _end(connection, error)
    except BaseException as error:
        # Also what is no Exception: the frame was counted, so nothing that follows may be called saved.
        logger.exception("document %s: a tab's connection failed", connection.room.document_id)
        connection.close(Close.INTERNAL_ERROR)
        if not isinstance(error, Exception):
            raise
    pace.spent(time.perf_counter() - started)
    return True


def _end(connection: Connection, error: ProtocolError) -> None:
    logger.warning("document %s: %s", connection.room.document_id, error)
    connection.close(Close.MALFORMED)


async def _receive_all(connection: Connection, pace: Pace, receive: Receive) -> None:
    """Until the tab is gone, also after a close of ours: a server whose application returns early sends no code."""
    while (message := await receive())["type"] == "websocket.receive":
        data = message.get("bytes")
        if data is None:
            connection.close(Close.MALFORMED)
            continue
        try:
            seconds = await _take_in(connection, data)
        except ProtocolError as error:
            _end(connection, error)
            continue
        pace.spent(seconds)
        await pace.keep(len(data))


async def _take_in(connection: Connection, data: bytes) -> float:
    """Answers the CPU seconds that the frame has cost. Raises ProtocolError."""
    scanned, spent = None, 0.0
    if len(data) > LARGE_FRAME and (update := protocol.update_in(data)) is not None:
        # In a thread: reading a full frame takes longer than others should wait.
        scanned, spent = await asyncio.to_thread(_scan_timed, update)
    started = time.thread_time()
    try:
        connection.receive(data, scanned)
    except UntriedError as untried:
        reason = await rooms().try_out(connection.room, untried)
        spent += ALLOWED
        if reason:
            connection.refuse_next(reason)
        else:
            connection.receive(data, untried.scanned)
    return spent + time.thread_time() - started


def _scan_timed(update: bytes) -> tuple[Scan | None, float]:
    """What the update says, None if it is malformed, which the room will find again and answer; and the CPU seconds."""
    started = time.thread_time()
    try:
        scanned = scan(update)
    except MalformedUpdateError:
        scanned = None
    return scanned, time.thread_time() - started
