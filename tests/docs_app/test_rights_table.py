"""Every row of the table of rights, played through: role by path by verb, each way that `access` can be asked."""

from datetime import timedelta
from typing import NamedTuple

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from docs_app import access
from docs_app.accounts.models import User
from docs_app.documents import verbs
from docs_app.documents.models import Document
from docs_app.sharing import links
from docs_app.sharing import verbs as sharing
from docs_app.sharing.models import Guest, ShareLink
from docs_app.sharing.roles import Role
from docs_app.trash import verbs as trash
from docs_app.workspaces import verbs as workspaces
from docs_app.workspaces.models import Membership, Workspace
from tests.docs_app.rights_table import PAGE, VERBS, WAYS, Way, render

Kind = Membership.Kind
CASES = [
    pytest.param(way, role, given, id=f"{way.scene}-{role}")
    for way in WAYS
    for role, given in way.gives.items()
]


class Scene(NamedTuple):
    """A page three levels down, and the person or guest whom it is about."""

    page: Document
    people: list[User | Guest]


def build(scene: str, role: Role, owner: User, charlie: User) -> Scene:
    is_workspace = scene.startswith("workspace-") or scene in ("apart-member", "apart-owner", "apart-admin")
    workspace = Workspace.objects.create(name="Place", default_role=role if is_workspace else Role.EDITOR)
    Membership.objects.create(workspace=workspace, user=owner, kind=Kind.OWNER)
    top = verbs.create(workspace=workspace, by=owner, title="Top")
    middle = verbs.create(workspace=workspace, by=owner, title="Middle", parent=top)
    page = verbs.create(workspace=workspace, by=owner, title="Page", parent=middle)
    if scene == "apart-middle":
        sharing.stand_apart(document=middle, apart=True, by=owner)
    elif scene.startswith("apart"):
        sharing.stand_apart(document=page, apart=True, by=owner)
    shared = top if "ancestor" in scene or scene in ("apart-middle", "apart-link") else page
    people: list[User | Guest] = [charlie]
    if is_workspace:
        kind = Kind(scene.rpartition("-")[2])
        workspaces.add_member(workspace=workspace, person=charlie, kind=kind, by=owner)
    elif "group" in scene:
        kept_apart = workspaces.add_member(workspace=workspace, person=charlie, kind=Kind.GUEST, by=owner)
        group = workspaces.create_group(workspace=workspace, name="Readers", by=owner)
        workspaces.join_group(group=group, membership=kept_apart, by=owner)
        sharing.give(document=page, to=group, role=role, by=owner)
        if scene == "former-group":
            workspaces.leave_group(group=group, membership=kept_apart, by=owner)
    elif scene.startswith("members"):
        sharing.stand_apart(document=page, apart=True, by=owner)
        kind = Kind.GUEST if scene == "members-as-guest" else Kind.MEMBER
        workspaces.add_member(workspace=workspace, person=charlie, kind=kind, by=owner)
        sharing.give(document=page, to=workspace, role=role, by=owner)
    elif "link" in scene:
        people.append(come_by_link(shared, role, owner, charlie))
        end_link(scene)
    elif scene != "nothing":
        sharing.give(document=shared, to=charlie, role=role, by=owner)
    if scene == "trashed":
        trash.trash(document=middle, by=owner)
    if scene == "deactivated":
        charlie.is_active = False
        charlie.save()
    page.refresh_from_db()
    return Scene(page, [User.objects.get(pk=p.pk) if isinstance(p, User) else fresh(p) for p in people])


def come_by_link(page: Document, role: Role, owner: User, charlie: User) -> Guest:
    link, token = links.make(document=page, label="Out", role=role, by=owner)
    assert links.find(token) == link
    links.enter(link=link, person=charlie)
    return links.enter_as_guest(link=link, name="Quiet Reader", session={})


def end_link(scene: str) -> None:
    if scene == "expired-link":
        ShareLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    if scene == "revoked-link":
        ShareLink.objects.update(revoked_at=timezone.now())


def fresh(guest: Guest) -> Guest:
    return Guest.objects.select_related("link").get(pk=guest.pk)


@pytest.mark.parametrize(("way", "role", "given"), CASES)
def test_each_way_gives_what_the_table_says(
    alice: User, charlie: User, way: Way, role: Role, given: Role | None
) -> None:
    page, people = build(way.scene, role, alice, charlie)
    for person in people:
        assert access.role_of(person, page) == given
        assert access.find_document(person, page.id) == ((page, given) if given else None)
        assert (page in access.documents_of(person)) == bool(given)
        if way.scene != "trashed":
            assert access.roles_of(person, [page]).get(page.id) == given
        author = -person.pk if isinstance(person, Guest) else person.pk
        assert access.roles_on(page.id, [author, alice.pk]).get(author) == given
    listed = {who.person: who.role for who in access.who_and_why(page)}
    if way.scene != "trashed":
        assert listed.get(charlie) == given
    for person in people:
        tree = {branch.document: branch.role for branch in access.tree_of(person, page.workspace)}
        assert tree.get(page) == given
    assert access.role_of(AnonymousUser(), page) is None


@pytest.mark.parametrize("role", [None, *Role])
@pytest.mark.parametrize("row", VERBS, ids=lambda row: row.verb)
def test_each_role_may_what_the_table_says(charlie: User, role: Role | None, row: tuple[object, ...]) -> None:
    verb, _, people_from, guests, in_trash = row
    assert isinstance(people_from, Role)
    may = role is not None and role.reaches(people_from)
    for trashed in (False, True):
        expected = may and trashed == in_trash
        assert access.abilities(charlie, role, in_trash=trashed)[str(verb)] == expected
        assert access.abilities(Guest(name="Guest"), role, in_trash=trashed)[str(verb)] == (
            expected and bool(guests)
        )
        assert not access.abilities(AnonymousUser(), None, in_trash=trashed)[str(verb)]


def test_the_table_knows_every_verb() -> None:
    assert {row.verb for row in VERBS} == set(access.RULES)


def test_the_page_about_rights_is_current() -> None:
    assert PAGE.read_text() == render(), "run python -m tests.docs_app.rights_table"


@pytest.mark.parametrize("role", Role)
def test_managers_find_a_page_in_the_trash(alice: User, charlie: User, role: Role) -> None:
    page, _ = build("trashed", role, alice, charlie)
    found = access.find_document(charlie, page.id, in_trash=True)
    assert (found is not None) == role.reaches(Role.MANAGER)
    # The page went with the one above it, on which Charlie has no role.
    assert access.trash_of(charlie) == []
    assert [branch.document.title for branch in access.trash_of(alice)] == ["Middle"]


@pytest.mark.parametrize("before", [None, *Role])
@pytest.mark.parametrize("after", [None, *Role])
@pytest.mark.parametrize("role", [None, *Role])
def test_nobody_gives_or_takes_more_than_they_have(
    role: Role | None, before: Role | None, after: Role | None
) -> None:
    highest = max([before, after], key=lambda each: each.rank if each else -1)
    may = role is not None and role.reaches(Role.MANAGER) and (highest is None or role.reaches(highest))
    assert access.may_give(role, before=before, after=after) == may
