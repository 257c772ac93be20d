"""Other hours that participants propose from their calendars: kept, accepted, declined, passed by."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.errors import Forbidden, NotFound
from gemba.invites.mail import handle
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import State
from gemba.people.models import Person
from gemba.visits import service
from gemba.visits.errors import MoveTooLate, NotOffered, OthersCome, ProposalDecided, SlotTaken
from gemba.visits.facts import Ask
from gemba.visits.models import Visit, VisitProposal
from gemba.visits.replies import Taken
from gemba.visits.rules import Status
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.invites import libical, strict
from tests.visits.errands import texts, told
from tests.visits.test_mails import facts_of

TEN = datetime(2026, 11, 26, 9, tzinfo=UTC)
NOON = TEN + timedelta(hours=2)
STAMP = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def visit(app: Flask, cast: Cast, clock: StandingClock) -> Visit:
    visit = service.book(
        programme=cast.programme, visitor=cast.vera, start=TEN, ask=Ask(agent_id=cast.alice.id), now=clock()
    )
    db.session.commit()
    clock.forward(hours=1)
    return visit


def propose(
    visit: Visit,
    person: Person,
    clock: StandingClock,
    start: datetime = NOON,
    *,
    stamp: datetime = STAMP,
    sequence: int | None = 0,
    comment: str = "",
) -> Taken:
    taken = service.take_proposal(
        visit.id, person.id, start, start + HOUR, comment, sequence, stamp, now=clock()
    )
    db.session.commit()
    return taken


def proposals(visit: Visit) -> list[tuple[datetime, str]]:
    return [(each.starts_at, each.state) for each in service.proposals_of(visit.id)]


def kept_mails() -> list[OutboxItem]:
    rows = db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "invite").order_by(OutboxItem.id))
    return [row for row in rows if row.payload["method"] == "DECLINECOUNTER"]


def test_a_proposal_is_shown_and_moves_nothing(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    assert propose(visit, cast.vera, clock, comment="After lunch?") is Taken.COUNTED
    assert (visit.starts_at, visit.sequence) == (TEN, 0)
    assert proposals(visit) == [(NOON, "open")]
    assert told("proposed") == [cast.alice.email]
    text = texts()["proposed"]
    assert "Vera Visitor proposes another hour: Thursday 26 November, 12:00" in text
    assert "After lunch?" in text


def test_the_same_proposal_twice_is_one(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    assert propose(visit, cast.vera, clock) is Taken.COUNTED
    assert propose(visit, cast.vera, clock) is Taken.REPEATED
    assert propose(visit, cast.vera, clock, stamp=STAMP + HOUR) is Taken.REPEATED
    assert proposals(visit) == [(NOON, "open")]
    assert told("proposed") == [cast.alice.email]


def test_a_newer_proposal_takes_the_place_of_an_older_one(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    later = STAMP + timedelta(minutes=5)
    propose(visit, cast.vera, clock, NOON, stamp=later)
    assert propose(visit, cast.vera, clock, NOON + HOUR, stamp=STAMP) is Taken.OUTDATED
    assert propose(visit, cast.vera, clock, NOON + HOUR, stamp=later + timedelta(minutes=1)) is Taken.COUNTED
    assert proposals(visit) == [(NOON, "passed"), (NOON + HOUR, "open")]


@pytest.mark.parametrize("start", [TEN, datetime(2026, 11, 20, 9, tzinfo=UTC)])
def test_what_is_no_other_hour_is_no_proposal(
    visit: Visit, cast: Cast, clock: StandingClock, start: datetime
) -> None:
    assert propose(visit, cast.vera, clock, start) in (Taken.REPEATED, Taken.OUTDATED)
    assert proposals(visit) == []


def test_who_is_not_there_and_what_is_over_is_not_asked(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    assert propose(visit, cast.eve, clock) is Taken.NOT_INVITED
    service.cancel(visit, cast.vera, reason="", now=clock())
    assert propose(visit, cast.vera, clock) is Taken.OVER


def test_a_yes_moves_the_visit_through_the_one_path(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    propose(visit, cast.vera, clock)
    propose(visit, cast.lev, clock, NOON + HOUR)
    (first, _second) = service.proposals_of(visit.id)
    service.accept_proposal(visit, first.id, cast.alice, now=clock())
    db.session.commit()
    assert (visit.starts_at, visit.sequence) == (NOON, 1)
    assert proposals(visit) == [(NOON, "accepted"), (NOON + HOUR, "passed")]
    assert first.decided_by_id == cast.alice.id
    with pytest.raises(ProposalDecided):
        service.accept_proposal(visit, first.id, cast.alice, now=clock())


def test_a_yes_that_the_rules_refuse_says_why_and_changes_nothing(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    propose(visit, cast.vera, clock, TEN + timedelta(hours=13))
    (proposal,) = service.proposals_of(visit.id)
    with pytest.raises(NotOffered) as refusal:
        service.accept_proposal(visit, proposal.id, cast.alice, now=clock())
    assert [reason.code for reason in refusal.value.reasons] == ["outside-hours"]
    db.session.rollback()
    assert proposals(visit) == [(TEN + timedelta(hours=13), "open")]
    assert visit.starts_at == TEN


def test_a_yes_to_an_hour_taken_since_offers_others(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    propose(visit, cast.vera, clock)
    service.book(
        programme=cast.programme, visitor=cast.eve, start=NOON, ask=Ask(agent_id=cast.alice.id), now=clock()
    )
    db.session.commit()
    (proposal,) = service.proposals_of(visit.id)
    with pytest.raises(SlotTaken) as refusal:
        service.accept_proposal(visit, proposal.id, cast.alice, now=clock())
    assert len(refusal.value.alternatives) == 3


def test_a_no_tells_the_proposers_calendar_that_it_stays(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    propose(visit, cast.vera, clock)
    (proposal,) = service.proposals_of(visit.id)
    service.decline_proposal(visit, proposal.id, cast.alice, now=clock())
    db.session.commit()
    assert (visit.starts_at, visit.sequence) == (TEN, 0)
    assert proposals(visit) == [(NOON, "declined")]
    (row,) = kept_mails()
    assert row.recipient == cast.vera.email
    raw = handle(row.payload, facts_of(row))
    assert strict.problems(raw, "DECLINECOUNTER") == []
    reading = libical.read(strict.calendar_of(raw))
    assert (reading.uid, reading.method, reading.errors) == (visit.uid, "DECLINECOUNTER", [])
    with pytest.raises(ProposalDecided):
        service.decline_proposal(visit, proposal.id, cast.alice, now=clock())


def test_a_no_that_waits_takes_no_invites_place_and_goes_when_the_visit_moves(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    propose(visit, cast.vera, clock)
    (proposal,) = service.proposals_of(visit.id)
    service.decline_proposal(visit, proposal.id, cast.alice, now=clock())
    waiting = db.session.scalars(select(OutboxItem).where(OutboxItem.state == State.READY)).all()
    assert sum(row.payload["method"] == "REQUEST" for row in waiting if row.kind == "invite") == 3
    service.move(visit, cast.alice, start=NOON + 2 * HOUR, now=clock())
    db.session.commit()
    (row,) = kept_mails()
    assert row.state == State.DROPPED


def test_words_that_change_leave_a_waiting_no_alone(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    propose(visit, cast.vera, clock)
    (proposal,) = service.proposals_of(visit.id)
    service.decline_proposal(visit, proposal.id, cast.alice, now=clock())
    service.edit_words(visit, cast.alice, note="Refunds", now=clock())
    db.session.commit()
    (row,) = kept_mails()
    assert row.state == State.READY


def test_moving_and_ending_pass_by_what_was_proposed(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    propose(visit, cast.vera, clock)
    service.move(visit, cast.vera, start=NOON + 2 * HOUR, now=clock())
    db.session.commit()
    assert proposals(visit) == [(NOON, "passed")]
    stamp = STAMP + timedelta(minutes=1)
    assert propose(visit, cast.vera, clock, NOON, stamp=stamp) is Taken.OUTDATED, "about the hour before"
    assert propose(visit, cast.vera, clock, NOON, stamp=stamp, sequence=1) is Taken.COUNTED
    service.cancel(visit, cast.vera, reason="", now=clock())
    db.session.commit()
    assert {state for _start, state in proposals(visit)} == {"passed"}


def test_the_proposals_of_who_leaves_go_with_them(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    propose(visit, cast.alice, clock)
    propose(visit, cast.vera, clock, NOON + HOUR)
    service.swap(visit, cast.lev, agent_id=cast.anton.id, now=clock())
    db.session.commit()
    assert proposals(visit) == [(NOON, "passed"), (NOON + HOUR, "open")]


def test_only_the_other_side_says_yes_or_no(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    propose(visit, cast.vera, clock)
    (proposal,) = service.proposals_of(visit.id)
    for person in (cast.vera, cast.eve, cast.olga, cast.lena):
        with pytest.raises(Forbidden):
            service.decline_proposal(visit, proposal.id, person, now=clock())
    with pytest.raises(NotFound):
        service.decline_proposal(visit, proposal.id + 99, cast.alice, now=clock())
    service.decline_proposal(visit, proposal.id, cast.adam, now=clock())


def test_a_visitor_needs_no_notice_for_what_the_agent_proposed(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    clock.at = TEN - timedelta(minutes=30)
    cast.programme.min_notice_minutes = 0
    propose(visit, cast.alice, clock, stamp=clock() - timedelta(minutes=1))
    assert told("proposed") == [cast.vera.email]
    with pytest.raises(MoveTooLate):
        service.move(visit, cast.vera, start=NOON, now=clock())
    db.session.rollback()
    (proposal,) = service.proposals_of(visit.id)
    service.accept_proposal(visit, proposal.id, cast.vera, now=clock())
    assert visit.starts_at == NOON


def test_one_visitor_of_several_does_not_move_the_others(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    cast.programme.seats = 2
    db.session.commit()
    service.book(
        programme=cast.programme, visitor=cast.eve, start=TEN, ask=Ask(agent_id=cast.alice.id), now=clock()
    )
    db.session.commit()
    assert propose(visit, cast.alice, clock) is Taken.COUNTED
    (proposal,) = service.proposals_of(visit.id)
    with pytest.raises(OthersCome):
        service.accept_proposal(visit, proposal.id, cast.vera, now=clock())
    db.session.rollback()
    service.accept_proposal(visit, proposal.id, cast.lev, now=clock())
    assert (visit.status, visit.starts_at) == (Status.BOOKED, NOON)


def test_rows_remember_who_and_when(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    propose(visit, cast.vera, clock, comment="a\x00b\x1b[31m")
    row = db.session.scalars(select(VisitProposal)).one()
    assert (row.person_id, row.comment, row.stamped_at) == (cast.vera.id, "ab[31m", STAMP)
