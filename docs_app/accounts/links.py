"""Addresses that go into mail."""

from django.conf import settings
from django.http import HttpRequest


def absolute(request: HttpRequest, path: str) -> str:
    """The path below `COLLAB_URL`: the request's Host header, whose port anybody may choose, must not decide where a
    secret goes. On localhost any port will do."""
    return request.build_absolute_uri(path) if settings.IS_LOCAL else f"{settings.PUBLIC_URL}{path}"
