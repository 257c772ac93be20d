"""Pictures from outside made harmless: their pixels are drawn anew, and nothing else of the file is kept.

What a file is, its first bytes say and never its name. Position, camera, thumbnails, comments, profiles and
whatever hangs behind the picture do not survive.
"""

import io
from dataclasses import dataclass

from PIL import Image, ImageOps

from gemba.insights.rules.kinds import _n

BYTES_MAX = 10 * 1024 * 1024
PIXELS_MAX = 25_000_000
SIDE_MAX = 2560
"""Larger pictures are made smaller; twice a usual screen is enough to read every word."""
_JPEG_QUALITY = 85
_WEBP_QUALITY = 85

TOO_LARGE = _n("A picture may have 10 MB at most. Crop it, or save it as JPEG.")
TOO_MANY_PIXELS = _n("This picture has too many pixels: 25 million at most. Crop it or make it smaller.")
NO_PICTURE = _n("This is no PNG, JPEG or WebP picture. Take a screenshot and add that.")
TWO_THINGS = _n("This file holds something else beside the picture. Take a new screenshot and add that.")
DAMAGED = _n("This picture is damaged and cannot be read.")

MEDIA = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


class BadPicture(ValueError):
    """This file is not taken; the message is the sentence that says why (a msgid)."""


@dataclass(frozen=True)
class Clean:
    """A picture as we keep it; sizes in pixels."""

    data: bytes
    media: str
    width: int
    height: int


def format_of(data: bytes) -> str:
    """PNG, JPEG or WEBP by the first bytes, "" for anything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    return "WEBP" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ""


def clean(data: bytes) -> Clean:
    """The picture drawn anew in its own format. Raises BadPicture."""
    if len(data) > BYTES_MAX:
        raise BadPicture(TOO_LARGE)
    kind = format_of(data)
    if not kind:
        raise BadPicture(NO_PICTURE)
    if _is_more_than_a_picture(data, kind):
        raise BadPicture(TWO_THINGS)
    try:
        with Image.open(io.BytesIO(data), formats=[kind]) as opened:
            if opened.width * opened.height > PIXELS_MAX:
                raise BadPicture(TOO_MANY_PIXELS)
            return _drawn(opened, kind)
    except BadPicture:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadPicture(TOO_MANY_PIXELS) from error
    # Decoders fail in many ways on files made to break them; each means the same to its sender.
    except Exception as error:
        raise BadPicture(DAMAGED) from error


def _is_more_than_a_picture(data: bytes, kind: str) -> bool:
    """Whether another reader would take the file for a page, a program or an archive.

    Phones hang films and smaller pictures behind a JPEG's end, so that alone is nothing odd there.
    """
    folded = data.lower()
    if any(mark in folded for mark in _MARKS) or b"PK\x05\x06" in data[-_ZIP_END:]:
        return True
    if kind == "PNG":
        return not data.endswith(b"IEND\xaeB`\x82")
    return kind == "WEBP" and int.from_bytes(data[4:8], "little") + 8 not in (len(data), len(data) - 1)


_MARKS = (b"<script", b"<html", b"<!doctype", b"<svg", b"<?php", b"<iframe", b"%pdf-")
_ZIP_END = 65_535 + 22


def _drawn(opened: Image.Image, kind: str) -> Clean:
    upright = ImageOps.exif_transpose(opened)
    plain = upright.convert(_mode_for(upright, kind))
    plain.thumbnail((SIDE_MAX, SIDE_MAX))
    # A new image has the pixels and none of the notes that travel with the old one.
    fresh = Image.new(plain.mode, plain.size)
    fresh.paste(plain)
    written = io.BytesIO()
    if kind == "JPEG":
        fresh.save(written, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    elif kind == "WEBP":
        fresh.save(written, "WEBP", quality=_WEBP_QUALITY)
    else:
        fresh.save(written, "PNG", compress_level=6)
    return Clean(written.getvalue(), MEDIA[kind], fresh.width, fresh.height)


def _mode_for(image: Image.Image, kind: str) -> str:
    has_alpha = "A" in image.getbands() or "transparency" in image.info
    return "RGBA" if has_alpha and kind != "JPEG" else "RGB"
