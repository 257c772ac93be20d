"""Answers to invites: which reply counts, what a no does, who hears of it, when answers are asked anew."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.invites.rules import Answer
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import State
from gemba.people.models import AuditEntry, Person
from gemba.visits import replies, service
from gemba.visits.facts import Ask
from gemba.visits.models import Visit, WaitlistEntry
from gemba.visits.replies import Said, Taken
from gemba.visits.rules import Status
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.visits.errands import run_errands, texts, told

TEN = datetime(2026, 11, 26, 9, tzinfo=UTC)
"""Thursday, 10:00 in Berlin."""
YES, MAYBE, NO, NONE = Answer.ACCEPTED, Answer.TENTATIVE, Answer.DECLINED, Answer.NEEDS_ACTION


@dataclass
class Stage:
    """A visit of Vera with Alice, and hands to answer with."""

    cast: Cast
    clock: StandingClock
    visit: Visit

    def web(self, person: Person, answer: Answer, comment: str = "") -> Taken:
        return self.say(person, Said(answer, comment, "web"))

    def mail(
        self, person: Person, answer: Answer, sequence: int | None, minute: int, comment: str = ""
    ) -> Taken:
        """A reply written so many minutes after Monday, 08:00."""
        stamp = datetime(2026, 11, 23, 8, tzinfo=UTC) + timedelta(minutes=minute)
        return self.say(person, Said(answer, comment, "mail", sequence, stamp))

    def say(self, person: Person, said: Said) -> Taken:
        taken = service.take_answer(self.visit.id, person.id, said, now=self.clock())
        db.session.commit()
        return taken

    def move(self, by: Person, hours: int) -> None:
        service.move(self.visit, by, start=self.visit.starts_at + timedelta(hours=hours), now=self.clock())
        db.session.commit()

    def answers(self) -> dict[str, Answer]:
        """Who said what, by first name."""
        rows = replies.rows_of([self.visit.id])[self.visit.id]
        return {db.session.get_one(Person, who).first_name: Answer(row.answer) for who, row in rows.items()}


@pytest.fixture
def stage(app: Flask, cast: Cast, clock: StandingClock) -> Stage:
    visit = service.book(
        programme=cast.programme, visitor=cast.vera, start=TEN, ask=Ask(agent_id=cast.alice.id), now=clock()
    )
    db.session.commit()
    clock.forward(hours=1)
    return Stage(cast, clock, visit)


def invites(method: str) -> list[OutboxItem]:
    """The invites of a method that wait or left."""
    rows = db.session.scalars(
        select(OutboxItem)
        .where(OutboxItem.kind == "invite", OutboxItem.state != State.DROPPED)
        .order_by(OutboxItem.id)
    )
    return [row for row in rows if row.payload["method"] == method]


def test_the_last_answer_counts_whichever_way_it_came(stage: Stage) -> None:
    vera = stage.cast.vera
    assert stage.mail(vera, MAYBE, 0, 10) is Taken.COUNTED
    assert stage.web(vera, YES) is Taken.COUNTED
    assert stage.answers() == {"Vera": YES}
    assert stage.mail(vera, MAYBE, 0, 20) is Taken.OUTDATED, "written before the answer on the page"
    stage.clock.forward(hours=1)
    assert stage.mail(vera, MAYBE, 0, 100) is Taken.COUNTED
    assert stage.answers() == {"Vera": MAYBE}


@pytest.mark.parametrize(
    ("sequence", "minute", "taken"),
    [
        (0, 31, Taken.COUNTED),
        (0, 30, Taken.COUNTED),
        (0, 29, Taken.OUTDATED),
        (None, 31, Taken.COUNTED),
        (7, 31, Taken.COUNTED),
    ],
)
def test_of_one_sequence_the_newer_stamp_wins(
    stage: Stage, sequence: int | None, minute: int, taken: Taken
) -> None:
    assert stage.mail(stage.cast.vera, YES, 0, 30) is Taken.COUNTED
    assert stage.mail(stage.cast.vera, MAYBE, sequence, minute) is taken


def test_the_same_reply_twice_changes_nothing(stage: Stage) -> None:
    assert stage.mail(stage.cast.vera, MAYBE, 0, 30, "Perhaps") is Taken.COUNTED
    count = len(told("says-tentative"))
    assert stage.mail(stage.cast.vera, MAYBE, 0, 30, "Perhaps") is Taken.REPEATED
    assert len(told("says-tentative")) == count == 1


def test_a_clock_that_runs_ahead_does_not_outrun_the_page(stage: Stage) -> None:
    assert stage.mail(stage.cast.vera, MAYBE, 0, 60 * 24 * 365) is Taken.COUNTED
    stage.clock.forward(minutes=5)
    assert stage.mail(stage.cast.vera, YES, 0, 64) is Taken.COUNTED
    assert stage.answers() == {"Vera": YES}


def test_a_move_asks_everyone_anew_and_old_replies_come_too_late(stage: Stage) -> None:
    cast = stage.cast
    for person in (cast.vera, cast.alice, cast.lev):
        assert stage.web(person, YES) is Taken.COUNTED
    stage.move(cast.alice, 1)
    assert stage.answers() == {"Vera": NONE, "Alice": NONE, "Lev": NONE}
    assert stage.mail(cast.vera, YES, 0, 200) is Taken.OUTDATED, "said yes to the hour before"
    assert stage.mail(cast.vera, YES, None, 200) is Taken.OUTDATED, "nothing says which hour is meant"
    assert stage.answers()["Vera"] is NONE
    assert stage.mail(cast.vera, YES, 1, 200) is Taken.COUNTED
    sent = invites("REQUEST")[-1].payload["visit"]
    assert {who["answer"] for who in sent["people"]} == {"NEEDS-ACTION"}


def test_answers_stay_where_only_words_or_people_change(stage: Stage) -> None:
    cast, visit = stage.cast, stage.visit
    stage.web(cast.vera, YES)
    service.edit_words(visit, cast.vera, note="How refunds are done", now=stage.clock())
    db.session.commit()
    assert stage.answers() == {"Vera": YES}
    stage.web(cast.alice, YES)
    service.swap(visit, cast.lev, agent_id=cast.anton.id, now=stage.clock())
    db.session.commit()
    assert stage.answers() == {"Vera": YES}, "who left has no answer, who came has not answered"
    newest = {row.recipient: row for row in invites("REQUEST")}[cast.vera.email].payload["visit"]
    shown = {who["name"]: who["answer"] for who in newest["people"]}
    assert shown == {"Vera Visitor": "ACCEPTED", "Anton Agent": "NEEDS-ACTION", "Lev Lead": "NEEDS-ACTION"}
    assert stage.mail(cast.vera, MAYBE, 0, 300) is Taken.COUNTED, "the hour is the one that was answered"


def test_a_plain_yes_is_not_mailed_but_anything_else_is(stage: Stage, app: Flask) -> None:
    cast = stage.cast
    stage.web(cast.vera, YES)
    assert told("says-accepted") == []
    stage.web(cast.vera, YES, "Looking forward to it")
    assert told("says-accepted") == [cast.alice.email]
    stage.web(cast.alice, MAYBE, "Training may be that day")
    assert told("says-tentative") == [cast.vera.email]
    assert "Training may be that day" in texts()["says-tentative"]
    assert told("says-declined") == []


def test_several_answers_that_wait_become_one_mail(stage: Stage, app: Flask) -> None:
    cast = stage.cast
    stage.web(cast.vera, MAYBE)
    stage.clock.forward(minutes=1)
    stage.web(cast.vera, MAYBE, "The train")
    assert told("says-tentative") == [cast.alice.email]
    stage.web(cast.vera, YES)
    assert told("says-tentative") == [], "what was not yet said is not said any more"
    stage.clock.forward(minutes=1)
    stage.web(cast.vera, MAYBE)
    run_errands(app, stage.clock)
    stage.web(cast.vera, YES)
    assert told("says-accepted") == [cast.alice.email], "who read maybe reads yes"


def test_a_visitor_who_declines_in_time_cancels(stage: Stage) -> None:
    assert stage.mail(stage.cast.vera, NO, 0, 61, "I am ill") is Taken.COUNTED
    assert stage.visit.status == Status.CANCELLED
    assert stage.visit.cancel_reason == "I am ill"
    assert len(invites("CANCEL")) == 3
    assert stage.mail(stage.cast.vera, YES, 0, 62) is Taken.OVER


def test_a_visitor_who_declines_late_is_only_noted(stage: Stage) -> None:
    cast = stage.cast
    stage.clock.at = TEN - timedelta(minutes=20)
    assert stage.web(cast.vera, NO, "Stuck in a lift") is Taken.COUNTED
    assert stage.visit.status == Status.BOOKED
    assert stage.answers() == {"Vera": NO}
    assert told("says-declined") == [cast.alice.email, cast.lev.email]
    assert "Stuck in a lift" in texts()["says-declined"]


def test_one_visitor_of_several_who_declines_only_leaves(stage: Stage) -> None:
    cast = stage.cast
    cast.programme.seats = 2
    db.session.commit()
    joined = service.book(
        programme=cast.programme,
        visitor=cast.eve,
        start=TEN,
        ask=Ask(agent_id=cast.alice.id),
        now=stage.clock(),
    )
    db.session.commit()
    assert joined.id == stage.visit.id
    stage.web(cast.vera, YES)
    assert stage.web(cast.eve, NO) is Taken.COUNTED
    assert stage.visit.status == Status.BOOKED
    assert [visitor.id for visitor in stage.visit.visitors] == [cast.vera.id]
    assert stage.answers() == {"Vera": YES}
    assert [row.recipient for row in invites("CANCEL")] == [cast.eve.email]
    assert stage.web(cast.eve, YES) is Taken.NOT_INVITED


def test_a_lead_who_declines_is_only_noted(stage: Stage) -> None:
    assert stage.web(stage.cast.lev, NO) is Taken.COUNTED
    assert stage.visit.status == Status.BOOKED
    assert told("says-declined") == [stage.cast.alice.email]


def test_an_agent_who_declines_frees_the_hour_and_others_are_offered(stage: Stage, app: Flask) -> None:
    cast = stage.cast
    assert stage.mail(cast.alice, NO, 0, 70, "Dentist") is Taken.COUNTED
    assert stage.visit.status == Status.CANCELLED
    mails = {row.recipient: row.payload["context"] for row in invites("CANCEL")}
    assert set(mails) == {cast.vera.email, cast.alice.email, cast.lev.email}
    offers = mails[cast.vera.email]["offers"]
    assert len(offers) == 3
    assert offers[0]["start"] == {"$instant": TEN.isoformat()}, "Anton is free at the same hour"
    assert offers[0]["path"] == (
        f"/visits/book?programme=shadow&start=2026-11-26T09%3A00%3A00Z&agent={cast.anton.id}"
    )
    assert "offers" not in mails[cast.alice.email]


def test_the_declined_hour_is_not_offered_where_only_that_agent_is_free(stage: Stage) -> None:
    cast = stage.cast
    cast.anton.active = cast.ada.active = False
    db.session.commit()
    stage.web(cast.alice, NO)
    (mail,) = (row for row in invites("CANCEL") if row.recipient == cast.vera.email)
    starts = [datetime.fromisoformat(each["start"]["$instant"]) for each in mail.payload["context"]["offers"]]
    assert len(starts) == 3
    assert all(start >= TEN + timedelta(hours=1) or start <= TEN - timedelta(hours=1) for start in starts)


def test_nobody_who_waits_is_offered_the_hour_an_agent_declined(stage: Stage, app: Flask) -> None:
    cast = stage.cast
    db.session.add(
        WaitlistEntry(
            programme_id=cast.programme.id, person_id=cast.eve.id, queued_at=stage.clock(), refused=[]
        )
    )
    db.session.commit()
    before = db.session.query(OutboxItem).filter(OutboxItem.kind == service.WAITLIST).count()
    stage.web(cast.alice, NO)
    assert db.session.query(OutboxItem).filter(OutboxItem.kind == service.WAITLIST).count() == before


def test_an_agent_who_declines_while_it_runs_ends_nothing(stage: Stage) -> None:
    stage.clock.at = TEN + timedelta(minutes=5)
    assert stage.web(stage.cast.alice, NO) is Taken.COUNTED
    assert stage.visit.status == Status.BOOKED
    stage.clock.at = TEN + timedelta(hours=2)
    assert stage.web(stage.cast.alice, YES) is Taken.OVER


def test_who_is_not_invited_changes_nothing(stage: Stage) -> None:
    cast = stage.cast
    assert stage.web(cast.eve, YES) is Taken.NOT_INVITED
    assert (
        service.take_answer(999_999, cast.vera.id, Said(YES, "", "web"), now=stage.clock())
        is Taken.NOT_INVITED
    )
    assert stage.answers() == {}


def test_nobody_answers_a_request(app: Flask, cast: Cast, clock: StandingClock) -> None:
    cast.programme.approval = True
    db.session.commit()
    visit = service.book(programme=cast.programme, visitor=cast.vera, start=TEN, now=clock())
    db.session.commit()
    said = Said(NO, "", "web")
    assert service.take_answer(visit.id, visit.agent_id, said, now=clock()) is Taken.NOT_INVITED
    assert visit.status == Status.REQUESTED


def test_a_reply_that_answers_nothing_changes_nothing(stage: Stage) -> None:
    stage.web(stage.cast.vera, YES)
    assert stage.mail(stage.cast.vera, NONE, 0, 70) is Taken.REPEATED
    assert stage.answers() == {"Vera": YES}


def test_words_of_strangers_are_cleaned_and_cut(stage: Stage) -> None:
    stage.web(stage.cast.vera, MAYBE, "a\x00b\r\nc\x1b" + "x" * 9000)
    row = replies.row_of(stage.visit, stage.cast.vera.id)
    assert row is not None
    assert row.comment.startswith("ab\nc" + "x" * 10)
    assert len(row.comment) == 500


def test_an_answer_leaves_a_trace(stage: Stage) -> None:
    stage.mail(stage.cast.vera, MAYBE, 0, 61)
    (entry,) = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "visit.answered"))
    assert (entry.person_id, entry.detail) == (stage.cast.vera.id, {"answer": "TENTATIVE", "via": "mail"})


def test_a_visit_is_found_by_its_uid(stage: Stage) -> None:
    assert service.visit_by_uid(stage.visit.uid) is stage.visit
    assert service.visit_by_uid("nothing@gemba.example") is None
