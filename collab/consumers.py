"""One browser tab on a WebSocket.

A plain ASGI application with its own receive loop: Channels' consumers hop to a thread for every message, which costs
more than taking an edit in.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from django.db import DatabaseError

from collab.connection import Connection, Participant
from collab.protocol import Close, Frame, ProtocolError
from collab.rooms import Rooms
from docs_app import access
from docs_app.accounts.models import User
from docs_app.documents.log import LogDamagedError
from docs_app.documents.models import Document

logger = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_rooms: Rooms | None = None


def rooms() -> Rooms:
    """This process's rooms; started with the first tab, because they belong to the running event loop."""
    global _rooms
    if _rooms is None:
        _rooms = Rooms()
        _rooms.start()
    return _rooms


async def stop() -> None:
    """Commit everything and send every tab away."""
    if _rooms is not None:
        await _rooms.stop()


class AsgiTransport:
    """Frames through `send`, one after the other, on any ASGI server."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._queue: deque[Frame | Close] = deque()
        self._queued = 0
        self._task: asyncio.Task[None] | None = None

    def write(self, frame: Frame) -> int:
        self._queued += len(frame.payload)
        self._push(frame)
        return self._queued

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
                    await self._send({"type": "websocket.send", "bytes": item.payload})
                    self._queued -= len(item.payload)
                else:
                    await self._send({"type": "websocket.close", "code": int(item)})
        except OSError:
            # The tab is gone; the receive loop hears of it.
            self._queue.clear()
        finally:
            self._task = None


async def document_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Serve one tab from the handshake to the end. The Origin has been checked before (see `asgi`)."""
    await receive()
    await send({"type": "websocket.accept"})
    connection = await _enter(scope, send)
    if connection is None:
        return
    try:
        connection.open()
        await _receive_all(connection, receive)
    except Exception:
        logger.exception("document %s: a tab's connection failed", connection.room.document_id)
        connection.close(Close.INTERNAL_ERROR)
    finally:
        connection.gone()


async def _enter(scope: dict[str, Any], send: Send) -> Connection | None:
    """The tab's connection, or None after it was told why there is none. No byte of the document is read before the
    person's right to it is known."""
    user, document_id = scope["user"], UUID(str(scope["url_route"]["kwargs"]["document_id"]))
    if not isinstance(user, User) or not user.is_active:
        return await _refuse(send, Close.SIGN_IN)
    try:
        found = await rooms().read(access.find_document, user, document_id)
        if found is None:
            return await _refuse(send, Close.NOT_FOUND)
        room = await rooms().enter(document_id)
    except Document.DoesNotExist:
        return await _refuse(send, Close.NOT_FOUND)
    except (DatabaseError, LogDamagedError):
        # Never an empty document instead of one that failed to load.
        logger.exception("document %s can't be opened", document_id)
        return await _refuse(send, Close.INTERNAL_ERROR)
    make_transport = scope.get("extensions", {}).get("collab.broadcast", AsgiTransport)
    return Connection(
        room=room,
        transport=make_transport(send),
        participant=Participant(user.pk, user.name, user.colour),
        role=found[1],
        extended=parse_qs(scope["query_string"].decode("latin-1")).get("v") == ["1"],
    )


async def _refuse(send: Send, code: Close) -> None:
    await send({"type": "websocket.close", "code": int(code)})


async def _receive_all(connection: Connection, receive: Receive) -> None:
    while (message := await receive())["type"] == "websocket.receive":
        data = message.get("bytes")
        if data is None:
            return connection.close(Close.MALFORMED)
        try:
            connection.receive(data)
        except ProtocolError as error:
            logger.warning("document %s: %s", connection.room.document_id, error)
            return connection.close(Close.MALFORMED)
