"""Files of an insight: what is taken, who adds, reads and removes them, where they go and how they end."""

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from gemba.db import db
from gemba.errors import Forbidden
from gemba.insights import service
from gemba.insights.errors import InsightNotFound, PictureNotFound
from gemba.insights.models import InsightChange, Observation, Picture
from gemba.insights.rules import documents, images
from gemba.insights.rules.filters import InsightFilter
from gemba.insights.service import files, keeping, pictures
from gemba.insights.service.striking import Words, rewrite
from gemba.personal import taking
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.insights.stage import make_visit, note
from tests.insights.test_pictures import drawn, photo

PDF = b"%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF\n"
CSV = b"order;wait\n12;-5\n13;+7\n14;- nobody knows (yet)\n"
Put = Callable[..., TestResponse]


def test_documents_are_kept_as_they_are_and_named_by_what_they_are() -> None:
    pdf = documents.taken(PDF, "the sheet.exe")
    assert (pdf.data, pdf.media, pdf.width) == (PDF, "application/pdf", 0)
    assert documents.name_of("the sheet.exe", pdf.media) == "the sheet.pdf"
    text = documents.taken("\ufeffЗаказ\r\n=1 is no formula here".encode(), "log.TXT")
    assert (text.data.decode(), text.media) == (
        "Заказ\r\n=1 is no formula here",
        "text/plain; charset=utf-8",
    )
    assert documents.taken(CSV, "a.csv").media == "text/csv; charset=utf-8"
    assert documents.taken(drawn("PNG"), "a.pdf").media == "image/png"
    assert b"Spyphone" not in documents.taken(photo(), "a.jpg").data


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (r"C:\Users\olga\Экран заказа.PNG", "Экран заказа.png"),
        ("../../etc/passwd", "passwd.png"),
        ("a\r\nSet-Cookie: x.png", "aSet-Cookie x.png"),
        ("\u202egnp.exe", "gnp.png"),
        ("", "file.png"),
        ("...", "file.png"),
        ("x" * 300 + ".png", "x" * 80 + ".png"),
    ],
)
def test_names_hold_no_path_no_end_of_their_own_and_nothing_unseen(given: str, kept: str) -> None:
    assert documents.name_of(given, "image/png") == kept


REFUSED = {
    "a page": (b"<!doctype html><script>alert(1)</script>", "a.html", documents.NO_FILE),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "a.svg", documents.NO_FILE),
    "a program": (b"MZ\x90\0\3\0", "a.txt", documents.NO_UTF8),
    "bytes that are no text": (b"one\0two", "a.txt", documents.NO_FILE),
    "another encoding": ("Заказ".encode("cp1251"), "a.csv", documents.NO_UTF8),
    "a program in a PDF": (
        PDF.replace(b"/Catalog", b"/Catalog /OpenAction <</S /JavaScript>>"),
        "a.pdf",
        documents.ACTIVE_PDF,
    ),
    "the same in disguise": (
        PDF.replace(b"/Catalog", b"/Catalog /J#61vaScript"),
        "a.pdf",
        documents.ACTIVE_PDF,
    ),
    "a file in a PDF": (
        PDF.replace(b"/Catalog", b"/Catalog /EmbeddedFiles 2 0 R"),
        "a.pdf",
        documents.ACTIVE_PDF,
    ),
    "half a PDF": (PDF[:40], "a.pdf", documents.BROKEN_PDF),
    "a formula": (b'name;link\nx;"=HYPERLINK(""http://x"")"\n', "a.csv", documents.FORMULAS),
    "a command": (b"a,b\n-2+3+cmd|' /C calc'!A0,1\n", "a.csv", documents.FORMULAS),
    "nothing": (b"", "a.txt", documents.EMPTY),
    "blanks": (b" \n", "a.txt", documents.EMPTY),
    "a page behind a picture": (drawn("JPEG") + b"<html><script>x</script>", "a.jpg", images.TWO_THINGS),
    "eleven megabytes": (b"x" * (11 * 1024 * 1024), "a.txt", documents.TOO_LARGE),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_other_files_are_refused_with_a_sentence(case: str) -> None:
    data, name, sentence = REFUSED[case]
    with pytest.raises(images.BadPicture) as refused:
        documents.taken(data, name)
    assert str(refused.value) == sentence


