"""Addresses of static files: they change with the content, and only what they name is kept for ever."""

import re
import shutil
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gemba.web import assets
from tests.conftest import Browser

SCRIPT = re.compile(r'src="(/static/of-[0-9a-f]{12}/)(js/[^"]+)"')


@pytest.fixture
def files(site: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the static files that a test may change, as a deployment does."""
    copy = tmp_path / "static"
    shutil.copytree(assets.STATIC, copy)
    monkeypatch.setattr(assets, "STATIC", copy)
    monkeypatch.setattr(assets, "LOOK_EVERY", -1)
    monkeypatch.setattr(site, "static_folder", str(copy))
    return copy


def kept(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.headers["Cache-Control"]


def test_a_changed_import_changes_the_address_of_every_script(files: Path, browser: Browser) -> None:
    client = browser.anonymous()
    folder, name = SCRIPT.findall(client.get("/").text)[0]
    # What a script imports by a relative address is in the same folder.
    before = client.get(f"{folder}js/notes/store.js")
    assert kept(client, folder + name) == kept(client, f"{folder}js/notes/store.js") == assets.KEPT

    (files / "js/notes/store.js").write_text("// newer\n")
    newer, _name = SCRIPT.findall(client.get("/").text)[0]
    assert newer != folder
    assert client.get(f"{newer}js/notes/store.js").text == "// newer\n" != before.text
    assert kept(client, f"{newer}js/notes/store.js") == assets.KEPT
    # A page from before gets the script as it is now, but not for ever under the old name.
    assert client.get(f"{folder}js/notes/store.js").text == "// newer\n"
    assert kept(client, f"{folder}js/notes/store.js") == assets.NOT_KEPT


def test_only_the_right_fingerprint_is_kept(browser: Browser, site: Flask) -> None:
    client = browser.anonymous()
    with site.test_request_context():
        named = assets.asset("css/gemba.css")
    assert kept(client, named) == assets.KEPT
    assert kept(client, "/static/css/gemba.css?v=000000000000") == assets.NOT_KEPT
    assert kept(client, "/static/css/gemba.css") == assets.NOT_KEPT


@pytest.mark.parametrize(
    "path", ["js/none.js", "of-000000000000/css/gemba.css", "of-000000000000/js/../../app.py"]
)
def test_what_is_not_there_is_not_found(browser: Browser, path: str) -> None:
    assert browser.anonymous().get(f"/static/{path}").status_code == 404
