"""Invitations by mail and by link."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from docs_app.accounts.models import User
from docs_app.invitations import verbs
from docs_app.invitations.models import Invitation
from docs_app.invitations.verbs import InvitationEndedError
from docs_app.live import PEOPLE
from docs_app.workspaces.models import Membership, Workspace
from tests.docs_app.conftest import Listen, SignIn

KIND = Membership.Kind
ACCOUNT = {"name": "Dora Dove", "password": "nine calm swifts"}

pytestmark = pytest.mark.django_db(transaction=True)


def people_of(workspace: Workspace) -> str:
    return f"/workspaces/{workspace.pk}/people/"


def invite(client: Client, workspace: Workspace, email: str = "dora@example.org", **more: Any) -> Any:
    data = {"email": email, "kind": "member", "days": "7", **more}
    return client.post(f"/workspaces/{workspace.pk}/invitations/mail", data)


def make_link(client: Client, workspace: Workspace, **more: Any) -> str:
    """The path of a new invitation link."""
    data = {"kind": "member", "days": "7", **more}
    response = client.post(f"/workspaces/{workspace.pk}/invitations/link", data, follow=True)
    found = re.search(r'value="https?://[^/]+(/invitations/[^"]+)"', response.content.decode())
    assert found
    return found[1]


def path_in_mail(at: int = -1) -> str:
    found = re.search(r"https?://[^/\s]+(/\S+)", str(mail.outbox[at].body))
    assert found
    return found[1]


def kind_of(person: User, workspace: Workspace) -> str | None:
    return Membership.objects.filter(user=person, workspace=workspace).values_list("kind", flat=True).first()


def test_it_makes_an_account_from_a_mail(
    sign_in: SignIn, client: Client, workspace: Workspace, alice: User
) -> None:
    assert invite(sign_in(alice), workspace, "Dora@Example.org", kind="guest").status_code == 302
    (message,) = mail.outbox
    assert message.to == ["dora@example.org"]
    assert message.subject == "Alice Amsel invites you to Aviary"
    path = path_in_mail()
    assert "dora@example.org" in client.get(path).content.decode()
    assert client.post(path, ACCOUNT)["Location"] == "/"
    dora = User.objects.get(email="dora@example.org")
    assert kind_of(dora, workspace) == "guest"
    assert dora.emailaddress_set.get().verified  # type: ignore[attr-defined]
    assert client.get("/").context["user"] == dora
    assert not Invitation.objects.exists()
    assert Client().get(path).status_code == 404


def test_it_hashes_the_password_outside_of_the_transaction(
    sign_in: SignIn, client: Client, workspace: Workspace, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite would commit nobody's edits for as long as that takes."""
    invite(sign_in(alice), workspace)
    held: list[bool] = []
    encode = MD5PasswordHasher.encode

    def watched(self: MD5PasswordHasher, password: str, salt: str) -> str:
        held.append(connection.in_atomic_block)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", watched)
    assert client.post(path_in_mail(), ACCOUNT).status_code == 302
    assert held == [False]


def test_it_stores_no_token(workspace: Workspace, alice: User) -> None:
    invitation, token = verbs.invite(workspace=workspace, email="", kind=KIND.MEMBER, by=alice)
    assert len(token) >= 43
    assert token not in str(Invitation.objects.filter(pk=invitation.pk).values().get())


def test_it_leads_somebody_with_an_account_to_sign_in_and_asks_before_they_join(
    sign_in: SignIn, workspace: Workspace, alice: User, charlie: User, listen: Listen
) -> None:
    heard = listen(PEOPLE)
    invite(sign_in(alice), workspace, charlie.email)
    path = path_in_mail()
    assert f"/accounts/login/?next={path}" in Client().get(path).content.decode()
    assert Client().post(path, ACCOUNT).status_code == 200
    assert kind_of(charlie, workspace) is None
    browser = sign_in(charlie)
    assert "Join" in browser.get(path).content.decode()
    assert kind_of(charlie, workspace) is None
    assert browser.post(path)["Location"] == "/"
    assert kind_of(charlie, workspace) == "member"
    assert [message["user"] for message in heard()] == [charlie.pk]


def test_it_answers_the_inviter_alike_for_known_and_unknown_addresses(
    sign_in: SignIn, workspace: Workspace, alice: User, charlie: User
) -> None:
    browser = sign_in(alice)
    pages = []
    for email in (charlie.email, "somebody@example.org"):
        invite(browser, workspace, email)
        page = browser.get(people_of(workspace)).content.decode()
        Invitation.objects.all().delete()
        pages.append(re.sub(r'(value|action|datetime|title)="[^"]*"', "", page.replace(email, "")))
    assert pages[0] == pages[1]


