"""Pictures: what is taken, what is refused with which sentence, who sees them, what leaves with them."""

import io
import os
import struct
import zlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import ExifTags, Image, PngImagePlugin
from sqlalchemy import select
from werkzeug.test import TestResponse

from gemba.db import db
from gemba.insights.models import Observation, Picture
from gemba.insights.rules import images
from gemba.insights.service import pictures
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.insights.stage import make_visit, note

Put = Callable[..., TestResponse]


def drawn(kind: str, size: tuple[int, int] = (60, 40), **more: Any) -> bytes:
    """A small picture, red on the left and blue on the right."""
    image = Image.new("RGB", size, (200, 30, 30))
    image.paste((30, 30, 200), (size[0] // 2, 0, size[0], size[1]))
    written = io.BytesIO()
    image.save(written, kind, **more)
    return written.getvalue()


def photo(kind: str = "JPEG") -> bytes:
    """A picture as a phone takes it: on its side, with camera, place, words and a packet of XMP."""
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = "Spyphone 9"
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.ImageDescription] = "the customer's desk"
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps.update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><secret>Invalidenstrasse 7</secret></x:xmpmeta>'
    more: dict[str, Any] = {"comment": b"taken by Spyphone"} if kind == "JPEG" else {}
    return drawn(kind, exif=exif, xmp=xmp, **more)


def bomb(side: int) -> bytes:
    """A PNG of a few kilobytes with side × side pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    row = b"\0" * (1 + side // 8)
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(row) for _row in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def tagged() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "Vera Visitor")
    return drawn("PNG", pnginfo=info)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_is_upright_and_says_nothing_of_place_and_camera(kind: str) -> None:
    before = photo(kind)
    assert Image.open(io.BytesIO(before)).getexif().get_ifd(ExifTags.IFD.GPSInfo)
    made = images.clean(before)
    after = Image.open(io.BytesIO(made.data))
    assert (after.format, made.media) == (kind, f"image/{kind.lower()}")
    assert after.size == (made.width, made.height) == (40, 60)
    assert dict(after.getexif()) == {}
    assert not {"exif", "xmp", "comment", "icc_profile"} & set(after.info)
    for word in (b"Spyphone", b"customer", b"Invalidenstrasse", b"Exif", b"GPS", b"xmpmeta"):
        assert word not in made.data


def test_words_in_a_png_are_gone_and_clear_places_stay_clear() -> None:
    assert b"Vera" in tagged()
    assert b"Vera" not in images.clean(tagged()).data
    clear = io.BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(clear, "PNG")
    assert Image.open(io.BytesIO(images.clean(clear.getvalue()).data)).getpixel((1, 1)) == (0, 0, 0, 0)


def test_large_pictures_are_made_smaller() -> None:
    made = images.clean(drawn("JPEG", (4000, 1000)))
    assert (made.width, made.height) == (2560, 640)


def test_only_the_first_picture_of_a_film_is_kept() -> None:
    film = io.BytesIO()
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    frames[0].save(film, "WEBP", save_all=True, append_images=frames[1:])
    assert getattr(Image.open(io.BytesIO(images.clean(film.getvalue()).data)), "n_frames", 1) == 1


ZIP = b"PK\x03\x04evil" + b"PK\x05\x06" + b"\0" * 18
REFUSED = {
    "html": (b"<!doctype html><script>alert(1)</script>", images.NO_PICTURE),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', images.NO_PICTURE),
    "gif": (drawn("GIF"), images.NO_PICTURE),
    "bmp": (drawn("BMP"), images.NO_PICTURE),
    "empty": (b"", images.NO_PICTURE),
    "a page behind a picture": (drawn("JPEG") + b"<html><script>x</script>", images.TWO_THINGS),
    "a page in a comment": (drawn("JPEG", comment=b"<ScRipt>x()</script>"), images.TWO_THINGS),
    "an archive behind a JPEG": (drawn("JPEG") + ZIP, images.TWO_THINGS),
    "an archive behind a PNG": (drawn("PNG") + ZIP, images.TWO_THINGS),
    "anything behind a PNG": (drawn("PNG") + b"more", images.TWO_THINGS),
    "anything behind a WebP": (drawn("WEBP") + b"more!", images.TWO_THINGS),
    "a bomb": (bomb(30_000), images.TOO_MANY_PIXELS),
    "half a JPEG": (drawn("JPEG", (400, 400))[:1500], images.DAMAGED),
    "a PNG without pixels": (b"\x89PNG\r\n\x1a\nIEND\xaeB`\x82", images.DAMAGED),
    "eleven megabytes": (drawn("JPEG") + b"\0" * (11 * 1024 * 1024), images.TOO_LARGE),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_other_files_are_refused_with_a_sentence(case: str) -> None:
    data, sentence = REFUSED[case]
    with pytest.raises(images.BadPicture) as refused:
        images.clean(data)
    assert str(refused.value) == sentence


@pytest.fixture
def where(site: Flask, site_cast: Cast, clock: StandingClock) -> str:
    with site.app_context():
        visit = make_visit(site_cast, clock())
        clock.forward(minutes=20)
        made = note(visit, site_cast.vera, "The order sheet freezes", clock())
        db.session.commit()
        return f"/visits/{visit.id}/notes/{made.id}/pictures"


@pytest.fixture
def put(browser: Browser, site_cast: Cast, where: str) -> Put:
    def one(data: bytes, name: str = "shot.png", who: str = "vera") -> TestResponse:
        client = browser.as_(getattr(site_cast, who).id)
        return client.post(where, data={"picture": (io.BytesIO(data), name)})

    return one


def test_a_picture_is_added_and_served_as_a_picture_and_nothing_else(
    put: Put, where: str, site: Flask, site_cast: Cast, browser: Browser
) -> None:
    assert put(photo(), "holiday.html").status_code == 303
    vera = browser.as_(site_cast.vera.id)
    assert 'src="/pictures/1"' in vera.get(where).text
    assert 'src="/pictures/1"' in vera.get(where.rpartition("/notes/")[0] + "/notes").text
    answer = vera.get("/pictures/1")
    assert (answer.status_code, answer.content_type) == (200, "image/jpeg")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == 'inline; filename="picture-1.jpg"'
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "no-store" in answer.headers["Cache-Control"]
    assert b"Spyphone" not in answer.data
    with site.app_context():
        path = pictures.folder() / db.session.scalars(select(Picture.file)).one()
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("case", ["html", "svg", "a page behind a picture", "a bomb", "eleven megabytes"])
def test_a_refusal_stands_at_the_field_and_keeps_nothing(case: str, put: Put, site: Flask) -> None:
    data, sentence = REFUSED[case]
    answer = put(data, "picture.png")
    assert answer.status_code == (413 if case == "eleven megabytes" else 422)
    assert sentence in answer.text
    with site.app_context():
        assert db.session.scalars(select(Picture)).all() == []
        assert list(pictures.folder().rglob("*")) == []


def test_the_page_of_notes_hears_the_note_or_one_sentence(
    where: str, browser: Browser, site_cast: Cast
) -> None:
    client = browser.as_(site_cast.vera.id)

    def send(data: bytes) -> TestResponse:
        form = {"picture": (io.BytesIO(data), "shot.png")}
        return client.post(where, data=form, headers={"X-Fragment": "note"})

    good = send(drawn("PNG"))
    assert (good.status_code, good.text.lstrip().startswith("<li"), "/pictures/1" in good.text) == (
        201,
        True,
        True,
    )
    for case, status in (("svg", 422), ("eleven megabytes", 413)):
        data, sentence = REFUSED[case]
        bad = send(data)
        assert (bad.status_code, bad.text, "X-Refusal" in bad.headers) == (status, sentence, True)


def test_two_gigabytes_are_refused_unread(where: str, browser: Browser, site_cast: Cast) -> None:
    class Endless(io.RawIOBase):
        taken = 0

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            Endless.taken += size
            assert Endless.taken < 20_000_000
            return b"x" * size

    client = browser.as_(site_cast.vera.id)
    answer = client.post(
        where,
        content_type="multipart/form-data; boundary=b",
        environ_overrides={"CONTENT_LENGTH": str(2 * 1024**3), "wsgi.input": Endless()},
    )
    assert (answer.status_code, images.TOO_LARGE in answer.text) == (413, True)
    assert Endless.taken == 0


def test_who_may_see_a_picture(put: Put, site: Flask, site_cast: Cast, browser: Browser) -> None:
    put(drawn("PNG"))
    see = {name: browser.as_(getattr(site_cast, name).id) for name in ("vera", "alice", "lev", "eve", "olga")}

    def seen() -> list[str]:
        return [name for name, client in see.items() if client.get("/pictures/1").status_code == 200]

    assert seen() == ["vera", "alice", "lev", "eve", "olga"]
    with site.app_context():
        db.session.scalars(select(Observation)).one().standing = "private"
        db.session.commit()
    assert seen() == ["vera", "alice", "lev"]
    with site.app_context():
        db.session.scalars(select(Observation)).one().removed_at = db.session.scalars(
            select(Observation.created_at)
        ).one()
        db.session.commit()
    assert seen() == ["vera"]
    assert browser.anonymous().get("/pictures/1").status_code == 303
    assert see["vera"].get("/pictures/99").status_code == 404


def test_a_note_takes_five_and_its_author_removes_them(
    put: Put, where: str, site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    assert [put(drawn("PNG")).status_code for _one in range(6)] == [303] * 5 + [422]
    assert put(drawn("PNG"), who="alice").status_code == 404
    alice, vera = browser.as_(site_cast.alice.id), browser.as_(site_cast.vera.id)
    assert alice.post("/pictures/1/remove").status_code == 404
    assert vera.post("/pictures/1/remove").status_code == 303
    assert vera.get("/pictures/1").status_code == 404
    with site.app_context():
        files = [path for path in pictures.folder().rglob("*") if path.is_file()]
        assert len(files) == 5
        for path in files:
            os.utime(path, (clock().timestamp(),) * 2)
        pictures.sweep(clock() + timedelta(minutes=59))
        assert len([path for path in pictures.folder().rglob("*") if path.is_file()]) == 5
        pictures.sweep(clock() + timedelta(minutes=61))
        left = {path.relative_to(pictures.folder()).as_posix() for path in pictures.folder().glob("*/*")}
        assert left == set(db.session.scalars(select(Picture.file)))


def test_a_lost_file_is_not_found(put: Put, site: Flask, site_cast: Cast, browser: Browser) -> None:
    put(drawn("PNG"))
    with site.app_context():
        Path(pictures.folder() / db.session.scalars(select(Picture.file)).one()).unlink()
    assert browser.as_(site_cast.vera.id).get("/pictures/1").status_code == 404
