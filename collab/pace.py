"""How fast one tab may speak. Nothing is refused: whoever is faster is read more slowly, and TCP makes it wait."""

import asyncio
import time

from django.conf import settings

# Seconds' worth that may come at once: opening a document after an hour offline is no flood.
BURST = 2.0
# Of one core, in the long run.
MAX_SHARE = 0.2


class Pace:
    """A leaky bucket over frames, bytes and CPU time; the limits are settings."""

    def __init__(self) -> None:
        self._debt = 0.0
        self._at = time.monotonic()

    def charge(self, size: int, seconds: float = 0.0) -> float:
        """Count a frame of `size` bytes that took `seconds` of CPU time; answers for how many seconds the next one must
        not be read."""
        now = time.monotonic()
        self._debt = max(0.0, self._debt - (now - self._at))
        self._at = now
        self._debt += max(
            1 / settings.MAX_FRAMES_PER_SECOND, size / settings.MAX_BYTES_PER_SECOND, seconds / MAX_SHARE
        )
        return max(0.0, self._debt - BURST)

    async def keep(self, size: int, seconds: float) -> None:
        """Wait as long as `charge` says."""
        if wait := self.charge(size, seconds):
            await asyncio.sleep(wait)
