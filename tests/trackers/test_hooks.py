"""Webhooks: signed as each vendor does, believed only as a hint, harmless when they come twice."""

import base64
import hashlib
import hmac
import json
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.outbox.models import OutboxItem
from gemba.people.models import Person
from gemba.trackers.adapters import ADAPTERS
from gemba.trackers.adapters.base import hook_json
from gemba.trackers.rules.kinds import TRAITS, TrackerKind
from gemba.trackers.service import connections
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.trackers.stage import CREDENTIALS

SECRET = "a-secret-of-thirty-two-characters"
BODIES: dict[TrackerKind, tuple[dict[str, object], str]] = {
    TrackerKind.JIRA: ({"issue": {"id": "10001"}}, "10001"),
    TrackerKind.JIRA_DC: ({"issue": {"id": "10001"}}, "10001"),
    TrackerKind.GITHUB: ({"action": "closed", "issue": {"number": 7}}, "7"),
    TrackerKind.GITLAB: ({"object_kind": "issue", "object_attributes": {"iid": 7}}, "7"),
    TrackerKind.YANDEX: ({"key": "QUEUE-7"}, "QUEUE-7"),
    TrackerKind.YOUTRACK: ({"issue": {"id": "2-7"}}, "2-7"),
    TrackerKind.LINEAR: ({"type": "Issue", "data": {"id": "u"}}, "u"),
    TrackerKind.REDMINE: ({"type": "issue.updated", "data": {"issue": {"id": 7}}}, "7"),
    TrackerKind.AZURE: ({"resource": {"workItemId": 7, "id": 3}}, "7"),
    TrackerKind.GITEA: ({"issue": {"number": 7}}, "7"),
}
"""A body as each sends it, and the ticket it speaks of."""


def signed(kind: TrackerKind, raw: bytes, secret: str, now: datetime) -> dict[str, str]:
    """The headers with which this vendor signs."""
    code = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    if kind is TrackerKind.GITLAB:
        at = str(int(now.timestamp()))
        whole = hmac.new(secret.encode(), f"m1.{at}.".encode() + raw, hashlib.sha256).digest()
        signature = f"v1,{base64.b64encode(whole).decode()}"
        return {"webhook-id": "m1", "webhook-timestamp": at, "webhook-signature": signature}
    known = {
        TrackerKind.JIRA: {"X-Hub-Signature": f"sha256={code}"},
        TrackerKind.JIRA_DC: {"X-Hub-Signature": f"sha256={code}"},
        TrackerKind.GITHUB: {"X-Hub-Signature-256": f"sha256={code}"},
        TrackerKind.LINEAR: {"Linear-Signature": code},
        TrackerKind.REDMINE: {"X-Redmine-Signature-256": f"sha256={code}"},
        TrackerKind.GITEA: {"X-Gitea-Signature": code},
    }
    return known.get(kind, {"X-Gemba-Secret": secret})


def body_of(kind: TrackerKind, now: datetime) -> bytes:
    """A webhook's body, with Linear's timestamp."""
    more = {"webhookTimestamp": int(now.timestamp() * 1000)} if kind is TrackerKind.LINEAR else {}
    return json.dumps({**BODIES[kind][0], **more}).encode()


@pytest.fixture
def made(site: Flask, site_cast: Cast, clock: StandingClock) -> dict[TrackerKind, tuple[int, str]]:
    """A connection of each kind: its id and its webhook secret."""
    found = {}
    with site.app_context():
        adam = db.session.get_one(Person, site_cast.adam.id)
        for kind in TrackerKind:
            traits = TRAITS[kind]
            given = {each.name: CREDENTIALS[each.name] for each in traits.credentials}
            values = {
                "kind": kind.value,
                "base_url": "https://t.example",
                "project": traits.project,
                "credentials": given,
            }
            row = connections.add(adam, values, now=clock())
            found[kind] = row.id, connections.hook_secret_of(row)
        db.session.commit()
    return found


def looks(site: Flask) -> list[list[str]]:
    """The tickets that errands were queued for."""
    with site.app_context():
        rows = db.session.scalars(select(OutboxItem.payload).where(OutboxItem.kind == "tracker-look")).all()
    return [row["refs"] for row in rows]


def test_signed_ones_are_taken_and_all_others_not(
    site: Flask, browser: Browser, clock: StandingClock, made: dict[TrackerKind, tuple[int, str]]
) -> None:
    client = browser.anonymous()
    for kind, (number, secret) in made.items():
        before = len(looks(site))
        raw = body_of(kind, clock())
        path, good = f"/hooks/trackers/{number}", signed(kind, raw, secret, clock())
        for headers in (
            {},
            signed(kind, raw, SECRET, clock()),
            signed(kind, b"other" + raw, SECRET, clock()),
        ):
            assert client.post(path, data=raw, headers=headers).status_code == 401, kind
        assert len(looks(site)) == before
        for _again in range(2):
            assert client.post(path, data=raw, headers=good).status_code == 202, kind
        assert looks(site)[before:] == [[BODIES[kind][1]]], f"{kind}: a replay is one look"
        assert client.get(path).status_code == 405


def test_old_ones_and_those_to_nobody_are_refused(
    browser: Browser, clock: StandingClock, made: dict[TrackerKind, tuple[int, str]]
) -> None:
    client = browser.anonymous()
    for kind in (TrackerKind.LINEAR, TrackerKind.GITLAB):
        number, secret = made[kind]
        raw = body_of(kind, clock())
        headers = signed(kind, raw, secret, clock())
        clock.forward(minutes=6)
        assert client.post(f"/hooks/trackers/{number}", data=raw, headers=headers).status_code == 401
    assert client.post("/hooks/trackers/999", data=b"{}").status_code == 401


def test_gitlab_s_plain_token_counts_too(browser: Browser, made: dict[TrackerKind, tuple[int, str]]) -> None:
    number, secret = made[TrackerKind.GITLAB]
    for token, status in ((secret, 202), ("wrong", 401)):
        answer = browser.anonymous().post(
            f"/hooks/trackers/{number}", data=b"{}", headers={"X-Gitlab-Token": token}
        )
        assert answer.status_code == status


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b'"x"', b"{", b'{"issue": 3}', b"[" * 5000])
def test_no_body_breaks_the_hook(
    raw: bytes, browser: Browser, made: dict[TrackerKind, tuple[int, str]]
) -> None:
    number, secret = made[TrackerKind.GITHUB]
    code = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": f"sha256={code}"}
    assert browser.anonymous().post(f"/hooks/trackers/{number}", data=raw, headers=headers).status_code == 202


def test_an_empty_secret_signs_nothing(clock: StandingClock) -> None:
    for kind, adapter in ADAPTERS.items():
        raw = body_of(kind, clock())
        headers = {name.lower(): value for name, value in signed(kind, raw, "", clock()).items()}
        assert not adapter.verify(headers, raw, "", clock()), kind
        assert adapter.refs_in(hook_json(raw)) == [BODIES[kind][1]]
