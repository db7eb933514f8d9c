"""The other processes: which documents they have people in, and who those are.

Everything travels over the channel layer, which may lose it, and so everything is said again: every process calls the
roll of its documents, and tells the states of its people in those that another process has too. What nobody has said
for `FORGET_AFTER` seconds is over: a process that was killed leaves no ghosts.
"""

import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from collab.presence import Sighting
from collab.protocol import MAX_AWARENESS_STATE, MAX_NUMBER
from collab.room import Room
from docs_app import live

logger = logging.getLogger(__name__)

# The group that every process is in.
PROCESSES = "processes"
ROLL_CALL_EVERY = 2.0
FORGET_AFTER = 10.0
# A process hears its own roll call too. If it did not hear the last one, the layer carries nothing.
AWAY_AFTER = ROLL_CALL_EVERY + 1.0
# How long a document has to be open here until everybody who has it too must have said so.
SETTLED_AFTER = 2 * ROLL_CALL_EVERY + 1.0
# A tab's state grows when its numbers are written out (1e15), and by who it is.
MAX_STATE = 8 * MAX_AWARENESS_STATE
# What one message may hold. Its states are well under 64 KiB, whatever tabs send.
MAX_MESSAGE_STATES = 200
MAX_MESSAGE_BYTES = 64 * 1024
DOCUMENTS_A_MESSAGE = 4000

Message = dict[str, Any]


class Neighbours:
    """Call from the event loop only. `ring` sends a message to a group of the channel layer without waiting."""

    def __init__(
        self, process: str, rooms: Mapping[UUID, Room], ring: Callable[[str, Message], None]
    ) -> None:
        self._process, self._rooms, self._ring = process, rooms, ring
        self._shared: dict[UUID, float] = {}
        self._heard_self_at = -math.inf

    @property
    def layer_is_away(self) -> bool:
        """Whether the channel layer does not carry messages at the moment."""
        return time.monotonic() - self._heard_self_at > AWAY_AFTER

    def may_hear(self, room: Room) -> bool:
        """Whether a doorbell would reach people at another process. Those who open the document later read the log, and
        are told with the answer to their question how far it must reach."""
        return room.document_id in self._shared or time.monotonic() - room.opened_at < SETTLED_AFTER

    def call_roll(self) -> None:
        """Every `ROLL_CALL_EVERY` seconds: say what is open here and who is there, forget who has been silent."""
        now = time.monotonic()
        self._shared = {key: at for key, at in self._shared.items() if at > now - FORGET_AFTER}
        for room in self._rooms.values():
            room.forget_elsewhere(now - FORGET_AFTER)
            room.is_urgent = room.document_id in self._shared
            if room.is_urgent:
                self._tell(room, room.presence.own())
        mine = [room.document_id.bytes for room in self._rooms.values() if room.members]
        for start in range(0, max(1, len(mine)), DOCUMENTS_A_MESSAGE):
            documents = b"".join(mine[start : start + DOCUMENTS_A_MESSAGE])
            self._ring(PROCESSES, {"type": "process.roll", "process": self._process, "documents": documents})

    def ask(self, room: Room) -> None:
        """Have the others say who is in a document."""
        self._send(room, [], ask=True)

    def tell_changes(self, room: Room, changes: list[Sighting]) -> None:
        """Pass on what people here did, if another process has people who would see it."""
        # While the layer is away these would only fill the queue; the next roll call has what they say.
        if room.document_id in self._shared and not self.layer_is_away:
            self._tell(room, changes)

    def _tell(self, room: Room, sightings: list[Sighting]) -> None:
        states: list[list[object]] = []
        size = 0
        for client, clock, since, state in sightings:
            text = json.dumps(state)
            if states and (len(states) >= MAX_MESSAGE_STATES or size + len(text) > MAX_MESSAGE_BYTES):
                self._send(room, states)
                states, size = [], 0
            states.append([client, clock, since, text])
            size += len(text)
        if states:
            self._send(room, states)

    def _send(self, room: Room, states: list[list[object]], *, ask: bool = False) -> None:
        message = {
            "type": "document.presence",
            "document": room.document_id.hex,
            "process": self._process,
            "seq": room.seq,
            "states": states,
            "ask": ask,
        }
        self._ring(live.group_of(room.document_id), message)

    # -- What the others say -------------------------------------------------------------------------------------

    def hear_roll(self, message: Message) -> None:
        """Take in which documents a process has people in."""
        if message["process"] == self._process:
            self._heard_self_at = time.monotonic()
            return
        ids = message["documents"]
        for start in range(0, len(ids), 16):
            if room := self._rooms.get(UUID(bytes=bytes(ids[start : start + 16]))):
                self._meet(room)

    def hear_presence(self, room: Room, message: Message) -> None:
        """Take in who is at another process, or answer its question."""
        if message["process"] == self._process:
            return
        is_known = self._meet(room)
        room.hear_elsewhere(message["process"], _sightings(message["states"]))
        if message["ask"] and room.members:
            if is_known:
                self._tell(room, room.presence.own())
            # The answer says that there is somebody to tell things to, also when it names nobody.
            self._send(room, [])

    def _meet(self, room: Room) -> bool:
        """Remember that another process has people in the document; whether that was known."""
        is_known = room.document_id in self._shared
        self._shared[room.document_id] = time.monotonic()
        room.is_urgent = True
        if not is_known:
            self._tell(room, room.presence.own())
        return is_known


def _sightings(rows: list[list[Any]]) -> list[Sighting]:
    """What can be read of a message's states. The layer is trusted; but another version of this may speak there."""
    found = []
    for client, clock, since, text in rows[:MAX_MESSAGE_STATES]:
        state = json.loads(text) if len(text) <= MAX_STATE else {}
        if 0 <= client <= MAX_NUMBER and 0 <= clock <= MAX_NUMBER and _is_usable(state):
            found.append(Sighting(client, clock, since, state))
        else:
            logger.warning("another process told an unusable awareness state of client %r", client)
    return found


def _is_usable(state: object) -> bool:
    """Whether a state says who it is of, as this server's own ones do."""
    if not isinstance(state, dict):
        return state is None
    user = state.get("user")
    return isinstance(user, dict) and isinstance(user.get("id"), str)
