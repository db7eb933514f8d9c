"""Fixtures of the product's tests: a browser per person, a data folder per test, what open tabs would hear."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from docs_app.accounts import setup
from docs_app.accounts.models import User

SignIn = Callable[[User], Client]
Listen = Callable[[str], Callable[[], list[dict[str, Any]]]]


@pytest.fixture(autouse=True)
def installation(settings: Settings, tmp_path: Path) -> Iterator[None]:
    """A data folder of its own, static files without a manifest, quick password hashes, nobody throttled yet."""
    settings.DATA_DIR = tmp_path
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    setup.forget()
    cache.clear()
    yield
    setup.forget()


@pytest.fixture
def sign_in() -> SignIn:
    def as_(person: User) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return as_


@pytest.fixture
def listen() -> Listen:
    """Listen to a channel-layer group; the answer tells what arrived since."""

    def to(group: str) -> Callable[[], list[dict[str, Any]]]:
        layer = get_channel_layer()
        assert layer is not None
        channel = async_to_sync(layer.new_channel)()
        async_to_sync(layer.group_add)(group, channel)

        def heard() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = []
            while (message := async_to_sync(_next)(layer, channel)) is not None:
                found.append(message)
            return found

        return heard

    return to


async def _next(layer: Any, channel: str) -> dict[str, Any] | None:
    """The next message that is already there."""
    try:
        message: dict[str, Any] = await asyncio.wait_for(layer.receive(channel), timeout=0.05)
    except TimeoutError:
        return None
    return message
