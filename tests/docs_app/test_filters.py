"""Moments and names as the pages show them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from docs_app.templatetags.names import initials
from docs_app.templatetags.times import ago

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=23), "23 hours ago"),
        (timedelta(days=1), "yesterday"),
        (timedelta(days=6), "6 days ago"),
        (timedelta(days=7), "7 March"),
        (timedelta(days=100), "4 December 2025"),
    ],
)
def test_it_says_how_long_ago(monkeypatch: pytest.MonkeyPatch, passed: timedelta, said: str) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    assert ago(NOW - passed) == said


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ada Lovelace", "AL"),
        ("ada", "A"),
        ("Ana María de la Cruz", "AC"),
        ("Ōe", "Ō"),
        ("李 小龍", "李小"),
        ("", ""),
    ],
)
def test_it_shortens_names(name: str, letters: str) -> None:
    assert initials(name) == letters
