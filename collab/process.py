"""This process's rooms: made on the event loop that serves it, ended with it."""

import asyncio

from collab.rooms import Rooms

_rooms: Rooms | None = None
_after_crash = False


def began_after_crash() -> None:
    """Hear, before anything is served, that the last server here had no time to commit what it held."""
    global _after_crash
    _after_crash = True


def rooms() -> Rooms:
    """The rooms; started at first use, because they belong to the running event loop."""
    global _rooms
    if _rooms is None:
        _rooms = Rooms(after_crash=_after_crash)
        _rooms.start()
    elif _rooms.loop is not asyncio.get_running_loop():
        raise RuntimeError("the rooms belong to another event loop")
    return _rooms


async def stop() -> None:
    """Commit everything and send every tab away."""
    if _rooms is not None:
        await _rooms.stop()
