"""The server that keeps documents open and carries edits between the people in them.

Read in this order: `settings` and `asgi` (how it starts), `server` (Daphne with a fast broadcast), `consumers`
(one browser tab on a WebSocket), `connection` (one participant, whatever the transport), `protocol` (bytes and
messages), `presence` (who is here), `room` (one open document), `saver` (what commits edits).

`collab` imports `docs_app`; never the other way round.
"""

import asyncio

import uvloop

# Before anything makes an event loop: Daphne takes its reactor's loop from this policy when it is imported.
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
