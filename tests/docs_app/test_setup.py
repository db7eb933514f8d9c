"""The first visit."""

import stat
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from docs_app.accounts import setup
from docs_app.accounts.models import User
from docs_app.workspaces.models import Membership, Workspace

ANSWERS = {
    "name": "Alice Amsel",
    "email": "Alice@Example.org",
    "password": "seven quiet herons",
    "workspace": "Our team",
}

pytestmark = pytest.mark.django_db(transaction=True)


def at(address: str) -> Client:
    """A browser on the machine with this address."""
    return Client(REMOTE_ADDR=address)


@pytest.fixture
def away() -> Client:
    return at("192.0.2.7")


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/admin/", "/documents/", "/nowhere"])
def test_it_leads_every_page_to_set_up(client: Client, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response["Location"]) == (302, "/setup/")


def test_it_makes_the_administrator_and_their_workspace_and_signs_them_in(client: Client) -> None:
    response = client.post("/setup/", ANSWERS)
    assert (response.status_code, response["Location"]) == (302, "/")
    person = User.objects.get()
    assert (person.email, person.name) == ("alice@example.org", "Alice Amsel")
    assert person.is_staff
    assert person.is_superuser
    assert person.check_password(ANSWERS["password"])
    membership = Membership.objects.get()
    assert (membership.user, membership.kind, membership.workspace.name) == (person, "owner", "Our team")
    assert client.get("/").context["user"] == person


def test_it_is_over_once_there_is_an_account(client: Client, alice: User) -> None:
    assert client.get("/setup/").status_code == 404
    assert client.post("/setup/", {**ANSWERS, "email": "eve@example.org"}).status_code == 404
    assert list(User.objects.all()) == [alice]
    assert not Workspace.objects.exists()


def test_it_asks_the_database_only_until_there_is_an_account(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        assert not setup.is_needed()
    with django_assert_num_queries(0):
        assert not setup.is_needed()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "Al\u202eice"),
        ("email", "nobody"),
        ("password", "short"),
        ("password", "alice amsel"),
        ("workspace", ""),
    ],
)
def test_it_refuses_what_is_no_account(client: Client, field: str, value: str) -> None:
    response = client.post("/setup/", {**ANSWERS, field: value})
    assert response.status_code == 400
    assert field in response.context["form"].errors
    assert not User.objects.exists()
    assert not Workspace.objects.exists()


def test_it_does_not_show_a_refused_password_again(client: Client) -> None:
    response = client.post("/setup/", {**ANSWERS, "email": "nobody"})
    assert ANSWERS["password"] not in response.content.decode()


def test_it_asks_a_visitor_from_elsewhere_for_the_code(away: Client) -> None:
    assert "code" in away.get("/setup/").context["form"].fields
    response = away.post("/setup/", ANSWERS)
    assert "code" in response.context["form"].errors
    assert not User.objects.exists()
    assert away.post("/setup/", {**ANSWERS, "code": setup.code()}).status_code == 302
    assert User.objects.count() == 1


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
def test_it_asks_whoever_comes_through_a_proxy_on_this_machine(client: Client, header: str) -> None:
    response = client.post("/setup/", ANSWERS, headers={header: "127.0.0.1"})
    assert "code" in response.context["form"].errors
    assert not User.objects.exists()


def test_it_asks_everybody_when_the_installation_is_public(client: Client, settings: Settings) -> None:
    settings.IS_LOCAL = False
    response = client.post("/setup/", ANSWERS)
    assert "code" in response.context["form"].errors
    assert not User.objects.exists()


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
def test_it_asks_nobody_at_the_machine_itself(address: str) -> None:
    assert "code" not in at(address).get("/setup/").context["form"].fields


@pytest.mark.parametrize("address", ["", "::ffff:192.0.2.7", "10.0.0.1", "unix"])
def test_it_takes_an_unknown_address_for_another_machine(address: str) -> None:
    assert "code" in at(address).get("/setup/").context["form"].fields


def test_it_keeps_the_code_where_only_its_owner_reads_it(tmp_path: Path) -> None:
    code = setup.code()
    file = tmp_path / "setup-code"
    assert file.read_text().strip() == code
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert setup.code() == code
    assert [entry.name for entry in tmp_path.iterdir()] == ["setup-code"]


def test_it_forgets_the_code_when_it_is_used(away: Client, tmp_path: Path) -> None:
    code = setup.code()
    away.post("/setup/", {**ANSWERS, "code": code})
    assert User.objects.exists()
    assert not (tmp_path / "setup-code").exists()


def test_it_reads_the_code_as_people_type_it() -> None:
    code = setup.code()
    assert setup.is_code(code.lower().replace("-", " "))
    assert setup.is_code(code.replace("-", "").replace("O", "0").replace("I", "1"))
    assert not setup.is_code("")
    assert not setup.is_code(code[:-1])
    assert not setup.is_code("ä" * 16)


def test_it_has_another_code_in_another_installation(settings: Settings) -> None:
    code = setup.code()
    settings.SECRET_KEY = "another key of another installation"
    assert not setup.is_code(code)
    assert setup.code() != code


def test_it_stops_listening_to_somebody_who_guesses(away: Client) -> None:
    for _ in range(10):
        assert away.post("/setup/", {**ANSWERS, "code": "AAAA-BBBB-CCCC-DDDD"}).status_code == 400
    assert away.post("/setup/", {**ANSWERS, "code": setup.code()}).status_code == 429
    assert not User.objects.exists()
    assert at("198.51.100.4").post("/setup/", {**ANSWERS, "code": setup.code()}).status_code == 302


def test_it_leads_the_second_of_two_to_sign_in(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose_the_race(**_: str) -> User:
        raise setup.AlreadySetUpError

    monkeypatch.setattr(setup, "make_first_person", lose_the_race)
    response = client.post("/setup/", ANSWERS)
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/")
    assert not User.objects.exists()
    assert "_auth_user_id" not in client.session


def test_it_makes_nothing_a_second_time(alice: User) -> None:
    with pytest.raises(setup.AlreadySetUpError):
        setup.make_first_person(email="eve@example.org", name="Eve", password="x", workspace="Hers")
    assert list(User.objects.all()) == [alice]
    assert not Workspace.objects.exists()
