"""Documents in the admin."""

from typing import Any

import pycrdt
import pytest
from django.test import Client

from docs_app.accounts.models import User
from docs_app.documents import log
from docs_app.documents.models import Document, DocumentSnapshot, DocumentUpdate
from docs_app.live import PEOPLE, group_of
from docs_app.sharing.models import Grant
from tests.docs_app.conftest import Listen, SignIn

LIST = "/admin/docs_app/document/"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin(sign_in: SignIn, alice: User) -> Client:
    return sign_in(alice)


def write(document: Document, author: User, text: str) -> None:
    doc: pycrdt.Doc[Any] = pycrdt.Doc()
    root = doc.get("default", type=pycrdt.XmlFragment)
    root.children.append(pycrdt.XmlElement("paragraph", {}, [pycrdt.XmlText(text)]))
    (outcome,) = log.append([log.Entry(document.id, author.pk, doc.get_update(), 0, (doc.client_id,))])
    assert isinstance(outcome, log.Committed)


def page_of(document: Document) -> str:
    return f"{LIST}{document.pk}/change/"


def form(document: Document, *new: dict[str, Any], **changes: Any) -> dict[str, Any]:
    rows: list[dict[str, Any]] = [
        {"id": row.pk, "document": document.pk, "user": row.user and row.user.email, "role": row.role}
        for row in document.grants.order_by("user__name")
    ]
    data: dict[str, Any] = {"title": document.title}
    data |= {"grants-TOTAL_FORMS": len(rows) + len(new), "grants-INITIAL_FORMS": len(rows)}
    for at, row in enumerate([*rows, *new]):
        data |= {f"grants-{at}-{name}": value for name, value in row.items()}
    return data | changes


def test_it_shows_the_text_and_the_latest_edits(admin: Client, document: Document, bob: User) -> None:
    for number in range(25):
        write(document, bob, f"Line {number} <b>")
    page = admin.get(page_of(document)).content.decode()
    assert "Line 24 &lt;b&gt;" in page
    assert page.count("<td>Bob Birch</td>") == 20
    assert "<tr><td>25</td>" in page
    assert "<tr><td>5</td>" not in page


def test_it_shows_the_beginning_of_a_long_text(admin: Client, document: Document, bob: User) -> None:
    write(document, bob, "a" * 4999 + "bc")
    page = admin.get(page_of(document)).content.decode()
    assert "ab</pre>" in page


def test_it_says_so_when_nothing_is_written(admin: Client, document: Document) -> None:
    assert "Nothing written yet" in admin.get(page_of(document)).content.decode()


def test_it_shows_rows_that_were_set_aside(admin: Client, document: Document, bob: User) -> None:
    write(document, bob, "Fine")
    DocumentUpdate.objects.update(set_aside="yrs <refused> it")
    assert "<td>yrs &lt;refused&gt; it</td>" in admin.get(page_of(document)).content.decode()


def test_it_opens_a_damaged_document_and_says_what_is_wrong(admin: Client, document: Document) -> None:
    Document.objects.update(seq=3)
    page = admin.get(page_of(document)).content.decode()
    assert "the log ends at 0, the document counts 3" in page


def test_it_renames_by_the_verb(admin: Client, document: Document, listen: Listen) -> None:
    heard = listen(group_of(document.id))
    data = form(document, title=" Bird  notes ")
    Document.objects.update(seq=7, size=70)
    assert admin.post(page_of(document), data).status_code == 302
    assert Document.objects.values_list("title", "seq", "size").get() == ("Bird notes", 7, 70)
    assert [message["event"]["type"] for message in heard()] == ["title"]


def test_it_shares_by_address(admin: Client, document: Document, charlie: User, listen: Listen) -> None:
    heard = listen(PEOPLE)
    data = form(document, {"user": "charlie@example.org", "role": "commenter"})
    assert admin.post(page_of(document), data).status_code == 302
    assert charlie.grants.get().role == "commenter"
    assert {message["user"] for message in heard()} == {charlie.pk}


def test_it_refuses_to_share_with_nobody(admin: Client, document: Document) -> None:
    response = admin.post(page_of(document), form(document, {"user": "eve@example.org", "role": "viewer"}))
    assert "Nobody here has this address." in response.content.decode()
    assert Grant.objects.count() == 1


def test_it_takes_a_grant_away_and_tells_the_person(
    admin: Client, document: Document, carol: User, listen: Listen
) -> None:
    heard = listen(PEOPLE)
    admin.post(page_of(document), form(document) | {"grants-0-DELETE": "on"})
    assert not Grant.objects.exists()
    assert {message["user"] for message in heard()} == {carol.pk}


def test_it_neither_adds_nor_deletes_nor_rewrites(admin: Client, document: Document, bob: User) -> None:
    write(document, bob, "Fine")
    before = (list(Document.objects.values()), list(DocumentUpdate.objects.values()))
    assert admin.post(f"{LIST}add/", {"title": "New"}).status_code == 403
    assert admin.post(f"{LIST}{document.pk}/delete/", {"post": "yes"}).status_code == 403
    admin.post(LIST, {"action": "delete_selected", "_selected_action": [document.pk], "post": "yes"})
    admin.post(
        page_of(document), form(document, seq=0, size=0, epoch=9, workspace=99, trashed_at="2020-01-01")
    )
    assert (list(Document.objects.values()), list(DocumentUpdate.objects.values())) == before
    assert not DocumentSnapshot.objects.exists()


@pytest.mark.parametrize("kind", ["documentupdate", "documentsnapshot", "clientbinding"])
def test_it_has_no_page_for_the_log_s_rows(admin: Client, kind: str) -> None:
    assert admin.get(f"/admin/docs_app/{kind}/").status_code == 404


def test_it_finds_documents_by_title_and_id(admin: Client, document: Document) -> None:
    Document.objects.create(workspace=document.workspace, title="Other")
    for query in ("field", str(document.id), document.id.hex[:8]):
        assert list(admin.get(f"{LIST}?q={query}").context["cl"].queryset) == [document]
    assert admin.get(f"{LIST}?trashed_at__isempty=0").context["cl"].result_count == 0
