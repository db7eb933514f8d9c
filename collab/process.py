"""This process's rooms: made on the event loop that serves it, ended with it."""

import asyncio

from collab.rooms import Rooms

_rooms: Rooms | None = None


def rooms() -> Rooms:
    """The rooms; started at first use, because they belong to the running event loop."""
    global _rooms
    if _rooms is None:
        _rooms = Rooms()
        _rooms.start()
    elif _rooms.loop is not asyncio.get_running_loop():
        raise RuntimeError("the rooms belong to another event loop")
    return _rooms


async def stop() -> None:
    """Commit everything and send every tab away."""
    if _rooms is not None:
        await _rooms.stop()


async def tidy() -> None:
    """After `stop`, and within about two seconds: leave documents that open quickly."""
    if _rooms is not None:
        await _rooms.tidy()
