"""From which address the current request comes, for whoever writes the audit log: a verb knows no request."""

from collections.abc import Callable
from contextvars import ContextVar

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

_address: ContextVar[str | None] = ContextVar("address", default=None)


def address() -> str | None:
    """The client's address, as rate limits count it (`COLLAB_PROXIES`); None outside of a request."""
    return _address.get()


class OriginMiddleware:
    """Remembers the address for as long as the request is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _address.set(_address_of(request))
        try:
            return self.get_response(request)
        finally:
            _address.reset(token)


def _address_of(request: HttpRequest) -> str | None:
    try:
        found: str = get_adapter(request).get_client_ip(request)
    except PermissionDenied:
        # A request over a Unix socket has none.
        return None
    return found
