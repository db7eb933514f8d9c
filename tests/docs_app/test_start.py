"""The start page."""

from datetime import timedelta

from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from docs_app.accounts.models import User
from docs_app.documents.models import Document
from docs_app.documents.views import PER_PAGE
from docs_app.workspaces.models import Membership, Workspace
from tests.docs_app.conftest import SignIn


def titles(client: object) -> list[str]:
    response = client.get("/")  # type: ignore[attr-defined]
    return [row["document"].title for row in response.context["rows"]]


def test_it_lists_what_one_may_open_newest_first(
    sign_in: SignIn, document: Document, workspace: Workspace, bob: User, carol: User, charlie: User
) -> None:
    later = timezone.now() + timedelta(minutes=1)
    Document.objects.create(workspace=workspace, title="Newer", updated_at=later)
    Document.objects.create(workspace=workspace, title="Gone", trashed_at=later)
    Document.objects.create(workspace=Workspace.objects.create(name="Elsewhere"), title="Foreign")
    assert titles(sign_in(bob)) == ["Newer", "Field notes"]
    assert titles(sign_in(carol)) == ["Field notes"]
    assert titles(sign_in(charlie)) == []


def test_it_says_where_a_document_lives_what_one_may_do_and_when_it_was_edited(
    sign_in: SignIn, document: Document, carol: User
) -> None:
    page = sign_in(carol).get("/").content.decode()
    assert f'href="/documents/{document.id}/"' in page
    assert "Aviary · Viewer" in page
    assert f'<time class="entry-time" datetime="{document.updated_at:%Y-%m-%dT%H:%M}' in page
    assert "just now</time>" in page


def test_it_offers_renaming_only_to_those_who_may(
    sign_in: SignIn, document: Document, bob: User, carol: User
) -> None:
    assert f"/documents/{document.id}/rename" in sign_in(bob).get("/").content.decode()
    assert "rename" not in sign_in(carol).get("/").content.decode()


def test_it_offers_a_new_document_to_members_only(
    sign_in: SignIn, document: Document, alice: User, bob: User, carol: User, charlie: User
) -> None:
    for person, may in ((alice, True), (bob, True), (carol, False), (charlie, False)):
        assert ("New document" in sign_in(person).get("/").content.decode()) is may


def test_it_explains_itself_when_it_is_empty(
    sign_in: SignIn, workspace: Workspace, bob: User, charlie: User
) -> None:
    assert "Make the first one above" in sign_in(bob).get("/").content.decode()
    assert "What somebody shares with you appears here" in sign_in(charlie).get("/").content.decode()


def test_it_asks_the_database_as_often_for_many_documents_as_for_one(
    sign_in: SignIn, document: Document, bob: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = sign_in(bob)
    with django_assert_max_num_queries(20) as one:
        client.get("/")
    for number in range(PER_PAGE):
        Document.objects.create(
            workspace=Workspace.objects.create(name=f"Place {number}"), title=f"Note {number}"
        )
    for place in Workspace.objects.exclude(id=document.workspace_id):
        Membership.objects.create(workspace=place, user=bob)
    with django_assert_max_num_queries(len(one.captured_queries)):
        client.get("/")


def test_it_turns_pages(sign_in: SignIn, document: Document, workspace: Workspace, bob: User) -> None:
    for number in range(PER_PAGE):
        Document.objects.create(workspace=workspace, title=f"Note {number}")
    client = sign_in(bob)
    first = client.get("/")
    assert len(first.context["rows"]) == PER_PAGE
    assert 'rel="next" href="?page=2"' in first.content.decode()
    second = client.get("/?page=2")
    assert [row["document"].title for row in second.context["rows"]] == ["Field notes"]
    assert len(client.get("/?page=nonsense").context["rows"]) == PER_PAGE


def test_it_shows_a_title_as_text(sign_in: SignIn, document: Document, bob: User) -> None:
    Document.objects.update(title="<script>alert(1)</script>")
    page = sign_in(bob).get("/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
