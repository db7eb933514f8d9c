"""Fills an installation with a small team and believable documents, to look around in."""

import json
import secrets
from dataclasses import dataclass
from typing import Any

import pycrdt
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from docs_app.accounts.models import User
from docs_app.documents import verbs
from docs_app.management.demo_texts import TEXTS, Block
from docs_app.sharing.models import Grant
from docs_app.sharing.roles import Role
from docs_app.workspaces.models import Membership, Workspace

WORKSPACE = "Harbour Street Library"
KIND = Membership.Kind


@dataclass(frozen=True, slots=True)
class _Person:
    name: str
    email: str
    kind: Membership.Kind
    colour: str


# The first one owns the workspace and administers the installation; the last one is a guest.
PEOPLE = (
    _Person("Ada Brightwater", "ada@example.org", KIND.OWNER, "#1b6e3a"),
    _Person("Ben Okafor", "ben@example.org", KIND.MEMBER, "#6a4bc4"),
    _Person("Chidi Laurent", "chidi@example.org", KIND.MEMBER, "#a8480b"),
    _Person("Dunja Petersen", "dunja@example.org", KIND.MEMBER, "#0b62a8"),
    _Person("Elif Sommer", "elif@example.org", KIND.GUEST, "#a93276"),
)


class Command(BaseCommand):
    help = "Fill this installation with a small team and its documents, and print their passwords once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="print people and documents as JSON and nothing else"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        taken = User.objects.filter(email__in=[person.email for person in PEOPLE])
        if taken.exists():
            raise CommandError("The demo's people are here already; it is made only once in an installation.")
        people, documents = fill()
        if options["json"]:
            self.stdout.write(json.dumps({"people": people, "documents": documents}))
            return
        for document in documents:
            self.stdout.write(f"Document: {document['title']}")
        for person in people:
            self.stdout.write(f"{person['name']}: {person['email']}, password {person['password']}")
        self.stdout.write("The passwords are not shown again.")


def fill() -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Make everything in one transaction; answers the people with their passwords, and the documents."""
    with transaction.atomic():
        workspace = Workspace.objects.create(name=WORKSPACE)
        passwords = {person.email: "-".join(secrets.token_hex(3) for _ in range(3)) for person in PEOPLE}
        users = [_make_person(person, passwords[person.email], workspace) for person in PEOPLE]
        documents = [
            verbs.create(workspace=workspace, title=title, by=users[at % 4], blocks=[*map(_element, blocks)])
            for at, (title, blocks) in enumerate(TEXTS)
        ]
        Grant.objects.create(document=documents[0], user=users[-1], role=Role.VIEWER)
    people = [{"email": user.email, "password": passwords[user.email], "name": user.name} for user in users]
    return people, [{"id": str(document.id), "title": document.title} for document in documents]


def _make_person(person: _Person, password: str, workspace: Workspace) -> User:
    is_first = person.kind == KIND.OWNER
    user = User.objects.create_user(
        person.email,
        password,
        name=person.name,
        colour=person.colour,
        is_staff=is_first,
        is_superuser=is_first,
    )
    Membership.objects.create(workspace=workspace, user=user, kind=person.kind)
    return user


def _element(block: Block) -> pycrdt.XmlElement:
    """A block as TipTap stores it. A text is a leaf; everything else is walked down its short, trusted nesting."""
    children = [
        pycrdt.XmlText(child) if isinstance(child, str) else _element(child) for child in block.children
    ]
    # Attributes of the schema are numbers and booleans too, whatever the type hint says.
    return pycrdt.XmlElement(block.tag, dict(block.attributes), children)  # type: ignore[arg-type]
