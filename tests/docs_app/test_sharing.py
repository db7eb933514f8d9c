"""Sharing: grants, standing apart, links and guests, requests, handing over. Each change reaches open tabs."""

import hashlib
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.db import IntegrityError
from django.utils import timezone

from docs_app import access
from docs_app.accounts.models import User
from docs_app.accounts.sessions import Visitor
from docs_app.audit.models import AuditEvent
from docs_app.documents import verbs
from docs_app.documents.models import Document
from docs_app.live import PEOPLE
from docs_app.sharing import links, requests
from docs_app.sharing import verbs as sharing
from docs_app.sharing.models import AccessRequest, Grant, Guest
from docs_app.sharing.paths import By
from docs_app.sharing.roles import Role
from docs_app.workspaces import verbs as workspaces
from docs_app.workspaces.models import Group, Membership, Workspace
from docs_app.workspaces.verbs import WorkspaceError
from tests.docs_app.conftest import Listen

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def group(workspace: Workspace, alice: User, carol: User) -> Group:
    group = workspaces.create_group(workspace=workspace, name="Readers", by=alice)
    workspaces.join_group(group=group, membership=Membership.objects.get(user=carol), by=alice)
    return group


def test_a_second_grant_replaces_the_first(
    document: Document, alice: User, charlie: User, listen: Listen
) -> None:
    heard = listen(PEOPLE)
    sharing.give(document=document, to=charlie, role=Role.EDITOR, by=alice)
    grant = sharing.give(document=document, to=charlie, role=Role.VIEWER, by=alice)
    assert access.role_of(charlie, document) == Role.VIEWER
    sharing.withdraw(grant=grant, by=alice)
    assert access.role_of(charlie, document) is None
    assert [message["user"] for message in heard()] == [charlie.pk] * 3
    rows = AuditEvent.objects.filter(subject__contains="charlie").order_by("id")
    assert list(rows.values_list("verb", "role_before", "role_after")) == [
        ("share", "", "editor"),
        ("share", "editor", "viewer"),
        ("unshare", "viewer", ""),
    ]


def test_a_group_s_tabs_hear_of_its_grants_and_its_end(
    document: Document, group: Group, alice: User, carol: User, listen: Listen
) -> None:
    heard = listen(PEOPLE)
    sharing.give(document=document, to=group, role=Role.EDITOR, by=alice)
    assert access.role_of(carol, document) == Role.EDITOR
    workspaces.delete_group(group=group, by=alice)
    assert access.role_of(carol, document) == Role.VIEWER
    assert [message["users"] for message in heard()] == [[carol.pk]] * 2


def test_who_leaves_the_workspace_leaves_its_groups(
    document: Document, group: Group, alice: User, carol: User
) -> None:
    Grant.objects.all().delete()
    sharing.give(document=document, to=group, role=Role.EDITOR, by=alice)
    workspaces.remove_member(membership=Membership.objects.get(user=carol), by=alice)
    assert access.role_of(carol, document) is None


def test_groups_and_members_of_other_workspaces_get_nothing(
    document: Document, alice: User, charlie: User, group: Group
) -> None:
    other = Workspace.objects.create(name="Other")
    member = workspaces.add_member(workspace=other, person=charlie, kind=Membership.Kind.OWNER, by=None)
    foreign = workspaces.create_group(workspace=other, name="Foreign", by=charlie)
    before = Grant.objects.count()
    for to in (other, foreign):
        with pytest.raises(sharing.ShareError):
            sharing.give(document=document, to=to, role=Role.VIEWER, by=alice)
    with pytest.raises(WorkspaceError):
        workspaces.join_group(group=group, membership=member, by=alice)
    assert Grant.objects.count() == before


def test_a_grant_is_for_exactly_one(document: Document, group: Group, charlie: User) -> None:
    for to in ({}, {"user": charlie, "group": group}):
        with pytest.raises(IntegrityError):
            Grant.objects.create(document=document, role=Role.VIEWER, **to)


