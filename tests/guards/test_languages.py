"""Both languages are complete: every sentence of code, templates, errors and rules has its Russian."""

import io
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Message
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from flask import Flask
from flask_babel import force_locale

from gemba.config import ROOT
from gemba.web.filters import moment

FOLDER = ROOT / "gemba" / "translations" / "ru" / "LC_MESSAGES"
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> list[Message]:
    pot = tmp_path_factory.mktemp("pot") / "messages.pot"
    command = [
        sys.executable,
        "-m",
        "babel.messages.frontend",
        "-q",
        "extract",
        "-F",
        "babel.cfg",
        "-k",
        "_l",
        "-k",
        "_n",
    ]
    environ = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    subprocess.run([*command, "-o", str(pot), "."], cwd=ROOT, check=True, capture_output=True, env=environ)
    return [message for message in read_po(io.BytesIO(pot.read_bytes())) if message.id]


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _strings(message: Message | None) -> tuple[str, ...]:
    said: Any = message.string if message else ""
    return (said,) if isinstance(said, str) else tuple(said)


def test_every_sentence_has_its_russian(wanted: list[Message]) -> None:
    catalogue = read_po(io.BytesIO((FOLDER / "messages.po").read_bytes()), locale="ru")
    missing = []
    for message in wanted:
        known = catalogue.get(_key(message))
        parts = _strings(known)
        if not known or known.fuzzy or not all(parts) or (isinstance(message.id, tuple) and len(parts) != 3):
            missing.append(_key(message))
    assert missing == []


def test_placeholders_are_the_same_in_both(wanted: list[Message]) -> None:
    catalogue = read_po(io.BytesIO((FOLDER / "messages.po").read_bytes()), locale="ru")
    wrong = []
    for message in wanted:
        known = catalogue.get(_key(message))
        if known is None:
            continue
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        allowed = {name for text in ids for name in PLACEHOLDER.findall(str(text))}
        parts = _strings(known)
        for text in parts:
            names = set(PLACEHOLDER.findall(text))
            if not names <= allowed or (len(parts) == 1 and names != allowed):
                wrong.append(_key(message))
    assert wrong == []


def test_compiled_catalogue_is_the_written_one() -> None:
    written = read_po(io.BytesIO((FOLDER / "messages.po").read_bytes()), locale="ru")
    with Path(FOLDER / "messages.mo").open("rb") as file:
        compiled = read_mo(file)
    said = {_key(message): _strings(message) for message in written if message.id and not message.fuzzy}
    assert {_key(message): _strings(message) for message in compiled if message.id} == said


def test_a_weekday_is_small_inside_a_russian_sentence(app: Flask) -> None:
    at = datetime(2026, 11, 26, 8, 30, tzinfo=UTC)
    with app.test_request_context(), force_locale("ru"):
        assert moment(at, "UTC") == "Четверг, 26 ноября, 08:30"
        assert moment(at, "UTC", inside=True) == "четверг, 26 ноября, 08:30"
    with app.test_request_context(), force_locale("en"):
        assert moment(at, "UTC", inside=True) == "Thursday 26 November, 08:30"
