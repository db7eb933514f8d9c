"""The application: pages through Django, documents over WebSocket. Plain ASGI, for any server."""

import os
import re
from collections.abc import Awaitable, Callable
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collab.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path, re_path

from collab import consumers, process

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

_LOCAL_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?")


async def refuse_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer a handshake with 403."""
    await receive()
    await send({"type": "websocket.close"})


def same_origin_only(application: Application) -> Application:
    """Refuse a handshake that another site's page, or no page, started: the browser sends our cookie with it."""

    async def guarded(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await (application if is_same_origin(scope["headers"]) else refuse_socket)(scope, receive, send)

    return guarded


def is_same_origin(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether the Origin is the public address; on localhost, the address that the browser asked."""
    origins = [value.decode("latin-1").lower() for name, value in headers if name == b"origin"]
    hosts = [value.decode("latin-1").lower() for name, value in headers if name == b"host"]
    if len(origins) != 1:
        return False
    if origins == [settings.PUBLIC_URL]:
        return True
    return (
        settings.IS_LOCAL
        and len(hosts) == 1
        and bool(_LOCAL_HOST.fullmatch(hosts[0]))
        and origins == [f"http://{hosts[0]}"]
    )


async def lifespan(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Servers that speak ASGI's lifespan protocol (not Daphne, see `server`) end through here."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await process.stop()
            return await send({"type": "lifespan.shutdown.complete"})
        await send({"type": "lifespan.startup.complete"})


# Cast: the types of `path` know views only.
sockets = [
    path("ws/documents/<uuid:document_id>", cast("Any", consumers.document_socket)),
    re_path("", cast("Any", refuse_socket)),
]

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": same_origin_only(cast("Application", AuthMiddlewareStack(URLRouter(sockets)))),
        "lifespan": lifespan,
    }
)
