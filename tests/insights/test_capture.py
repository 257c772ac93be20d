"""Notes of a visit: recorded once, never lost, by those who sit in it."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from gemba.db import db
from gemba.insights import service
from gemba.insights.errors import NoSuchTarget, NoteNotFound, NotesCancelled, NotesClosed, NotesNotOpenYet
from gemba.insights.models import Insight, InsightTerm, Observation
from gemba.insights.rules.kinds import TITLE_MAX, Kind
from gemba.insights.service import NoteFields
from gemba.people.models import Person
from gemba.visits.errors import VisitNotFound
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.insights.stage import make_visit, note

FIELDS = NoteFields(
    "Search needs the full number", Kind.TOOL_PAIN, 3, "often", "every time", "a sheet", tool="crm"
)


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_note_makes_an_observation_and_an_insight(cast: Cast, clock: StandingClock) -> None:
    visit = make_visit(cast, clock() - timedelta(minutes=20))
    made, is_new = service.record(visit.id, cast.vera, str(uuid.uuid4()), FIELDS, now=clock())
    assert is_new
    assert (made.kind, made.severity, made.tool, made.at) == ("tool-pain", 3, "crm", clock())
    assert service.minute_of(visit, made.at) == 20
    insight = db.session.get_one(Insight, made.insight_id)
    assert (insight.title, insight.kind, insight.status, insight.untouched) == (
        FIELDS.text,
        "tool-pain",
        "new",
        True,
    )
    assert db.session.scalar(select(InsightTerm.weight).where(InsightTerm.term == "search")) == 5


def test_the_same_note_sent_twice_is_one(cast: Cast, clock: StandingClock) -> None:
    visit, client_id = make_visit(cast, clock()), str(uuid.uuid4())
    first, _new = service.record(visit.id, cast.vera, client_id, FIELDS, now=clock())
    again, is_new = service.record(visit.id, cast.vera, client_id, NoteFields("other words"), now=clock())
    assert (again.id, is_new, again.text) == (first.id, False, FIELDS.text)
    assert (count(Observation), count(Insight)) == (1, 1)


def test_the_same_note_sent_eight_times_at_once_is_one(app: Flask, cast: Cast, clock: StandingClock) -> None:
    visit, client_id = make_visit(cast, clock()), str(uuid.uuid4())
    visit_id, vera_id = visit.id, cast.vera.id
    db.session.commit()

    def send(_number: int) -> bool:
        with app.app_context():
            vera = db.session.get_one(Person, vera_id)
            _made, is_new = service.record(visit_id, vera, client_id, FIELDS, now=clock())
            db.session.commit()
            return is_new

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(send, range(8))) == [False] * 7 + [True]
    assert (count(Observation), count(Insight)) == (1, 1)


def test_the_same_number_in_another_visit_or_hand_is_another_note(cast: Cast, clock: StandingClock) -> None:
    visit, other = make_visit(cast, clock()), make_visit(cast, clock(), agent=cast.anton)
    client_id = str(uuid.uuid4())
    service.record(visit.id, cast.vera, client_id, FIELDS, now=clock())
    _note, is_new = service.record(other.id, cast.vera, client_id, FIELDS, now=clock())
    assert is_new
    with pytest.raises(NoteNotFound):
        service.record(visit.id, cast.alice, client_id, FIELDS, now=clock())


def test_visitor_agent_and_lead_may_note_and_nobody_else(cast: Cast, clock: StandingClock) -> None:
    visit = make_visit(cast, clock())
    for person in (cast.vera, cast.alice, cast.lev):
        assert note(visit, person, "seen", clock()).author_id == person.id
    for person in (cast.eve, cast.anton, cast.lena, cast.olga, cast.adam):
        with pytest.raises(VisitNotFound):
            note(visit, person, "seen", clock())


def test_notes_open_a_quarter_before_and_close_two_weeks_after(cast: Cast, clock: StandingClock) -> None:
    visit = make_visit(cast, clock() + timedelta(minutes=16))
    with pytest.raises(NotesNotOpenYet):
        note(visit, cast.vera, "too early", clock())
    clock.forward(minutes=1)
    assert note(visit, cast.vera, "just open", clock())
    clock.at = visit.ends_at + timedelta(days=14)
    assert note(visit, cast.vera, "still open", clock())
    clock.forward(seconds=1)
    with pytest.raises(NotesClosed):
        note(visit, cast.vera, "too late", clock())


def test_a_cancelled_visit_takes_no_notes(cast: Cast, clock: StandingClock) -> None:
    with pytest.raises(NotesCancelled):
        note(make_visit(cast, clock(), status="cancelled"), cast.vera, "seen", clock())


def test_the_time_is_the_first_letters_but_never_in_the_future(cast: Cast, clock: StandingClock) -> None:
    visit = make_visit(cast, clock() - timedelta(minutes=30))
    for at, kept in (
        (clock() - timedelta(minutes=5), clock() - timedelta(minutes=5)),
        (clock() + timedelta(days=1), clock()),
        (clock() - timedelta(days=9), visit.starts_at - timedelta(minutes=15)),
    ):
        made, _new = service.record(visit.id, cast.vera, str(uuid.uuid4()), FIELDS, at=at, now=clock())
        assert made.at == kept


def test_a_note_may_name_the_insight_it_supports(cast: Cast, clock: StandingClock) -> None:
    one, other = make_visit(cast, clock()), make_visit(cast, clock(), agent=cast.anton)
    first = note(one, cast.vera, "slow search", clock())
    second = note(other, cast.vera, "search hangs", clock(), insight=first.insight_id)
    assert second.insight_id == first.insight_id
    assert count(Insight) == 1
    assert not db.session.get_one(Insight, first.insight_id).untouched
    with pytest.raises(NoSuchTarget):
        note(one, cast.vera, "x", clock(), insight=999)


def test_a_question_waits_for_the_end_and_supports_nothing(cast: Cast, clock: StandingClock) -> None:
    made = note(make_visit(cast, clock()), cast.vera, "Who owns the macros?", clock(), is_question=True)
    assert made.insight_id is None
    assert count(Insight) == 0


def test_an_edit_is_followed_by_the_insight_nobody_touched(cast: Cast, clock: StandingClock) -> None:
    made = note(make_visit(cast, clock()), cast.vera, "slow serch", clock())
    service.edit_note(cast.vera, made.id, NoteFields("slow search", Kind.PROCESS_PAIN), now=clock())
    insight = db.session.get_one(Insight, made.insight_id)
    assert (insight.title, insight.kind, made.edited_at) == ("slow search", "process-pain", clock())
    service.patch(insight.id, cast.olga, {"title": "Search is slow"}, now=clock())
    service.edit_note(cast.vera, made.id, NoteFields("slow search, 8 s"), now=clock())
    assert insight.title == "Search is slow"
    assert "8" in set(db.session.scalars(select(InsightTerm.term)))


def test_a_note_can_become_a_question_and_back(cast: Cast, clock: StandingClock) -> None:
    made = note(make_visit(cast, clock()), cast.vera, "who owns it", clock())
    service.edit_note(cast.vera, made.id, NoteFields("who owns it", is_question=True), now=clock())
    assert (made.insight_id, count(Insight)) == (None, 0)
    service.edit_note(cast.vera, made.id, NoteFields("nobody owns it"), now=clock())
    assert db.session.get_one(Insight, made.insight_id).title == "nobody owns it"


def test_removing_and_bringing_back(cast: Cast, clock: StandingClock) -> None:
    visit = make_visit(cast, clock())
    made = note(visit, cast.vera, "slow search", clock())
    service.remove_note(cast.vera, made.id, now=clock())
    assert service.observations_of(visit) == []
    assert (count(Insight), count(InsightTerm)) == (0, 0)
    service.restore_note(cast.vera, made.id, now=clock())
    assert [one.id for one in service.observations_of(visit)] == [made.id]
    assert db.session.get_one(Insight, made.insight_id).title == "slow search"


def test_removing_evidence_keeps_a_touched_insight(cast: Cast, clock: StandingClock) -> None:
    visit = make_visit(cast, clock())
    made = note(visit, cast.vera, "slow search", clock())
    service.vote(made.insight_id or 0, cast.lev, now=clock())
    service.remove_note(cast.vera, made.id, now=clock())
    detail = service.get(made.insight_id or 0, cast.vera, now=clock())
    assert (detail.evidence, detail.item.counts.visits, detail.item.score) == ([], 0, None)
    service.restore_note(cast.vera, made.id, now=clock())
    assert len(service.get(made.insight_id or 0, cast.vera, now=clock()).evidence) == 1


def test_only_the_author_changes_a_note(cast: Cast, clock: StandingClock) -> None:
    made = note(make_visit(cast, clock()), cast.vera, "slow search", clock())
    for person in (cast.alice, cast.lev, cast.eve, cast.adam):
        with pytest.raises(NoteNotFound):
            service.edit_note(person, made.id, FIELDS, now=clock())
        with pytest.raises(NoteNotFound):
            service.remove_note(person, made.id, now=clock())
    with pytest.raises(NoteNotFound):
        service.restore_note(cast.vera, made.id, now=clock())


def test_adding_as_evidence_takes_the_made_insight_away(cast: Cast, clock: StandingClock) -> None:
    one, other = make_visit(cast, clock()), make_visit(cast, clock(), agent=cast.anton)
    first = note(one, cast.vera, "order search needs full number", clock())
    second = note(other, cast.vera, "searching an order by part of the number finds nothing", clock())
    hint = service.hints(service.observations_of(other), other)[second.id]
    assert (hint.insight.id, hint.visits) == (first.insight_id, 1)
    service.add_as_evidence(cast.vera, second.id, hint.insight.id, now=clock())
    assert second.insight_id == first.insight_id
    assert count(Insight) == 1
    assert service.hints(service.observations_of(other), other) == {}


def test_a_hint_is_given_only_for_what_other_visits_saw(cast: Cast, clock: StandingClock) -> None:
    visit = make_visit(cast, clock())
    note(visit, cast.vera, "order search needs full number", clock())
    note(visit, cast.vera, "searching an order by part of the number finds nothing", clock())
    assert service.hints(service.observations_of(visit), visit) == {}


def test_a_long_note_gets_a_short_title(cast: Cast, clock: StandingClock) -> None:
    made = note(make_visit(cast, clock()), cast.vera, "word " * 300, clock())
    title = db.session.get_one(Insight, made.insight_id).title
    assert len(title) <= TITLE_MAX
    assert title.endswith("word…")
