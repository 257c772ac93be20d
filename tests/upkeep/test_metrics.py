"""/metrics: only with the token, right in sum over processes, and honest when the database is away."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError

import pytest
from flask import Flask
from sqlalchemy import text

from gemba.app import create_app
from gemba.config import ROOT
from gemba.db import db
from tests.cast import make_cast
from tests.conftest import MONDAY, StandingClock, settings_for
from tests.upkeep.test_start import GEMBA, PATIENCE, environ

TOKEN = "a-token-of-enough-length"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def watched(sqlite_url: str, tmp_path: Path, clock: StandingClock) -> Flask:
    """The app with a token."""
    return create_app(settings_for(sqlite_url, tmp_path, metrics_token=TOKEN), clock)


def value(page: str, name: str, *labels: str) -> float:
    """The sum of the samples of this name whose line has all labels."""
    lines = [line for line in page.splitlines() if re.match(rf"{name}[{{ ]", line)]
    return sum(float(line.split()[-1]) for line in lines if all(label in line for label in labels))


def test_without_a_token_there_is_no_such_page(site: Flask) -> None:
    client = site.test_client()
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize(
    "given", [None, "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é"]
)
def test_a_wrong_token_is_refused(watched: Flask, given: str | None) -> None:
    headers = {"Authorization": given} if given else {}
    answer = watched.test_client().get("/metrics", headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "gemba_" not in answer.text


def test_requests_outbox_and_visits_are_counted(watched: Flask) -> None:
    client = watched.test_client()
    with watched.app_context():
        make_cast(MONDAY)
        db.session.execute(
            text(
                "INSERT INTO outbox_item (kind, dedup_key, group_key, recipient, payload, state, run_at,"
                " attempts, last_error, created_at) VALUES ('mail', 'd', '', '', '{}', 'ready',"
                " '2026-11-23 07:58:20', 0, '', '2026-11-23 07:58:20')"
            )
        )
        db.session.commit()
    before = client.get("/metrics", headers=BEARER).text
    client.get("/healthz")
    client.get("/no/such/page")
    client.open("/healthz", method="BREW")
    page = client.get("/metrics", headers=BEARER)
    assert page.content_type.startswith("text/plain")
    after = page.text

    def grew(*labels: str) -> float:
        name = "gemba_http_requests_total"
        return value(after, name, *labels) - value(before, name, *labels)

    assert grew('endpoint="pages.healthz"', 'status="200"', 'method="GET"') == 1
    assert grew('endpoint="none"', 'status="404"') == 1
    assert grew('method="OTHER"') == 1
    assert value(after, "gemba_http_request_seconds_count", 'endpoint="pages.healthz"') >= 1
    assert value(after, "gemba_database_up") == 1
    assert value(after, "gemba_outbox_items", 'state="ready"') == 1
    assert value(after, "gemba_outbox_oldest_ready_seconds") == 100
    assert value(after, "gemba_visits", 'status="booked"') == 0


def test_a_database_that_is_away_is_a_figure(tmp_path: Path, clock: StandingClock) -> None:
    away = f"sqlite:///{tmp_path / 'empty.db'}"
    app = create_app(settings_for(away, tmp_path, metrics_token=TOKEN), clock)
    page = app.test_client().get("/metrics", headers=BEARER)
    assert page.status_code == 200
    assert value(page.text, "gemba_database_up") == 0
    assert "gemba_outbox_items" not in page.text


def ask(url: str) -> str:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=BEARER), timeout=10) as answer:
                return str(answer.read().decode())
        except (URLError, ConnectionError, TimeoutError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@pytest.mark.load
def test_several_processes_tell_one_sum(tmp_path: Path, port: int) -> None:
    surroundings = {**environ(tmp_path, port), "GEMBA_METRICS_TOKEN": TOKEN, "HOST": "127.0.0.1"}
    surroundings |= {"WEB_CONCURRENCY": "2", "TMPDIR": str(tmp_path)}
    subprocess.run([GEMBA, "db", "upgrade"], cwd=ROOT, env=surroundings, check=True, capture_output=True)
    gunicorn = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "wsgi:app"]
    server = subprocess.Popen(gunicorn, cwd=ROOT, env=surroundings, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        ask(f"{address}/metrics")
        for _ in range(40):
            ask(f"{address}/healthz")
        pages = [ask(f"{address}/metrics") for _ in range(6)]
        assert list(tmp_path.glob("gemba-metrics-*/*"))
    finally:
        os.kill(server.pid, signal.SIGTERM)
        assert server.wait(PATIENCE) == 0
    asked = [value(page, "gemba_http_requests_total", 'endpoint="pages.healthz"') for page in pages]
    assert asked == [40.0] * 6
    assert list(tmp_path.glob("gemba-metrics-*")) == []
