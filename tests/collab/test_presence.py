"""Who is here: everybody speaks for themselves, under the name that the server knows."""

import time
from typing import Any

import pytest

from collab.presence import MAX_DEPTH, Elsewhere, Presence, Sighting
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


@pytest.mark.parametrize(("clock", "taken"), [(4, False), (5, True), (6, True)])
def test_the_same_person_takes_over_from_a_connection_that_may_be_dead(
    presence: Presence, clock: int, taken: bool
) -> None:
    """Before the server has noticed that the line is gone, the page is back, and says the same again."""
    again = Tab("Alice")
    presence.announce(ALICE, [state(clock=5, cursor=1)])
    presence.announce(again, [state(clock=clock, cursor=2)])
    expected = shown(again, clock=clock, cursor=2) if taken else shown(ALICE, clock=5, cursor=1)
    assert presence.everybody() == [expected]
    presence.take_changes()
    presence.leave(ALICE)
    assert presence.has_changes is not taken
    assert bool(presence.everybody()) is taken


def test_who_only_goes_takes_nothing_over(presence: Presence) -> None:
    presence.announce(ALICE, [state(clock=5)])
    presence.announce(Tab("Alice"), [gone(clock=6)])
    assert presence.everybody() == [shown(ALICE, clock=5)]


def test_who_comes_back_before_it_was_told_was_never_away(presence: Presence) -> None:
    again = Tab("Alice")
    presence.announce(ALICE, [state(clock=5)])
    presence.take_changes()
    presence.leave(ALICE)
    presence.announce(again, [state(clock=5)])
    assert presence.take_changes() == [shown(again, clock=5)]


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
    assert (presence._known, presence._changed, presence._own_changes) == ({}, set(), set())


def test_one_tab_cannot_announce_ever_more_ids(presence: Presence) -> None:
    """Each frame is limited; a tab that sends a new set of ids with each would fill the memory of everybody here."""
    for client in range(10 * MAX_AWARENESS_CLIENTS):
        presence.announce(ALICE, [state(client=client)])
    assert len(presence.everybody()) <= MAX_AWARENESS_CLIENTS


# -- Other processes -----------------------------------------------------------------------------------------------

LONG_AGO = 1
LATER = 2**50


def seen(tab: Tab, client: int = 1, clock: int = 1, since: int = LONG_AGO, **content: Any) -> Sighting:
    return Sighting(client, clock, since, {"user": tab.identity, **content})


def not_seen(client: int = 1, clock: int = 1) -> Sighting:
    return Sighting(client, clock, LONG_AGO, None)


def test_people_of_other_processes_are_here_too(presence: Presence) -> None:
    presence.announce(ALICE, [state()])
    presence.hear("other", [seen(BOB, 2, cursor=1)])
    assert presence.take_changes() == presence.everybody() == [shown(ALICE), shown(BOB, 2, cursor=1)]
    assert presence.speaker_of(2) == Elsewhere("other", BOB.identity)


def test_only_ones_own_people_are_told_on(presence: Presence) -> None:
    presence.announce(ALICE, [state()])
    presence.hear("other", [seen(BOB, 2)])
    (told,) = presence.own_changes()
    assert told._replace(since=0) == Sighting(1, 1, 0, shown(ALICE).state)
    assert presence.own() == [told]
    assert abs(told.since - time.time() * 1000) < 60_000
    presence.take_changes()
    assert presence.own_changes() == []
    presence.leave(ALICE)
    assert [one.state for one in presence.own_changes()] == [None]
    assert presence.own() == []


@pytest.mark.parametrize(("clock", "taken"), [(4, False), (5, False), (6, True)])
def test_a_process_that_repeats_itself_changes_nothing(presence: Presence, clock: int, taken: bool) -> None:
    presence.hear("other", [seen(BOB, clock=5, cursor="old")])
    presence.take_changes()
    presence.hear("other", [seen(BOB, clock=clock, cursor="new")])
    assert presence.has_changes is taken
    assert presence.everybody() == [shown(BOB, clock=max(5, clock), cursor="new" if taken else "old")]


