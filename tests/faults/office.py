"""Rooms, savers and the log in this process, on a SQLite file as in production, with peers on a network that the test
moves by hand. Nothing listens on a port, so that hundreds of scripts run in seconds."""

import asyncio
import math
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pycrdt
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from collab.connection import Connection, Participant
from collab.protocol import Close, Frame
from collab.room import Room, UntriedError
from collab.saver import Saver
from docs_app.accounts.models import User
from docs_app.documents import log
from docs_app.documents.models import Document, DocumentUpdate
from docs_app.sharing.roles import Role
from docs_app.workspaces.models import Membership, Workspace
from tests.faults import wire
from tests.faults.tab import ROOT

T = TypeVar("T")
PEOPLE = ("ada", "ben", "chidi")


class Database:
    """Points Django's default connection at a file of its own, in every thread."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._settings = connections.settings["default"]
        self._before = dict(self._settings)
        self._connection = connections["default"]

    def use(self) -> None:
        options = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # The tests kill no machine: leaving out the disk's confirmation makes them ten times as fast.
            "init_command": "PRAGMA synchronous=OFF; PRAGMA foreign_keys=ON;",
        }
        self._settings.update(
            ENGINE="django.db.backends.sqlite3", NAME=str(self.file), OPTIONS=options, CONN_MAX_AGE=None
        )
        del connections["default"]

    def restore(self) -> None:
        connections["default"].close()
        self._settings.clear()
        self._settings.update(self._before)
        connections["default"] = self._connection


def make_template(file: Path) -> None:
    """A migrated database with the people and one document."""
    call_command("migrate", verbosity=0)
    workspace = Workspace.objects.create(name="Aviary")
    for name in PEOPLE:
        user = User.objects.create(email=f"{name}@example.org", name=name.title(), password="!")
        kind = Membership.Kind.OWNER if name == "ada" else Membership.Kind.MEMBER
        Membership.objects.create(workspace=workspace, user=user, kind=kind)
    Document.objects.create(workspace=workspace, title="Field notes")
    connections["default"].close()
    assert file.exists()


async def in_database(function: Callable[..., T], *arguments: Any) -> T:
    """Run a function that uses the database, in a thread."""

    def call() -> T:
        try:
            return function(*arguments)
        finally:
            connections.close_all()

    return await asyncio.to_thread(call)


class Line:
    """A transport that keeps what the server wrote until the test delivers it."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.closed: Close | None = None

    def write(self, frame: Frame) -> int:
        self.frames += frame.payloads
        return 0

    def close(self, code: Close) -> None:
        self.closed = code


def receive(connection: Connection, frame: bytes) -> None:
    """Give the server a frame. What it wants to have tried first counts as tried."""
    try:
        connection.receive(frame)
    except UntriedError as untried:
        untried.scanned.is_tried = True
        connection.receive(frame, untried.scanned)


def yrs_document(client: int) -> "pycrdt.Doc[Any]":
    return pycrdt.Doc(client_id=client)


