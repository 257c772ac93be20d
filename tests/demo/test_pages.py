"""The demo's pages: only in the demo, one click signs in, the mail is shown and cannot do harm."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gemba.config import Settings
from tests.demo.test_mailbox import write_mail


@pytest.fixture
def visitor(demo: Flask) -> FlaskClient:
    """A browser in which nobody signed in."""
    return demo.test_client()


@pytest.fixture
def folder(settings: Settings) -> Path:
    """The folder mail lands in."""
    return settings.mail_folder


ADDRESSES = ["/demo", "/demo/mail", "/demo/mail/1.eml", "/demo/mail/1.eml/html", "/demo/mail/1.eml/raw"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_elsewhere_there_is_no_such_page(site: Flask, tmp_path: Path, address: str) -> None:
    write_mail(tmp_path / "mail", "1.eml")
    assert site.test_client().get(address).status_code == 404


def test_elsewhere_nobody_signs_in_with_a_click(site: Flask) -> None:
    assert site.test_client().post("/demo", data={"person": "adam-novak"}).status_code == 404


def test_the_cast_is_listed_in_the_reader_s_language(visitor: FlaskClient) -> None:
    page = visitor.get("/demo").text
    assert page.count('name="person"') == 6
    assert "Vera Lindholm" in page
    assert "Product manager of Checkout" in page
    visitor.post("/language", data={"locale": "ru"})
    assert "Продакт-менеджер" in visitor.get("/demo").text


def test_one_click_signs_in(visitor: FlaskClient) -> None:
    answer = visitor.post("/demo", data={"person": "vera-lindholm"})
    assert answer.status_code == 303
    assert answer.location == "/"
    assert "sign_in" in _cookie(visitor)
    assert "Vera Lindholm" in visitor.get("/demo").text


def test_another_click_changes_the_person(visitor: FlaskClient) -> None:
    visitor.post("/demo", data={"person": "vera-lindholm"})
    first = _cookie(visitor)["sign_in"]
    visitor.post("/demo", data={"person": "nikita-vorontsov"})
    assert _cookie(visitor)["sign_in"] != first
    assert 'lang="ru"' in visitor.get("/demo").text


@pytest.mark.parametrize("key", ["", "ben-thornton", "nobody", "1"])
def test_only_the_cast_can_be_taken(visitor: FlaskClient, key: str) -> None:
    assert visitor.post("/demo", data={"person": key}).status_code == 404
    assert "sign_in" not in _cookie(visitor)


def test_looking_signs_nobody_in(visitor: FlaskClient) -> None:
    visitor.get("/demo?person=adam-novak")
    assert "sign_in" not in _cookie(visitor)


def test_a_click_from_another_site_is_refused(demo: Flask) -> None:
    demo.config["WTF_CSRF_ENABLED"] = True
    assert demo.test_client().post("/demo", data={"person": "adam-novak"}).status_code == 400


def _cookie(browser: FlaskClient) -> dict[str, str]:
    with browser.session_transaction() as cookie:
        return dict(cookie)


def test_no_mail_yet_says_so(visitor: FlaskClient) -> None:
    assert "No mail yet" in visitor.get("/demo/mail").text


def test_mail_is_listed_and_can_be_narrowed_to_a_recipient(visitor: FlaskClient, folder: Path) -> None:
    write_mail(folder, "1.eml", subject="To Vera")
    write_mail(folder, "2.eml", to="anna@gemba.example", subject="To Anna")
    page = visitor.get("/demo/mail").text
    assert "To Vera" in page
    assert "To Anna" in page
    page = visitor.get("/demo/mail?to=anna@gemba.example").text
    assert "To Vera" not in page
    assert "To Anna" in page
    assert "Nothing went to this address" in visitor.get("/demo/mail?to=eve@gemba.example").text


def test_a_long_list_has_pages(visitor: FlaskClient, folder: Path) -> None:
    for number in range(65):
        write_mail(folder, f"{number}.eml")
    assert visitor.get("/demo/mail").text.count("/demo/mail/") == 60
    assert "/demo/mail?from=60" in visitor.get("/demo/mail").text
    assert visitor.get("/demo/mail?from=60").text.count("/demo/mail/") == 5
    assert (
        visitor.get("/demo/mail?from=-1").status_code == visitor.get("/demo/mail?from=x").status_code == 200
    )


def test_a_mail_is_shown_with_its_calendar_in_the_reader_s_zone(visitor: FlaskClient, folder: Path) -> None:
    write_mail(folder, "1.eml")
    visitor.post("/demo", data={"person": "vera-lindholm"})
    page = visitor.get("/demo/mail/1.eml").text
    for words in ("REQUEST", "abc@gemba.example", "11:30", "Europe/Berlin", "Hello, Vera", "Визит в четверг"):
        assert words in page
    assert 'sandbox="' in page


def test_the_page_of_a_mail_is_locked_in(visitor: FlaskClient, folder: Path) -> None:
    write_mail(folder, "1.eml", html="<html><head></head><body><script>alert(1)</script></body></html>")
    answer = visitor.get("/demo/mail/1.eml/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert '<head><base target="_top">' in answer.text


def test_hostile_words_of_a_mail_stay_words(visitor: FlaskClient, folder: Path) -> None:
    write_mail(folder, "1.eml", subject="<script>alert(1)</script>")
    for address in ("/demo/mail", "/demo/mail/1.eml"):
        page = visitor.get(address).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_a_mail_without_html_has_no_frame(visitor: FlaskClient, folder: Path) -> None:
    folder.mkdir()
    (folder / "1.eml").write_bytes(b"To: vera@gemba.example\r\nSubject: Plain\r\n\r\nJust words\r\n")
    assert "<iframe" not in visitor.get("/demo/mail/1.eml").text
    assert visitor.get("/demo/mail/1.eml/html").status_code == 404


def test_the_mail_can_be_downloaded_as_it_went_out(visitor: FlaskClient, folder: Path) -> None:
    path = write_mail(folder, "1.eml")
    answer = visitor.get("/demo/mail/1.eml/raw")
    assert answer.data == path.read_bytes()
    assert answer.mimetype == "message/rfc822"
    assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "name", ["none.eml", "..%2fgemba.db", "%2e%2e%2fsecret_key", "secret_key", "..%5c1.eml"]
)
@pytest.mark.parametrize("end", ["", "/html", "/raw"])
def test_other_files_are_out_of_reach(visitor: FlaskClient, folder: Path, name: str, end: str) -> None:
    write_mail(folder, "1.eml")
    assert visitor.get(f"/demo/mail/{name}{end}").status_code == 404
