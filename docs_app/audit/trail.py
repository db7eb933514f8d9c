"""Write the audit log. Verbs do in their own transaction: what is rolled back has not happened."""

from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from docs_app.accounts.models import User
from docs_app.audit import origin
from docs_app.audit.models import AuditEvent
from docs_app.documents.models import Document
from docs_app.sharing.models import Guest
from docs_app.sharing.roles import Role
from docs_app.workspaces.models import Workspace

# Who did it; None is whoever operates the installation, by a command.
Actor = User | Guest | AnonymousUser | None


def record(
    verb: str,
    *,
    by: Actor,
    document: Document | None = None,
    workspace: Workspace | None = None,
    subject: object = "",
    before: Role | str | None = None,
    after: Role | str | None = None,
    detail: str = "",
    refused: bool = False,
) -> None:
    """Add one row. `subject` is whose rights are meant, in words; `before` and `after` its role, None without one.
    Never pass a token or a password."""
    workspace_id = workspace.pk if workspace else document.workspace_id if document else None
    AuditEvent.objects.create(
        verb=verb,
        refused=refused,
        actor_id=by.pk if isinstance(by, User) else None,
        actor=_called(by)[:400],
        ip=origin.address(),
        workspace_id=workspace_id,
        document_id=document.id if document else None,
        document_title=document.title if document else "",
        subject=_called(subject)[:400],
        role_before=before or "",
        role_after=after or "",
        detail=detail[:400],
    )


def refuse(verb: str, *, by: Actor, document: Document) -> None:
    """Note that somebody was not allowed to do this."""
    record(verb, by=by, document=document, refused=True)


def _called(who: object) -> str:
    if who is None:
        return "the operator"
    if isinstance(who, User):
        return f"{who.name} <{who.email}>"
    if isinstance(who, Guest):
        return f"{who.name}, guest {who.pk} of link {who.link_id}"
    if isinstance(who, AnonymousUser):
        return "somebody"
    return str(who)


def prune(before: datetime) -> int:
    """Delete the rows from before a moment, the only way they go; answers how many."""
    # A plain QuerySet: the model's own refuses.
    deleted, _ = QuerySet(AuditEvent).filter(at__lt=before).delete()
    return deleted
