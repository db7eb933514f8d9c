"""Waiting on the event loop for a condition."""

import asyncio
import time
from collections.abc import Callable


async def until(condition: Callable[[], object], what: str = "the condition", seconds: float = 10) -> None:
    """Return as soon as the condition holds; raises TimeoutError that names what did not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {seconds:.0f} s")
        await asyncio.sleep(0.002)
