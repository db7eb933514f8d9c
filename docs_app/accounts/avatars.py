"""Pictures of people: whatever is uploaded is decoded and encoded anew, so that nothing of the file itself is kept."""

import hashlib
import os
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from PIL import Image, ImageOps, UnidentifiedImageError

from docs_app.accounts.models import User

# Pixels of a side, bytes of an upload, pixels of what is decoded (a photograph of a good camera).
SIDE = 256
MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 50_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")


class NotAPictureError(Exception):
    """It can't be decoded, or would be too large."""


def encode(file: BinaryIO) -> bytes:
    """The middle of the picture as a WebP of 256 by 256, without metadata. Raises NotAPictureError."""
    try:
        with Image.open(file, formats=FORMATS) as picture:
            # The size is in the header: a small file that would fill the memory is refused before it does.
            if picture.width * picture.height > MAX_PIXELS:
                raise NotAPictureError
            # Made small first, in place: a copy of a large photograph for each step would take hundreds of megabytes.
            picture.thumbnail((4 * SIDE, 4 * SIDE))
            upright = ImageOps.exif_transpose(picture)
            has_alpha = upright.has_transparency_data
            square = ImageOps.fit(upright.convert("RGBA" if has_alpha else "RGB"), (SIDE, SIDE))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise NotAPictureError from error
    # A picture of its own: what came with the upload (EXIF, profiles, comments) stays behind.
    clean = Image.new(square.mode, square.size)
    clean.paste(square)
    written = BytesIO()
    clean.save(written, "WEBP", quality=85)
    return written.getvalue()


def put(*, person: User, file: BinaryIO) -> None:
    """Raises NotAPictureError, and has then changed nothing."""
    content = encode(file)
    former, person.avatar = person.avatar, hashlib.sha256(content).hexdigest()[:32]
    path = path_of(person.pk, person.avatar)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    # Replaced in one step: whoever asks meanwhile must not get half of it.
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)
    Path(name).replace(path)
    person.save(update_fields=["avatar"])
    if former and former != person.avatar:
        path_of(person.pk, former).unlink(missing_ok=True)


def remove(*, person: User) -> None:
    former, person.avatar = person.avatar, ""
    person.save(update_fields=["avatar"])
    if former:
        path_of(person.pk, former).unlink(missing_ok=True)


def path_of(user_id: int, digest: str) -> Path:
    return Path(settings.DATA_DIR) / "media" / "avatars" / f"{user_id}-{digest}.webp"


def forget(sender: type[User], instance: User, **_: Any) -> None:
    """The file goes with the person (`post_delete`)."""
    if instance.avatar:
        path_of(instance.pk, instance.avatar).unlink(missing_ok=True)
