"""The agent's look at notes: what others see before, during and after it, and what striking out leaves."""

import json
import uuid
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.errors import Invalid
from gemba.insights import jobs, service
from gemba.insights.errors import ConsentMissing, NoteNotFound, NotePrivate
from gemba.insights.models import Insight, Observation
from gemba.insights.rules.kinds import Answered, Standing, Verdict
from gemba.insights.service import NoteFields, asked, reviewing
from gemba.insights.service.reviewing import Said
from gemba.outbox.models import OutboxItem
from gemba.people.models import MailDeclined, Person
from gemba.programmes.models import Consent, Programme
from gemba.trackers.models import Connection, Export, ExportItem
from gemba.visits.errors import VisitNotFound
from gemba.visits.models import Visit
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.insights.stage import make_visit, note

SECRET = "She cries when the зелёный order sheet freezes."
REST = "The list takes nine seconds."


@pytest.fixture
def visit(app: Flask, cast: Cast, clock: StandingClock) -> Visit:
    db.session.get_one(Programme, cast.programme.id).review_hours = 48
    made = make_visit(cast, clock())
    clock.forward(minutes=20)
    return made


def agent(cast: Cast) -> Person:
    return db.session.get_one(Person, cast.alice.id)


def hidden(note: Observation) -> int | None:
    """The visit inside which the note's insight is seen only."""
    return db.session.get_one(Insight, note.insight_id).review_visit_id


def said(visit: Visit, cast: Cast, clock: StandingClock, *, finish: bool = False, **words: object) -> int:
    """The agent says the same of every note."""
    review = reviewing.get_review(agent(cast), visit.id)
    answers = {one.note.id: Said(seen=one.seen, **words) for one in review.notes}  # type: ignore[arg-type]
    return reviewing.save_review(agent(cast), visit.id, answers, finish=finish, now=clock())


