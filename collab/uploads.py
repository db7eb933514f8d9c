"""Updates that are too large for a frame, sent in pieces over HTTP into the same room and the same log.

Somebody who was offline for a week, or pastes a book, gets through here. The pieces wait in this process's memory: a
proxy must send one document's requests to one process, and a client that is told that a piece is missing begins again.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from collab.connection import Participant
from collab.process import rooms
from collab.protocol import Close, Frame
from collab.room import Member, Room, UntriedError
from docs_app import access
from docs_app.accounts.models import User
from docs_app.documents.log import LogDamagedError
from docs_app.documents.models import Document
from docs_app.documents.updates import MalformedUpdateError, Scan, scan
from docs_app.sharing.links import guests_in
from docs_app.sharing.roles import Role

MAX_PIECES = 1000
KEEP_FOR = 120.0
# What all unfinished uploads of this process may hold, as a multiple of what one may.
MAX_UNFINISHED = 4
MAX_UNFINISHED_PER_PERSON = 2
SAVED_WITHIN = 30.0


@dataclass
class _Unfinished:
    total: int
    at: float
    pieces: dict[int, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(map(len, self.pieces.values()))


_Key = tuple[int, UUID, UUID]
_unfinished: dict[_Key, _Unfinished] = {}


class _Uploader:
    """The sender of one update, as the room knows senders; never a member of the room."""

    claimed = 0
    was_refused = False

    def __init__(self, participant: Participant, client: int) -> None:
        self.user_id, self.session_key = participant.user_id, participant.session_key
        self._client = client
        self.identity = participant.identity
        self.outcome: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    def tab_in(self, room: Room) -> Member | None:
        """The uploading page's connection. Of this person and session only: nobody else's may miss the update."""
        speaker = room.presence.speaker_of(self._client)
        mine = (self.user_id, self.session_key)
        return next((m for m in room.members if m is speaker and (m.user_id, m.session_key) == mine), None)

    def saved(self, count: int, seq: int) -> None:
        if not self.outcome.done():
            self.outcome.set_result({"saved": True, "seq": seq})

    def refuse(self, number: int, reason: str) -> None:
        if not self.outcome.done():
            self.outcome.set_result({"saved": False, "reason": reason})

    def beat(self, now: float) -> None:
        """Nothing: an uploader hears no heartbeats."""

    def role_is(self, role: Role | None) -> None:
        """Nothing: an upload is judged once, when it is complete."""

    def write(self, frame: Frame) -> None:
        """Nothing: an uploader is told the outcome only."""

    def tell(self, event: dict[str, object]) -> None:
        """Nothing: an uploader is told the outcome only."""

    def close(self, code: Close) -> None:
        """Nothing: an uploader has no socket."""


def _problem(status: int, reason: str) -> JsonResponse:
    return JsonResponse({"saved": False, "reason": reason}, status=status)


@require_POST
async def upload(request: HttpRequest, document_id: UUID, upload_id: UUID) -> HttpResponse:
    """Take one piece: `?part=` (from 0) of `?parts=`, the body its bytes; `?client=` is the client id that the page has
    announced on its socket, which is not sent what it uploads. Answers 202 until all are here, then 200 with
    `saved` and `seq` once they are committed. 401 without a session, 403 `read-only`, 404, 409 (begin again), 413
    `too-large`, 422 with the room's reason, 503 (not saved yet: send it again)."""
    user = await request.auser()
    guests = [] if isinstance(user, User) else await rooms().read(guests_in, request.session)
    if not guests and not isinstance(user, User):
        return _problem(401, "signed-out")
    found = await rooms().read(access.find_for, user, guests, document_id)
    if found is None:
        return _problem(404, "not-found")
    if not access.may_write(found[2]):
        return _problem(403, "read-only")
    try:
        part, parts = int(request.GET["part"]), int(request.GET["parts"])
        client = int(request.GET.get("client", -1))
    except (KeyError, ValueError):
        return _problem(400, "malformed")
    if not 0 <= part < parts <= MAX_PIECES:
        return _problem(400, "malformed")
    participant = Participant.of(found[0], request.session.session_key or "")
    key = (participant.user_id, document_id, upload_id)
    try:
        piece = request.body
    except RequestDataTooBig:
        return _problem(413, "too-large")
    if refused := _keep(key, part, parts, piece):
        return refused
    if len(_unfinished[key].pieces) < parts:
        return JsonResponse({"received": len(_unfinished[key].pieces)}, status=202)
    pieces = _unfinished.pop(key).pieces
    update = b"".join(pieces[index] for index in range(parts))
    return await _apply(_Uploader(participant, client), document_id, update)


def _keep(key: _Key, part: int, parts: int, piece: bytes) -> HttpResponse | None:
    """Remember a piece; the answer that says why not, if it can't be."""
    now = time.monotonic()
    for old in [old for old, unfinished in _unfinished.items() if now - unfinished.at > KEEP_FOR]:
        del _unfinished[old]
    mine = _unfinished.get(key)
    if mine is None:
        if part:
            return _problem(409, "begin-again")
        _make_room_for(key)
        mine = _Unfinished(parts, now)
    if mine.total != parts:
        return _problem(409, "begin-again")
    if mine.size + len(piece) > settings.MAX_UPLOAD:
        _unfinished.pop(key, None)
        return _problem(413, "too-large")
    held = sum(unfinished.size for unfinished in _unfinished.values())
    if held + len(piece) > MAX_UNFINISHED * settings.MAX_UPLOAD:
        return _problem(503, "busy")
    mine.pieces[part] = piece
    mine.at = now
    _unfinished[key] = mine
    return None


def _make_room_for(key: _Key) -> None:
    """Nobody has more than a few unfinished uploads: the oldest of this person's others was given up."""
    others = sorted((old for old in _unfinished if old[0] == key[0]), key=lambda old: _unfinished[old].at)
    for old in others[: -MAX_UNFINISHED_PER_PERSON + 1]:
        del _unfinished[old]


async def _apply(uploader: _Uploader, document_id: UUID, update: bytes) -> HttpResponse:
    try:
        # In a thread: reading 32 MiB takes seconds, in which everybody else goes on.
        scanned = await asyncio.to_thread(scan, update)
        room = await rooms().enter(document_id)
    except MalformedUpdateError:
        return _problem(422, "malformed")
    except Document.DoesNotExist:
        return _problem(404, "not-found")
    except (DatabaseError, LogDamagedError):
        return _problem(503, "busy")
    roles = await rooms().read(access.roles_on, document_id, [uploader.user_id])
    if not access.may_write(roles.get(uploader.user_id)):
        return _problem(403, "read-only")
    return await _edit(room, uploader, update, scanned)


async def _edit(room: Room, uploader: _Uploader, update: bytes, scanned: Scan) -> HttpResponse:
    tab = uploader.tab_in(room)
    try:
        reason = room.edit(uploader, 1, update, whole_state=True, scanned=scanned, tab=tab)
    except UntriedError as untried:
        reason = await rooms().try_out(room, untried) or room.edit(
            uploader, 1, update, whole_state=True, scanned=scanned, tab=tab
        )
    if reason == "not-yours" and room.may_be_behind():
        return _problem(503, "busy")
    if reason:
        return _problem(422, reason)
    try:
        outcome = await asyncio.wait_for(uploader.outcome, SAVED_WITHIN)
    except TimeoutError:
        return _problem(503, "busy")
    return JsonResponse(outcome, status=200 if outcome["saved"] else 422)
