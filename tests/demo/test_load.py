"""Loading the demo company: whole, through the rules, quietly about the past, once, and at any time."""

from datetime import UTC, datetime, timedelta
from time import process_time

import pytest
from flask import Flask
from sqlalchemy import func, select

from gemba.db import db
from gemba.demo import service, state
from gemba.demo.content import Outcome, read_company, read_talk
from gemba.demo.loading.company import joined, running_start
from gemba.errors import NotFound
from gemba.insights.models import Insight, InsightChange, InsightTerm, InsightVote, Observation, Picture
from gemba.insights.rules.kinds import Triage
from gemba.insights.service import triage
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import State
from gemba.people.models import Person
from gemba.rounds.models import Round
from gemba.schedule.models import Availability
from gemba.visits.models import Tick, Visit, VisitDebrief
from gemba.visits.rules import Status, ticks
from tests.cast import Cast
from tests.conftest import MONDAY

COMPANY = read_company()
ODD_MOMENTS = [
    datetime(2026, 11, 28, 22, 40, tzinfo=UTC),  # Saturday, before midnight in Berlin
    datetime(2027, 3, 28, 1, 5, tzinfo=UTC),  # clocks went forward in Berlin
    datetime(2027, 10, 31, 1, 20, tzinfo=UTC),  # an hour that comes twice
]


def _count(model: type[object]) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_an_empty_database_becomes_the_whole_company(app: Flask) -> None:
    assert state.is_empty()
    assert not state.is_demo()
    service.load(MONDAY)
    db.session.commit()
    assert state.is_demo()
    assert not state.is_empty()
    assert _count(Person) == len(COMPANY.people)
    assert _count(Availability) == 16  # 14 agents and two mentors
    assert _count(Visit) == 5 + len(COMPANY.past) + len(COMPANY.coming)
    assert _count(VisitDebrief) == 4
    fresh = len(read_talk()["fresh"])
    assert _count(Insight) == len(COMPANY.insights) + fresh
    assert _count(Observation) == sum(len(insight.observations) for insight in COMPANY.insights) + fresh
    assert all(each.closes_at > MONDAY for each in db.session.scalars(select(Round)))
    assert _count(Round) == 2


def test_a_database_with_people_is_refused_and_left_alone(app: Flask, cast: Cast) -> None:
    with pytest.raises(service.NotEmpty):
        service.load(MONDAY)
    db.session.rollback()
    assert not state.is_demo()
    assert _count(Person) == 9
    assert service.cast() == []


def test_visits_are_in_their_state_and_take_their_people_s_time(demo_app: Flask) -> None:
    visits = list(db.session.scalars(select(Visit)))
    past = [visit for visit in visits if visit.ends_at < MONDAY]
    states = {
        Outcome.HELD: Status.HELD,
        Outcome.NOT_HELD: Status.NOT_HELD,
        Outcome.CANCELLED: Status.CANCELLED,
    }
    for outcome, status in states.items():
        wanted = sum(visit.outcome is outcome for visit in COMPANY.past)
        # Two hands-on visits took place as well.
        wanted += 2 * (outcome is Outcome.HELD)
        assert sum(visit.status == status for visit in past) == wanted
    coming = [visit.status for visit in visits if visit.ends_at >= MONDAY]
    assert coming.count(Status.REQUESTED) == 1, "one waits for a yes"
    assert coming.count(Status.BOOKED) == len(coming) - 1
    assert all(visit.created_at < min(visit.starts_at, MONDAY) for visit in visits)
    assert len({visit.uid for visit in visits}) == len(visits)
    for visit in visits:
        taken = set(
            db.session.scalars(
                select(Tick.tick).where(Tick.visit_id == visit.id, Tick.person_id == visit.visitors[0].id)
            )
        )
        free = visit.status == Status.CANCELLED
        assert taken == (set() if free else set(ticks(visit.starts_at, visit.ends_at)))


def test_the_demo_visitor_sits_in_a_visit_now_and_has_another_to_come(demo_app: Flask) -> None:
    vera = service.cast_person(COMPANY.running.visitor)
    mine = db.session.scalars(select(Visit).where(Visit.visitors.any(Person.id == vera.id)))
    starts = {visit.starts_at: visit for visit in mine}
    running = [visit for start, visit in starts.items() if start <= MONDAY < visit.ends_at]
    assert [visit.agent.email for visit in running] == [COMPANY.person(COMPANY.running.agent).email]
    assert any(start > MONDAY for start in starts)


