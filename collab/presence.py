"""Who is in a document and where their cursor is.

A client id belongs to the connection that announced it first; nobody else can speak for it. Identity (`user`) is set
here from the signed-in person, whatever the tab says.
"""

from typing import Any, Protocol

from collab.protocol import MAX_AWARENESS_CLIENTS as MAX_CLIENTS
from collab.protocol import AwarenessState

_PASSED_ON = ("cursor", "selection")
MAX_DEPTH = 8


class Speaker(Protocol):
    """Whoever announces itself: a connection."""

    @property
    def identity(self) -> dict[str, str]:
        """`id`, `name` and `colour` of the person, as everybody is told."""


class Presence:
    """The awareness of one room; latest wins."""

    def __init__(self) -> None:
        self._states: dict[int, AwarenessState] = {}
        self._speakers: dict[int, Speaker] = {}
        self._changed: set[int] = set()

    def announce(self, speaker: Speaker, states: list[AwarenessState]) -> None:
        """Take in what a connection says of itself; what it says of others, or out of date, is dropped."""
        for client, clock, state in states:
            if self._speakers.get(client, speaker) is not speaker:
                continue
            known = self._states.get(client)
            if known and (clock < known.clock or (clock == known.clock and state is not None)):
                continue
            if known is None and (state is None or self._announced_by(speaker) >= MAX_CLIENTS):
                continue
            self._speakers[client] = speaker
            self._states[client] = AwarenessState(client, clock, _clean(state, speaker.identity))
            self._changed.add(client)

    def _announced_by(self, speaker: Speaker) -> int:
        return sum(owner is speaker for owner in self._speakers.values())

    def leave(self, speaker: Speaker) -> None:
        """Everything that the connection announced is gone."""
        for client in [client for client, owner in self._speakers.items() if owner is speaker]:
            known = self._states[client]
            # The same clock with nothing in it is accepted by every client, and lets the id come back with the next.
            self._states[client] = AwarenessState(client, known.clock, None)
            self._changed.add(client)
            del self._speakers[client]

    def speaker_of(self, client: int) -> Speaker | None:
        """The connection that uses this client id now."""
        return self._speakers.get(client)

    @property
    def has_changes(self) -> bool:
        return bool(self._changed)

    def take_changes(self) -> list[AwarenessState]:
        """What changed since the last call; states that are gone are forgotten afterwards."""
        changes = [self._states[client] for client in self._changed]
        self._changed.clear()
        for client, _, state in changes:
            if state is None and client not in self._speakers:
                del self._states[client]
        return changes

    def everybody(self) -> list[AwarenessState]:
        """For somebody who just came."""
        return [state for state in self._states.values() if state.state is not None]


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
