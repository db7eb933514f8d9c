"""Another site's page can't open a socket with somebody's cookie."""

import pytest
from pytest_django import Settings

from collab.asgi import is_same_origin
from collab.settings import read_public_url

Headers = list[tuple[bytes, bytes]]


def asked(host: str | None, *origins: str) -> Headers:
    hosts = [(b"host", host.encode())] if host is not None else []
    return [*hosts, *((b"origin", origin.encode("latin-1")) for origin in origins)]


@pytest.fixture
def public(settings: Settings) -> None:
    settings.PUBLIC_URL, settings.IS_LOCAL = "https://docs.example.org", False


@pytest.fixture
def local(settings: Settings) -> None:
    settings.PUBLIC_URL, settings.IS_LOCAL = "http://localhost:8000", True


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize("host", ["docs.example.org", "10.0.0.7:8000", None])
def test_the_public_address_is_allowed_whatever_the_proxy_asks_for(host: str | None) -> None:
    assert is_same_origin(asked(host, "https://docs.example.org"))
    assert is_same_origin(asked(host, "https://Docs.Example.org"))


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize(
    "origins",
    [
        (),
        ("null",),
        ("",),
        ("http://docs.example.org",),
        ("https://docs.example.org:8443",),
        ("https://docs.example.org/",),
        ("https://evil.example",),
        ("https://docs.example.org.evil.example",),
        ("https://evil.docs.example.org",),
        ("https://evildocs.example.org",),
        ("https://docs.example.org, https://evil.example",),
        ("https://docs.example.org", "https://evil.example"),
        ("https://docs.example.org", "https://docs.example.org"),
        ("https://docs.example.org\xa0",),
        ("http://localhost:8000",),
        ("file://",),
    ],
)
def test_any_other_origin_is_refused(origins: tuple[str, ...]) -> None:
    assert not is_same_origin(asked("docs.example.org", *origins))


@pytest.mark.usefixtures("public")
def test_a_server_on_the_internet_trusts_no_host_header() -> None:
    assert not is_same_origin(asked("localhost:8000", "http://localhost:8000"))


@pytest.mark.usefixtures("local")
@pytest.mark.parametrize("host", ["localhost:8000", "localhost", "127.0.0.1:49152", "[::1]:8000"])
def test_on_localhost_the_address_that_was_asked_is_allowed(host: str) -> None:
    assert is_same_origin(asked(host, f"http://{host}"))


@pytest.mark.usefixtures("local")
@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8000", "http://localhost:9000"),
        ("localhost:8000", "https://localhost"),
        ("127.0.0.1:8001", "http://localhost:8001"),
        # A name that an attacker makes point to this machine.
        ("rebound.example:8000", "http://rebound.example:8000"),
        ("localhost.evil.example:8000", "http://localhost.evil.example:8000"),
        ("localhost:8000.evil.example", "http://localhost:8000.evil.example"),
        ("127.0.0.1:", "http://127.0.0.1:"),
        (None, "http://127.0.0.1:8001"),
    ],
)
def test_on_localhost_any_other_origin_is_refused(host: str | None, origin: str) -> None:
    assert not is_same_origin(asked(host, origin))


@pytest.mark.usefixtures("local")
def test_two_hosts_are_refused() -> None:
    two = [(b"host", b"localhost:8001"), (b"host", b"evil.example"), (b"origin", b"http://localhost:8001")]
    assert not is_same_origin(two)


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("https://docs.example.org/", "https://docs.example.org"),
        ("https://Docs.Example.ORG", "https://docs.example.org"),
        ("https://docs.example.org:443", "https://docs.example.org"),
        ("http://docs.example.org:80", "http://docs.example.org"),
        ("https://docs.example.org:8443", "https://docs.example.org:8443"),
    ],
)
def test_the_public_address_is_kept_as_browsers_write_it(
    monkeypatch: pytest.MonkeyPatch, written: str, origin: str
) -> None:
    """Compared with what a browser sends; written differently, every socket and every form would be refused."""
    monkeypatch.setenv("COLLAB_URL", written)
    assert read_public_url() == origin