def test_only_coming_visits_have_mail_that_waits(demo_app: Flask) -> None:
    waiting = db.session.scalars(select(OutboxItem).where(OutboxItem.state == State.READY)).all()
    booked = select(Visit.id).where(Visit.starts_at > MONDAY, Visit.status == Status.BOOKED)
    coming = {f"visit:{id_}" for id_ in db.session.scalars(booked)}
    assert {item.group_key for item in waiting if item.kind == "invite"} == coming
    assert len(coming) == len(COMPANY.coming) + 1


def test_every_insight_has_its_evidence_its_words_and_its_history(demo_app: Flask) -> None:
    contents = {content.title: content for content in COMPANY.insights}
    indexed = set(db.session.scalars(select(InsightTerm.insight_id).distinct()))
    for insight in db.session.scalars(select(Insight).where(~Insight.untouched)):
        content = contents[insight.title]
        seen = list(db.session.scalars(select(Observation).where(Observation.insight_id == insight.id)))
        assert len(seen) == len(content.observations)
        assert insight.id in indexed
        assert insight.status == content.status
        assert insight.created_at == min(note.at for note in seen)
        assert insight.created_at <= insight.updated_at < MONDAY
        for note in seen:
            assert note.visit.status == Status.HELD
            assert note.visit.starts_at < note.at < note.visit.ends_at
            assert note.author in note.visit.visitors
    assert (db.session.scalar(select(func.max(InsightChange.at))) or MONDAY) < MONDAY


def test_the_last_visits_left_something_to_sort_and_some_was_said_before(demo_app: Flask) -> None:
    olga = service.cast_person("olga-weiss")
    inbox = triage.inbox(olga, Triage.INBOX, None, now=MONDAY)
    assert len(inbox.rows) == len(read_talk()["fresh"]) == 6
    near = [triage.inbox(olga, Triage.INBOX, row.id, now=MONDAY).near for row in inbox.rows]
    assert sum(1 for one in near if one and one.similar) >= 3
    assert {picture.width > 0 for picture in db.session.scalars(select(Picture))} == {True, False}


def _picture() -> list[tuple[object, ...]]:
    """What is seen of the company from outside."""
    visits = select(Visit.starts_at, Person.email, Visit.status, Visit.created_at, Visit.because)
    queries = (
        visits.join(Person, Person.id == Visit.agent_id).order_by(Visit.starts_at, Person.email),
        select(Insight.title, Insight.status, Insight.updated_at).order_by(Insight.title),
        select(Insight.title, InsightVote.created_at)
        .join(InsightVote)
        .order_by(Insight.title, InsightVote.created_at),
    )
    return [tuple(row) for query in queries for row in db.session.execute(query)]


def test_the_same_moment_gives_the_same_company_and_quickly(demo: Flask, site: Flask) -> None:
    with demo.app_context():
        first = _picture()
    with site.app_context():
        begun = process_time()
        service.load(MONDAY)
        assert process_time() - begun < 8
        assert _picture() == first


@pytest.mark.parametrize("moment", ODD_MOMENTS, ids=lambda moment: f"{moment:%Y-%m-%dT%H%M}")
def test_it_loads_at_any_moment(site: Flask, moment: datetime) -> None:
    with site.app_context():
        service.load(moment)
        booked = select(Visit.starts_at).where(Visit.starts_at > moment, Visit.status == Status.BOOKED)
        starts = list(db.session.scalars(booked))
        assert len(starts) == len(COMPANY.coming) + 1
        assert max(starts) < moment + timedelta(days=COMPANY.programme.rules["horizon_days"])


def test_the_cast_comes_in_order_and_nobody_else_can_be_taken(demo_app: Flask) -> None:
    members = service.cast()
    assert [member.key for member in members] == [person.key for person in COMPANY.cast]
    assert members[0].roles == ["visitor"]
    assert service.cast_person("adam-novak").name == "Adam Novak"
    for key in ("", "ben-thornton", "nobody", "1"):
        with pytest.raises(NotFound):
            service.cast_person(key)


def test_who_is_deactivated_leaves_the_cast(demo_app: Flask) -> None:
    service.cast_person("adam-novak").active = False
    db.session.flush()
    with pytest.raises(NotFound):
        service.cast_person("adam-novak")


@pytest.mark.parametrize("minute", range(0, 60, 7))
def test_the_running_visit_began_on_the_grid_ten_to_forty_minutes_ago(minute: int) -> None:
    now = MONDAY + timedelta(minutes=minute, seconds=31)
    start = running_start(COMPANY, "Asia/Kolkata", now)
    assert timedelta(minutes=10) <= now - start < timedelta(minutes=41)
    assert start.minute in (0, 30)


def test_intervals_that_touch_become_one() -> None:
    assert joined([(600, 660), (540, 600), (700, 720), (705, 710)]) == [(540, 660), (700, 720)]