def test_who_lets_a_page_stand_apart_stays(
    workspace: Workspace, alice: User, bob: User, charlie: User, listen: Listen
) -> None:
    top = verbs.create(workspace=workspace, by=alice)
    page = verbs.create(workspace=workspace, by=alice, parent=top)
    below = verbs.create(workspace=workspace, by=alice, parent=page)
    sharing.give(document=top, to=charlie, role=Role.MANAGER, by=alice)
    heard = listen(PEOPLE)
    sharing.stand_apart(document=page, apart=True, by=charlie)
    tree = [Document.objects.get(id=each.id) for each in (page, below)]
    assert [access.role_of(bob, each) for each in tree] == [None, None]
    assert [access.role_of(charlie, each) for each in tree] == [Role.MANAGER] * 2
    assert [access.role_of(alice, each) for each in tree] == [Role.OWNER] * 2
    named = [set(message["documents"]) for message in heard() if message["type"] == "rights.changed"]
    assert named == [{page.id.hex, below.id.hex}]


def test_it_says_why_somebody_may_see_a_document(
    workspace: Workspace, alice: User, bob: User, carol: User, group: Group
) -> None:
    top = verbs.create(workspace=workspace, by=bob)
    page = verbs.create(workspace=workspace, by=bob, parent=top)
    sharing.give(document=top, to=group, role=Role.EDITOR, by=bob)
    sharing.give(document=page, to=carol, role=Role.VIEWER, by=bob)
    listed = access.who_and_why(page)
    found = {who.person: [(p.by, p.role, g and g.document) for p, g in who.paths] for who in listed}
    assert found == {
        alice: [(By.WORKSPACE, Role.OWNER, None)],
        bob: [(By.PERSON, Role.OWNER, top), (By.WORKSPACE, Role.EDITOR, None)],
        carol: [(By.GROUP, Role.EDITOR, top), (By.PERSON, Role.VIEWER, page)],
    }


def test_a_token_is_long_and_kept_as_a_hash_only(document: Document, alice: User, charlie: User) -> None:
    link, token = links.make(document=document, label="Press", role=Role.EDITOR, by=alice, password="owls")
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", token)
    assert link.token_hash == hashlib.sha256(token.encode()).hexdigest()
    assert links.find(token) == link
    assert links.find(token[:-1]) is links.find("") is None
    assert (links.opens(link, "owls"), links.opens(link, "crows")) == (True, False)
    links.enter(link=link, person=charlie)
    links.enter_as_guest(link=link, name="Quiet Reader", session={})
    links.revoke(link=link, by=alice)
    kept = str(list(AuditEvent.objects.values())) + str(list(link.visitors.values()))
    assert token not in kept
    assert "owls" not in kept + link.password


def test_a_link_that_ended_is_found_by_nobody(document: Document, alice: User) -> None:
    for end in ({"revoked_at": timezone.now()}, {"expires_at": timezone.now() - timedelta(seconds=1)}):
        link, token = links.make(document=document, label="Out", role=Role.VIEWER, by=alice)
        type(link).objects.filter(pk=link.pk).update(**end)
        assert links.find(token) is None
    _, token = links.make(document=document, label="Out", role=Role.VIEWER, by=alice)
    Document.objects.update(trashed_at=timezone.now())
    assert links.find(token) is None


def test_a_changed_link_changes_the_role_of_all_who_came_by_it(
    document: Document, alice: User, charlie: User, listen: Listen
) -> None:
    link, _ = links.make(document=document, label="Out", role=Role.VIEWER, by=alice)
    links.enter(link=link, person=charlie)
    links.enter(link=link, person=charlie)
    guest = links.enter_as_guest(link=link, name="Quiet Reader", session={})
    heard = listen(PEOPLE)
    links.change(link=link, label="Out", role=Role.EDITOR, expires_at=None, by=alice)
    guest = Guest.objects.get(pk=guest.pk)
    assert access.role_of(charlie, document) == access.role_of(guest, document) == Role.EDITOR
    links.revoke(link=link, by=alice)
    guest = Guest.objects.get(pk=guest.pk)
    assert access.role_of(charlie, document) is access.role_of(guest, document) is None
    assert [message["documents"] for message in heard()] == [[document.id.hex]] * 2


