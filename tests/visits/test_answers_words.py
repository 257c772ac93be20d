"""Words of a visit edited, and a seat given to somebody else: what calendars hear, and who may."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.errors import Invalid
from gemba.invites.mail import handle
from gemba.invites.rules import Answer
from gemba.outbox.kinds import handler_of
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import State
from gemba.people.models import AuditEntry, Person
from gemba.schedule.models import Availability
from gemba.visits import replies, service
from gemba.visits.errors import CannotCome, NotOpenToEdit, NotYourSeat, NotYoursToEdit
from gemba.visits.facts import Ask
from gemba.visits.models import Tick, Visit
from gemba.visits.replies import Said
from gemba.visits.rules import Status
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.invites import libical, strict
from tests.invites.test_hostile import NASTY
from tests.visits.errands import run_errands
from tests.visits.test_mails import facts_of

TEN = datetime(2026, 11, 26, 9, tzinfo=UTC)
HOSTILE = (
    "\r\nATTENDEE:mailto:eve@evil.example\nEND:VEVENT\x00\x1b[31m<script>alert(1)</script>, ; \\n \u202eevil"
)


@pytest.fixture
def visit(app: Flask, cast: Cast, clock: StandingClock) -> Visit:
    return book(cast, cast.vera, clock)


def book(cast: Cast, visitor: Person, clock: StandingClock) -> Visit:
    visit = service.book(
        programme=cast.programme, visitor=visitor, start=TEN, ask=Ask(agent_id=cast.alice.id), now=clock()
    )
    db.session.commit()
    return visit


def waiting() -> list[OutboxItem]:
    """The invites that were not dropped, in order."""
    query = select(OutboxItem).where(OutboxItem.kind == "invite", OutboxItem.state != State.DROPPED)
    return list(db.session.scalars(query.order_by(OutboxItem.id)))


def mail_to(person: Person) -> tuple[bytes, str]:
    """The newest invite to somebody, and its plain text under its subject."""
    row = [row for row in waiting() if row.recipient == person.email][-1]
    raw = handle(row.payload, facts_of(row))
    mail = message_from_bytes(raw, policy=default)
    body = mail.get_body(("plain",))
    assert body is not None
    return raw, f"{mail['Subject']}\n{body.get_content()}"


def test_new_words_are_a_new_mail_of_the_same_sequence(
    app: Flask, visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    run_errands(app, clock)
    stamp = visit.changed_at
    clock.forward(minutes=1)
    service.edit_words(visit, cast.vera, note="How refunds are done", now=clock())
    db.session.commit()
    assert (visit.note, visit.sequence) == ("How refunds are done", 0)
    assert visit.changed_at > stamp
    raw, text = mail_to(cast.alice)
    assert strict.problems(raw, "REQUEST") == []
    assert text.startswith("Changed: visit on Thu 26 Nov, 10:00–11:00")
    assert "Vera Visitor changed what the visitors would like to see." in text
    assert "They would like to see: How refunds are done" in text
    ics = strict.calendar_of(raw).decode().replace("\r\n ", "")
    assert "What the visitors would like to see: How refunds are done" in ics
    assert "\r\nSEQUENCE:0\r\n" in ics
    assert len(waiting()) == 6


def test_edits_within_a_second_are_told_apart_and_become_one_mail(
    app: Flask, visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    run_errands(app, clock)
    for note in ("a", "b", "c"):
        service.edit_words(visit, cast.vera, note=note, now=clock())
        db.session.commit()
    rows = waiting()
    assert len(rows) == 6
    assert {row.payload["visit"]["note"] for row in rows[3:]} == {"c"}
    assert {row.payload["visit"]["changed_at"] for row in rows[3:]} == {"2026-11-23T08:00:03Z"}


def test_words_that_change_before_anything_left_are_part_of_the_booking(
    app: Flask, visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    service.edit_words(visit, cast.vera, note="Refunds", now=clock())
    db.session.commit()
    assert len(waiting()) == 3
    _raw, text = mail_to(cast.vera)
    assert text.startswith("Visit on Thu 26 Nov")
    assert "They would like to see: Refunds" in text


def test_what_waits_of_a_move_is_not_lost_when_words_change(
    app: Flask, visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    run_errands(app, clock)
    service.move(visit, cast.alice, start=TEN + timedelta(hours=1), now=clock())
    service.move(visit, cast.alice, start=TEN + timedelta(hours=2), now=clock())
    service.edit_words(visit, cast.alice, note="Refunds", now=clock())
    db.session.commit()
    assert len(waiting()) == 6
    _raw, text = mail_to(cast.vera)
    assert text.startswith("Moved: visit on Thu 26 Nov, 12:00–13:00")
    assert "It was on Thursday 26 November, 10:00." in text, "the hour Vera knows, not the one in between"
    assert "Alice Agent changed what the visitors would like to see." in text


def test_moved_there_and_back_is_no_move(app: Flask, visit: Visit, cast: Cast, clock: StandingClock) -> None:
    run_errands(app, clock)
    service.move(visit, cast.alice, start=TEN + timedelta(hours=1), now=clock())
    service.move(visit, cast.alice, start=TEN, now=clock())
    db.session.commit()
    _raw, text = mail_to(cast.vera)
    assert text.startswith("Changed: visit on Thu 26 Nov, 10:00–11:00")


def test_the_link_is_changed_by_who_runs_the_visit(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    link = "https://meet.company.example/alice?room=1"
    for person in (cast.alice, cast.lev, cast.adam):
        service.edit_words(visit, person, meeting_url=f"{link}&by={person.id}", now=clock())
    assert visit.meeting_url == f"{link}&by={cast.adam.id}"
    with pytest.raises(NotYoursToEdit):
        service.edit_words(visit, cast.vera, meeting_url=link, now=clock())
    for person in (cast.eve, cast.lena, cast.olga):
        with pytest.raises(NotYoursToEdit):
            service.edit_words(visit, person, note="x", now=clock())


@pytest.mark.parametrize(
    "link",
    [
        "",
        "http://meet.example/a",
        "javascript:alert(1)",
        "https://",
        "https://user:pass@meet.example/",
        "//meet.example/a",
        "data:text/html,x",
        "https://meet.example/" + "x" * 600,
    ],
)
def test_only_safe_links_are_taken(visit: Visit, cast: Cast, clock: StandingClock, link: str) -> None:
    with pytest.raises(Invalid) as refusal:
        service.edit_words(visit, cast.alice, meeting_url=link, now=clock())
    assert list(refusal.value.errors) == ["meeting_url"]


def test_words_have_an_end(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    service.edit_words(visit, cast.vera, note="x" * 500, now=clock())
    with pytest.raises(Invalid):
        service.edit_words(visit, cast.vera, note="x" * 501, now=clock())


def test_the_same_words_again_tell_nobody(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    service.edit_words(visit, cast.vera, note="", meeting_url=visit.meeting_url, now=clock())
    db.session.commit()
    assert len(waiting()) == 3
    assert visit.changed_at == visit.created_at


def test_over_or_cancelled_visits_keep_their_words(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    service.cancel(visit, cast.vera, reason="", now=clock())
    with pytest.raises(NotOpenToEdit):
        service.edit_words(visit, cast.vera, note="x", now=clock())
    other = service.book(programme=cast.programme, visitor=cast.vera, start=TEN, now=clock())
    clock.at = other.ends_at
    with pytest.raises(NotOpenToEdit):
        service.edit_words(other, cast.vera, note="x", now=clock())


@pytest.mark.parametrize("words", [HOSTILE, *NASTY], ids=range(len(NASTY) + 1))
def test_hostile_words_and_names_stay_words(
    app: Flask, visit: Visit, cast: Cast, clock: StandingClock, words: str
) -> None:
    cast.vera.name = '<b>Vera</b> "V" Visitor'
    service.edit_words(visit, cast.vera, note=f"a {words[:400]} z", now=clock())
    said = Said(Answer.TENTATIVE, f"a {words} z", "mail", 0, clock())
    service.take_answer(visit.id, cast.vera.id, said, now=clock())
    db.session.commit()
    rows = db.session.scalars(select(OutboxItem).where(OutboxItem.state == State.READY)).all()
    assert len(rows) == 4
    for row in rows:
        raw = _written(row)
        method = "REQUEST" if row.kind == "invite" else None
        assert strict.problems(raw, method) == []
        if method:
            assert libical.read(strict.calendar_of(raw)).errors == []
        html = message_from_bytes(raw, policy=default).get_body(("html",))
        assert html is not None
        assert "<script" not in html.get_content()
        assert "<b>" not in html.get_content()


def _written(row: OutboxItem) -> bytes:
    raw = handler_of(row.kind)(row.payload, facts_of(row))
    assert isinstance(raw, bytes)
    return raw


def test_a_seat_goes_to_somebody_else(app: Flask, visit: Visit, cast: Cast, clock: StandingClock) -> None:
    run_errands(app, clock)
    for person in (cast.vera, cast.alice):
        service.take_answer(visit.id, person.id, Said(Answer.ACCEPTED, "", "web"), now=clock())
    service.hand_on(visit, cast.vera, leaving=cast.vera, email=" EVE@gemba.example ", now=clock())
    db.session.commit()
    assert [visitor.id for visitor in visit.visitors] == [cast.eve.id]
    assert (visit.sequence, visit.starts_at) == (1, TEN)
    rows = waiting()[3:]
    told = {row.recipient: (row.payload["method"], row.payload["visit"]["uid"]) for row in rows}
    assert told == {
        cast.vera.email: ("CANCEL", visit.uid),
        cast.eve.email: ("REQUEST", visit.uid),
        cast.alice.email: ("REQUEST", visit.uid),
        cast.lev.email: ("REQUEST", visit.uid),
    }
    assert all(row.payload["visit"]["sequence"] == 1 for row in rows)
    assert set(replies.rows_of([visit.id])[visit.id]) == {cast.alice.id}
    taken = db.session.scalars(select(Tick.person_id).where(Tick.visit_id == visit.id).distinct())
    assert set(taken) == {cast.eve.id, cast.alice.id}
    raw, text = mail_to(cast.vera)
    assert strict.problems(raw, "CANCEL") == []
    assert "Eve Elsewhere comes instead of you." in text
    raw, text = mail_to(cast.alice)
    assert "Eve Elsewhere comes instead of Vera Visitor." in text
    assert text.startswith("Changed:")
    (entry,) = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "visit.handed-on"))
    assert entry.detail == {"from": cast.vera.id, "to": cast.eve.id}


def test_no_notice_is_needed_to_hand_on(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    clock.at = TEN - timedelta(minutes=1)
    service.hand_on(visit, cast.vera, leaving=cast.vera, email=cast.eve.email, now=clock())
    clock.at = TEN
    with pytest.raises(NotOpenToEdit):
        service.hand_on(visit, cast.eve, leaving=cast.eve, email=cast.vera.email, now=clock())


@pytest.mark.parametrize("name", ["alice", "anton", "olga", "nobody", "gone", "vera", ""])
def test_only_visitors_who_are_not_there_yet_can_come(
    visit: Visit, cast: Cast, clock: StandingClock, name: str
) -> None:
    cast.eve.active = name != "gone"
    email = cast.eve.email if name == "gone" else f"{name}@gemba.example" if name else ""
    with pytest.raises(Invalid) as refusal:
        service.hand_on(visit, cast.vera, leaving=cast.vera, email=email, now=clock())
    assert list(refusal.value.errors) == ["email"]
    assert [visitor.id for visitor in visit.visitors] == [cast.vera.id]


def test_the_newcomers_own_limits_hold(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    other = service.book(
        programme=cast.programme, visitor=cast.eve, start=TEN, ask=Ask(agent_id=cast.ada.id), now=clock()
    )
    db.session.commit()
    with pytest.raises(CannotCome) as refusal:
        service.hand_on(visit, cast.vera, leaving=cast.vera, email=cast.eve.email, now=clock())
    assert [reason.code for reason in refusal.value.reasons] == ["visitor-busy"]
    db.session.rollback()
    service.move(other, cast.eve, start=TEN + timedelta(hours=4), now=clock())
    cast.programme.visitor_per_week = 1
    db.session.commit()
    with pytest.raises(CannotCome) as refusal:
        service.hand_on(visit, cast.vera, leaving=cast.vera, email=cast.eve.email, now=clock())
    assert [reason.code for reason in refusal.value.reasons] == ["visitor-limit-per-week"]


def test_the_agents_hours_do_not_matter_for_a_newcomer(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    db.session.get_one(Availability, cast.alice.id).paused = True
    db.session.commit()
    service.hand_on(visit, cast.vera, leaving=cast.vera, email=cast.eve.email, now=clock())
    assert [visitor.id for visitor in visit.visitors] == [cast.eve.id]


def test_a_seat_is_given_by_who_has_it_or_who_runs_the_line(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    for person in (cast.alice, cast.eve, cast.lena, cast.olga):
        with pytest.raises(NotYourSeat):
            service.hand_on(visit, person, leaving=cast.vera, email=cast.eve.email, now=clock())
    service.hand_on(visit, cast.lev, leaving=cast.vera, email=cast.eve.email, now=clock())
    service.hand_on(visit, cast.adam, leaving=cast.eve, email=cast.vera.email, now=clock())
    with pytest.raises(NotYourSeat):
        service.hand_on(visit, cast.lev, leaving=cast.eve, email=cast.vera.email, now=clock())
    assert visit.sequence == 2


def test_a_wish_is_written_while_booking_beneath_those_of_others(
    app: Flask, cast: Cast, clock: StandingClock
) -> None:
    cast.programme.seats = 2
    ask = Ask(agent_id=cast.alice.id)

    def wish(who: Person, note: str, hours: int = 0) -> Visit:
        visit = service.book(
            programme=cast.programme,
            visitor=who,
            start=TEN + timedelta(hours=hours),
            ask=ask,
            note=note,
            now=clock(),
        )
        db.session.commit()
        return visit

    visit = wish(cast.vera, "  Refunds ")
    assert {row.payload["visit"]["note"] for row in waiting()} == {"Refunds"}
    queued = db.session.scalars(select(OutboxItem.recipient).where(OutboxItem.kind == "invite")).all()
    assert sorted(queued) == sorted([cast.vera.email, cast.alice.email, cast.lev.email]), "once each"
    assert wish(cast.eve, "Chargebacks") == visit
    assert visit.note == "Refunds\nChargebacks"
    with pytest.raises(Invalid):
        wish(cast.olga, "x" * 501, 1)
    db.session.rollback()
    cast.programme.approval = True
    asked = wish(cast.olga, "Returns", 4)
    assert (asked.status, asked.note) == (Status.REQUESTED, "Returns")
    assert all(row.payload["visit"]["visit_id"] == visit.id for row in waiting())
