"""Renaming a document, from a script and without one."""

import uuid

import pytest
from django.test import Client

from docs_app.accounts.models import User
from docs_app.documents import verbs
from docs_app.documents.models import Document
from docs_app.live import group_of
from tests.docs_app.conftest import Listen, SignIn

pytestmark = pytest.mark.django_db(transaction=True)


def title_of(document: Document) -> str:
    return Document.objects.get(pk=document.pk).title


def test_it_renames_and_tells_open_tabs(
    sign_in: SignIn, document: Document, bob: User, listen: Listen
) -> None:
    heard = listen(group_of(document.id))
    response = sign_in(bob).post(f"/documents/{document.id}/title", {"title": " Bird  notes\n"})
    assert (response.status_code, response.content) == (204, b"")
    assert title_of(document) == "Bird notes"
    assert [message["event"] for message in heard()] == [{"type": "title", "title": "Bird notes"}]


def test_it_tells_nobody_when_nothing_changes(
    sign_in: SignIn, document: Document, bob: User, listen: Listen
) -> None:
    heard = listen(group_of(document.id))
    assert sign_in(bob).post(f"/documents/{document.id}/title", {"title": "Field notes"}).status_code == 204
    assert heard() == []


def test_it_leaves_the_log_s_counters_alone(document: Document) -> None:
    Document.objects.update(seq=7, size=70)
    verbs.rename(document=document, title="Other", by=None)
    assert Document.objects.values_list("title", "seq", "size").get() == ("Other", 7, 70)


@pytest.mark.parametrize(
    ("title", "reason"),
    [("", "A document needs a title."), (" \t\n", "A document needs a title."), ("x" * 201, "at most 200")],
)
def test_it_refuses_a_title_that_is_none(
    sign_in: SignIn, document: Document, bob: User, listen: Listen, title: str, reason: str
) -> None:
    heard = listen(group_of(document.id))
    response = sign_in(bob).post(f"/documents/{document.id}/title", {"title": title})
    assert response.status_code == 400
    assert response["Content-Type"].startswith("text/plain")
    assert reason in response.content.decode()
    assert title_of(document) == "Field notes"
    assert heard() == []


def test_it_takes_the_longest_title(sign_in: SignIn, document: Document, bob: User) -> None:
    assert sign_in(bob).post(f"/documents/{document.id}/title", {"title": "ß" * 200}).status_code == 204
    assert title_of(document) == "ß" * 200


def test_it_refuses_readers(sign_in: SignIn, document: Document, carol: User, listen: Listen) -> None:
    heard = listen(group_of(document.id))
    response = sign_in(carol).post(f"/documents/{document.id}/title", {"title": "Mine"})
    assert response.status_code == 403
    assert sign_in(carol).post(f"/documents/{document.id}/rename", {"title": "Mine"}).status_code == 403
    assert title_of(document) == "Field notes"
    assert heard() == []


def test_it_knows_no_document_for_strangers(
    client: Client, sign_in: SignIn, document: Document, charlie: User
) -> None:
    stranger = sign_in(charlie)
    refused = stranger.post(f"/documents/{document.id}/title", {"title": "Mine"})
    unknown = stranger.post(f"/documents/{uuid.uuid4()}/title", {"title": "Mine"})
    assert (refused.status_code, refused.content) == (404, unknown.content)
    assert client.post(f"/documents/{document.id}/title", {"title": "Mine"}).status_code == 404
    assert stranger.post(f"/documents/{document.id}/rename", {"title": "Mine"}).status_code == 404
    assert title_of(document) == "Field notes"


def test_it_needs_the_page_s_token(document: Document, bob: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)
    assert client.post(f"/documents/{document.id}/title", {"title": "Mine"}).status_code == 403
    assert title_of(document) == "Field notes"


def test_it_works_without_a_script(sign_in: SignIn, document: Document, bob: User) -> None:
    client = sign_in(bob)
    assert 'value="Field notes"' in client.get(f"/documents/{document.id}/rename").content.decode()
    assert client.post(f"/documents/{document.id}/rename", {"title": ""}).status_code == 400
    assert title_of(document) == "Field notes"
    response = client.post(f"/documents/{document.id}/rename", {"title": "Bird notes"})
    assert (response.status_code, response["Location"]) == (302, "/")
    assert title_of(document) == "Bird notes"
