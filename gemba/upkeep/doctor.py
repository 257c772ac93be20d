"""`gemba doctor`: one line per thing a healthy Gemba needs, and what to do where it is ill."""

import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from tempfile import TemporaryFile
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import requests
from limits.errors import ConfigurationError
from limits.storage import storage_from_string
from sqlalchemy import func, select, text, union

from gemba.calendars import service as calendars
from gemba.calendars.copies import sentence_of
from gemba.config import Settings
from gemba.db import db, reading
from gemba.demo import state as demo
from gemba.inbox import mailbox
from gemba.migrate import newest_revision, readiness
from gemba.outbox import service as outbox
from gemba.outbox.claims import database_now
from gemba.outbox.delivery import ToServer
from gemba.outbox.rules import Temporary
from gemba.people.models import AuditEntry, Person
from gemba.schedule.models import Availability, BusySource
from gemba.trackers.service import connections

LOOPBACK = ("localhost", "127.0.0.1", "::1")
WRITTEN = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock that shows an earlier time is right: this code is younger."""
APART = timedelta(seconds=30)
FREE_BYTES = 100 * 1024 * 1024
KEY_LENGTH = 32
CALENDARS_NAMED = 5
TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Finding:
    """What was looked at, and how it is: a fact where ok, else what is wrong and what to do."""

    subject: str
    ok: bool
    words: str


def examine(settings: Settings, now: datetime) -> list[Finding]:
    """Everything that could be wrong. Where the database does not answer, what lives in it is left out."""
    with reading():
        first = _database()
        checks = [*IN_DATABASE, *OUTSIDE] if first.ok else OUTSIDE
        findings = [first, *(check(settings, now) for check in checks)]
        db.session.rollback()
    return findings


def _database() -> Finding:
    kind = {"sqlite": "SQLite"}.get(db.engine.dialect.name, "PostgreSQL")
    reason = readiness()
    if reason:
        hint = " Is it started, and GEMBA_DATABASE_URL right?" if "answer" in reason else ""
        return Finding("database", False, f"{reason}{hint}")
    if kind == "SQLite":
        damage = db.session.scalar(text("PRAGMA quick_check(1)"))
        if damage != "ok":
            return Finding("database", False, f"The file is damaged ({damage}). Restore the last backup.")
    return Finding("database", True, f"{kind}, revision {newest_revision()}.")


def _worker(_settings: Settings, now: datetime) -> Finding:
    waiting = outbox.waiting(database_now() or now)
    if waiting.silent is None:
        return Finding(
            "worker", False, "No worker was ever seen: mail will not leave. Start one: gemba worker"
        )
    if waiting.worker_is_silent:
        since = int(waiting.silent.total_seconds())
        return Finding(
            "worker", False, f"No worker was seen for {since} s: mail does not leave. Start one: gemba worker"
        )
    return Finding("worker", True, f"Seen {int(waiting.silent.total_seconds())} s ago.")


def _outbox(_settings: Settings, now: datetime) -> Finding:
    waiting = outbox.waiting(database_now() or now)
    if waiting.dead:
        return Finding(
            "outbox",
            False,
            f"{waiting.dead} messages were given up. See why: gemba outbox list --state dead; "
            "then: gemba outbox retry --failed",
        )
    if waiting.overdue and waiting.oldest is not None:
        minutes = int(waiting.oldest.total_seconds() // 60)
        return Finding(
            "outbox", False, f"A message is {minutes} minutes overdue. Look at worker and mail below."
        )
    return Finding("outbox", True, f"{waiting.waiting} messages wait.")


def _calendars(_settings: Settings, now: datetime) -> Finding:
    stale = calendars.stale_sources(now)
    if not stale:
        return Finding("calendars", True, "All busy calendars are up to date.")
    named = [
        f"{name}: {urlsplit(row.url).hostname}, {_since(row, now)} {sentence_of(row.error)}".strip()
        for name, row in stale[:CALENDARS_NAMED]
    ]
    more = ", among them" if len(stale) > CALENDARS_NAMED else ""
    return Finding(
        "calendars",
        False,
        f"{len(stale)} out of date{more}: {' '.join(named)} Is a worker running? "
        "An agent can add a calendar anew.",
    )


def _since(row: BusySource, now: datetime) -> str:
    if row.fetched_at is None:
        return "never read."
    return f"last read {int((now - row.fetched_at).total_seconds() // 3600)} h ago."


def _trackers(_settings: Settings, now: datetime) -> Finding:
    rows = connections.every()
    today = now.astimezone(UTC).date()
    ill = [(row.name, words) for row in rows if (words := connections.complaint(row, today))]
    if ill:
        named = " ".join(f"{name}: {words}" for name, words in ill)
        return Finding("trackers", False, f"{named} An admin can mend it on the page Trackers.")
    return Finding("trackers", True, f"{len(rows)} connected, all answer." if rows else "None is connected.")


def _clock(_settings: Settings, now: datetime) -> Finding:
    newest = db.session.scalar(select(func.max(AuditEntry.at)))
    theirs = database_now()
    if newest is not None and newest > now + APART:
        return Finding(
            "clock",
            False,
            f"It shows {now:%Y-%m-%d %H:%M} UTC, but the log goes on after that. Set the clock.",
        )
    if theirs is not None and abs(theirs - now) > APART:
        seconds = int(abs(theirs - now).total_seconds())
        return Finding("clock", False, f"It is {seconds} s apart from the database's. Let both follow NTP.")
    return _plain_clock(now)


def _plain_clock(now: datetime) -> Finding:
    if now < WRITTEN:
        return Finding(
            "clock", False, f"It shows {now:%Y-%m-%d %H:%M} UTC, which is long ago. Set the clock."
        )
    return Finding("clock", True, f"{now:%Y-%m-%d %H:%M:%S} UTC.")


def _zones(_settings: Settings, _now: datetime) -> Finding:
    used = set(db.session.scalars(union(select(Person.timezone), select(Availability.timezone))))
    unknown = sorted(name for name in used if not _is_zone(name))
    if unknown:
        return Finding(
            "time zones", False, f"There is no data for {', '.join(unknown)}. Update the package tzdata."
        )
    return Finding("time zones", True, f"{len(used)} in use, all known (tzdata {version('tzdata')}).")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _people(settings: Settings, _now: datetime) -> Finding:
    count = db.session.scalar(select(func.count()).select_from(Person).where(Person.active)) or 0
    if demo.is_demo() and urlsplit(settings.base_url).hostname not in LOOPBACK:
        return Finding(
            "people",
            False,
            "This is the demo, where anyone may sign in as anyone. Use another database here.",
        )
    if not count:
        return Finding(
            "people", False, "Nobody is in yet. Add an admin: gemba person add EMAIL --role admin …"
        )
    return Finding("people", True, f"{count}{' of the demo company' if demo.is_demo() else ''}.")


def _mail(settings: Settings, _now: datetime) -> Finding:
    if settings.smtp is None:
        return _mail_folder(settings)
    server = ToServer(settings.smtp, settings.mail_from)
    try:
        server.greet()
    except Temporary as failure:
        return Finding("mail", False, f"{failure} Check GEMBA_SMTP_URL.")
    finally:
        server.close()
    return Finding("mail", True, f"{settings.smtp.host}:{settings.smtp.port} lets us in.")


def _mail_folder(settings: Settings) -> Finding:
    folder = settings.mail_folder
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding(
            "mail", False, f"{folder} cannot be written ({error.strerror}). Give us the right to it."
        )
    return Finding("mail", True, f"Written into {folder}; set GEMBA_SMTP_URL to send it.")


def _replies(settings: Settings, _now: datetime) -> Finding:
    if not settings.takes_replies:
        return Finding("replies", True, "Answers by mail are not received; set GEMBA_IMAP_URL to read them.")
    ways = []
    if settings.imap is not None:
        try:
            waiting = mailbox.greet(settings.imap)
        except mailbox.Unreachable as failure:
            return Finding("replies", False, f"{failure} Check GEMBA_IMAP_URL.")
        ways.append(f"{settings.imap.host}:{settings.imap.port} lets us in, {waiting} unread")
    if settings.lmtp_listen is not None:
        host, port = settings.lmtp_listen
        try:
            socket.create_connection((host, port), TIMEOUT_SECONDS).close()
        except OSError:
            return Finding(
                "replies",
                False,
                f"Nobody listens at {host}:{port}. Start a worker, or check GEMBA_LMTP_LISTEN.",
            )
        ways.append(f"LMTP at {host}:{port}")
    if settings.hooks_secret is not None:
        ways.append("signed mail at /hooks/mail")
    return Finding("replies", True, f"{'; '.join(ways)}.")


def _sign_in(settings: Settings, _now: datetime) -> Finding:
    if settings.oidc is None:
        return Finding("sign-in", True, "By mailed link and code.")
    issuer = settings.oidc.issuer
    try:
        answer = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        found = str(answer.json()["issuer"]).rstrip("/")
    except (requests.RequestException, ValueError, LookupError, TypeError) as error:
        kind = type(error).__name__
        return Finding(
            "sign-in", False, f"{issuer} does not describe itself ({kind}). Check GEMBA_OIDC_ISSUER."
        )
    if found != issuer:
        return Finding("sign-in", False, f"The provider calls itself {found}. Set GEMBA_OIDC_ISSUER to that.")
    return Finding("sign-in", True, f"By mailed link and code, and with {issuer}.")


def _limits(settings: Settings, _now: datetime) -> Finding:
    if settings.redis_url is None:
        return Finding("rate limits", True, "Kept by each process; set GEMBA_REDIS_URL to share them.")
    try:
        alive = storage_from_string(settings.redis_url).check()
    except ConfigurationError:
        return Finding("rate limits", False, "GEMBA_REDIS_URL needs the package redis. Install it.")
    if not alive:
        return Finding("rate limits", False, "Redis does not answer. Check GEMBA_REDIS_URL.")
    return Finding("rate limits", True, "Shared through Redis.")


def _address(settings: Settings, _now: datetime) -> Finding:
    host = urlsplit(settings.base_url).hostname or ""
    if not settings.secure and host not in LOOPBACK:
        return Finding(
            "address", False, f"{settings.base_url} is not https. Serve it over https and set GEMBA_BASE_URL."
        )
    if settings.secure and not settings.trusted_proxies:
        return Finding(
            "address",
            False,
            "https means a proxy in front, and none is trusted: all people look like one to the rate limits. "
            "Set GEMBA_TRUSTED_PROXIES=1 (or how many there are).",
        )
    return Finding("address", True, f"{settings.base_url}.")


def _secret(settings: Settings, _now: datetime) -> Finding:
    if len(settings.secret_key) < KEY_LENGTH:
        return Finding(
            "secret key",
            False,
            f"It has fewer than {KEY_LENGTH} characters. Delete {settings.instance / 'secret_key'} and "
            "restart: a new one is made, and everybody signs in again.",
        )
    return Finding("secret key", True, "Long enough.")


def _disk(settings: Settings, _now: datetime) -> Finding:
    try:
        free = shutil.disk_usage(settings.instance).free
    except OSError as error:
        return Finding("disk", False, f"{settings.instance} cannot be used ({error.strerror}).")
    if free < FREE_BYTES or not os.access(settings.instance, os.W_OK):
        return Finding(
            "disk", False, f"{settings.instance} has {free // 1_000_000} MB free or is read-only. Make room."
        )
    return Finding("disk", True, f"{free / 1_000_000_000:.1f} GB free.")


Check = Callable[[Settings, datetime], Finding]

IN_DATABASE: list[Check] = [_people, _worker, _outbox, _calendars, _trackers, _clock, _zones]
OUTSIDE: list[Check] = [_mail, _replies, _sign_in, _limits, _address, _secret, _disk]
