"""Pages for what goes wrong."""

import re

import pytest
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest
from django.template.loader import get_template
from django.test import Client, RequestFactory
from django.views import defaults

from docs_app.accounts.models import User
from tests.docs_app.conftest import SignIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_() -> HttpRequest:
    return RequestFactory().get("/")


def test_it_shows_our_page_for_each(request_: HttpRequest) -> None:
    pages = [
        (defaults.bad_request(request_, BadRequest()), "That request made no sense"),
        (defaults.permission_denied(request_, PermissionDenied()), "This is not open to you"),
        (defaults.page_not_found(request_, Exception()), "There is nothing here"),
        (defaults.server_error(request_), "Something went wrong here"),
    ]
    for response, heading in pages:
        assert f'<h1 class="heading">{heading}</h1>' in response.content.decode()


def test_it_shows_an_unknown_address_without_repeating_it(client: Client, alice: User) -> None:
    response = client.get("/no/such/<page>")
    assert response.status_code == 404
    assert "such" not in response.content.decode()


def test_it_needs_nothing_for_the_page_of_a_fault() -> None:
    source = get_template("500.html").template.source  # type: ignore[attr-defined]
    assert "{%" not in source
    assert "{{" not in source


def test_it_keeps_the_content_security_policy(client: Client, sign_in: SignIn, alice: User) -> None:
    for page in (client.get("/nowhere"), client.get("/accounts/login/"), sign_in(alice).get("/")):
        policy = page["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy
        text = page.content.decode()
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text)