def test_a_guest_is_the_same_in_one_browser_and_another_in_the_next(document: Document, alice: User) -> None:
    link, _ = links.make(document=document, label="Out", role=Role.VIEWER, by=alice)
    browser = SessionStore()
    guest = links.enter_as_guest(link=link, name="Quiet Reader", session=browser)
    again = links.enter_as_guest(link=link, name="Loud Reader", session=browser)
    other = links.enter_as_guest(link=link, name="Quiet Reader", session=SessionStore())
    assert (again, again.name) == (guest, "Loud Reader")
    assert other != guest
    browser.save()
    key = browser.session_key or ""
    asked = {Visitor(-guest.pk, key), Visitor(-other.pk, key), Visitor(-guest.pk, "none")}
    assert links.still_here(asked) == {Visitor(-guest.pk, key)}
    browser.delete()
    assert links.still_here(asked) == set()


def test_of_the_guests_in_a_browser_the_one_counts_who_may_most(
    document: Document, workspace: Workspace, alice: User, charlie: User
) -> None:
    session: dict[str, object] = {}
    for role in (Role.COMMENTER, Role.EDITOR, Role.VIEWER):
        link, _ = links.make(document=document, label=role, role=role, by=alice)
        links.enter_as_guest(link=link, name=f"Guest {role}", session=session)
    guests = links.guests_in(session)
    found = access.find_for(AnonymousUser(), guests, document.id)
    assert found
    assert (str(found[0]), found[1:]) == ("Guest editor (guest)", (document, Role.EDITOR))
    elsewhere = verbs.create(workspace=workspace, by=alice)
    assert access.find_for(AnonymousUser(), guests, elsewhere.id) is None
    # Whoever is signed in is that person, and no guest.
    assert access.find_for(charlie, guests, document.id) is None


def test_a_request_is_granted_or_refused_once(document: Document, alice: User, charlie: User) -> None:
    first = requests.ask(document=document, role=Role.VIEWER, message="Please", by=charlie)
    assert requests.ask(document=document, role=Role.EDITOR, message="", by=charlie) == first
    first.refresh_from_db()
    requests.grant(request=first, role=Role.COMMENTER, by=alice)
    assert access.role_of(charlie, document) == Role.COMMENTER
    with pytest.raises(requests.DecidedError):
        requests.grant(request=first, role=Role.OWNER, by=alice)
    assert access.role_of(charlie, document) == Role.COMMENTER
    second = requests.ask(document=document, role=Role.EDITOR, message="", by=charlie)
    requests.refuse(request=second, by=alice)
    assert access.role_of(charlie, document) == Role.COMMENTER
    assert AccessRequest.objects.filter(decided_by=alice).count() == 2


def test_what_somebody_owns_goes_to_another(
    workspace: Workspace, alice: User, bob: User, charlie: User, document: Document
) -> None:
    sharing.give(document=document, to=alice, role=Role.OWNER, by=alice)
    sharing.give(document=document, to=bob, role=Role.VIEWER, by=alice)
    assert sharing.owns_anything(alice)
    with pytest.raises(sharing.ShareError):
        sharing.hand_over(of=alice, to=alice, by=alice)
    assert sharing.hand_over(of=alice, to=bob, by=alice) == 2
    assert access.role_of(bob, document) == Role.OWNER
    assert Membership.objects.get(user=bob).kind == Membership.Kind.OWNER
    assert Membership.objects.get(user=alice).kind == Membership.Kind.MEMBER
    assert not sharing.owns_anything(alice)
    assert sharing.owns_anything(bob)


def test_a_workspace_keeps_an_owner(workspace: Workspace, alice: User, bob: User, charlie: User) -> None:
    last = Membership.objects.get(user=alice)
    charlie.is_active = False
    charlie.save()
    workspaces.add_member(workspace=workspace, person=charlie, kind=Membership.Kind.OWNER, by=alice)
    with pytest.raises(WorkspaceError):
        workspaces.remove_member(membership=last, by=alice)
    with pytest.raises(WorkspaceError):
        workspaces.change_kind(membership=last, kind=Membership.Kind.ADMIN, by=alice)
    assert Membership.objects.get(user=alice).kind == Membership.Kind.OWNER
    workspaces.change_kind(membership=Membership.objects.get(user=bob), kind=Membership.Kind.OWNER, by=alice)
    workspaces.remove_member(membership=last, by=alice)
    assert not Membership.objects.filter(user=alice).exists()
