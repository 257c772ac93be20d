"""Templates: they compile, escape everything and bring no script or style of their own."""

import re
from pathlib import Path

import pytest
from flask import Flask

from gemba.config import ROOT

TEMPLATES = sorted(
    path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt", ".subject")
)
PAGES = [
    path
    for path in TEMPLATES
    if path.suffix == ".html" and "email" not in path.parts and path.name != "mail.html"
]


def _name(path: Path) -> str:
    return path.relative_to(ROOT / "templates").as_posix()


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_it_compiles(path: Path, site: Flask) -> None:
    site.jinja_env.get_template(_name(path))


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_nothing_is_marked_safe(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\|\s*safe\b|autoescape\s+false|Markup\(", text)


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_no_inline_script_or_style(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=[\"']|javascript:", text)
    for tag in re.findall(r"<script[^>]*>", text):
        assert "nonce=" in tag


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_every_post_form_carries_the_token(path: Path) -> None:
    text = path.read_text()
    for form in re.findall(r'<form[^>]*method="post".*?</form>', text, re.DOTALL | re.IGNORECASE):
        assert re.search(r"csrf\(\)|hidden_fields\(|hidden_tag\(|csrf_token", form), form[:200]


def test_no_python_marks_text_as_safe() -> None:
    marked = [path for path in (ROOT / "gemba").rglob("*.py") if re.search(r"\bMarkup\(", path.read_text())]
    # It stands in for Jinja's own gettext, which marks the catalogue's words; tests/home/test_templating.py.
    assert marked == [ROOT / "gemba" / "web" / "templating.py"]
