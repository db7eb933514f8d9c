"""Who is in a document and where their cursor is.

A client id belongs to the connection that announced it first, here or at another process; nobody else can speak for it,
but for the same person who comes back: their old connection may not have been noticed to be dead. Identity (`user`) is
set from the signed-in person, whatever the tab says, by the process that has the connection.
"""

import time
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from collab.protocol import MAX_AWARENESS_CLIENTS as MAX_CLIENTS
from collab.protocol import AwarenessState

_PASSED_ON = ("cursor", "selection")
MAX_DEPTH = 8
# Client ids of other processes; more than a document's tabs can have.
MAX_ELSEWHERE = 20_000


class Speaker(Protocol):
    """Whoever announces itself: a connection."""

    @property
    def identity(self) -> dict[str, str]:
        """`id`, `name`, `colour` and perhaps `avatar` of the person, as everybody is told."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A connection of another process."""

    process: str
    identity: dict[str, str]


class Sighting(NamedTuple):
    """A state as one process tells it to the others. `since` is when its connection took the client id, in milliseconds
    of the Unix clock: of two connections with the same clock the later one is the living one."""

    client: int
    clock: int
    since: int
    state: dict[str, Any] | None


@dataclass(slots=True)
class _Known:
    """`speaker` is None when the state is gone and this has not been told yet; `heard_at`, for states from elsewhere, a
    moment of `time.monotonic`."""

    state: AwarenessState
    speaker: Speaker | None
    since: int
    heard_at: float = 0.0

    def is_from(self, process: str) -> bool:
        return isinstance(self.speaker, Elsewhere) and self.speaker.process == process


class Presence:
    """The awareness of one room; latest wins."""

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}
        self._changed: set[int] = set()
        self._own_changes: set[int] = set()

    def announce(self, speaker: Speaker, states: list[AwarenessState]) -> None:
        """Take in what a connection says of itself; what it says of others, or out of date, is dropped."""
        for client, clock, state in states:
            known = self._known.get(client)
            if known and known.speaker is speaker:
                if clock < known.state.clock or (clock == known.state.clock and state is not None):
                    continue
                since = known.since
            elif state is None or not _may_take(known, speaker, clock) or self._is_full(speaker):
                continue
            else:
                # After whatever is known of it, also when another machine's clock is fast.
                since = max(time.time_ns() // 1_000_000, known.since + 1 if known else 0)
            cleaned = AwarenessState(client, clock, _clean(state, speaker.identity))
            self._known[client] = _Known(cleaned, speaker, since)
            self._changed.add(client)
            self._own_changes.add(client)

    def _is_full(self, speaker: Speaker) -> bool:
        return sum(known.speaker is speaker for known in self._known.values()) >= MAX_CLIENTS

    def leave(self, speaker: Speaker) -> None:
        """Everything that the connection announced is gone."""
        for client, known in self._known.items():
            if known.speaker is speaker:
                self._end(known)
                self._own_changes.add(client)

    def _end(self, known: _Known) -> None:
        # The same clock with nothing in it is accepted by every client, and lets the id come back with the next.
        known.state = known.state._replace(state=None)
        known.speaker = None
        self._changed.add(known.state.client)

    def speaker_of(self, client: int) -> Speaker | None:
        """The connection that uses this client id now."""
        known = self._known.get(client)
        return known.speaker if known else None

    @property
    def has_changes(self) -> bool:
        return bool(self._changed)

    def take_changes(self) -> list[AwarenessState]:
        """What changed since the last call; states that are gone are forgotten afterwards."""
        changes = [self._known[client].state for client in self._changed]
        for client in self._changed:
            if self._known[client].speaker is None:
                del self._known[client]
        self._changed.clear()
        self._own_changes.clear()
        return changes

    def everybody(self) -> list[AwarenessState]:
        """For somebody who just came."""
        return [known.state for known in self._known.values() if known.state.state is not None]

    # -- Other processes -----------------------------------------------------------------------------------------

    def own_changes(self) -> list[Sighting]:
        """What changed through connections of this process since `take_changes` was called."""
        return [_sighting(self._known[client]) for client in self._own_changes]

    def own(self) -> list[Sighting]:
        """The states of this process's connections."""
        return [
            _sighting(known)
            for known in self._known.values()
            if known.state.state is not None and not isinstance(known.speaker, Elsewhere)
        ]

    def hear(self, process: str, sightings: list[Sighting]) -> None:
        """Take in what another process says of its connections. It must say so again, or `forget` ends them."""
        now = time.monotonic()
        for sighting in sightings:
            known = self._known.get(sighting.client)
            if sighting.state is None:
                if known and known.is_from(process) and sighting.clock >= known.state.clock:
                    known.state = known.state._replace(clock=sighting.clock)
                    self._end(known)
                continue
            if known and known.is_from(process) and sighting.clock <= known.state.clock:
                known.since, known.heard_at = max(known.since, sighting.since), now
                continue
            speaker = Elsewhere(process, sighting.state["user"])
            if not _may_tell(known, speaker, sighting) or len(self._known) >= MAX_ELSEWHERE:
                continue
            state = AwarenessState(sighting.client, sighting.clock, sighting.state)
            self._known[sighting.client] = _Known(state, speaker, sighting.since, now)
            self._changed.add(sighting.client)
            self._own_changes.discard(sighting.client)

    def forget(self, before: float) -> None:
        """End the states of which no process has spoken since this moment of `time.monotonic`."""
        for known in self._known.values():
            if isinstance(known.speaker, Elsewhere) and known.heard_at < before:
                self._end(known)


def _may_take(known: _Known | None, speaker: Speaker, clock: int) -> bool:
    """Whether a connection may begin to speak for a client id. With the clock of its old connection too: a page that
    comes back says the same again."""
    if known is None:
        return True
    if known.speaker is not None and known.speaker.identity["id"] != speaker.identity["id"]:
        return False
    return clock >= known.state.clock


def _may_tell(known: _Known | None, speaker: Elsewhere, sighting: Sighting) -> bool:
    """Whether another process may begin to speak for a client id."""
    if known is None:
        return True
    if known.speaker is not None and known.speaker.identity["id"] != speaker.identity["id"]:
        return False
    return (sighting.clock, sighting.since) > (known.state.clock, known.since)


def _sighting(known: _Known) -> Sighting:
    return Sighting(known.state.client, known.state.clock, known.since, known.state.state)


def _clean(state: dict[str, Any] | None, identity: dict[str, str]) -> dict[str, Any] | None:
    if state is None:
        return None
    kept = {key: state[key] for key in _PASSED_ON if key in state and _is_shallow(state[key])}
    return {"user": identity, **kept}


def _is_shallow(value: object) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        inner: list[object] = []
        for item in level:
            if isinstance(item, dict):
                inner += item.values()
            elif isinstance(item, list):
                inner += item
        if not inner:
            return True
        level = inner
    return False