def test_a_link_asks_for_an_address_and_proves_it_by_mail(
    sign_in: SignIn, client: Client, workspace: Workspace, alice: User, settings: Settings
) -> None:
    settings.HAS_MAIL = True
    path = make_link(sign_in(alice), workspace, kind="guest")
    assert client.post(path, {"email": "Dora@example.org"})["Location"] == "/accounts/signup/sent/"
    assert not User.objects.filter(email="dora@example.org").exists()
    assert client.post(path_in_mail(), ACCOUNT)["Location"] == "/"
    dora = User.objects.get(email="dora@example.org")
    assert kind_of(dora, workspace) == "guest"
    assert dora.emailaddress_set.get().verified  # type: ignore[attr-defined]
    assert Invitation.objects.get().uses == 1


def test_a_link_answers_known_addresses_like_unknown_ones(
    sign_in: SignIn, client: Client, workspace: Workspace, alice: User, settings: Settings
) -> None:
    settings.HAS_MAIL = True
    path = make_link(sign_in(alice), workspace)
    known = client.post(path, {"email": alice.email}, follow=True)
    unknown = client.post(path, {"email": "dora@example.org"}, follow=True)
    assert known.content == unknown.content
    assert known.redirect_chain == unknown.redirect_chain
    assert "You have one already" in str(mail.outbox[0].body)
    assert len(mail.outbox) == 2


def test_a_link_works_without_mail_too_but_verifies_nothing(
    sign_in: SignIn, client: Client, workspace: Workspace, alice: User, bob: User
) -> None:
    path = make_link(sign_in(alice), workspace)
    refused = client.post(path, {**ACCOUNT, "email": "BOB@example.org"})
    assert refused.status_code == 400
    assert client.post(path, {**ACCOUNT, "email": "dora@example.org"}).status_code == 302
    dora = User.objects.get(email="dora@example.org")
    assert kind_of(dora, workspace) == "member"
    assert not dora.emailaddress_set.get().verified  # type: ignore[attr-defined]
    assert not bob.check_password(ACCOUNT["password"])


def test_a_link_that_is_taken_back_ends_the_mail_that_came_of_it(
    sign_in: SignIn, client: Client, workspace: Workspace, alice: User, settings: Settings
) -> None:
    settings.HAS_MAIL = True
    path = make_link(sign_in(alice), workspace)
    client.post(path, {"email": "dora@example.org"})
    Invitation.objects.all().delete()
    assert client.post(path_in_mail(), ACCOUNT).status_code == 404
    assert not User.objects.filter(email="dora@example.org").exists()


def test_it_ends_when_it_expires(sign_in: SignIn, client: Client, workspace: Workspace, alice: User) -> None:
    invite(sign_in(alice), workspace)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    path = path_in_mail()
    assert client.get(path).status_code == 404
    assert client.post(path, ACCOUNT).status_code == 404
    assert not User.objects.filter(email="dora@example.org").exists()
    with pytest.raises(InvitationEndedError):
        verbs.accept(invitation_id=Invitation.objects.get().pk, by=alice)


def test_it_is_sent_again_with_another_link(
    sign_in: SignIn, client: Client, workspace: Workspace, alice: User
) -> None:
    browser = sign_in(alice)
    invite(browser, workspace)
    pk = Invitation.objects.get().pk
    assert browser.post(f"/workspaces/{workspace.pk}/invitations/{pk}/again").status_code == 302
    assert path_in_mail(0) != path_in_mail(1)
    assert client.get(path_in_mail(0)).status_code == 404
    assert client.get(path_in_mail(1)).status_code == 200


def test_it_replaces_an_earlier_invitation_of_the_same_address(
    sign_in: SignIn, workspace: Workspace, alice: User
) -> None:
    browser = sign_in(alice)
    invite(browser, workspace)
    invite(browser, workspace, "DORA@example.org", kind="guest")
    assert [one.kind for one in Invitation.objects.all()] == ["guest"]


def test_it_is_taken_back(sign_in: SignIn, client: Client, workspace: Workspace, alice: User) -> None:
    browser = sign_in(alice)
    invite(browser, workspace)
    pk = Invitation.objects.get().pk
    browser.post(f"/workspaces/{workspace.pk}/invitations/{pk}/revoke")
    assert not Invitation.objects.exists()
    assert client.post(path_in_mail(), ACCOUNT).status_code == 404
    assert not User.objects.filter(email="dora@example.org").exists()


def test_it_takes_nothing_away_from_whoever_is_more_already(workspace: Workspace, alice: User) -> None:
    invitation, _ = verbs.invite(workspace=workspace, email="", kind=KIND.GUEST, by=alice)
    assert verbs.accept(invitation_id=invitation.pk, by=alice).kind == "owner"


