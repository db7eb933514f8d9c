"""How fast one tab may speak. Nothing is refused: whoever is faster is read more slowly, and TCP makes it wait."""

import asyncio
import time

from django.conf import settings

# Seconds' worth that may come at once: opening a document after an hour offline is no flood.
BURST = 2.0
# What a tab may have of one core, in the long run, and seconds of CPU time that are not counted.
MAX_SHARE = 0.2
FREE = 0.001


class Pace:
    """A leaky bucket over frames, bytes and CPU time; the limits are settings."""

    def __init__(self) -> None:
        self._debt = 0.0
        # Seconds that a frame and a byte take.
        self._frame = 1 / settings.MAX_FRAMES_PER_SECOND
        self._byte = 1 / settings.MAX_BYTES_PER_SECOND
        self._at = time.monotonic()

    def charge(self, size: int) -> float:
        """Count a frame of `size` bytes; answers for how many seconds the next one must not be read."""
        self._pay()
        self._debt += self._cost(size)
        return max(0.0, self._debt - BURST)

    def admits(self, size: int) -> bool:
        """Count a frame if the next one may be read at once after it."""
        self._pay()
        debt = self._debt + self._cost(size)
        if debt > BURST:
            return False
        self._debt = debt
        return True

    def _pay(self) -> None:
        now = time.monotonic()
        self._debt = max(0.0, self._debt - (now - self._at))
        self._at = now

    def _cost(self, size: int) -> float:
        return max(self._frame, size * self._byte)

    def spent(self, seconds: float) -> None:
        """Count the CPU time of a frame, if it is more than is in its price."""
        if seconds > FREE:
            self._debt += seconds / MAX_SHARE

    async def keep(self, size: int) -> None:
        """Wait as long as `charge` says."""
        if wait := self.charge(size):
            await asyncio.sleep(wait)
