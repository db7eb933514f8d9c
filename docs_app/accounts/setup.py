"""The first visit: an installation without an account leads everybody to `/setup/`, where the first person becomes its
administrator."""

import base64
import hmac
import logging
import os
import tempfile
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from pathlib import Path

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from docs_app.accounts.models import User
from docs_app.workspaces.models import Membership, Workspace

logger = logging.getLogger(__name__)

FILE = "setup-code"
# Headers by which a proxy on the same machine gives itself away: the person behind it may be anywhere.
_PROXY_HEADERS = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")
# Letters that are easily taken for the digits which base 32 leaves out.
_LOOKALIKES = str.maketrans("0189", "OIBG")


class AlreadySetUpError(Exception):
    """Somebody else made the first account meanwhile."""


class _Memory:
    """Accounts are never deleted: once one was seen, this process need not ask the database again."""

    account_exists = False


def is_needed() -> bool:
    """Whether the installation has no account yet. Asks the database only until there is one."""
    if not _Memory.account_exists:
        _Memory.account_exists = User.objects.exists()
    return not _Memory.account_exists


def forget() -> None:
    """Ask the database again next time; for tests, whose accounts do vanish."""
    _Memory.account_exists = False


def code() -> str:
    """The one-time code of this installation, like `ABCD-EFGH-JKLM-NPQR`, also kept in the data folder for those who
    can read there. It follows from the secret key: every process and machine of an installation knows the same."""
    letters = _letters()
    text = "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))
    file = _file()
    if not file.exists() or file.read_text().strip() != text:
        _write(file, text)
        logger.info("the code for the first visit is %s", text)
    return text


def _letters() -> str:
    """The code itself: 80 bits."""
    digest = hmac.digest(settings.SECRET_KEY.encode(), b"collab: first visit", "sha256")
    return base64.b32encode(digest[:10]).decode()


def _file() -> Path:
    return Path(settings.DATA_DIR) / FILE


def _write(file: Path, text: str) -> None:
    """Replace the file in one step; `mkstemp` makes it readable by its owner only (0600)."""
    descriptor, name = tempfile.mkstemp(prefix=f"{FILE}.", dir=file.parent)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(f"{text}\n")
    Path(name).replace(file)


def is_code(given: str) -> bool:
    """Whether this is the code, whatever its case, dashes and spaces. Takes the same time for every wrong one."""
    letters = "".join(given.split()).replace("-", "").upper().translate(_LOOKALIKES)
    return constant_time_compare(letters, _letters())


def asks_for_code(request: HttpRequest) -> bool:
    """Everybody must know the code but whoever sits at the machine that serves itself only."""
    return not (settings.IS_LOCAL and _is_from_this_machine(request))


def _is_from_this_machine(request: HttpRequest) -> bool:
    if any(header in request.headers for header in _PROXY_HEADERS):
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback


def make_first_person(*, email: str, name: str, password: str, workspace: str) -> User:
    """Make the administrator, their workspace and their ownership of it. Raises AlreadySetUpError, and has then changed
    nothing, if an account exists."""
    with transaction.atomic():
        # Only one at a time gets further: this row is always there, and PostgreSQL makes the second one wait for it
        # until the first has committed. On SQLite transactions begin IMMEDIATE, which does the same.
        ContentType.objects.select_for_update().get(app_label="docs_app", model="user")
        if User.objects.exists():
            raise AlreadySetUpError
        person = User.objects.create_superuser(email, password, name=name)
        Membership.objects.create(
            workspace=Workspace.objects.create(name=workspace), user=person, kind=Membership.Kind.OWNER
        )
        transaction.on_commit(lambda: _file().unlink(missing_ok=True))
    return person


class FirstVisitMiddleware:
    """Leads every page to `/setup/` while there is no account."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        address = reverse("setup")
        if request.path != address and not request.path.startswith(settings.STATIC_URL) and is_needed():
            return HttpResponseRedirect(address)
        return self.get_response(request)