@pytest.fixture
def where(site: Flask, site_cast: Cast, clock: StandingClock) -> str:
    with site.app_context():
        visit = make_visit(site_cast, clock())
        made = note(visit, site_cast.vera, "The order sheet freezes", clock())
        db.session.commit()
        return f"/insights/{made.insight_id}"


@pytest.fixture
def put(browser: Browser, site_cast: Cast, where: str) -> Put:
    def one(data: bytes, name: str, who: str = "olga") -> TestResponse:
        client = browser.as_(getattr(site_cast, who).id)
        return client.post(f"{where}/files", data={"file": (io.BytesIO(data), name)})

    return one


def test_a_file_is_added_read_removed_and_brought_back(
    put: Put, where: str, site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    eve, olga = browser.as_(site_cast.eve.id), browser.as_(site_cast.olga.id)
    assert "Files</h2>" not in eve.get(where).text
    assert "can stand here" in olga.get(where).text
    for data, name in ((drawn("PNG"), "экран.png"), (PDF, "sheet.pdf"), (CSV, "hours.csv")):
        assert put(data, name).headers["Location"] == f"{where}#files"
    page = eve.get(where).text
    assert all(words in page for words in ("экран.png", "sheet.pdf", "hours.csv", "1 KB · Olga"))
    assert "/remove" not in page
    pdf = eve.get("/pictures/2")
    assert (pdf.data, pdf.content_type) == (PDF, "application/pdf")
    assert pdf.headers["Content-Disposition"] == (
        "attachment; filename=\"file-2.pdf\"; filename*=UTF-8''sheet.pdf"
    )
    assert pdf.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in pdf.headers["Content-Security-Policy"]
    assert eve.get("/pictures/1").headers["Content-Disposition"].startswith("inline;")
    assert "File added: sheet.pdf" in olga.get(where).text
    gone = olga.post("/files/2/remove", follow_redirects=True).text
    assert "sheet.pdf is removed" in gone
    assert 'action="/files/2/restore"' in gone
    assert (eve.get("/pictures/2").status_code, eve.get("/pictures/1").status_code) == (404, 200)
    assert olga.post("/files/2/remove").status_code == 404
    assert olga.post("/files/2/restore").status_code == 303
    assert olga.post("/files/2/restore").status_code == 404
    assert eve.get("/pictures/2").status_code == 200
    olga.post("/files/3/remove")
    with site.app_context():
        assert db.session.scalars(select(InsightChange.field)).all() == ["file"] * 6
        pictures.sweep(clock() + timedelta(hours=23))
        assert len(db.session.scalars(select(Picture)).all()) == 3
        pictures.sweep(clock() + timedelta(hours=25))
        assert [row.name for row in db.session.scalars(select(Picture))] == ["экран.png", "sheet.pdf"]


def test_refusals_stand_at_the_field_and_only_editors_add(
    put: Put, where: str, site: Flask, site_cast: Cast, browser: Browser
) -> None:
    for case in ("a formula", "svg", "eleven megabytes"):
        data, name, sentence = REFUSED[case]
        refused = put(data, name)
        assert (refused.status_code, sentence in refused.text) == (413 if "eleven" in case else 422, True)
    olga = browser.as_(site_cast.olga.id)
    assert olga.post(f"{where}/files").status_code == 422
    assert "UTF-8" in olga.get(f"{where}/files").text
    assert put(PDF, "a.pdf", "vera").status_code == 403
    assert olga.get("/insights/999/files").status_code == 404
    assert browser.anonymous().get(f"{where}/files").status_code == 303
    with site.app_context():
        assert list(pictures.folder().rglob("*")) == []
        insight_id = int(where.rpartition("/")[2])
        made = files.read(PDF, "a.pdf")
        for _one in range(files.MOST):
            files.add(
                insight_id, db.session.merge(site_cast.olga), made, "a.pdf", now=site_cast.olga.created_at
            )
        db.session.commit()
    assert "takes twenty files" in put(PDF, "a.pdf").text
    vera = browser.as_(site_cast.vera.id)
    assert [vera.post(f"/files/1/{act}").status_code for act in ("remove", "restore")] == [403, 403]
    assert vera.post("/pictures/1/remove").status_code == 404
    assert olga.get("/files/1/remove").status_code == 405


def test_merging_shows_them_on_the_survivor_and_taking_out_takes_them_along(
    cast: Cast, clock: StandingClock
) -> None:
    visit = make_visit(cast, clock() - timedelta(hours=2), status="held")
    one = note(visit, cast.vera, "The sheet freezes", clock()).insight_id or 0
    two = note(visit, cast.vera, "The search is slow", clock()).insight_id or 0
    made = files.read(CSV, "a.csv")
    for insight in (one, two):
        files.add(insight, cast.olga, made, f"{insight}.csv", now=clock())
    names = {insight: [f"{insight}.csv"] for insight in (one, two)}

    def seen(insight: int) -> list[str]:
        return [row.name for row in files.listed(insight, cast.eve)]

    service.merge(one, cast.olga, two, now=clock())
    assert (seen(two), seen(one)) == (names[one] + names[two], names[one])
    (row,) = service.export_rows(InsightFilter(), cast.olga, url_of=str, now=clock())
    assert row.files == 2
    assert list(service.pictures_of([two])) == [two]
    assert (
        len(service.pictures_of([two])[two]) == len(service.may_leave(service.pictures_of([two])[two])) == 2
    )
    service.unmerge(one, cast.olga, now=clock())
    assert {insight: seen(insight) for insight in (one, two)} == names


def test_what_waits_for_review_hides_its_files_and_nothing_removed_leaves(
    cast: Cast, clock: StandingClock
) -> None:
    visit = make_visit(cast, clock() - timedelta(hours=2), visitor=cast.olga, status="held")
    seen = note(visit, cast.olga, "The sheet freezes", clock())
    insight = seen.insight
    assert insight is not None
    insight.review_visit_id = visit.id
    row = files.add(insight.id, cast.olga, files.read(PDF, "a.pdf"), "a.pdf", now=clock())
    assert pictures.get(cast.alice, row.id)[1] == PDF
    for act in (
        lambda: pictures.get(cast.adam, row.id),
        lambda: files.listed(insight.id, cast.adam),
        lambda: files.remove(row.id, cast.adam, now=clock()),
    ):
        with pytest.raises((InsightNotFound, PictureNotFound)):
            act()
    with pytest.raises(Forbidden):
        files.may_add(insight.id, cast.alice)
    assert (service.pictures_of([insight.id]), service.may_leave([row.id])) == ({}, set())
    insight.review_visit_id = None
    assert service.pictures_of([insight.id]) == {insight.id: [row.id]}
    assert service.documents_among([row.id]) == {row.id: "a.pdf"}
    files.remove(row.id, cast.olga, now=clock())
    assert (service.pictures_of([insight.id]), service.may_leave([row.id])) == ({}, set())


def test_struck_words_retention_and_what_people_take_along(cast: Cast, clock: StandingClock) -> None:
    visit = make_visit(cast, clock() - timedelta(hours=2), status="held")
    seen = note(visit, cast.vera, "Paper of Mr Smith", clock())
    insight_id = seen.insight_id or 0
    for data, name in ((PDF, "Paper of Mr Smith.pdf"), (b"x\nPaper of\nMr  Smith", "a.txt"), (CSV, "b.csv")):
        files.add(insight_id, cast.olga, files.read(data, name), name, now=clock())
    with zipfile.ZipFile(io.BytesIO(taking.archive_of(cast.olga))) as archive:
        assert "Paper of Mr Smith.pdf" in archive.read("picture.json").decode()
        taken = [name for name in archive.namelist() if name.startswith("pictures/")]
        assert sorted(name.rpartition(".")[2] for name in taken) == ["csv", "pdf", "txt"]
    rewrite(seen, Words("Another word", "", ""), now=clock())
    db.session.expire_all()
    assert [row.name for row in files.of(insight_id)] == ["file.pdf", "b.csv"]
    assert "Smith" not in str(db.session.scalars(select(InsightChange.after)).all())
    cast.programme.keep_months = 6
    service.get(insight_id, cast.olga, now=clock()).item.insight.programme_id = cast.programme.id
    db.session.flush()
    keeping.drop_old(clock() + timedelta(days=170))
    assert len(files.of(insight_id)) == 2
    keeping.drop_old(clock() + timedelta(days=190))
    assert files.of(insight_id) == []
    assert db.session.scalars(select(Observation.dropped_at)).one() is not None


def test_csv_cells_are_what_they_were() -> None:
    kept = documents.taken(CSV, "a.csv").data.decode()
    assert list(csv.reader(io.StringIO(kept), delimiter=";"))[1:3] == [["12", "-5"], ["13", "+7"]]
