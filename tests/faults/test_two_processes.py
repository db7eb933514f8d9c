"""Two processes on one database, and a channel layer that fails: the log is the truth, the doorbell saves time.

And what happens after one is killed to words that it had sent on without having committed them.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator

import pytest

from tests.faults import wire
from tests.faults.conftest import WithTeam, stored, verified
from tests.faults.proxy import Proxy
from tests.faults.tab import Tab, until
from tests.faults.test_database_away import typing
from tests.server import Server, StartServer
from tests.services import Service

# Seconds. Polls come every four while the doorbell works, and every one while it is known not to.
WITHIN = 5


async def converge(tabs: list[Tab], server: Server, seconds: float = WITHIN) -> None:
    await until(lambda: not any(tab.unsaved for tab in tabs), "everything saved", 15)
    await until(lambda: len({str(tab) for tab in tabs}) == 1, "the same text everywhere", seconds)
    assert not [word for tab in tabs for word in tab.words if str(tabs[0]).count(word) != 1]
    assert await asyncio.to_thread(stored, server, 0) == [str(tabs[0])]


@pytest.fixture
def pair(server: StartServer, redis_url: str) -> tuple[Server, Server]:
    one = server(postgres=True, REDIS_URL=redis_url)
    return one, server(beside=one)


async def test_f16_redis_is_restarted_under_load(
    pair: tuple[Server, Server], redis: Service, team: WithTeam
) -> None:
    """Subscriptions are gone with it. New documents still open while it is away."""
    teams = [team(server) for server in pair]
    tabs = [teams[0].tab("ada"), teams[1].tab("ben")]
    await until(lambda: all(tab.is_online for tab in tabs), "two tabs online")
    try:
        async with typing(tabs):
            await until(lambda: all(tab.saved for tab in tabs), "the first words saved")
            await asyncio.to_thread(redis.kill)
            saved = [len(tab.saved) for tab in tabs]
            await until(
                lambda: all(len(tab.saved) > before for tab, before in zip(tabs, saved, strict=True)),
                "words saved without Redis",
            )
            late = teams[1].tab("chidi", 1)
            await until(lambda: late.is_online, "a document opened without Redis")
        await converge(tabs, pair[0])
    finally:
        await asyncio.to_thread(redis.start)
    async with typing(tabs):
        await until(lambda: all(len(tab.words) > 20 for tab in tabs), "more words")
    await converge(tabs, pair[0])
    assert [tab.connections for tab in tabs] == [1, 1]
    await asyncio.to_thread(verified, pair[0])


async def test_f17_redis_does_not_answer_for_a_while(
    pair: tuple[Server, Server], redis: Service, team: WithTeam
) -> None:
    """As behind a broken network: the connection stands and nothing comes through."""
    tabs = [team(pair[0]).tab("ada"), team(pair[1]).tab("ben")]
    await until(lambda: all(tab.is_online for tab in tabs), "two tabs online")
    async with typing(tabs):
        await until(lambda: all(tab.saved for tab in tabs), "the first words saved")
        os.kill(redis._process.pid, signal.SIGSTOP)
        try:
            words = [tab.words[-1] for tab in tabs]
            await until(
                lambda: all(word in str(tab) for tab in tabs for word in words), "words of the other", WITHIN
            )
        finally:
            os.kill(redis._process.pid, signal.SIGCONT)
    await converge(tabs, pair[0])
    assert [tab.connections for tab in tabs] == [1, 1]


@pytest.fixture
def proxy(redis_url: str) -> Iterator[Proxy]:
    proxy = Proxy(redis_url)
    yield proxy
    proxy.close()


@pytest.mark.parametrize("how", [Proxy.stall, Proxy.cut, Proxy.lose], ids=["stalls", "is cut", "loses"])
async def test_f17_one_process_is_cut_off_from_redis(
    server: StartServer, redis_url: str, proxy: Proxy, team: WithTeam, how: Callable[[Proxy], None]
) -> None:
    """People in both go on seeing each other's edits, also in documents that are opened meanwhile; afterwards they see
    each other's cursors again."""
    one = server(postgres=True, REDIS_URL=redis_url)
    other = server(beside=one, REDIS_URL=proxy.url)
    teams = [team(one), team(other)]
    tabs = [teams[0].tab("ada"), teams[1].tab("ben")]
    await until(lambda: all(tab.is_online for tab in tabs), "two tabs online")
    async with typing(tabs):
        await until(lambda: all(tab.saved for tab in tabs), "the first words saved")
        how(proxy)
        for _ in range(3):
            words = [tab.words[-1] for tab in tabs]
            await until(
                lambda: all(word in str(tab) for tab in tabs for word in words),  # noqa: B023
                "words of the other",
                WITHIN,
            )
        late = [each.tab("chidi", 1) for each in teams]
        await until(lambda: all(tab.is_online for tab in late), "a document opened meanwhile", 10)
        late[0].type("<meanwhile>")
        await until(lambda: "<meanwhile>" in str(late[1]), "the word in the other process", WITHIN)
    await converge(tabs, one)
    proxy.resume()
    for pair in (tabs, late):
        for number, tab in enumerate(pair):
            tab.send(wire.awareness(tab.doc.client_id, 100, {"cursor": number}))
        await until(lambda: all(_cursors(tab, pair) == [0, 1] for tab in pair), "each other's cursors", 20)  # noqa: B023
    assert [tab.connections for tab in (*tabs, *late)] == [1] * 4
    await asyncio.to_thread(verified, one)


