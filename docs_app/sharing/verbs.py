"""Share a document with people, groups and all members; let it stand apart; hand over what somebody owns. Nothing here
asks whether the person may: the views do (`share`, `stand_apart`, and `access.may_give` for the roles)."""

from django.db import transaction

from docs_app import access, live
from docs_app.accounts.models import User
from docs_app.audit import trail
from docs_app.documents.models import Document
from docs_app.sharing.models import Grant
from docs_app.sharing.roles import Role
from docs_app.tree.lines import subtree
from docs_app.workspaces.models import Group, GroupMember, Membership, Workspace


class ShareError(ValueError):
    """It can't be shared like this; the message is for people. Nothing has changed."""


def give(*, document: Document, to: User | Group | Workspace, role: Role, by: User | None) -> Grant:
    """Give a person, a group or all members (not guests) of the document's workspace a role on the document and the
    pages below; whoever has a grant already gets this role instead. Raises ShareError for another workspace or its
    groups."""
    home = to.pk if isinstance(to, Workspace) else to.workspace_id if isinstance(to, Group) else None
    with transaction.atomic():
        # Locked: a move to another workspace ends grants to this one's groups, and must not miss one.
        document = Document.objects.select_for_update().get(id=document.id)
        if home not in (None, document.workspace_id):
            raise ShareError("A document is shared with groups and members of its own workspace only.")
        target = _target(to)
        known = Grant.objects.filter(document=document, link=None, **target).first()
        before = Role(known.role) if known else None
        grant = known or Grant(document=document, **target)
        grant.role = role
        grant.save()
        if before != role:
            trail.record("share", by=by, document=document, subject=to, before=before, after=role)
            _tell(document, to)
    return grant


def _target(to: User | Group | Workspace) -> dict[str, User | Group | Workspace]:
    match to:
        case User():
            return {"user": to}
        case Group():
            return {"group": to}
        case Workspace():
            return {"workspace": to}


def _tell(document: Document, to: object) -> None:
    match to:
        case User():
            live.person_changed(to.pk)
        case Group():
            people = GroupMember.objects.filter(group=to).values_list("membership__user", flat=True)
            live.people_changed(people)
        case _:
            live.rights_changed(subtree(document.id).values_list("id", flat=True))


def withdraw(*, grant: Grant, by: User | None) -> None:
    """Take a grant away, also one that came by a link. What the person has by other paths stays."""
    with transaction.atomic():
        document, to = grant.document, grant.subject
        trail.record("unshare", by=by, document=document, subject=to, before=grant.role)
        _tell(document, to)
        grant.delete()


def stand_apart(*, document: Document, apart: bool, by: User | None) -> None:
    """Let a page inherit nothing from the pages above and from the workspace, or let it inherit again. Owners and
    admins of the workspace keep their roles; so does whoever does it, by a grant of the role they had."""
    with transaction.atomic():
        document = Document.objects.select_for_update().get(id=document.id)
        if document.stands_apart == apart:
            return
        role = access.role_of(by, document) if by else None
        document.stands_apart = apart
        document.save(update_fields=["stands_apart"])
        trail.record("stand apart" if apart else "inherit again", by=by, document=document)
        if apart and by and role and access.role_of(by, document) != role:
            give(document=document, to=by, role=role, by=by)
        live.rights_changed(subtree(document.id).values_list("id", flat=True))


def hand_over(*, of: User, to: User, by: User | None) -> int:
    """Give everything that one person owns, documents and workspaces, to another, and take it from the first; answers
    how much it was. What the first has by other paths stays: deactivate them afterwards. Raises ShareError for one and
    the same person."""
    if of == to:
        raise ShareError("Somebody else has to take over.")
    with transaction.atomic():
        grants = list(Grant.objects.filter(user=of, role=Role.OWNER, link=None).select_related("document"))
        for grant in grants:
            give(document=grant.document, to=to, role=Role.OWNER, by=by)
            withdraw(grant=grant, by=by)
        owned = Membership.objects.filter(user=of, kind=Membership.Kind.OWNER).select_related("workspace")
        for membership in (memberships := list(owned)):
            Membership.objects.update_or_create(
                workspace=membership.workspace, user=to, defaults={"kind": Membership.Kind.OWNER}
            )
            membership.kind = Membership.Kind.MEMBER
            membership.save(update_fields=["kind"])
            for person, before, after in ((to, "", "owner"), (of, "owner", "member")):
                trail.record(
                    "hand over",
                    by=by,
                    workspace=membership.workspace,
                    subject=person,
                    before=before,
                    after=after,
                )
        live.people_changed((of.pk, to.pk))
    return len(grants) + len(memberships)


def owns_anything(person: User) -> bool:
    """Whether there is something to hand over before this person goes."""
    return (
        Grant.objects.filter(user=person, role=Role.OWNER, link=None).exists()
        or Membership.objects.filter(user=person, kind=Membership.Kind.OWNER).exists()
    )
