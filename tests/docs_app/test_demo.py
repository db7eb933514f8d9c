"""`manage.py demo`."""

import json
from io import StringIO

import pycrdt
import pytest
from django.core.management import CommandError, call_command

from docs_app import access
from docs_app.accounts.models import User
from docs_app.content.text import ROOT, plain_text
from docs_app.documents import log
from docs_app.documents.models import ClientBinding, Document, DocumentUpdate
from docs_app.sharing.roles import Role
from docs_app.workspaces.models import Workspace

pytestmark = pytest.mark.django_db


def demo(*words: str) -> str:
    out = StringIO()
    call_command("demo", *words, stdout=out)
    return out.getvalue()


def test_it_makes_a_team_that_can_sign_in() -> None:
    told = json.loads(demo("--json"))
    assert set(told) == {"people", "documents"}
    people = [User.objects.get(email=person["email"]) for person in told["people"]]
    assert len(people) == 5
    for person, said in zip(people, told["people"], strict=True):
        assert set(said) == {"email", "password", "name"}
        assert person.check_password(said["password"])
        assert person.name == said["name"]
    first = people[0]
    assert first.is_superuser
    assert first.memberships.get().kind == "owner"
    assert not any(person.is_staff for person in people[1:])


def test_it_shares_one_document_with_a_guest_to_read() -> None:
    told = json.loads(demo("--json"))
    guest = User.objects.get(email=told["people"][-1]["email"])
    assert guest.memberships.get().kind == "guest"
    (document,) = access.documents_of(guest)
    assert access.role_of(guest, document) == Role.VIEWER


def test_it_writes_documents_that_open() -> None:
    told = json.loads(demo("--json"))
    documents = [Document.objects.get(id=said["id"]) for said in told["documents"]]
    assert [document.title for document in documents] == [said["title"] for said in told["documents"]]
    assert len(documents) == 6
    for document in documents:
        replica, failed = log.replay(log.load(document.id))
        assert not failed
        assert len(plain_text(replica.doc)) > 300
        assert "<paragraph></paragraph>" not in str(replica.doc.get(ROOT, type=pycrdt.XmlFragment))
    assert not ClientBinding.objects.exclude(user=None).exists()
    assert ClientBinding.objects.count() == 6


def test_it_prints_the_passwords_once_and_nowhere_else() -> None:
    said = demo()
    for person in User.objects.all():
        assert person.email in said
        assert person.password not in said
    with pytest.raises(CommandError, match="only once"):
        demo()


def test_it_refuses_a_second_time_and_changes_nothing() -> None:
    demo()
    counted = [model.objects.count() for model in (User, Workspace, Document, DocumentUpdate)]
    with pytest.raises(CommandError):
        demo("--json")
    assert [model.objects.count() for model in (User, Workspace, Document, DocumentUpdate)] == counted