def test_who_leaves_elsewhere_leaves_here(presence: Presence) -> None:
    presence.hear("other", [seen(BOB, clock=5)])
    presence.take_changes()
    presence.hear("third", [not_seen(clock=9)])
    presence.hear("other", [not_seen(clock=4)])
    assert not presence.has_changes
    presence.hear("other", [not_seen(clock=5)])
    assert presence.take_changes() == [gone(clock=5)]
    assert presence._known == {}


def test_a_silent_process_is_forgotten(presence: Presence) -> None:
    presence.announce(ALICE, [state()])
    presence.hear("silent", [seen(BOB, 2, clock=7)])
    between = time.monotonic()
    presence.hear("alive", [seen(BOB, 3)])
    presence.take_changes()
    presence.forget(between)
    assert presence.take_changes() == [gone(2, clock=7)]
    assert presence.everybody() == [shown(ALICE), shown(BOB, 3)]
    assert presence.own_changes() == []


def test_repeating_is_a_sign_of_life(presence: Presence) -> None:
    presence.hear("other", [seen(BOB)])
    between = time.monotonic()
    presence.hear("other", [seen(BOB)])
    presence.forget(between)
    assert presence.everybody() == [shown(BOB)]


@pytest.mark.parametrize(("clock", "taken"), [(4, False), (5, True), (6, True)])
def test_somebody_comes_back_here(presence: Presence, clock: int, taken: bool) -> None:
    """Their old process may not have noticed, and its clock may be fast; it is told who is here since when."""
    presence.hear("other", [seen(ALICE, clock=5, since=LATER)])
    presence.take_changes()
    presence.announce(ALICE, [state(clock=clock)])
    assert (presence.speaker_of(1) is ALICE) is taken
    if taken:
        (told,) = presence.own_changes()
        assert (told.clock, told.since) == (clock, LATER + 1)
    presence.take_changes()
    presence.hear("other", [seen(ALICE, clock=5, since=LATER)])
    presence.hear("other", [not_seen(clock=5)])
    assert presence.everybody() == ([shown(ALICE, clock=clock)] if taken else [])


@pytest.mark.parametrize(
    ("clock", "since", "taken"),
    [(4, LATER, False), (5, LONG_AGO, False), (5, LATER, True), (6, LONG_AGO, True)],
)
def test_somebody_comes_back_elsewhere(presence: Presence, clock: int, since: int, taken: bool) -> None:
    presence.announce(ALICE, [state(clock=5)])
    presence.take_changes()
    presence.hear("other", [seen(ALICE, clock=clock, since=since)])
    assert (presence.speaker_of(1) is ALICE) is not taken
    presence.leave(ALICE)
    assert (presence.own_changes() == []) is taken
    assert presence.everybody() == ([shown(ALICE, clock=clock)] if taken else [])


def test_somebody_moves_between_two_others(presence: Presence) -> None:
    presence.hear("first", [seen(BOB, clock=5)])
    presence.hear("second", [seen(BOB, clock=5, since=LATER)])
    presence.hear("first", [seen(BOB, clock=5)])
    presence.hear("first", [not_seen(clock=5)])
    assert presence.everybody() == [shown(BOB, clock=5)]
    assert presence.speaker_of(1) == Elsewhere("second", BOB.identity)


def test_nobody_speaks_for_somebody_elsewhere(presence: Presence) -> None:
    presence.hear("other", [seen(ALICE, clock=1)])
    presence.announce(BOB, [state(clock=9)])
    presence.hear("third", [seen(BOB, clock=9, since=LATER)])
    assert presence.everybody() == [shown(ALICE)]
    presence.announce(BOB, [state(client=2)])
    presence.hear("other", [seen(ALICE, 2, clock=9, since=LATER)])
    assert presence.everybody() == [shown(ALICE), shown(BOB, 2)]
