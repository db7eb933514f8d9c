"""Ask for access to a document, and decide about it."""

from django.db import transaction
from django.utils import timezone

from docs_app.accounts.models import User
from docs_app.audit import trail
from docs_app.documents.models import Document
from docs_app.sharing import verbs
from docs_app.sharing.models import AccessRequest
from docs_app.sharing.roles import Role


class DecidedError(ValueError):
    """Somebody else has decided about this request meanwhile. Nothing has changed."""


def ask(*, document: Document, role: Role, message: str, by: User) -> AccessRequest:
    """Ask to get a role; who asks again changes what they have asked. The page must answer the same for a document that
    does not exist."""
    with transaction.atomic():
        request, _ = AccessRequest.objects.update_or_create(
            document=document, user=by, decided_at=None, defaults={"role": role, "message": message}
        )
        trail.record("ask for access", by=by, document=document, after=role)
    return request


def grant(*, request: AccessRequest, role: Role, by: User) -> None:
    """Give whoever asked a role, theirs or another one (see `access.may_give`). Raises DecidedError."""
    with transaction.atomic():
        _decide(request, by, granted=role)
        verbs.give(document=request.document, to=request.user, role=role, by=by)


def refuse(*, request: AccessRequest, by: User) -> None:
    """Leave whoever asked without. Raises DecidedError."""
    with transaction.atomic():
        _decide(request, by, granted="")
        trail.record(
            "refuse access", by=by, document=request.document, subject=request.user, before=request.role
        )


def _decide(request: AccessRequest, by: User, granted: str) -> None:
    open_request = AccessRequest.objects.filter(pk=request.pk, decided_at=None)
    if not open_request.update(decided_at=timezone.now(), decided_by=by, granted=granted):
        raise DecidedError("Somebody else has decided about this request.")