def _cursors(tab: Tab, others: list[Tab]) -> list[object]:
    return [(tab.presence.get(other.doc.client_id) or {}).get("cursor") for other in others]


async def test_a_tab_whose_words_others_have_never_comes_back(server: StartServer, team: WithTeam) -> None:
    """After a crash, in one process: Ben brings what he had seen of Ada's, and his own words that build on it."""
    collab = server()
    ada, ben = team(collab).tab("ada"), team(collab).tab("ben")
    await until(lambda: ada.is_online and ben.is_online, "two tabs online")
    await _type_past_a_killed_server(collab, ada, ben)
    await asyncio.to_thread(collab.start)
    await until(lambda: ben.is_online and not ben.unsaved, "Ben's words saved")
    assert ben.refused == []
    chidi = team(collab).tab("chidi")
    await until(lambda: chidi.is_online and str(chidi) == str(ben), "a newcomer with all of it")
    assert await asyncio.to_thread(stored, collab, 0) == [str(ben)]
    assert all(word in str(ben) for word in ada.words)
    await asyncio.to_thread(verified, collab)


async def test_the_tabs_of_a_killed_process_go_on_in_the_other(
    pair: tuple[Server, Server], team: WithTeam
) -> None:
    """Ada's page never comes back; Ben's reaches the process that is left, at first while nobody knows of the end."""
    killed, left = pair
    ada, ben = team(killed).tab("ada"), team(killed).tab("ben")
    chidi = team(left).tab("chidi")
    await until(lambda: all(tab.is_online for tab in (ada, ben, chidi)), "three tabs online")
    await _type_past_a_killed_server(killed, ada, ben)
    ben.move_to(left)
    await until(lambda: ben.is_online and not ben.unsaved, "Ben's words saved")
    assert ben.refused == []
    await converge([ben, chidi], left)
    assert all(word in str(chidi) for word in (*ada.words, *ben.words))
    await asyncio.to_thread(verified, left)


async def _type_past_a_killed_server(server: Server, ada: Tab, ben: Tab) -> None:
    """Kill the server when Ben has seen words of Ada's that are not committed, and let him write behind them."""
    ada.type("<first>")
    await until(lambda: ada.saved and str(ben) == str(ada), "the first word everywhere")
    while True:
        ada.type(f"<ada.{len(ada.words)}>")
        await until(lambda: ada.words[-1] in str(ben), "Ada's word at Ben's")
        if ada.words[-1] not in ada.saved:
            break
    os.kill(server.pid, signal.SIGKILL)
    await ada.close()
    ben.type("<ben's>")
    await asyncio.to_thread(server.kill)
    await until(lambda: not ben.is_online, "the end of the connection")
    ben.type("<ben's later>")
    (text,) = await asyncio.to_thread(stored, server, 0)
    assert ada.words[-1] not in text, "the commit was quicker than the signal"
