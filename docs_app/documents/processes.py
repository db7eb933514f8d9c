"""Which server processes live, and when one was last killed: what it had sent on and not committed is with the tabs.
Blocking, for a thread that may use the database."""

from datetime import timedelta

from django.db.models import Max
from django.utils import timezone

from docs_app.documents.models import ServerProcess

# Several processes say that they live this often, in seconds, and are taken for dead after so many.
SEEN_EVERY = 2.0
DEAD_AFTER = 6.0
# A laptop that was closed at the crash is opened the next day.
REMEMBERED_FOR = timedelta(days=2)


def seen(process: str, is_alone: bool) -> float | None:
    """Note that this process lives and which others do not: if it is alone, none. Answers how many seconds ago the last
    crash was found, None if there was none in the last days."""
    now = timezone.now()
    others = ServerProcess.objects.exclude(id=process)
    silent = others if is_alone else others.filter(seen_at__lt=now - timedelta(seconds=DEAD_AFTER))
    silent.filter(crashed_at=None).update(crashed_at=now)
    others.filter(crashed_at__lt=now - REMEMBERED_FOR).delete()
    # A machine that slept was taken for dead, and has lost nothing.
    ServerProcess.objects.update_or_create(id=process, defaults={"seen_at": now, "crashed_at": None})
    latest = others.aggregate(at=Max("crashed_at"))["at"]
    return (now - latest).total_seconds() if latest else None


def ended(process: str) -> None:
    """Note that the process ends, and has committed all that it held."""
    ServerProcess.objects.filter(id=process).delete()