def test_a_note_waits_for_its_agent_and_is_published_in_time(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    made = note(visit, cast.vera, REST, clock())
    assert (made.standing, made.review_until) == (Standing.FRESH, visit.ends_at + timedelta(hours=48))
    assert hidden(made) == visit.id
    clock.at = visit.ends_at + timedelta(hours=48, minutes=-1)
    assert service.publish_due(clock()) == 0
    clock.forward(minutes=1)
    assert service.publish_due(clock()) == 1
    db.session.expire_all()
    assert made.standing == Standing.PUBLISHED
    assert hidden(made) is None
    assert service.publish_due(clock()) == 0


def test_a_late_note_has_its_whole_time(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    clock.at = visit.ends_at + timedelta(days=3)
    made = note(visit, cast.vera, REST, clock())
    assert made.review_until == clock() + timedelta(hours=48)


def test_without_review_notes_are_published_at_once(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    visit.programme.review_hours = 0
    made = note(visit, cast.vera, REST, clock())
    assert (made.standing, made.review_until) == (Standing.PUBLISHED, None)
    assert db.session.get_one(Insight, made.insight_id).review_visit_id is None


def test_other_words_are_looked_at_again(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    made = note(visit, cast.vera, REST, clock())
    said(visit, cast, clock, verdict=Verdict.TRUE, finish=True)
    assert (made.standing, made.verdict) == (Standing.PUBLISHED, "true")
    author = db.session.get_one(Person, cast.vera.id)
    service.edit_note(author, made.id, NoteFields("Something else."), now=clock())
    assert (made.standing, made.verdict) == (Standing.FRESH, "")
    assert db.session.get_one(Insight, made.insight_id).review_visit_id == visit.id


def test_only_the_agent_reviews(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    note(visit, cast.vera, REST, clock())
    for one in (cast.vera, cast.lev, cast.anton, cast.adam, cast.eve):
        with pytest.raises(VisitNotFound):
            reviewing.get_review(db.session.get_one(Person, one.id), visit.id)


def test_a_private_note_leaves_the_backlog_and_stays_in_the_visit(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    made = note(visit, cast.vera, REST, clock())
    said(visit, cast, clock, verdict=Verdict.PRIVATE)
    assert (made.standing, made.insight_id) == (Standing.PRIVATE, None)
    assert db.session.scalars(select(Insight)).all() == []
    assert [one.id for one in service.observations_of(visit)] == [made.id]
    author = db.session.get_one(Person, cast.vera.id)
    service.edit_note(author, made.id, NoteFields("Told otherwise."), now=clock())
    service.remove_note(author, made.id, now=clock())
    service.restore_note(author, made.id, now=clock())
    assert (made.standing, made.insight_id) == (Standing.PRIVATE, None)
    other = note(visit, cast.vera, "Another thing", clock())
    with pytest.raises(NotePrivate):
        service.add_as_evidence(author, made.id, other.insight_id or 0, now=clock())
    clock.forward(days=9)
    service.publish_due(clock())
    assert made.standing == Standing.PRIVATE
    said(visit, cast, clock, verdict=Verdict.TRUE)
    assert made.standing == Standing.FRESH
    assert db.session.get_one(Insight, made.insight_id).review_visit_id == visit.id


def test_what_is_not_quite_so_is_said_in_the_agents_words(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    note(visit, cast.vera, SECRET, clock())
    with pytest.raises(Invalid):
        said(visit, cast, clock, verdict=Verdict.NOT_QUITE)


def test_corrected_words_stand_in_for_the_old_ones(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    made = note(visit, cast.vera, SECRET, clock())
    said(visit, cast, clock, verdict=Verdict.NOT_QUITE, words="The sheet is slow on Mondays.", finish=True)
    assert (made.text, made.verdict) == ("The sheet is slow on Mondays.", "not-quite")
    assert db.session.get_one(Insight, made.insight_id).title == made.text
    assert traces("cries", "зелёный") == []


def test_a_note_that_changed_meanwhile_is_not_judged_unseen(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    made = note(visit, cast.vera, REST, clock())
    answer = {made.id: Said(seen=reviewing.seen_of(made), verdict=Verdict.TRUE)}
    clock.forward(minutes=1)
    author = db.session.get_one(Person, cast.vera.id)
    service.edit_note(author, made.id, NoteFields(SECRET), now=clock())
    with pytest.raises(Invalid):
        reviewing.save_review(agent(cast), visit.id, answer, finish=True, now=clock())


def traces(*words: str) -> list[str]:
    """Where in the whole database one of these words stands, whatever the table."""
    found = []
    for table in db.metadata.sorted_tables:
        for row in db.session.execute(select(table)):
            said_there = json.dumps([str(value) for value in row], ensure_ascii=False).casefold()
            found += [table.name for word in words if word.casefold() in said_there]
    return found


def _prepare_ticket(insight: Insight, olga: Person, clock: StandingClock) -> None:
    """A draft for a tracker, as a preview keeps it."""
    tracker = Connection(
        kind="redmine",
        name="R",
        base_url="https://r.example",
        project="p",
        credentials="",
        mapping={},
        fields=[],
        checked={},
        created_by_id=olga.id,
        created_at=clock(),
    )
    db.session.add(tracker)
    db.session.flush()
    run = Export(tracker_id=tracker.id, made_by_id=olga.id, made_at=clock(), dry=True)
    db.session.add(run)
    db.session.flush()
    db.session.add(
        ExportItem(
            export_id=run.id,
            insight_id=insight.id,
            action="create",
            payload={"title": insight.title, "body": [insight.body]},
        )
    )


def spread(visit: Visit, cast: Cast, clock: StandingClock) -> Observation:
    """A note whose words went wherever they can: renamed, described, merged, split, mailed."""
    olga = db.session.get_one(Person, cast.olga.id)
    first = note(visit, cast.vera, f"{SECRET} {REST}", clock(), verbatim=SECRET, workaround="A second sheet.")
    service.publish_due(clock() + timedelta(days=9))
    big = note(visit, cast.vera, "Reports come late", clock())
    more = note(visit, cast.vera, "And later every week", clock(), insight=big.insight_id)
    service.publish_due(clock() + timedelta(days=9))
    own = db.session.get_one(Insight, first.insight_id)
    service.patch(own.id, olga, {"title": f"Seen: {SECRET}", "body": f"Quote: {SECRET} Done."}, now=clock())
    service.patch(own.id, olga, {"status": "declined"}, reason=f"Because: {SECRET}", now=clock())
    service.merge(own.id, olga, big.insight_id or 0, now=clock())
    service.split(big.insight_id or 0, olga, [first.id], title="", now=clock())
    db.session.add(
        OutboxItem(
            kind="mail",
            dedup_key="k",
            payload={"context": {"words": [f"Новое: {SECRET}"], "n": 1}},
            run_at=clock(),
            created_at=clock(),
        )
    )
    _prepare_ticket(own, olga, clock)
    table = db.metadata.tables["idempotent_answer"]
    kept = {"person_id": cast.vera.id, "key": "k", "request_hash": "h", "status": 201, "created_at": clock()}
    body = json.dumps({"client_id": first.client_id, "text": first.text}, ensure_ascii=False)
    db.session.execute(table.insert().values(body=body, **kept))
    db.session.flush()
    assert more.insight_id == big.insight_id
    return first


def test_a_struck_sentence_is_nowhere(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    made = spread(visit, cast, clock)
    tables = {
        "export_item",
        "observation",
        "insight",
        "insight_term",
        "insight_change",
        "outbox_item",
        "idempotent_answer",
    }
    assert set(traces("cries", "зелёный", "зелен")) == tables
    one = next(one for one in reviewing.get_review(agent(cast), visit.id).notes if one.note.id == made.id)
    strike = frozenset(part.number for part in one.parts if part.words == SECRET)
    assert len(strike) == 2
    answer = {made.id: Said(seen=one.seen, strike=strike)}
    assert reviewing.save_review(agent(cast), visit.id, answer, finish=False, now=clock()) == 2
    assert traces("cries", "зелёный", "зелен", "зелён") == []
    assert (made.text, made.verbatim, made.standing) == (REST, "", Standing.PUBLISHED)
    titles = set(db.session.scalars(select(Insight.title)))
    assert {"Seen:", REST, "Reports come late"} <= titles


def test_a_struck_note_is_nowhere_and_does_not_come_back(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    made = spread(visit, cast, clock)
    one = next(one for one in reviewing.get_review(agent(cast), visit.id).notes if one.note.id == made.id)
    reviewing.save_review(
        agent(cast), visit.id, {made.id: Said(seen=one.seen, all_of_it=True)}, finish=False, now=clock()
    )
    assert traces("cries", "зелёный", "nine seconds", "second sheet") == []
    assert made.standing == Standing.STRUCK
    vera = db.session.get_one(Person, cast.vera.id)
    again, is_new = service.record(visit.id, vera, made.client_id, NoteFields(SECRET), now=clock())
    assert (again.id, is_new, again.text) == (made.id, False, "")
    for act in (service.restore_note, service.remove_note):
        with pytest.raises(NoteNotFound):
            act(vera, made.id, now=clock())


def test_a_fresh_note_struck_out_takes_its_insight_along(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    note(visit, cast.vera, SECRET, clock())
    said(visit, cast, clock, all_of_it=True)
    assert db.session.scalars(select(Insight)).all() == []
    assert traces("cries", "зелен") == []


def test_the_agent_is_asked_once_and_without_words(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    note(visit, cast.vera, SECRET, clock())
    jobs.tick(clock())
    assert db.session.scalars(select(OutboxItem)).all() == []
    clock.at = visit.ends_at
    for _time in range(3):
        jobs.tick(clock())
        clock.forward(minutes=5)
    (mail,) = db.session.scalars(select(OutboxItem)).all()
    assert (mail.recipient, mail.payload["context"]["count"]) == ("alice@gemba.example", 1)
    assert mail.payload["context"]["path"] == f"/visits/{visit.id}/review"
    assert "cries" not in json.dumps(mail.payload)
    clock.forward(days=1)
    note(visit, cast.vera, "Later", clock())
    jobs.tick(clock())
    assert len(db.session.scalars(select(OutboxItem)).all()) == 2


def test_who_does_not_want_the_mail_gets_none(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    note(visit, cast.vera, REST, clock())
    db.session.add(MailDeclined(person_id=cast.alice.id, kind="review"))
    clock.at = visit.ends_at
    jobs.tick(clock())
    assert db.session.scalars(select(OutboxItem)).all() == []
    assert [one.id for one, _until in reviewing.to_review(agent(cast), clock())] == [visit.id]


def test_without_consent_a_visitor_takes_no_notes(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    row = db.session.get_one(Consent, (cast.programme.id, cast.vera.id))
    db.session.delete(row)
    db.session.flush()
    vera = db.session.get_one(Person, cast.vera.id)
    with pytest.raises(ConsentMissing):
        service.record(visit.id, vera, str(uuid.uuid4()), NoteFields(REST), now=clock())
    assert service.lacks_consent(visit, vera)
    assert not service.lacks_consent(visit, agent(cast))
    note(visit, cast.alice, "The agent's own pain", clock())
    for _time in range(2):
        service.confirm_consent(vera, visit, clock())
    note(visit, cast.vera, REST, clock())


def test_struck_words_leave_the_answers_of_other_visits(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    made = note(visit, cast.vera, SECRET, clock())
    said(visit, cast, clock, finish=True)
    clock.forward(days=40)
    eve = db.session.get_one(Person, cast.eve.id)
    other = make_visit(cast, clock(), visitor=eve)
    clock.forward(minutes=5)
    insight = db.session.get_one(Insight, made.insight_id)
    words = f"Still there: {insight.title}"
    asked.answer(eve, other.id, insight.id, Answered.YES, words, now=clock())
    said(visit, cast, clock, strike=frozenset({0}))
    assert insight.title == "…"
    found = db.session.scalars(select(Observation.text).where(Observation.visit_id == other.id)).all()
    assert found == ["Still there:"]
