"""Every route × every role × someone else's object: who gets in is decided here, line by line.

The world holds one visit of Vera with Alice (her line is led by Lev), Vera's note and the insight it
made, Vera's sign-in and token, a mail that failed. Whoever is not named for a route is refused, and a
refusal changes nothing in the database.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.app import create_app
from gemba.calendars import service as calendars
from gemba.db import db
from gemba.insights import service as insights
from gemba.insights.models import Insight, Picture
from gemba.insights.rules.kinds import Kind
from gemba.insights.service import bulk, saved, talk
from gemba.outbox.models import OutboxItem
from gemba.people import service as people
from gemba.people.models import ApiToken, Person, SignIn
from gemba.programmes.models import Programme
from gemba.programmes.training import service as training
from gemba.programmes.training.rules import StepKind, StepText
from gemba.rounds.models import Round
from gemba.trackers.models import Claim
from gemba.trackers.service import connections, exports
from gemba.visits import service as visits
from gemba.visits.facts import Ask
from gemba.web.access import access_of
from gemba.webhooks import service as webhooks
from tests.cast import Cast, make_cast
from tests.conftest import Browser, StandingClock, fresh_sqlite, settings_for, shared_app

NAMES = ("alice", "anton", "ada", "vera", "lev", "lena", "olga", "adam", "eve")
ALL = frozenset(NAMES)
PUBLIC = frozenset({"guest", *NAMES})
VISIT = frozenset({"vera", "alice", "lev", "adam"})
TAKERS = frozenset({"vera", "alice", "lev"})
AUTHOR = frozenset({"vera"})
EDITORS = frozenset({"olga", "adam"})
ADMIN = frozenset({"adam"})
AGENTS = frozenset({"alice", "anton", "ada"})
ALICES_HOURS = frozenset({"alice", "lev", "adam"})
LINE_LEADS = frozenset({"lev", "adam"})
LEADS = frozenset({"lev", "lena", "adam"})
NOBODY: frozenset[str] = frozenset()

WHO: dict[str, frozenset[str]] = {
    "home.home": PUBLIC,
    "pages.healthz": PUBLIC,
    "pages.readyz": PUBLIC,
    "pages.language": PUBLIC,
    "pages.service_worker": PUBLIC,
    "pages.metrics": NOBODY,
    "people.sign_in": PUBLIC,
    "people.ask_for_sign_in": PUBLIC,
    "people.sign_in_code": PUBLIC,
    "people.type_code": PUBLIC,
    "people.sign_in_link": PUBLIC,
    "people.use_link": PUBLIC,
    "people.start_oidc": PUBLIC,
    "people.oidc_callback": PUBLIC,
    "people.sign_out": ALL,
    "people.profile": ALL,
    "people.save_profile": ALL,
    "people.save_mail_choices": ALL,
    "people.mail": PUBLIC,
    "people.turn_mail": PUBLIC,
    "people.end_sign_in": AUTHOR,
    "people.end_sign_ins": ALL,
    "people.make_token": ALL,
    "people.revoke_token": AUTHOR,
    "people.index": ADMIN,
    "people.new": ADMIN,
    "people.add": ADMIN,
    "people.person": ADMIN,
    "people.change": ADMIN,
    "people.sign_out_person": ADMIN,
    "people.unlink": ADMIN,
    "people.lines": ADMIN,
    "people.add_line": ADMIN,
    "people.change_line": ADMIN,
    "people.add_product": ADMIN,
    "people.change_product": ADMIN,
    "programmes.index": ADMIN,
    "programmes.new": ADMIN,
    "programmes.create": ADMIN,
    "programmes.edit": ADMIN,
    "programmes.update": ADMIN,
    "rounds.goals": LEADS,
    "programmes.copy": ADMIN,
    "programmes.people": ADMIN,
    "programmes.add_people": ADMIN,
    "programmes.remove_person": ADMIN,
    "wizard.begin": ADMIN,
    "wizard.create": ADMIN,
    "wizard.step": ADMIN,
    "wizard.save": ADMIN,
    "wizard.start": ADMIN,
    "wizard.throw_away": ADMIN,
    "training.show": ALL,
    "training.take": ALL,
    "training.file": ALL,
    "training.index": ADMIN,
    "training.sign": ADMIN,
    "training.steps": ADMIN,
    "training.new": ADMIN,
    "training.edit": ADMIN,
    "training.move": ADMIN,
    "training.remove": ADMIN,
    "schedule.availability": AGENTS,
    "schedule.save": AGENTS,
    "schedule.agent_availability": ALICES_HOURS,
    "schedule.save_agent": ALICES_HOURS,
    "schedule.pause": ALICES_HOURS,
    "schedule.preview": ALICES_HOURS,
    "schedule.set_date": ALICES_HOURS,
    "schedule.put_back": ALICES_HOURS,
    "schedule.open_again": ALICES_HOURS,
    "schedule.holiday_parts": ALL,
    "schedule.quiet_hours": LINE_LEADS,
    "schedule.save_quiet_hours": LINE_LEADS,
    "calendars.index": ALICES_HOURS,
    "calendars.add": ALICES_HOURS,
    "calendars.refresh": ALICES_HOURS,
    "calendars.remove": ALICES_HOURS,
    "offered.hours": ALICES_HOURS,
    "team.index": LEADS,
    "visits.index": ALL,
    "visits.book": ALL,
    "visits.show": VISIT,
    "visits.move": VISIT,
    "visits.cancel": VISIT,
    "visits.outcome": VISIT,
    "visits.invite": VISIT,
    "edits.answer": VISIT,
    "edits.accept": VISIT - {"vera"},
    "edits.keep": VISIT - {"vera"},
    "edits.edit_words": VISIT,
    "edits.hand_on": VISIT - {"alice"},
    "answers.show": PUBLIC,
    "answers.answer": PUBLIC,
    "answers.move": PUBLIC,
    "answers.cancel": PUBLIC,
    "answers.outcome": PUBLIC,
    "answers.accept": PUBLIC,
    "answers.keep": PUBLIC,
    "life.approve": VISIT - {"vera", "alice"},
    "life.decline": VISIT - {"vera", "alice"},
    "life.take": VISIT,
    "life.refuse": VISIT,
    "life.swap": VISIT - {"vera", "alice"},
    "life.swap_mentor": VISIT - {"vera", "alice"},
    "debriefs.debrief": NOBODY,
    "life.wait": ALL,
    "life.stop_waiting": ALL,
    "rounds.show": ALL,
    "rounds.withdraw": ALL,
    "rounds.wait": ALL,
    "rounds.capacity": AGENTS,
    "rounds.coming_back": ALL,
    "rounds.book_again": ALL,
    "rounds.standing": ADMIN,
    "rounds.set_head": ADMIN,
    "rounds.index": ADMIN,
    "rounds.new": ADMIN,
    "rounds.edit": ADMIN,
    "rounds.manage": ADMIN,
    "rounds.invite": ADMIN,
    "rounds.remind": ADMIN,
    "rounds.ask_agents": ADMIN,
    "rounds.close": ADMIN,
    "rounds.propose": ADMIN,
    "rounds.stop": ADMIN,
    "rounds.proposal": ADMIN,
    "rounds.progress": ADMIN,
    "rounds.person": ADMIN,
    "rounds.change": ADMIN,
    "rounds.pin": ADMIN,
    "rounds.drop": ADMIN,
    "rounds.publish": ADMIN,
    "rounds.repair": ADMIN,
    "rounds.carry_out": ADMIN,
    "insights.backlog": ALL,
    "insights.board": ALL,
    "insights.asked_for": ALL,
    "insights.asks_file": ALL,
    "insights.me_too": PUBLIC,
    "insights.say_me_too": PUBLIC,
    "insights.export": ALL,
    "insights.contributions": ALL,
    "insights.triage": EDITORS,
    "insights.sort": EDITORS,
    "insights.new": EDITORS,
    "insights.near_typed": EDITORS,
    "insights.show": ALL,
    "insights.vote": ALL,
    "insights.edit": EDITORS,
    "insights.status": EDITORS,
    "insights.merge": EDITORS,
    "insights.unmerge": EDITORS,
    "insights.split": EDITORS,
    "insights.put_back": EDITORS,
    "insights.top": ALL,
    "insights.matrix": ALL,
    "insights.weights": EDITORS,
    "insights.save_weights": EDITORS,
    "insights.statuses": ADMIN,
    "insights.rank": EDITORS,
    "insights.change_many": EDITORS,
    "insights.undo_many": EDITORS,
    "insights.keep_view": ALL,
    "insights.remove_view": AUTHOR,
    "insights.comment": ALL,
    "insights.remove_comment": AUTHOR | ADMIN,
    "insights.follow": ALL,
    "insights.link": EDITORS,
    "insights.notes": TAKERS,
    "insights.consent": TAKERS,
    "insights.note_pictures": AUTHOR,
    "insights.picture": ALL,
    "insights.remove_picture": AUTHOR,
    "insights.files": EDITORS,
    "insights.remove_file": EDITORS,
    "insights.restore_file": EDITORS,
    "insights.wrap_up": TAKERS,
    "insights.thanks": TAKERS,
    "insights.sheet": TAKERS,
    "insights.feedback": EDITORS,
    "insights.briefing": TAKERS,
    "insights.still_there": TAKERS,
    "insights.review": frozenset({"alice"}),
    "insights.keep_draft": TAKERS,
    "insights.pulse": TAKERS,
    "insights.start_now": TAKERS,
    "insights.edit_note": AUTHOR,
    "insights.remove_note": AUTHOR,
    "insights.restore_note": AUTHOR,
    "insights.add_evidence": AUTHOR,
    "webhooks.index": ADMIN,
    "webhooks.create": ADMIN,
    "webhooks.show": ADMIN,
    "webhooks.ping": ADMIN,
    "webhooks.remove": ADMIN,
    "trackers.index": EDITORS,
    "trackers.new": ADMIN,
    "trackers.create": ADMIN,
    "trackers.show": EDITORS,
    "trackers.check": ADMIN,
    "trackers.edit": ADMIN,
    "trackers.remove": ADMIN,
    "trackers.mapping": ADMIN,
    "trackers.choose": EDITORS,
    "trackers.choose_ticked": EDITORS,
    "trackers.preview": EDITORS,
    "trackers.start": EDITORS,
    "trackers.export": EDITORS,
    "trackers.find": EDITORS,
    "trackers.link": EDITORS,
    "trackers.again": EDITORS,
    "trackers.unlink": EDITORS,
    "tracker_hooks.tracker": PUBLIC,
    "personal.data": ALL,
    "personal.download": ALL,
    "personal.erase": ALL,
    "feeds.calendar": PUBLIC,
    "feeds.index": ALL,
    "feeds.make": ALL,
    "feeds.end": ALL,
    "outbox.index": ADMIN,
    "outbox.show": ADMIN,
    "outbox.retry_failed": ADMIN,
    "outbox.retry": ADMIN,
    "outbox.discard": ADMIN,
    "inbox.received": ADMIN,
    "inbox.let_count": ADMIN,
    "inbox.dismiss": ADMIN,
    "hooks.mail": PUBLIC,
}
WITHOUT_OIDC = {"people.start_oidc", "people.oidc_callback"}


@dataclass
class World:
    """The site, who is who, and the values that stand in addresses."""

    site: Flask
    browser: Browser
    ids: dict[str, int]
    values: dict[str, object] = field(default_factory=dict)

    def state(self) -> str:
        """Everything the database holds, but for when sign-ins were last seen."""
        with self.site.app_context():
            tables = {
                table.name: sorted(
                    json.dumps([str(value) for value in row])
                    for row in db.session.execute(select(*[c for c in table.columns if c.name != "seen_at"]))
                )
                for table in db.metadata.sorted_tables
                if table.name not in ("sign_in", "sign_in_request", "audit_entry")
            }
            return json.dumps(tables)


def _fill(cast: Cast, clock: StandingClock) -> dict[str, object]:
    visit = visits.book(
        programme=cast.programme,
        visitor=cast.vera,
        start=datetime(2026, 11, 26, 9, tzinfo=UTC),
        ask=Ask(agent_id=cast.alice.id),
        now=clock(),
    )
    later = visit.starts_at + timedelta(days=1)
    visits.take_proposal(visit.id, cast.vera.id, later, later + timedelta(hours=1), "", 0, None, now=clock())
    clock.at = visit.starts_at + timedelta(minutes=10)
    note, _new = insights.record(
        visit.id,
        cast.vera,
        "6f1c0f52-4d4b-4f8e-9d86-0f6c3a1f2b11",
        insights.NoteFields(text="Copies the order number by hand", kind=Kind.TOOL_PAIN),
        now=clock(),
    )
    picture = Picture(
        observation_id=note.id,
        author_id=cast.vera.id,
        file="00/x.png",
        media="image/png",
        width=1,
        height=1,
        size=1,
        created_at=clock(),
    )
    file = Picture(
        insight_id=note.insight_id,
        author_id=cast.olga.id,
        file="00/x.pdf",
        name="x.pdf",
        media="application/pdf",
        width=0,
        height=0,
        size=1,
        created_at=clock(),
    )
    db.session.add_all([picture, file])
    campaign = Round(
        programme_id=cast.programme.id, name="R", opens_at=clock(), closes_at=clock() + timedelta(days=9)
    )
    db.session.add(campaign)
    people.begin_sign_in(cast.vera.id, method="test", browser="other", now=clock())
    people.make_token(cast.vera, "script", "read", clock())
    mail = db.session.scalars(select(OutboxItem)).first()
    assert mail is not None
    mail.state = "dead"
    source = calendars.add_address(cast.alice, cast.alice.id, url="https://a.example/b.ics", now=clock())
    tracker = connections.add(
        cast.adam, {"kind": "github", "project": "o/r", "credentials": {"token": "x"}}, now=clock()
    )
    webhook = webhooks.add(cast.adam, "https://hooks.example.com/x", ["visit.booked"], now=clock())
    insight = db.session.scalars(select(Insight.id)).one()
    export = exports.start(tracker.id, cast.olga, [insight], url_of=str, now=clock())
    claim = db.session.scalars(select(Claim)).one()
    claim.state = "ask"
    many = bulk.change([insight], cast.olga, {"step": "Search"}, now=clock())
    view = saved.keep(cast.vera, "Mine", "owner=me", shared=False, now=clock())
    comment = talk.say(insight, cast.vera, "Mine too", now=clock())
    till = Programme(slug="till", name="Till", format="hands-on", created_at=clock())
    db.session.add(till)
    db.session.flush()
    text = StepText("Signed")
    step = training.add_step(cast.adam, "till", StepKind.SIGN_OFF, text, None, now=clock())
    db.session.commit()
    return {
        "tracker_id": tracker.id,
        "webhook_id": webhook.id,
        "export_id": export.id,
        "ticket_id": claim.id,
        "comment_id": comment.id,
        "bulk_id": many.id,
        "view_id": view.id,
        "visit_id": visit.id,
        "proposal_id": visits.proposals_of(visit.id)[0].id,
        "source_id": source.id,
        "note_id": note.id,
        "picture_id": picture.id,
        "file_id": file.id,
        "insight_id": db.session.scalars(select(Insight.id)).one(),
        "round_id": campaign.id,
        "sign_in_id": db.session.scalars(select(SignIn.id)).one(),
        "token_id": db.session.scalars(select(ApiToken.id)).one(),
        "item_id": mail.id,
        "mail_id": 1,
        "person_id": cast.vera.id,
        "agent_id": cast.alice.id,
        "line_id": cast.line.id,
        "product_id": cast.checkout.id,
        "slug": till.slug,
        "step_id": step.id,
        "step": "format",
        "token": "x" * 43,
        "secret": "x" * 43,
    }


@dataclass
class Made:
    """A world written once, to be copied for each test."""

    database: bytes
    ids: dict[str, int]
    values: dict[str, object]
    at: datetime


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Made:
    folder, clock = tmp_path_factory.mktemp("world"), StandingClock()
    path = folder / "gemba.db"
    path.write_bytes(sqlite_template.read_bytes())
    site = create_app(settings_for(f"sqlite:///{path}", folder), clock)
    with site.app_context():
        cast = make_cast(clock())
        values = _fill(cast, clock)
        ids = {name: int(getattr(cast, name).id) for name in NAMES}
        db.session.remove()
        # Closing the last connection writes the log back into the file.
        db.engine.dispose()
    return Made(path.read_bytes(), ids, values, clock())


@pytest.fixture
def world(made: Made, sqlite_path: Path, tmp_path: Path, clock: StandingClock) -> Iterator[World]:
    clock.at = made.at
    with shared_app(fresh_sqlite(sqlite_path, made.database), tmp_path, clock) as site:
        site.config["WTF_CSRF_ENABLED"] = False
        yield World(site, Browser(site, clock), made.ids, made.values)


def _rules(site: Flask) -> list[tuple[str, str, str]]:
    skipped = ("static", "api", "demo")
    return [
        (rule.endpoint, rule.rule, method)
        for rule in site.url_map.iter_rules()
        if not rule.endpoint.startswith(skipped)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def test_every_route_is_decided(site: Flask) -> None:
    endpoints = {endpoint for endpoint, _rule, _method in _rules(site)}
    assert endpoints - {"pages.metrics"} == set(WHO) - {"pages.metrics"}
    for endpoint in endpoints:
        access = access_of(site, endpoint)
        assert access is not None, f"{endpoint} says nothing about access"
        assert access.public == ("guest" in WHO[endpoint] or endpoint == "pages.metrics"), endpoint


@pytest.mark.parametrize("endpoint", sorted(set(WHO) - WITHOUT_OIDC - {"pages.metrics"}))
def test_who_is_not_named_is_refused_and_changes_nothing(world: World, endpoint: str) -> None:
    with world.site.test_request_context():
        adapter = world.site.url_map.bind("localhost")
        methods = [method for name, _rule, method in _rules(world.site) if name == endpoint]
        rule = next(rule for rule in world.site.url_map.iter_rules() if rule.endpoint == endpoint)
        path = adapter.build(endpoint, {name: world.values[name] for name in rule.arguments})
    allowed = WHO[endpoint]
    before = world.state()
    for name in sorted(PUBLIC - allowed):
        client = world.browser.anonymous() if name == "guest" else world.browser.as_(world.ids[name])
        for method in methods:
            answer = client.open(path, method=method)
            if name == "guest":
                assert answer.status_code == 303, (name, method, answer.status_code)
                assert answer.location.startswith("/sign-in"), (name, method)
            else:
                assert answer.status_code in (403, 404), (name, method, answer.status_code)
    assert world.state() == before
    for name in sorted(allowed):
        client = world.browser.anonymous() if name == "guest" else world.browser.as_(world.ids[name])
        for method in methods:
            answer = client.open(path, method=method)
            refused = answer.status_code in (401, 403, 405) or answer.status_code >= 500
            # 503: the tests' tables were not migrated; 401: a webhook without its signature
            refused = refused and endpoint not in ("pages.readyz", "tracker_hooks.tracker")
            assert not refused, (name, method, answer.status_code)


def test_what_does_not_exist_looks_like_what_is_not_yours(world: World) -> None:
    eve = world.browser.as_(world.ids["eve"])
    theirs, nothing = (eve.get(f"/visits/{visit}") for visit in (world.values["visit_id"], 999_999))
    assert theirs.status_code == nothing.status_code == 404
    shown = [answer.text.split("<main")[1].split("</main>")[0] for answer in (theirs, nothing)]
    assert shown[0] == shown[1]


def test_a_person_without_an_account_any_more_is_out_at_once(world: World) -> None:
    vera = world.browser.as_(world.ids["vera"])
    assert vera.get("/visits").status_code == 200
    with world.site.app_context():
        db.session.get_one(Person, world.ids["vera"]).active = False
        db.session.commit()
    assert vera.get("/visits").status_code == 303