@dataclass
class Peer:
    """A Yjs peer, on yrs or on what `new_doc` makes of its client id. `up` are update frames that it has sent and the
    network has not delivered: payload and the marks that it carries. A mark is (client, clock), the last clock of what
    a person typed."""

    name: str
    user_id: int
    client: int
    role: Role = Role.EDITOR
    new_doc: Callable[[int], Any] = yrs_document
    made: set[tuple[int, int]] = field(default_factory=set)
    saved: set[tuple[int, int]] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    states: dict[int, Any] = field(default_factory=dict)
    up: list[tuple[bytes, set[tuple[int, int]]]] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.doc = self.new_doc(self.client)
        self.text = self.doc.get(ROOT, type=pycrdt.Text)
        self.line: Line | None = None
        self.connection: Connection | None = None
        self._delivered: dict[int, set[tuple[int, int]]] = {}
        self._number = 0
        self.clock = 0
        self._awareness_clock = 0
        self._remote = False
        self._subscription = self.doc.observe(self._changed)

    # -- Typing ------------------------------------------------------------------------------------------------

    def _changed(self, event: Any) -> None:
        if self._remote:
            return
        marks = {(self.client, self.clock)} if self.clock else set()
        self.made |= marks
        if self.connection:
            self.up.append((wire.update(event.update), marks))

    def type(self, place: int, text: str) -> None:
        """Insert ASCII text: one clock a character."""
        self.clock += len(text)
        self.text.insert(min(place, len(self.text)), text)

    def delete(self, place: int, length: int) -> None:
        end = len(self.text)
        start = min(place, end)
        if start < min(start + length, end):
            del self.text[start : min(start + length, end)]

    # -- The network -------------------------------------------------------------------------------------------

    def connect(self, room: Room, *, extended: bool = True) -> None:
        self._delivered, self._number = {}, 0
        self.up.clear()
        self._awareness_clock += 1
        self.line = Line()
        participant = Participant(self.user_id, self.name, "#1b6e3a", f"session-{self.name}")
        self.connection = Connection(
            room=room, transport=self.line, participant=participant, role=self.role, extended=extended
        )
        self.connection.open()
        self.connection.receive(wire.step_1(self.doc.get_state()))
        self.connection.receive(wire.awareness(self.client, self._awareness_clock, {"cursor": None}))

    def disconnect(self) -> None:
        if self.connection:
            self.connection.gone()
        self.connection = self.line = None
        self.up.clear()

    def send(self, index: int = 0) -> None:
        """Deliver one frame that is under way to the server."""
        if index < len(self.up) and self.connection:
            self._deliver(*self.up.pop(index))

    def repeat(self, index: int) -> None:
        """The network delivers a frame twice."""
        if index < len(self.up) and self.connection:
            self._deliver(*self.up[index])

    def _deliver(self, frame: bytes, marks: set[tuple[int, int]]) -> None:
        assert self.connection
        self._number += 1
        self._delivered[self._number] = marks
        receive(self.connection, frame)

    def hear(self) -> bool:
        """Take in everything that the server has written; True, so that a condition can begin with it."""
        while self.line and self.line.frames:
            self.heard.append(self.line.frames.pop(0))
            self._read(self.heard[-1])
        if self.line and self.line.closed:
            self.disconnect()
        return True

    def _read(self, message: bytes) -> None:
        reader = wire.Reader(message)
        match reader.uint():
            case wire.SYNC:
                kind, body = reader.uint(), reader.blob()
                if kind == wire.STEP_1:
                    # It carries, or confirms, everything that was ever typed here.
                    self.up.append((wire.step_2(self.doc.get_update(body)), set(self.made)))
                else:
                    self._take(body)
            case wire.AWARENESS:
                self.states.update(wire.states_of(message))
            case wire.SAVED:
                count = reader.uint()
                for number in [number for number in self._delivered if number <= count]:
                    self.saved |= self._delivered.pop(number)
            case wire.REFUSED:
                self._delivered.pop(reader.uint(), None)
                self.refused.append(reader.blob().decode())
            case wire.EVENT:
                self.events.append(reader.json())

    def _take(self, update: bytes) -> None:
        self._remote = True
        try:
            self.doc.apply_update(update)
        finally:
            self._remote = False

    def __str__(self) -> str:
        return str(self.text)


def clocks(doc: Any) -> dict[int, int]:
    """A document's state vector."""
    reader = wire.Reader(doc.get_state())
    return {reader.uint(): reader.uint() for _ in range(reader.uint())}