def test_it_raises_a_guest(workspace: Workspace, alice: User, carol: User) -> None:
    invitation, _ = verbs.invite(workspace=workspace, email="", kind=KIND.MEMBER, by=alice)
    verbs.accept(invitation_id=invitation.pk, by=carol)
    assert kind_of(carol, workspace) == "member"


def test_an_admin_gives_no_more_than_they_have(
    sign_in: SignIn, workspace: Workspace, alice: User, bob: User
) -> None:
    Membership.objects.filter(user=bob).update(kind=KIND.ADMIN)
    assert invite(sign_in(bob), workspace, kind="admin").status_code == 400
    assert invite(sign_in(bob), workspace, kind="owner").status_code == 400
    assert not Invitation.objects.exists()
    invite(sign_in(alice), workspace, kind="admin")
    pk = Invitation.objects.get().pk
    assert sign_in(bob).post(f"/workspaces/{workspace.pk}/invitations/{pk}/again").status_code == 404
    assert sign_in(bob).post(f"/workspaces/{workspace.pk}/invitations/{pk}/revoke").status_code == 404
    assert invite(sign_in(bob), workspace, kind="guest").status_code == 400
    assert Invitation.objects.get().kind == "admin"
    assert len(mail.outbox) == 1


def test_a_link_makes_no_admin(sign_in: SignIn, workspace: Workspace, alice: User) -> None:
    data = {"kind": "admin", "days": "7"}
    response = sign_in(alice).post(f"/workspaces/{workspace.pk}/invitations/link", data)
    assert response.status_code == 400
    assert not Invitation.objects.exists()


def test_members_guests_and_strangers_neither_see_nor_invite(
    sign_in: SignIn, workspace: Workspace, alice: User, bob: User, carol: User, charlie: User
) -> None:
    invitation, _ = verbs.invite(workspace=workspace, email="dora@example.org", kind=KIND.MEMBER, by=alice)
    for person in (bob, carol, charlie):
        browser = sign_in(person)
        assert browser.get(people_of(workspace)).status_code == 404
        assert invite(browser, workspace, "eve@example.org").status_code == 404
        link = browser.post(f"/workspaces/{workspace.pk}/invitations/link", {"kind": "member"})
        assert link.status_code == 404
        for verb in ("again", "revoke"):
            path = f"/workspaces/{workspace.pk}/invitations/{invitation.pk}/{verb}"
            assert browser.post(path).status_code == 404
        assert 'href="/people/"' not in browser.get("/").content.decode()
    assert [one.token_hash for one in Invitation.objects.all()] == [invitation.token_hash]
    assert mail.outbox == []


def test_an_invitation_of_another_workspace_is_not_theirs(
    sign_in: SignIn, workspace: Workspace, alice: User, charlie: User
) -> None:
    other = Workspace.objects.create(name="Other")
    Membership.objects.create(workspace=other, user=charlie, kind=KIND.OWNER)
    invitation, _ = verbs.invite(workspace=workspace, email="dora@example.org", kind=KIND.MEMBER, by=alice)
    path = f"/workspaces/{other.pk}/invitations/{invitation.pk}/revoke"
    assert sign_in(charlie).post(path).status_code == 404
    assert Invitation.objects.count() == 1


def test_it_lists_who_belongs_and_who_is_invited(sign_in: SignIn, workspace: Workspace, alice: User) -> None:
    browser = sign_in(alice)
    invite(browser, workspace)
    assert browser.get("/people/")["Location"] == people_of(workspace)
    page = browser.get(people_of(workspace)).content.decode()
    for text in ("Alice Amsel", "Bob Birch", "Carol Cole", "carol@example.org", "dora@example.org"):
        assert text in page
    assert 'href="/people/"' in page


def test_a_link_is_shown_once(sign_in: SignIn, workspace: Workspace, alice: User) -> None:
    browser = sign_in(alice)
    path = make_link(browser, workspace)
    assert path not in browser.get(people_of(workspace)).content.decode()


def test_mail_that_cannot_be_sent_is_told(
    sign_in: SignIn, workspace: Workspace, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    browser = sign_in(alice)
    invite(browser, workspace)
    assert "could not be sent" in browser.get(people_of(workspace)).content.decode()
    assert Invitation.objects.exists()


def test_the_link_leads_to_the_public_address(
    sign_in: SignIn, workspace: Workspace, alice: User, settings: Settings
) -> None:
    settings.IS_LOCAL = False
    settings.PUBLIC_URL = "https://docs.example.org"
    settings.ALLOWED_HOSTS = ["docs.example.org"]
    data = {"email": "dora@example.org", "kind": "member"}
    path = f"/workspaces/{workspace.pk}/invitations/mail"
    sign_in(alice).post(path, data, headers={"Host": "docs.example.org:9999"})
    assert "https://docs.example.org/invitations/" in str(mail.outbox[0].body)
