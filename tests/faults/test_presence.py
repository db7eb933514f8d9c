"""People whose sockets are at different processes see each other, and nobody stays who has gone."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from collab.neighbours import FORGET_AFTER, ROLL_CALL_EVERY
from tests.faults import wire
from tests.faults.conftest import Team, WithTeam
from tests.faults.tab import Tab, until
from tests.server import Server, StartServer, sign_in

Pair = tuple[Server, Server]
NAMES = {"ada": "Ada Brightwater", "ben": "Ben Okafor"}


class Seen(dict[int, Any]):
    """The states a tab knows, and every one it was ever told."""

    def __init__(self) -> None:
        super().__init__()
        self.history: list[tuple[int, Any]] = []

    def update(self, states: dict[int, Any]) -> None:  # type: ignore[override]
        self.history += states.items()
        super().update(states)


def watch(tab: Tab) -> Seen:
    tab.presence = seen = Seen()
    return seen


def sees(tab: Tab, other: Tab, name: str) -> bool:
    state = tab.presence.get(other.doc.client_id)
    return bool(state and state["user"]["name"] == name)


@pytest.fixture
def pair(server: StartServer, redis_url: str) -> Pair:
    one = server(postgres=True, REDIS_URL=redis_url)
    return one, server(beside=one)


async def meet(pair: Pair, team: WithTeam) -> tuple[Tab, Tab]:
    ada, ben = team(pair[0]).tab("ada"), team(pair[1]).tab("ben")
    await until(
        lambda: sees(ada, ben, NAMES["ben"]) and sees(ben, ada, NAMES["ada"]), "each other's presence", 10
    )
    return ada, ben


async def test_people_in_two_processes_see_each_other_come_and_go(pair: Pair, team: WithTeam) -> None:
    ada, ben = await meet(pair, team)
    late = team(pair[1]).tab("chidi")
    await until(
        lambda: sees(late, ada, NAMES["ada"]) and sees(late, ben, NAMES["ben"]), "everybody at once", 10
    )
    await until(lambda: late.doc.client_id in ada.presence, "the newcomer", 10)
    await late.close()
    await until(lambda: ada.presence[late.doc.client_id] is None, "the end of the newcomer", 5)


async def test_a_killed_process_leaves_no_ghosts(pair: Pair, team: WithTeam) -> None:
    ada, ben = await meet(pair, team)
    await ben.go_offline()
    pair[1].kill()
    await until(
        lambda: ada.presence[ben.doc.client_id] is None,
        "the end of who was at the killed process",
        FORGET_AFTER + 2 * ROLL_CALL_EVERY,
    )


@pytest.mark.parametrize("end", [Server.kill, Server.stop], ids=["killed", "stopped"])
async def test_somebody_whose_process_ends_comes_back_in_the_other_one(
    pair: Pair, team: WithTeam, end: Callable[[Server], object]
) -> None:
    """They were never away for the others, and stay."""
    ada, ben = await meet(pair, team)
    seen = watch(ada)
    await asyncio.to_thread(end, pair[1])
    again = same_page(ben, team(pair[0]))
    await until(lambda: again.is_online, "Ben again", 10)
    loop = asyncio.get_running_loop()
    silent_until = loop.time() + FORGET_AFTER + 2 * ROLL_CALL_EVERY
    await until(lambda: loop.time() > silent_until, "the time after which silent processes are forgotten")
    assert (ben.doc.client_id, None) not in seen.history
    assert ada.presence[ben.doc.client_id]["user"]["name"] == NAMES["ben"]


async def test_somebody_reconnects_to_the_other_process_before_the_old_line_is_known_dead(
    pair: Pair, team: WithTeam
) -> None:
    """With the clock of before, as stock clients do."""
    ada, ben = await meet(pair, team)
    chidi = team(pair[1]).tab("chidi")
    await until(lambda: sees(chidi, ben, NAMES["ben"]), "Ben at everybody's")
    watched = watch(ada), watch(chidi)
    again = same_page(ben, team(pair[0]))
    await until(lambda: again.is_online and ben.doc.client_id in ada.presence, "Ben's new line")
    # The other process has heard of it when the next thing that is told it there arrives.
    again.send(wire.awareness(ben.doc.client_id, 2, {"cursor": "moved"}))
    await until(lambda: all(cursor_of(seen, ben) == "moved" for seen in watched), "Ben's move at everybody's")
    await ben.go_offline()
    again.send(wire.awareness(ben.doc.client_id, 3, {"cursor": "moved again"}))
    await until(lambda: all(cursor_of(seen, ben) == "moved again" for seen in watched), "Ben's next move")
    assert all((ben.doc.client_id, None) not in seen.history for seen in watched)


async def test_somebody_reconnects_to_the_same_process_before_the_old_line_is_known_dead(
    server: StartServer, team: WithTeam
) -> None:
    everybody = team(server())
    ada, ben = everybody.tab("ada"), everybody.tab("ben")
    await until(lambda: sees(ada, ben, NAMES["ben"]), "Ben's presence")
    seen = watch(ada)
    again = same_page(ben, everybody)
    await until(lambda: again.is_online and ben.doc.client_id in ada.presence, "Ben's new line")
    await ben.go_offline()
    again.send(wire.awareness(ben.doc.client_id, 2, {"cursor": "moved"}))
    await until(lambda: cursor_of(seen, ben) == "moved", "Ben's move")
    assert (ben.doc.client_id, None) not in seen.history


def same_page(tab: Tab, team: Team) -> Tab:
    """The same person's page on a new line, while the old one stands: same client id, and the clock of before."""
    session = sign_in(team.server, team.server.people["ben"])
    document = team.server.documents[0].id
    again = Tab(team.server, document, session, f"{tab.name} again", maker=tab.doc.client_id)
    team.tabs.append(again)
    again.go_online()
    return again


def cursor_of(seen: Seen, tab: Tab) -> object:
    return (seen.get(tab.doc.client_id) or {}).get("cursor")
