"""The server is killed at random moments while people type. Whatever was reported saved is in the database; whatever
was typed is there after everybody has come back."""

import asyncio
import random

from tests.faults.conftest import WithTeam, long_or_short, stored, verified
from tests.faults.tab import Tab, until
from tests.server import Server, StartServer

KILLS = long_or_short(50, 6)
PEOPLE = [("ada", 0), ("ben", 0), ("chidi", 0), ("ada", 0), ("ben", 1), ("chidi", 1), ("ada", 1)]


class Typist:
    """Types into a tab, quickly, whether the server is there or not; now and then takes a word back."""

    def __init__(self, tab: Tab, chance: random.Random) -> None:
        self.tab, self.chance, self.count = tab, chance, 0

    async def type_on(self) -> None:
        while True:
            self.count += 1
            place = self.chance.randrange(len(str(self.tab)) + 1) if self.chance.random() < 0.3 else None
            self.tab.type(f"<{self.tab.name}.{self.count}>", None)
            if place is not None:
                # Something to delete beside the words, which must all stay.
                self.tab.text.insert(0, "~")
                if self.chance.random() < 0.5:
                    at = str(self.tab).index("~")
                    self.tab.delete(at, 1)
            await asyncio.sleep(self.chance.uniform(0.002, 0.05))


async def kill_and_look(server: Server, tabs: list[Tab], chance: random.Random) -> None:
    """Kill at a random moment, compare what was reported saved with the database, start again."""
    await asyncio.sleep(chance.uniform(0.05, 0.9))
    reported = {tab: set(tab.saved) for tab in tabs}
    server.kill()
    # Nothing has run in between, but the kernel may still hold what the server had sent: reported is reported.
    await until(lambda: not any(tab.is_online for tab in tabs), "the end of every connection")
    reported = {tab: reported[tab] | tab.saved for tab in tabs}
    texts = await asyncio.to_thread(stored, server, 0, 1)
    for tab in tabs:
        lost = [word for word in reported[tab] if not any(word in text for text in texts)]
        assert not lost, f"{tab.name} was told that these were saved, and they are gone: {lost[:5]}"
    await asyncio.to_thread(server.start)


async def test_nothing_is_lost_however_often_the_server_is_killed(
    server: StartServer, team: WithTeam, chance: random.Random
) -> None:
    collab = server()
    everybody = team(collab)
    tabs = [everybody.tab(person, document) for person, document in PEOPLE]
    await until(lambda: all(tab.is_online for tab in tabs), "all tabs online")
    typing = [asyncio.create_task(Typist(tab, random.Random(chance.random())).type_on()) for tab in tabs]
    for _ in range(KILLS):
        await kill_and_look(collab, tabs, chance)
        await until(lambda: all(tab.is_online for tab in tabs), "all tabs back")
    for task in typing:
        task.cancel()
    await asyncio.gather(*typing, return_exceptions=True)
    # Some went offline over the last words and bring them with their sync.
    await until(lambda: not any(tab.unsaved for tab in tabs), "everything saved")
    newcomers = [everybody.tab("dunja", 0), everybody.tab("dunja", 1)]
    await until(lambda: all(tab.is_online for tab in newcomers), "the newcomers")
    for number, newcomer in enumerate(newcomers):
        here = [tab for tab, (_, document) in zip(tabs, PEOPLE, strict=True) if document == number]
        await until(lambda: len({str(tab) for tab in [*here, newcomer]}) == 1, "the same text everywhere")  # noqa: B023
        missing = [word for tab in here for word in tab.words if str(newcomer).count(word) != 1]
        assert not missing, f"typed and gone, or doubled: {missing[:5]}"
    assert [tab.refused for tab in tabs] == [[]] * len(tabs)
    assert await asyncio.to_thread(collab.stop) == 0
    assert await asyncio.to_thread(stored, collab, 0, 1) == [str(newcomer) for newcomer in newcomers]
    await asyncio.to_thread(verified, collab)
