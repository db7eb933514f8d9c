"""Which server processes live, and how a killed one is noticed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from docs_app.documents import processes
from docs_app.documents.models import ServerProcess

pytestmark = pytest.mark.django_db


def silent_for(process: str, **time: float) -> None:
    ServerProcess.objects.filter(id=process).update(seen_at=timezone.now() - timedelta(**time))


def test_a_process_that_ends_in_order_leaves_no_trace() -> None:
    assert processes.seen("one", is_alone=True) is None
    processes.ended("one")
    assert processes.seen("two", is_alone=True) is None
    assert list(ServerProcess.objects.values_list("id", flat=True)) == ["two"]


def test_whoever_is_alone_knows_that_all_others_are_gone() -> None:
    processes.seen("one", is_alone=True)
    age = processes.seen("two", is_alone=True)
    assert age is not None
    assert 0 <= age < 5
    # It is still known when that one was found.
    ServerProcess.objects.filter(id="one").update(crashed_at=timezone.now() - timedelta(hours=1))
    again = processes.seen("two", is_alone=True)
    assert again is not None
    assert 3600 <= again < 3605


def test_among_several_the_silent_are_gone() -> None:
    processes.seen("one", is_alone=False)
    assert processes.seen("two", is_alone=False) is None
    silent_for("one", seconds=processes.DEAD_AFTER + 1)
    age = processes.seen("two", is_alone=False)
    assert age is not None
    assert age < 5


def test_whoever_was_silent_and_lives_has_lost_nothing() -> None:
    processes.seen("one", is_alone=False)
    silent_for("one", minutes=5)
    assert processes.seen("two", is_alone=False) is not None
    assert processes.seen("one", is_alone=False) is None
    assert processes.seen("two", is_alone=False) is None


def test_a_crash_is_forgotten_after_some_days() -> None:
    processes.seen("one", is_alone=True)
    processes.seen("two", is_alone=True)
    ServerProcess.objects.filter(id="one").update(crashed_at=timezone.now() - timedelta(days=3))
    assert processes.seen("two", is_alone=True) is None
    assert list(ServerProcess.objects.values_list("id", flat=True)) == ["two"]