class Office:
    """One document, its room in this process, and its peers."""

    def __init__(
        self, append: Callable[..., Any] = log.append, new_doc: Callable[[int], Any] = yrs_document
    ) -> None:
        self._append, self._new_doc = append, new_doc
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="office")
        self.peers: list[Peer] = []
        self.gaps = 0
        self.after_crash = False

    async def open(self, people: tuple[str, ...] = ("ada", "ben", "chidi", "ada")) -> None:
        self.document: Document = await self.call(Document.objects.get)
        users = await self.call(lambda: dict(User.objects.values_list("name", "id")))
        self.saver = self._new_saver()
        await self.open_room()
        for number, name in enumerate(people):
            user, client = users[name.title()], 1000 + number
            self.peers.append(Peer(f"{name}{number}", user, client, new_doc=self._new_doc))
        for peer in self.peers:
            peer.connect(self.room)
        await self.settle()

    def _new_saver(self) -> Saver:
        saver = Saver(self._append)
        saver.start()
        return saver

    async def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run something that uses the database, in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    async def open_room(self) -> None:
        loaded = await self.call(log.load, self.document.id)
        self.room = Room(
            self.document.id,
            loaded,
            saver=self.saver,
            on_commit=lambda room, rows: None,
            on_gap=self._missed,
            since_crash=lambda: 0.0 if self.after_crash else math.inf,
        )
        if self.room.failed:
            await self.call(log.set_aside, self.document.id, self.room.failed)

    def _missed(self, room: Room) -> None:
        self.gaps += 1

    async def catch_up(self) -> None:
        """Read what others have stored."""
        self.room.follow(await self.call(log.since, self.document.id, self.room.seq), {})

    async def settle(self) -> None:
        """Let everything under way arrive and be committed, however often it goes to and fro."""
        while True:
            for peer in self.peers:
                peer.hear()
                while peer.up:
                    peer.send()
            await asyncio.sleep(0)
            quiet = not any(peer.up or (peer.line and peer.line.frames) for peer in self.peers)
            if quiet and not self.room._outbox:
                if not self.saver.has_unsaved(self.room):
                    return
                await self.saver.flushed(self.room)
            elif quiet:
                await asyncio.sleep(0.001)

    async def restart(self, *, crash: bool) -> None:
        """End the process and start another one. After a crash nothing that waited is committed."""
        if not crash:
            await self.saver.flushed(self.room)
        await self.end()
        for peer in self.peers:
            if not crash:
                peer.hear()
            peer.disconnect()
        self.after_crash |= crash
        self.saver = self._new_saver()
        await self.open_room()

    async def compact(self) -> None:
        await self.call(log.compact, self.document.id)

    async def prune(self) -> None:
        await self.call(log.prune, self.document.id, timezone.now() + timedelta(seconds=1))

    async def elsewhere(self, text: str) -> None:
        """Another process stores an edit that the server makes under an id of its own."""
        doc: pycrdt.Doc[Any] = pycrdt.Doc()
        doc.get(ROOT, type=pycrdt.Text).insert(0, text)
        entry = log.Entry(self.document.id, None, doc.get_update(), 0, (doc.client_id,))
        await self.call(log.append, [entry])

    async def folded(self) -> log.Loaded:
        return await self.call(log.load, self.document.id)

    async def rows(self) -> int:
        return await self.call(DocumentUpdate.objects.filter(document=self.document).count)

    async def end(self) -> None:
        """As a killed process: what was handed to the database may still be committed, nothing is reported."""
        task = self.saver._task
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(None, self.saver._thread.shutdown)

    async def close(self) -> None:
        await self.end()
        for peer in self.peers:
            peer.doc.unobserve(peer._subscription)
        await self.call(connections.close_all)
        self._threads.shutdown()


def text_of(loaded: log.Loaded) -> str:
    """The folded log's text, read by yrs from the bytes and not by the product's replica."""
    doc: pycrdt.Doc[Any] = pycrdt.Doc()
    for data in [
        loaded.snapshot or b"\0\0",
        *loaded.pending,
        *(row.data for row in loaded.rows if not row.set_aside),
    ]:
        doc.apply_update(data)
    return str(doc.get(ROOT, type=pycrdt.Text))


def copy_database(template: Path, file: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        file.with_name(file.name + ending).unlink(missing_ok=True)
    shutil.copyfile(template, file)
