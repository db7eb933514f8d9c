"""Turns what tabs wrote down into figures: delivered marks, their delay, and what is still on its way."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.tab import Tab

# 20 µs wide; the last one takes everything later.
_BUCKET = 20e-6
_BUCKETS = 500_000


class Delays:
    """A histogram of delays up to 10 s."""

    def __init__(self) -> None:
        self.buckets = array("L", bytes(_BUCKETS * array("L").itemsize))
        self.count = 0

    def add(self, delay: float) -> None:
        self.buckets[min(max(int(delay / _BUCKET), 0), _BUCKETS - 1)] += 1
        self.count += 1

    def quantile(self, share: float) -> float:
        """In milliseconds; 0 if nothing was counted."""
        wanted, seen = share * self.count, 0
        for index, count in enumerate(self.buckets):
            seen += count
            if count and seen >= wanted:
                return (index + 1) * _BUCKET * 1000
        return 0.0


@dataclass(frozen=True)
class Group:
    """The tabs that have one document open, and those of them that type."""

    tabs: Sequence[Tab]
    writers: Sequence[Tab]


class Deliveries:
    """The marks that get to the tabs of some documents, from now on. A mark counts for each tab but its writer's; its
    delay counts only if it was typed between `since` and `until` (seconds of the monotonic clock)."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups = groups
        self.since, self.until = 0.0, float("inf")
        self.delays, self.saved = Delays(), Delays()
        self.frames = self.delivered = self.lost = 0
        self._next: dict[Tab, dict[int, int]] = {}
        self._saved: dict[Tab, int] = {}
        self._first: dict[Tab, int] = {}
        for group in groups:
            begun = {writer.client: len(writer.typed_at) for writer in group.writers}
            for tab in group.tabs:
                tab.log.clear()
                tab.times.clear()
                self._next[tab] = dict(begun)
            for writer in group.writers:
                self._first[writer] = self._saved[writer] = begun[writer.client]

    def read(self) -> None:
        """Take in what has been written down since the last call."""
        for group in self.groups:
            writers = {writer.client: writer for writer in group.writers}
            for tab in group.tabs:
                for entry, when in zip(tab.log, tab.times, strict=True):
                    if entry.spans:
                        self.frames += entry.frames
                        self._deliver(tab, writers, entry.spans, when)
                    if entry.saved:
                        self._save(tab, entry.saved, when)
                tab.log.clear()
                tab.times.clear()

    def _deliver(
        self, tab: Tab, writers: dict[int, Tab], spans: Iterable[tuple[int, int, int]], when: float
    ) -> None:
        following = self._next[tab]
        since, until, add = self.since, self.until, self.delays.add
        for client, start, end in spans:
            writer = writers.get(client)
            if writer is None or writer is tab:
                continue
            known = following[client]
            if end <= known:
                continue
            if start > known:
                # A writer's marks travel in one order on one connection: what was left out does not come any more.
                self.lost += start - known
                known = start
            self.delivered += end - known
            following[client] = end
            for typed in writer.typed_at[known:end]:
                if since <= typed < until:
                    add(when - typed)

    def _save(self, tab: Tab, number: int, when: float) -> None:
        # The tab's first update frames were its answers to the server's sync step 1.
        clock = number - (tab.update_frames - len(tab.typed_at))
        known = self._saved.get(tab, clock)
        for typed in tab.typed_at[known:clock]:
            if self.since <= typed < self.until:
                self.saved.add(when - typed)
        self._saved[tab] = max(known, clock)

    def expected(self) -> int:
        """How many deliveries everything typed so far makes."""
        return sum(
            (len(group.tabs) - 1) * (len(writer.typed_at) - self._first[writer])
            for group in self.groups
            for writer in group.writers
        )
