"""Tabs in a room without sockets: what each one hears is kept, and commits happen when a test says so."""

import math
from collections.abc import Callable
from uuid import uuid4

import pytest

from collab import protocol
from collab.connection import Connection, Participant
from collab.presence import Sighting
from collab.protocol import AwarenessState, Close, Frame
from collab.room import Room
from collab.saver import Edit, Saver
from docs_app.documents.log import Entry, Loaded, Row
from docs_app.sharing.roles import Role
from tests.collab import reading
from tests.collab.crafted import typed
from tests.collab.reading import Heard

ALICE = Participant(1, "Alice", "#1b6e3a", "session-a")
BOB = Participant(2, "Bob", "#6a4bc4", "session-b")
CAROL = Participant(3, "Carol", "#0b62a8", "session-c")


class Wire:
    """A transport that keeps every frame. `stuck` counts nothing as sent."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.code: Close | None = None
        self.stuck = False

    def write(self, frame: Frame) -> int:
        self.frames += frame.payloads
        return sum(map(len, self.frames)) if self.stuck else 0

    def close(self, code: Close) -> None:
        assert self.code is None, "closed twice"
        self.code = code


class Tab:
    """A person's tab: a connection, its wire, and a Yjs client that types `x` after `x`."""

    def __init__(self, room: Room, person: Participant, role: Role, *, extended: bool, client: int) -> None:
        self.wire = Wire()
        self.client = client
        self.clock = 0
        self.connection = Connection(
            room=room, transport=self.wire, participant=person, role=role, extended=extended
        )

    def open(self) -> "Tab":
        self.connection.open()
        return self

    def send(self, update: bytes) -> None:
        self.connection.receive(protocol.update(update))

    def answer(self, update: bytes) -> None:
        """Send sync step 2."""
        self.connection.receive(protocol.sync_step_2(update))

    def type(self, words: str = "x") -> bytes:
        """Type behind the last character; answers the update."""
        update = typed(self.client, self.clock, words)
        self.clock += len(words)
        self.send(update)
        return update

    def announce(self, *clients: int, clock: int = 1, cursor: object = 1) -> None:
        states = [AwarenessState(client, clock, {"cursor": cursor}) for client in clients or (self.client,)]
        self.connection.receive(protocol.awareness(states))

    def heard(self, *kinds: str) -> list[Heard]:
        """What arrived since the last call, of these kinds (of every kind if none is named)."""
        frames, self.wire.frames = self.wire.frames, []
        messages = [reading.read(frame) for frame in frames]
        return [message for message in messages if not kinds or message.kind in kinds]

    def refusals(self) -> list[tuple[int, str]]:
        return [message.body for message in self.heard(reading.REFUSED)]

    def updates(self) -> list[bytes]:
        return [message.body for message in self.heard(reading.UPDATE)]


class Drawer(Saver):
    """A saver that commits when it is told to."""

    def __init__(self) -> None:
        super().__init__(lambda entries: [])
        self.edits: list[Edit] = []
        self.full = False

    def add(self, document: object, edit: Edit) -> None:
        self.edits.append(edit)

    @property
    def is_full(self) -> bool:
        return self.full

    def has_unsaved(self, document: object) -> bool:
        return bool(self.edits)


class Office:
    """A room, its tabs, and what it asked of the process around it."""

    def __init__(
        self,
        *rows: bytes,
        since_crash: float = math.inf,
        may_lag: bool = False,
        on_presence: Callable[[Room, list[Sighting]], None] = lambda room, changes: None,
    ) -> None:
        self.saver = Drawer()
        self.rung: list[int] = []
        self.gaps = 0
        loaded = Loaded(
            seq=len(rows),
            epoch=0,
            schema_version=1,
            snapshot_seq=0,
            snapshot=None,
            pending=[],
            rows=[Row(seq, data) for seq, data in enumerate(rows, start=1)],
            bindings={},
        )
        self.room = Room(
            uuid4(),
            loaded,
            saver=self.saver,
            on_commit=lambda room, rows: self.rung.extend(seq for _, seq in rows),
            on_gap=self._count_gap,
            on_presence=on_presence,
            since_crash=lambda: since_crash,
            may_lag=may_lag,
        )
        self._clients = iter(range(11, 1000))

    def _count_gap(self, room: Room) -> None:
        self.gaps += 1

    def enter(self, person: Participant = ALICE, role: Role = Role.EDITOR, *, extended: bool = True) -> Tab:
        """A tab that has just opened the document, its greeting already heard."""
        tab = Tab(self.room, person, role, extended=extended, client=next(self._clients)).open()
        tab.heard()
        return tab

    def commit(self, *, first_seq: int | None = None) -> list[tuple[Entry, int]]:
        """Store every edit as a row of its own, as the saver does; `first_seq` is the number of the first one."""
        edits, self.saver.edits = self.saver.edits, []
        at = self.room.seq + 1 if first_seq is None else first_seq
        rows = [
            (
                Entry(self.room.document_id, edit.author_id, edit.update, self.room.epoch, edit.clients),
                at + index,
            )
            for index, edit in enumerate(edit for edit in edits if edit.update is not None)
            if edit.update is not None
        ]
        if rows:
            self.room.committed(rows)
        for edit in edits:
            edit.sender.saved(edit.number, self.room.seq)
        return rows


@pytest.fixture
async def office() -> Office:
    """An open document that nobody has written in."""
    return Office()
