"""Name, colour and picture."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from docs_app.accounts import avatars, colours
from docs_app.accounts.models import PALETTE, User
from tests.docs_app.conftest import SignIn
from tests.docs_app.test_contrast import schemes

PROFILE = "/accounts/profile/"

pytestmark = pytest.mark.django_db(transaction=True)


def fields(**changes: Any) -> dict[str, Any]:
    return {"name": "Bob Birch", "colour": PALETTE[0], "other_colour": "", **changes}


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 20), **options: Any) -> SimpleUploadedFile:
    written = BytesIO()
    Image.new("RGB", size, "#336699").save(written, kind, **options)
    return SimpleUploadedFile("me.bin", written.getvalue())


def huge_png() -> SimpleUploadedFile:
    """A few bytes that say they are 40,000 by 40,000 pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    return SimpleUploadedFile("huge.png", b"\x89PNG\r\n\x1a\n" + content)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "media" / "avatars").glob("*"))


def test_it_changes_name_and_colour(sign_in: SignIn, bob: User) -> None:
    response = sign_in(bob).post(PROFILE, fields(name="Robert", colour=PALETTE[3]))
    assert response.status_code == 302
    bob.refresh_from_db()
    assert (bob.name, bob.colour) == ("Robert", PALETTE[3])


@pytest.mark.parametrize(
    ("field", "value"), [("name", " "), ("name", "B\u202eob"), ("colour", "#ffffff"), ("colour", "red")]
)
def test_it_refuses_what_nobody_could_read(sign_in: SignIn, bob: User, field: str, value: str) -> None:
    before = (bob.name, bob.colour)
    response = sign_in(bob).post(PROFILE, fields(**{field: value}))
    assert response.status_code == 400
    bob.refresh_from_db()
    assert (bob.name, bob.colour) == before


@pytest.mark.parametrize(
    ("colour", "is_taken"),
    [
        ("#0B5394", True),
        ("#ffff00", False),
        ("#000000", False),
        ("#12", False),
        ("red;x", False),
        ("", False),
    ],
)
def test_it_takes_another_colour_if_it_can_be_read(
    sign_in: SignIn, bob: User, colour: str, is_taken: bool
) -> None:
    response = sign_in(bob).post(PROFILE, fields(colour="", other_colour=colour))
    before = bob.colour
    bob.refresh_from_db()
    assert (response.status_code == 302) == is_taken
    assert bob.colour == (colour.lower() if is_taken else before)


def test_it_judges_colours_by_the_tokens() -> None:
    assert all(colours.is_readable(colour) for colour in PALETTE)
    assert schemes()["dark"]["surface-raised"] == colours.DARK_SURFACE


@pytest.mark.parametrize("kind", avatars.FORMATS)
def test_it_encodes_a_picture_anew(sign_in: SignIn, bob: User, tmp_path: Path, kind: str) -> None:
    client = sign_in(bob)
    assert client.post(PROFILE, fields(picture=picture(kind))).status_code == 302
    bob.refresh_from_db()
    answer = client.get(bob.avatar_url)
    with Image.open(BytesIO(answer.content)) as shown:
        assert (shown.format, shown.size) == ("WEBP", (256, 256))
    assert answer["Content-Type"] == "image/webp"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "private" in answer["Cache-Control"]
    assert files(tmp_path) == [f"{bob.pk}-{bob.avatar}.webp"]
    assert bob.avatar_url in client.get("/").content.decode()


def test_it_keeps_nothing_of_what_the_file_said(sign_in: SignIn, bob: User, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    sign_in(bob).post(PROFILE, fields(picture=picture("JPEG", exif=exif.tobytes(), comment=b"secret")))
    (name,) = files(tmp_path)
    content = (tmp_path / "media" / "avatars" / name).read_bytes()
    assert b"taken at home" not in content
    assert b"secret" not in content
    with Image.open(BytesIO(content)) as shown:
        assert not shown.getexif()


@pytest.mark.parametrize(
    "upload",
    [
        SimpleUploadedFile("x.png", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"),
        SimpleUploadedFile("x.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 50),
        SimpleUploadedFile("x.html", b"<html>"),
        huge_png(),
        SimpleUploadedFile("x.png", b"\0" * (avatars.MAX_BYTES + 1)),
    ],
    ids=["svg", "broken", "html", "huge", "large"],
)
def test_it_refuses_what_is_no_picture(
    sign_in: SignIn, bob: User, tmp_path: Path, upload: SimpleUploadedFile
) -> None:
    upload.seek(0)
    response = sign_in(bob).post(PROFILE, fields(name="Robert", picture=upload))
    assert response.status_code == 400
    assert "picture" in response.context["form"].errors
    bob.refresh_from_db()
    assert (bob.name, bob.avatar) == ("Bob Birch", "")
    assert files(tmp_path) == []


def test_it_replaces_and_removes_the_file(sign_in: SignIn, bob: User, tmp_path: Path) -> None:
    client = sign_in(bob)
    client.post(PROFILE, fields(picture=picture()))
    bob.refresh_from_db()
    former = bob.avatar_url
    client.post(PROFILE, fields(picture=picture(size=(20, 40), kind="WEBP")))
    Image.new("RGB", (9, 9), "red").save(red := BytesIO(), "PNG")
    client.post(PROFILE, fields(picture=SimpleUploadedFile("red.png", red.getvalue())))
    bob.refresh_from_db()
    assert files(tmp_path) == [f"{bob.pk}-{bob.avatar}.webp"]
    assert client.get(former).status_code == 404
    client.post(PROFILE, fields(no_picture="on"))
    bob.refresh_from_db()
    assert (bob.avatar, files(tmp_path)) == ("", [])


def test_it_goes_with_the_person(sign_in: SignIn, charlie: User, tmp_path: Path) -> None:
    sign_in(charlie).post(PROFILE, fields(name="Charlie", picture=picture()))
    assert len(files(tmp_path)) == 1
    User.objects.filter(pk=charlie.pk).delete()
    assert files(tmp_path) == []


def test_visitors_see_no_pictures(sign_in: SignIn, client: Client, bob: User, alice: User) -> None:
    sign_in(bob).post(PROFILE, fields(picture=picture()))
    bob.refresh_from_db()
    assert client.get(bob.avatar_url).status_code == 302
    assert sign_in(alice).get(bob.avatar_url).status_code == 200
    assert sign_in(alice).get(f"/avatars/{alice.pk}/{bob.avatar}").status_code == 404
    assert bob.identity["avatar"] == bob.avatar_url
