"""Random trees, grants, groups and links: every way to ask about rights gives the same answer, that of a plain walk in
Python which shares no code with them. Also how many queries it takes."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from docs_app import access
from docs_app.accounts.models import User
from docs_app.documents.authors import author_of
from docs_app.documents.models import Document
from docs_app.sharing import facts
from docs_app.sharing.models import Grant, Guest, ShareLink
from docs_app.sharing.roles import LINK_ROLES, Role
from docs_app.workspaces.models import Group, GroupMember, Membership, Workspace

KINDS = list(Membership.Kind)


class World(NamedTuple):
    people: list[User]
    guests: list[Guest]
    documents: list[Document]


def make_world(chance: random.Random, documents: int = 30, people: int = 7) -> World:
    everybody = [
        User.objects.create(email=f"p{number}@example.org", name=f"P{number}", is_active=number != 1)
        for number in range(people)
    ]
    pages: list[Document] = []
    for number in range(2):
        workspace = Workspace.objects.create(name=f"W{number}", default_role=chance.choice(LINK_ROLES))
        members = [
            Membership.objects.create(workspace=workspace, user=person, kind=chance.choice(KINDS))
            for person in everybody
            if chance.random() < 0.6
        ]
        groups = [Group.objects.create(workspace=workspace, name=f"G{at}") for at in range(3)]
        for group in groups:
            for member in members:
                if chance.random() < 0.4:
                    GroupMember.objects.create(group=group, membership=member)
        own: list[Document] = []
        for at in range(documents // 2):
            parent = chance.choice(own[-6:]) if own and chance.random() < 0.85 else None
            apart = chance.random() < 0.2
            own.append(
                Document.objects.create(workspace=workspace, title=str(at), parent=parent, stands_apart=apart)
            )
        for page in own:
            share(chance, page, everybody, groups)
        pages += own
    trashed = chance.sample(pages, 4)
    Document.objects.filter(id__in=[page.id for page in trashed]).update(trashed_at=timezone.now())
    found = list(Document.objects.select_related("workspace"))
    return World(everybody, list(Guest.objects.select_related("link")), found)


def share(chance: random.Random, page: Document, people: list[User], groups: list[Group]) -> None:
    def role() -> Role:
        return chance.choice(list(Role))

    for person in people:
        if chance.random() < 0.05:
            Grant.objects.create(document=page, user=person, role=role())
    for group in groups:
        if chance.random() < 0.07:
            Grant.objects.create(document=page, group=group, role=role())
    if chance.random() < 0.1:
        Grant.objects.create(document=page, workspace=page.workspace, role=role())
    if chance.random() < 0.15:
        now = timezone.now()
        link = ShareLink.objects.create(
            document=page,
            label="L",
            role=chance.choice(LINK_ROLES),
            token_hash=str(page.id),
            expires_at=chance.choice([None, now + timedelta(days=1), now - timedelta(days=1)]),
            revoked_at=chance.choice([None, None, now]),
        )
        Guest.objects.create(link=link, name="Guest")
        # As an earlier role of the link would have left it: the link's own counts.
        Grant.objects.create(document=page, user=chance.choice(people), link=link, role=Role.OWNER)


def plain_role(person: User | Guest, page: Document) -> Role | None:
    """The slow way: walk up, and look at every grant on the way."""
    line, at = [page], page
    while at.parent is not None and not at.stands_apart:
        at = at.parent
        line.append(at)
    is_open = not line[-1].stands_apart
    if isinstance(person, Guest):
        return Role(person.link.role) if person.link.is_valid and person.link.document in line else None
    roles = []
    member = Membership.objects.filter(user=person, workspace=page.workspace).first()
    if member and member.kind == "owner":
        roles.append(Role.OWNER)
    elif member and member.kind == "admin":
        roles.append(Role.MANAGER)
    elif member and member.kind == "member" and is_open:
        roles.append(Role(page.workspace.default_role))
    for grant in Grant.objects.filter(document__in=line).select_related("link", "group", "workspace"):
        if grant.link:
            if grant.user == person and grant.link.is_valid:
                roles.append(Role(grant.link.role))
        elif grant.group:
            if grant.group.members.filter(membership__user=person).exists():
                roles.append(Role(grant.role))
        elif grant.user == person or (grant.workspace and member and member.kind != "guest"):
            roles.append(Role(grant.role))
    return max(roles, key=lambda role: role.rank) if roles and person.is_active else None


@pytest.mark.parametrize("many", [facts.MANY, 0])
@pytest.mark.parametrize("seed", range(4))
def test_all_answers_agree(db: None, monkeypatch: pytest.MonkeyPatch, seed: int, many: int) -> None:
    monkeypatch.setattr(facts, "MANY", many)
    people, guests, documents = make_world(random.Random(seed))
    everybody: list[User | Guest] = [*people, *guests]
    authors = {author_of(person): person for person in everybody}
    expected = {(person, page): plain_role(person, page) for person in everybody for page in documents}
    assert {role for role in expected.values() if role}
    for person in everybody:
        roles = {page.id: role for page in documents if (role := expected[person, page])}
        here = {page for page in documents if page.id in roles and page.trashed_at is None}
        assert access.roles_of(person, documents) == roles
        assert set(access.documents_of(person)) == here
        assert access.documents_of(person).count() == len(here)
        trees = [access.tree_of(person, workspace) for workspace in Workspace.objects.all()]
        assert {branch.document: branch.role for tree in trees for branch in tree} == {
            page: roles[page.id] for page in here
        }
    for page in documents:
        there = page.trashed_at is None
        roles_here = {
            author: role for author, person in authors.items() if (role := expected[person, page]) and there
        }
        assert access.roles_on(page.id, authors) == roles_here
        for person in everybody:
            role = expected[person, page]
            assert access.role_of(person, page) == (role if there else None)
            assert access.find_document(person, page.id) == ((page, role) if role and there else None)
        listed = access.who_and_why(page)
        knowing = {person: expected[person, page] for person in people if expected[person, page]}
        assert {who.person: who.role for who in listed} == knowing
        for who in listed:
            assert who.role == max((path.role for path, _ in who.paths), key=lambda role: role.rank)
            assert all(grant is None or grant.document_id == path.document_id for path, grant in who.paths)
        assert {link.pk for link in access.links_reaching(page)} == {
            guest.link_id for guest in guests if expected[guest, page]
        }


@pytest.mark.parametrize(
    ("most", "ask"),
    [
        (3, lambda world, page: access.find_document(world.people[0], page.id)),
        (3, lambda world, page: access.role_of(world.people[0], page)),
        (1, lambda world, page: access.find_document(world.guests[0], page.id)),
        (3, lambda world, page: access.roles_of(world.people[0], world.documents)),
        (1, lambda world, page: list(access.documents_of(world.people[0]))),
        (4, lambda world, page: access.tree_of(world.people[0], page.workspace)),
        (4, lambda world, page: access.roles_on(page.id, [person.pk for person in world.people])),
        (6, lambda world, page: access.who_and_why(page)),
    ],
)
def test_the_number_of_queries_does_not_grow(
    db: None, most: int, ask: Callable[[World, Document], object]
) -> None:
    world = make_world(random.Random(3), documents=120, people=20)
    deep = next(
        page for page in world.documents if page.parent and page.parent.parent and not page.stands_apart
    )
    deep = Document.objects.select_related("workspace").get(id=deep.id)
    with CaptureQueriesContext(connection) as queries:
        ask(world, deep)
    assert len(queries) <= most
