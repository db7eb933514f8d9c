"""Who is here: everybody speaks for themselves, under the name that the server knows."""

from typing import Any

import pytest

from collab.presence import MAX_DEPTH, Presence
from collab.protocol import MAX_AWARENESS_CLIENTS, AwarenessState


class Tab:
    def __init__(self, name: str) -> None:
        self.identity = {"id": name.lower(), "name": name, "colour": "#1b6e3a"}


ALICE, BOB = Tab("Alice"), Tab("Bob")


def state(client: int = 1, clock: int = 1, **content: Any) -> AwarenessState:
    return AwarenessState(client, clock, content)


def gone(client: int = 1, clock: int = 1) -> AwarenessState:
    return AwarenessState(client, clock, None)


def shown(tab: Tab, client: int = 1, clock: int = 1, **content: Any) -> AwarenessState:
    return AwarenessState(client, clock, {"user": tab.identity, **content})


def nested(depth: int) -> object:
    value: object = 1
    for level in range(depth):
        value = [value] if level % 2 else {"in": value}
    return value


@pytest.fixture
def presence() -> Presence:
    return Presence()


def test_somebody_announces_themselves(presence: Presence) -> None:
    assert (presence.has_changes, presence.everybody()) == (False, [])
    presence.announce(ALICE, [state(cursor={"at": 3}, selection=[1, 2])])
    assert (presence.has_changes, presence.everybody()) == (
        True,
        [shown(ALICE, cursor={"at": 3}, selection=[1, 2])],
    )


def test_a_change_is_told_once(presence: Presence) -> None:
    presence.announce(ALICE, [state()])
    assert presence.take_changes() == [shown(ALICE)]
    assert (presence.has_changes, presence.take_changes()) == (False, [])


def test_the_identity_is_the_servers(presence: Presence) -> None:
    presence.announce(ALICE, [state(user={"id": "bob", "name": "Bob", "colour": "red;background:url(x)"})])
    assert presence.everybody() == [shown(ALICE)]


def test_other_keys_are_dropped(presence: Presence) -> None:
    presence.announce(ALICE, [state(cursor=None, secret=1, __proto__={}, role="owner")])
    assert presence.everybody() == [shown(ALICE, cursor=None)]


def test_deep_values_are_dropped(presence: Presence) -> None:
    kept, dropped = nested(MAX_DEPTH - 1), nested(MAX_DEPTH + 1)
    presence.announce(ALICE, [state(cursor=kept, selection=dropped)])
    assert presence.everybody() == [shown(ALICE, cursor=kept)]


def test_nobody_speaks_for_somebody_else(presence: Presence) -> None:
    presence.announce(ALICE, [state(cursor=1)])
    presence.announce(BOB, [state(clock=9, cursor=2)])
    presence.announce(BOB, [gone(clock=9)])
    presence.leave(BOB)
    assert presence.everybody() == [shown(ALICE, cursor=1)]
    assert presence.speaker_of(1) is ALICE


def test_a_second_tab_of_the_same_person_is_somebody_else(presence: Presence) -> None:
    twin = Tab("Alice")
    presence.announce(ALICE, [state(cursor=1)])
    presence.announce(twin, [state(clock=2, cursor=2)])
    assert presence.everybody() == [shown(ALICE, cursor=1)]


@pytest.mark.parametrize(("clock", "taken"), [(4, False), (5, False), (6, True), (2**53 - 1, True)])
def test_only_newer_clocks_count(presence: Presence, clock: int, taken: bool) -> None:
    presence.announce(ALICE, [state(clock=5, cursor="old")])
    presence.announce(ALICE, [state(clock=clock, cursor="new")])
    expected = shown(ALICE, clock=clock, cursor="new") if taken else shown(ALICE, clock=5, cursor="old")
    assert presence.everybody() == [expected]


@pytest.mark.parametrize(("clock", "taken"), [(4, False), (5, True), (6, True)])
def test_going_needs_no_newer_clock(presence: Presence, clock: int, taken: bool) -> None:
    presence.announce(ALICE, [state(clock=5)])
    presence.take_changes()
    presence.announce(ALICE, [gone(clock=clock)])
    assert (presence.take_changes() == [gone(clock=clock)]) == taken
    assert (presence.everybody() == []) == taken


def test_somebody_who_was_never_here_cannot_go(presence: Presence) -> None:
    presence.announce(ALICE, [gone()])
    assert not presence.has_changes
    assert presence.speaker_of(1) is None


def test_leaving_is_told_with_the_same_clock(presence: Presence) -> None:
    presence.announce(ALICE, [state(clock=5), state(client=2, clock=7)])
    presence.announce(BOB, [state(client=3)])
    presence.take_changes()
    presence.leave(ALICE)
    assert sorted(presence.take_changes()) == [gone(1, 5), gone(2, 7)]
    assert presence.everybody() == [shown(BOB, client=3)]
    assert presence.speaker_of(1) is None


def test_an_id_is_free_when_its_tab_has_left(presence: Presence) -> None:
    presence.announce(ALICE, [state(clock=5)])
    presence.leave(ALICE)
    presence.take_changes()
    presence.announce(BOB, [state(clock=1)])
    assert presence.everybody() == [shown(BOB)]


def test_who_has_left_is_forgotten(presence: Presence) -> None:
    for client in range(100):
        tab = Tab("Visitor")
        presence.announce(tab, [state(client=client)])
        presence.leave(tab)
        presence.take_changes()
    assert (presence._states, presence._speakers, presence._changed) == ({}, {}, set())


def test_one_tab_cannot_announce_ever_more_ids(presence: Presence) -> None:
    """Each frame is limited; a tab that sends a new set of ids with each would fill the memory of everybody here."""
    for client in range(10 * MAX_AWARENESS_CLIENTS):
        presence.announce(ALICE, [state(client=client)])
    assert len(presence.everybody()) <= MAX_AWARENESS_CLIENTS
