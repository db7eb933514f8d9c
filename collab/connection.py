"""One participant in an open document, whatever carries its frames: role, numbering, limits.

`receive` is the only place that decides what a participant's message may do.
"""

import time
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings

from collab import protocol
from collab.protocol import (
    Awareness,
    Close,
    Frame,
    ProtocolError,
    QueryAwareness,
    SyncStep1,
    SyncStep2,
    Update,
)
from collab.room import Room
from docs_app import access
from docs_app.accounts.models import User
from docs_app.documents.authors import author_of
from docs_app.documents.updates import MalformedUpdateError, Scan
from docs_app.sharing.models import Guest
from docs_app.sharing.roles import Role

# Something must reach a tab every 15 s; whoever keeps time looks every 2 s.
HEARTBEAT_AFTER = 12.0
# How far a reader may fall behind before it is told to come back: sync then costs less than what waits for it.
MAX_QUEUED = 1024 * 1024


class Transport(Protocol):
    """What carries frames to a participant."""

    def write(self, frame: Frame) -> int:
        """Send a frame without waiting; answers how many bytes are queued behind it."""

    def close(self, code: Close) -> None:
        """Say goodbye with a close code; later writes are dropped."""


@dataclass(frozen=True, slots=True)
class Participant:
    """The signed-in person, or the guest of a link, behind a connection. `user_id` is negative for a guest (see
    `docs_app/documents/authors`)."""

    user_id: int
    name: str
    colour: str
    session_key: str
    # The address of their picture, empty without one.
    avatar: str = ""

    @classmethod
    def of(cls, person: User | Guest, session_key: str) -> "Participant":
        """Somebody in one of their browsers."""
        avatar = person.avatar_url if isinstance(person, User) else ""
        return cls(author_of(person), person.name, person.colour, session_key, avatar)

    @property
    def identity(self) -> dict[str, str]:
        """What everybody in the document is told."""
        shown = str(self.user_id) if self.user_id > 0 else f"guest-{-self.user_id}"
        known = {"id": shown, "name": self.name, "colour": self.colour}
        return {**known, "avatar": self.avatar} if self.avatar else known


class Connection:
    """`extended` tabs (`?v=1`) understand Collab's own messages; any other Yjs client gets only the standard ones."""

    def __init__(
        self, *, room: Room, transport: Transport, participant: Participant, role: Role, extended: bool
    ) -> None:
        self.room, self.participant, self.role, self.extended = room, participant, role, extended
        self._may_write = access.may_write(role)
        self._transport = transport
        self._received = 0
        self._largest = 0
        self.claimed = 0
        self.was_refused = False
        self._closed = False
        self._last_write = time.monotonic()

    @property
    def identity(self) -> dict[str, str]:
        return self.participant.identity

    @property
    def user_id(self) -> int:
        return self.participant.user_id

    @property
    def session_key(self) -> str:
        return self.participant.session_key

    def open(self) -> None:
        """Greet the tab: who it is, what we have, who else is here."""
        room = self.room
        if self.extended:
            self._send(protocol.hello(self._facts()))
        self._send(protocol.sync_step_1(room.replica.state_vector()))
        self._send(protocol.awareness(room.presence.everybody()))
        room.join(self)
        if room.size >= settings.MAX_DOCUMENT // 2:
            self.tell(room.fullness())
        if not room.is_saving:
            self.tell({"type": "saving", "ok": False})

    def _facts(self) -> dict[str, object]:
        return {
            "role": self.role.value,
            "person": self.identity,
            "seq": self.room.seq,
            "epoch": self.room.epoch,
            "schemaVersion": self.room.schema_version,
            "limits": {"frameBytes": settings.MAX_FRAME, "awarenessBytes": protocol.MAX_AWARENESS_STATE},
        }

    def receive(self, data: bytes, scanned: Scan | None = None) -> None:
        """Answer one frame of the tab; `scanned` if its update was read already. Raises ProtocolError for bytes that
        are no message, UntriedError for an update that has to be tried first."""
        if self._closed or self.room.frozen:
            return
        match protocol.decode(data):
            case SyncStep1(state_vector):
                self._answer(state_vector)
            case SyncStep2(update):
                self._edit(update, scanned, whole_state=True)
            case Update(update):
                self._edit(update, scanned, whole_state=False)
            case Awareness(states):
                self.room.announce(self, states)
            case QueryAwareness():
                self._send(protocol.awareness(self.room.presence.everybody()))

    def _answer(self, state_vector: bytes) -> None:
        try:
            state = self.room.replica.state(state_vector)
        except MalformedUpdateError as error:
            raise ProtocolError("no state vector") from error
        self._send(protocol.sync_step_2(state))

    def _edit(self, update: bytes, scanned: Scan | None, *, whole_state: bool) -> None:
        number = self._received + 1
        if len(update) > settings.MAX_FRAME:
            reason = "too-large"
        elif not self._may_write:
            # Every client answers our sync step 1, also one that may only read and has nothing to say.
            reason = "" if whole_state and self.room.has_all_of(update, scanned) else "read-only"
            if not reason:
                self.room.acknowledge(self, number)
        else:
            reason = self.room.edit(self, number, update, whole_state=whole_state, scanned=scanned)
            if reason == "not-yours" and whole_state and self.room.may_be_behind():
                self.close(Close.TRY_AGAIN)
                return
        self._received = number
        if reason:
            self._refuse(number, reason)

    def refuse_next(self, reason: str) -> None:
        """Do not take in the update frame that has just come."""
        self._received += 1
        self._refuse(self._received, reason)

    def _refuse(self, number: int, reason: str) -> None:
        self.refuse(number, reason)
        self.was_refused |= reason == "busy"

    def refuse(self, number: int, reason: str) -> None:
        """Tell the tab that its update frame `number` was not taken in."""
        self._send(protocol.refused(number, reason) if self.extended else protocol.denied(reason))

    def saved(self, count: int, seq: int) -> None:
        """Tell the tab that its first `count` update frames are committed."""
        if self.extended:
            self._send(protocol.saved(count, seq))

    def tell(self, event: dict[str, object]) -> None:
        """Pass on something that the tab should know at once."""
        if self.extended:
            self._send(protocol.event(event))

    def beat(self, now: float) -> None:
        """Break a silence of nearly 15 s, so that the tab knows that the line is alive."""
        if now - self._last_write >= HEARTBEAT_AFTER:
            self._send(protocol.HEARTBEAT if self.extended else protocol.STOCK_HEARTBEAT)

    def _send(self, payload: bytes) -> None:
        self.write(Frame(payload))

    def write(self, frame: Frame) -> None:
        """Send a frame; a tab that has stopped reading is closed, and catches up through sync when it comes back."""
        if self._closed:
            return
        self._last_write = time.monotonic()
        if queued := self._transport.write(frame):
            # A large document on a slow line is no reader that has stopped: its state must get through.
            self._largest = max(self._largest, frame.size)
            if queued > MAX_QUEUED + self._largest:
                self.close(Close.TRY_AGAIN)

    def role_is(self, role: Role | None) -> None:
        """Hear the person's role as it is now. A tab with another one has to come back, so that it starts afresh; an
        edit that is on its way meanwhile is not taken in."""
        if role is None:
            self.close(Close.NO_ACCESS)
        elif role != self.role:
            self.close(Close.ACCESS_CHANGED)

    def close(self, code: Close) -> None:
        """End the connection from our side."""
        if not self._closed:
            self._closed = True
            self.room.leave(self)
            self._transport.close(code)

    def gone(self) -> None:
        """Hear that the tab has left."""
        if not self._closed:
            self._closed = True
            self.room.leave(self)
