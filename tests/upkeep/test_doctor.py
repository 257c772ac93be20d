"""`gemba doctor` finds what is wrong, one thing at a time, and says what to do."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import oidc_provider_mock
import pytest
from flask import Flask
from sqlalchemy import select

from gemba.calendars import service as calendars
from gemba.cli import cli
from gemba.config import Imap, Oidc, Settings, Smtp, current_settings
from gemba.db import db
from gemba.outbox import service as outbox
from gemba.outbox.claims import database_now, heartbeat
from gemba.people import service as people
from gemba.people.models import Person
from gemba.schedule.models import BusySource
from gemba.trackers.rules.kinds import TrackerKind
from gemba.upkeep import doctor
from gemba.upkeep.doctor import Finding, examine
from tests.cast import Cast
from tests.conftest import MONDAY, StandingClock, settings_for
from tests.fakes.smtp import smtp_server
from tests.outbox.conftest import queued
from tests.trackers.fake import fake_tracker
from tests.trackers.stage import connect
from tests.upkeep.conftest import Maker, running


def about(subject: str, settings: Settings | None = None, now: datetime = MONDAY) -> Finding:
    db.session.commit()
    return next(each for each in examine(settings or current_settings(), now) if each.subject == subject)


@pytest.fixture
def healthy(make: Maker, clock: StandingClock) -> Flask:
    """A migrated database with one admin and a worker that was just seen."""
    app = make("here")
    clock.at = database_now() or MONDAY  # PostgreSQL's clock is the computer's own
    people.save_person(by=None, now=clock.at, email="adam@gemba.example", name="Adam", roles=("admin",))
    heartbeat("here:1", clock.at)
    db.session.commit()
    return app


def test_all_is_well(healthy: Flask, clock: StandingClock) -> None:
    done = healthy.test_cli_runner().invoke(cli, ["doctor"])
    assert "WRONG" not in done.output
    assert done.exit_code == 0
    assert len(done.output.splitlines()) == len(examine(current_settings(), clock()))


def test_a_new_database_is_told_what_to_run(sqlite_app_without_tables: Flask) -> None:
    done = sqlite_app_without_tables.test_cli_runner().invoke(cli, ["doctor"])
    assert done.exit_code == 1
    assert "gemba db upgrade" in done.output
    assert "worker" not in done.output


def test_a_database_that_is_away_says_so(tmp_path: Path, clock: StandingClock) -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
    with running(settings_for(url, tmp_path), clock):
        finding = examine(current_settings(), MONDAY)[0]
    assert not finding.ok
    assert "GEMBA_DATABASE_URL" in finding.words


def test_nobody_is_in(make: Maker) -> None:
    make("here")
    assert "gemba person add" in about("people").words
    assert "gemba worker" in about("worker").words


def test_a_silent_worker(app: Flask, cast: Cast) -> None:
    heartbeat("here:1", (database_now() or MONDAY) - timedelta(minutes=3))
    finding = about_here("worker")
    assert not finding.ok
    assert "180 s" in finding.words or "181 s" in finding.words


def about_here(subject: str) -> Finding:
    """Like `about`, on tables that were made without migrations."""
    db.session.commit()
    checks = {
        "worker": doctor._worker,
        "outbox": doctor._outbox,
        "calendars": doctor._calendars,
        "trackers": doctor._trackers,
        "clock": doctor._clock,
        "zones": doctor._zones,
    }
    return checks[subject](current_settings(), MONDAY)


def test_what_was_given_up_and_what_is_late(app: Flask, cast: Cast) -> None:
    now = database_now() or MONDAY
    outbox.queue("mail", dedup_key="a", group_key="", recipient="", payload={}, now=now - timedelta(hours=1))
    assert "60 minutes overdue" in about_here("outbox").words
    queued("a").state = "dead"
    assert "gemba outbox retry --failed" in about_here("outbox").words


def test_a_calendar_that_is_out_of_date_is_named(app: Flask, cast: Cast) -> None:
    secret = "https://calendar.example.com/private-3f0e8a2c/basic.ics"
    calendars.add_address(cast.alice, cast.alice.id, url=secret, now=MONDAY - timedelta(hours=5))
    assert about_here("calendars").ok
    row = db.session.scalars(select(BusySource)).one()
    row.created_at, row.fetched_at = MONDAY - timedelta(days=9), MONDAY - timedelta(hours=26)
    row.error = "gone"
    finding = about_here("calendars")
    assert not finding.ok
    assert "Alice Agent: calendar.example.com, last read 26 h ago. There is no calendar" in finding.words
    assert "private" not in finding.words
    row.fetched_at = None
    assert "never read" in about_here("calendars").words


def test_a_tracker_that_is_ill_is_named(site: Flask, site_cast: Cast, clock: StandingClock) -> None:
    settings = site.extensions["gemba_settings"]
    site.extensions["gemba_settings"] = replace(settings, fetch_allowed=("127.0.0.0/8",))
    with site.app_context(), fake_tracker(TrackerKind.GITLAB) as fake:
        assert about_here("trackers").words == "None is connected."
        row = connect(site_cast, fake, clock())
        assert about_here("trackers").words == "1 connected, all answer."
        row.checked = {**row.checked, "expires": "2026-11-30"}
        assert "Tracker: Its token ends on 2026-11-30." in about_here("trackers").words
        row.checked = {**row.checked, "expires": "2026-11-20"}
        fake.token_is_dead = True
        found = about_here("trackers")
        assert not found.ok
        assert "does not take the token any more. The token ended on 2026-11-20." in found.words
        row.credentials = "sealed with a key that is lost"
        assert "secret key was changed" in about_here("trackers").words
        assert "secret-token" not in about_here("trackers").words


def test_a_clock_that_went_back(site: Flask, site_cast: Cast) -> None:
    with site.app_context():
        adam = db.session.get_one(Person, site_cast.adam.id)
        people.audit(adam, "test", "test", {}, now=MONDAY + timedelta(hours=2))
        assert "Set the clock" in about_here("clock").words


def test_a_clock_that_shows_the_past(healthy: Flask) -> None:
    words = about("clock", now=datetime(1970, 1, 1, tzinfo=UTC)).words
    assert "clock" in words or "NTP" in words


def test_a_zone_nobody_knows(app: Flask, cast: Cast) -> None:
    cast.vera.timezone = "Mars/Olympus"
    finding = about_here("zones")
    assert (finding.ok, "Mars/Olympus" in finding.words, "tzdata" in finding.words) == (False, True, True)


@pytest.fixture
def plain(site: Flask) -> Iterator[Settings]:
    """Settings of an app in its context, to be changed."""
    with site.app_context():
        yield current_settings()


def test_mail_is_tried_without_sending_any(plain: Settings) -> None:
    with smtp_server() as server:
        assert about("mail", replace(plain, smtp=Smtp("127.0.0.1", server.port, "none"))).ok
        locked = replace(plain, smtp=Smtp("127.0.0.1", server.port, "none", "user", "wrong"))
        finding = about("mail", locked)
    assert not finding.ok
    assert "GEMBA_SMTP_URL" in finding.words
    assert server.received == []


def test_replies_are_looked_for_where_they_are_set(plain: Settings) -> None:
    assert "not received" in about("replies", plain).words
    gone = replace(plain, imap=Imap("127.0.0.1", 1, "none", "gemba", "secret"))
    finding = about("replies", gone)
    assert not finding.ok
    assert "GEMBA_IMAP_URL" in finding.words
    assert "secret" not in finding.words
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        open_door = replace(plain, lmtp_listen=("127.0.0.1", port), hooks_secret="x" * 32)
        assert about("replies", open_door) == Finding(
            "replies", True, f"LMTP at 127.0.0.1:{port}; signed mail at /hooks/mail."
        )
    assert "GEMBA_LMTP_LISTEN" in about("replies", open_door).words


def test_a_mail_folder_that_cannot_be(plain: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not about("mail", replace(plain, instance=tmp_path / "file")).ok


def test_the_provider_is_asked_who_it_is(plain: Settings) -> None:
    with oidc_provider_mock.run_server_in_thread() as server:
        issuer = f"http://localhost:{server.server_port}"
        assert about("sign-in", replace(plain, oidc=Oidc(issuer, "id", "secret"))).ok
        elsewhere = Oidc(f"http://127.0.0.1:{server.server_port}", "id", "secret")
        finding = about("sign-in", replace(plain, oidc=elsewhere))
        assert finding.ok or "GEMBA_OIDC_ISSUER" in finding.words
    gone = about("sign-in", replace(plain, oidc=Oidc("http://127.0.0.1:1", "id", "secret")))
    assert (gone.ok, "GEMBA_OIDC_ISSUER" in gone.words) == (False, True)


@pytest.mark.parametrize(
    ("url", "proxies", "ok"),
    [
        ("http://127.0.0.1:8000", 0, True),
        ("http://localhost", 0, True),
        ("http://gemba.example.com", 0, False),
        ("https://gemba.example.com", 0, False),
        ("https://gemba.example.com", 1, True),
    ],
)
def test_the_address(plain: Settings, url: str, proxies: int, ok: bool) -> None:
    assert about("address", replace(plain, base_url=url, trusted_proxies=proxies)).ok is ok


def test_a_short_key_and_a_folder_that_is_gone(plain: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not about("secret key", replace(plain, secret_key="short")).ok
    assert not about("disk", replace(plain, instance=tmp_path / "file" / "in it")).ok
