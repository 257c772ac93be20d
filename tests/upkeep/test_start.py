"""`gemba run` and `gemba demo`: from nothing to a served page, and what stops them."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pytest
from flask import Flask
from flask_migrate import stamp

from gemba.config import ROOT, load_settings
from gemba.db import db
from gemba.upkeep import start
from tests.conftest import MONDAY, settings_for
from tests.serving import own_environ

GEMBA = str(Path(sys.executable).parent / "gemba")
PATIENCE = 120


def environ(folder: Path, port: int) -> dict[str, str]:
    return own_environ(folder, PORT=str(port))


def gemba(*words: str, folder: Path, port: int = 8000) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [GEMBA, *words],
        cwd=ROOT,
        env=environ(folder, port),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


def page(url: str, process: "subprocess.Popen[str]") -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return str(answer.read().decode())
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(f"Nothing was served: {process.communicate(timeout=30)[0]}")


def run_once(folder: Path, port: int) -> tuple[str, str, int]:
    process = subprocess.Popen(
        [GEMBA, "run"],
        cwd=ROOT,
        env=environ(folder, port),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        served = page(f"http://127.0.0.1:{port}/demo", process)
    finally:
        os.killpg(process.pid, signal.SIGINT)  # what a terminal does on Ctrl-C
        said = process.communicate(timeout=PATIENCE)[0]
    return served, said, process.returncode


@pytest.mark.load
def test_run_serves_the_demo_stops_cleanly_and_keeps_its_data(tmp_path: Path, port: int) -> None:
    served, said, status = run_once(tmp_path, port)
    assert "<h1" in served
    assert f"http://127.0.0.1:{port}/demo and pick a person" in said
    assert status in (0, 130)
    assert "Traceback" not in said
    before = (tmp_path / "secret_key").read_text(), (tmp_path / "gemba.db").stat().st_ino
    served, said, status = run_once(tmp_path, port)
    assert "<h1" in served
    assert "Traceback" not in said
    assert ((tmp_path / "secret_key").read_text(), (tmp_path / "gemba.db").stat().st_ino) == before


def test_a_taken_port_is_one_sentence_and_nothing_starts(tmp_path: Path, taken_port: int) -> None:
    done = gemba("run", folder=tmp_path, port=taken_port)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert f"port {taken_port}" in done.stderr
    assert "honcho" not in done.stdout


def test_demo_wants_an_empty_database(tmp_path: Path) -> None:
    assert gemba("db", "upgrade", folder=tmp_path).returncode == 0
    first, second = gemba("demo", folder=tmp_path), gemba("demo", folder=tmp_path)
    assert (first.returncode, first.stderr) == (0, "")
    assert second.returncode == 1
    assert "empty" in second.stderr


def test_a_port_that_is_none_stops_the_start(tmp_path: Path) -> None:
    done = subprocess.run(
        [GEMBA, "run"],
        cwd=ROOT,
        env={**environ(tmp_path, 1), "PORT": "eighty"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "PORT: give a number from 1 to 65535.\n")


def test_the_address_follows_the_port(tmp_path: Path) -> None:
    given = {"GEMBA_INSTANCE": str(tmp_path), "PORT": "8123"}
    assert load_settings(given).base_url == "http://127.0.0.1:8123"


def test_welcome_without_a_demo_says_where_the_mail_goes(tmp_path: Path) -> None:
    settings = settings_for("sqlite://", tmp_path)
    said = start.welcome(settings, start.Found(is_ready=True))
    assert "/sign-in" in said
    assert str(tmp_path / "mail") in said


def test_a_database_is_made_ready_once_and_known_again(app: Flask) -> None:
    settings = app.extensions["gemba_settings"]
    stamp()  # the test's tables are the newest schema already
    assert start.look(settings) == start.Found(is_ready=False)
    assert start.make_ready(MONDAY) == start.Found(is_ready=True, is_demo=True)
    db.session.commit()
    assert start.look(settings) == start.Found(is_ready=True, is_demo=True)
    assert start.make_ready(MONDAY) == start.Found(is_ready=True, is_demo=True)


@pytest.mark.parametrize("words", [["worker", "--threads", "0"], ["no-such-word"], ["restore"]])
def test_a_slip_is_one_sentence_and_status_1(tmp_path: Path, words: list[str]) -> None:
    done = gemba(*words, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.strip().splitlines()) == 1


def test_flask_knows_the_same_commands(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "doctor"],
        cwd=ROOT,
        env=environ(tmp_path, 8000),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "Run: gemba db upgrade" in done.stdout
