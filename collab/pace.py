"""How fast one tab may speak. Nothing is refused: whoever is faster is read more slowly, and TCP makes it wait."""

import asyncio
import time

from django.conf import settings

# Seconds' worth that may come at once: opening a document after an hour offline is no flood.
BURST = 2.0


class Pace:
    """A leaky bucket over frames and bytes; the limits are settings."""

    def __init__(self) -> None:
        self._debt = 0.0
        self._at = time.monotonic()

    def charge(self, size: int) -> float:
        """Count a frame of `size` bytes; answers for how many seconds the next one must not be read."""
        now = time.monotonic()
        self._debt = max(0.0, self._debt - (now - self._at))
        self._at = now
        self._debt += max(1 / settings.MAX_FRAMES_PER_SECOND, size / settings.MAX_BYTES_PER_SECOND)
        return max(0.0, self._debt - BURST)

    async def keep(self, size: int) -> None:
        """Wait as long as `charge` says."""
        if wait := self.charge(size):
            await asyncio.sleep(wait)
