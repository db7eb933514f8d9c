"""The application's sockets and rooms in this process, without a server: a test plays the ASGI server."""

import asyncio
from typing import Any
from uuid import UUID

import pycrdt
from asgiref.sync import sync_to_async
from django.db import connections

from collab import consumers, process
from collab.rooms import Rooms
from docs_app.accounts.models import User
from tests.faults import wire
from tests.faults.tab import ROOT, until


class Caller:
    """A tab on a socket that is this process's own. `sent` is what the application sent, oldest first."""

    def __init__(self, user: User, document_id: UUID, *, session: str = "", query: str = "v=1") -> None:
        self.user = user
        self.sent: list[bytes] = []
        self.closed: int | None = None
        self.accepted = False
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        scope = {
            "type": "websocket",
            "user": user,
            "session": _Session(session),
            "url_route": {"kwargs": {"document_id": document_id}},
            "query_string": query.encode(),
        }
        self._inbox.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.create_task(consumers.document_socket(scope, self._inbox.get, self._take))

    async def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "websocket.accept":
                self.accepted = True
            case "websocket.send":
                self.sent.append(message["bytes"])
            case "websocket.close":
                self.closed = message["code"]

    def send(self, frame: bytes) -> None:
        self._inbox.put_nowait({"type": "websocket.receive", "bytes": frame})

    def leave(self) -> None:
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": 1001})

    def kinds(self) -> set[int]:
        return {frame[0] for frame in self.sent}

    def events(self) -> list[dict[str, Any]]:
        found = []
        for frame in self.sent:
            reader = wire.Reader(frame)
            if reader.uint() == wire.EVENT:
                found.append(reader.json())
        return found

    def refusals(self) -> list[str]:
        found = []
        for frame in self.sent:
            reader = wire.Reader(frame)
            if reader.uint() == wire.REFUSED:
                reader.uint()
                found.append(reader.blob().decode())
        return found

    def saved(self) -> int:
        """How many update frames were reported saved."""
        counts = [0]
        for frame in self.sent:
            reader = wire.Reader(frame)
            if reader.uint() == wire.SAVED:
                counts.append(reader.uint())
        return max(counts)

    async def greeted(self) -> None:
        await until(lambda: wire.SYNC in self.kinds(), "the server's greeting")


class _Session:
    def __init__(self, session_key: str) -> None:
        self.session_key = session_key


def typed(text: str, client: int) -> bytes:
    """An update of a new client that types a text."""
    doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=client)
    doc.get(ROOT, type=pycrdt.Text).insert(0, text)
    return doc.get_update()


class Lobby:
    """This process's rooms and everybody who called."""

    def __init__(self) -> None:
        self.callers: list[Caller] = []

    @property
    def rooms(self) -> Rooms:
        return process.rooms()

    def call(self, user: User, document_id: UUID, **options: str) -> Caller:
        caller = Caller(user, document_id, **options)
        self.callers.append(caller)
        return caller

    async def close(self) -> None:
        for caller in self.callers:
            caller.leave()
        await asyncio.gather(*(caller.task for caller in self.callers), return_exceptions=True)
        await process.stop()
        process._rooms = None
        # Django's thread for requests outlives the test, and its connection the test's database.
        await sync_to_async(_forget_connection)()


def _forget_connection() -> None:
    connections["default"].close()
    del connections["default"]
