"""The mentor of a hands-on visit: found, booked, told, moved and swapped like an agent; on both databases."""

import io
import threading
import zipfile
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from gemba.db import db
from gemba.errors import Invalid
from gemba.insights.service.keeping import drop_old
from gemba.invites.feeds import Reader
from gemba.invites.rules import Answer
from gemba.outbox.mail import render
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import thaw
from gemba.people.models import Person, PersonRole
from gemba.people.rules import Role
from gemba.personal.erasing import erase
from gemba.personal.taking import archive_of
from gemba.programmes.models import Programme
from gemba.schedule.models import Availability
from gemba.schedule.rules import ReasonCode, Span
from gemba.visits import debriefs, feed, reminders, service
from gemba.visits.errors import (
    DebriefTooEarly,
    NoMentorFree,
    NotOffered,
    NotYoursToSwap,
    SlotTaken,
    VisitNotFound,
)
from gemba.visits.facts import ANY, Ask
from gemba.visits.models import Tick, Visit
from gemba.visits.rules import Status, TookPlace
from gemba.visits.service import path, taking
from gemba.visits.service.reminding import due_mails
from tests.cast import WORKDAYS, Cast
from tests.conftest import MONDAY, Browser, StandingClock

THURSDAY_TEN = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


def mentor(name: str, **wishes: int) -> Person:
    """Somebody who guides visits and does nothing else, at the hours of the cast."""
    person = Person(
        email=f"{name.lower()}@gemba.example",
        name=f"{name} Mentor",
        timezone="Europe/Berlin",
        locale="en",
        created_at=MONDAY,
    )
    person.role_rows = [PersonRole(role=Role.MENTOR)]
    db.session.add(person)
    db.session.flush()
    hours = Availability(
        person_id=person.id, timezone=person.timezone, weekly=WORKDAYS, overrides={}, **wishes
    )
    db.session.add(hours)
    return person


@pytest.fixture
def max_(app: Flask, cast: Cast) -> Person:
    """Max, the only mentor, with a quarter of an hour of break after each visit."""
    return mentor("Max", buffer_after=15)


@pytest.fixture
def till(app: Flask, cast: Cast) -> Programme:
    """A hands-on programme without any training step."""
    programme = Programme(slug="till", name="Free till", format="hands-on", created_at=MONDAY)
    db.session.add(programme)
    db.session.flush()
    return programme


def book(till: Programme, who: Person, start: datetime = THURSDAY_TEN, ask: Ask = ANY) -> Visit:
    """An hour of the programme for somebody."""
    return service.book(programme=till, visitor=who, start=start, ask=ask, now=MONDAY)


def starts(till: Programme, who: Person, ask: Ask = ANY) -> list[datetime]:
    """What somebody could book on Thursday."""
    day = Span(THURSDAY_TEN - timedelta(hours=9), THURSDAY_TEN + timedelta(hours=15))
    return service.open_slots(till, who, ask=ask, window=day, now=MONDAY).starts


def ticks_of(person: Person) -> int:
    """How many ticks of somebody are taken."""
    query = select(func.count()).select_from(Tick).where(Tick.person_id == person.id)
    return db.session.scalar(query) or 0


def why_not(till: Programme, cast: Cast, agent: Person, start: datetime = THURSDAY_TEN) -> set[ReasonCode]:
    """What stands against an hour with an agent."""
    return {reason.code for reason in service.why_not(till, cast.eve, agent.id, start=start, now=MONDAY)}


def test_a_visit_takes_the_mentor_and_tells_them(till: Programme, max_: Person, cast: Cast) -> None:
    visit = book(till, cast.vera, ask=Ask(cast.alice.id))
    assert (visit.mentor, visit.mentor_after) == (max_, 15)
    assert (ticks_of(cast.alice), ticks_of(cast.vera), ticks_of(max_)) == (12, 12, 15)
    db.session.commit()
    told = set(db.session.scalars(select(OutboxItem.recipient)))
    assert told == {cast.vera.email, cast.alice.email, cast.lev.email, max_.email}
    # Alice's other hours go on, those with Max in another visit do not.
    assert why_not(till, cast, cast.ada) == {ReasonCode.MENTORS_TAKEN}
    assert THURSDAY_TEN not in starts(till, cast.eve, Ask(cast.ada.id))
    with pytest.raises(SlotTaken) as refused:
        book(till, cast.eve, ask=Ask(cast.ada.id))
    assert refused.value.alternatives == [
        THURSDAY_TEN + timedelta(hours=1, minutes=30),
        THURSDAY_TEN + timedelta(hours=2),
        THURSDAY_TEN + timedelta(hours=4),
    ]
    assert service.open_slots(
        cast.programme,
        cast.eve,
        ask=Ask(cast.ada.id),
        window=Span(THURSDAY_TEN, THURSDAY_TEN + timedelta(minutes=1)),
        now=MONDAY,
    ).starts == [THURSDAY_TEN]


def test_without_a_mentor_nothing_is_offered(till: Programme, cast: Cast) -> None:
    assert starts(till, cast.vera) == []
    assert why_not(till, cast, cast.alice) == {ReasonCode.NO_MENTOR}
    with pytest.raises(NotOffered):
        book(till, cast.vera)


def test_hours_limits_and_calendars_of_a_mentor_count(till: Programme, max_: Person, cast: Cast) -> None:
    hours = db.session.get_one(Availability, max_.id)
    hours.per_day = 1
    book(till, cast.vera, ask=Ask(cast.alice.id))
    afternoon = THURSDAY_TEN + timedelta(hours=5)
    assert why_not(till, cast, cast.ada, afternoon) == {ReasonCode.MENTORS_TAKEN}
    assert starts(till, cast.eve) == []
    assert why_not(till, cast, cast.ada, afternoon + timedelta(days=1)) == set()
    hours.paused = True
    db.session.flush()
    assert why_not(till, cast, cast.ada, afternoon + timedelta(days=1)) == {ReasonCode.NO_MENTOR}


def test_an_agent_who_guides_is_never_in_two_visits(till: Programme, cast: Cast) -> None:
    """Anton is agent and mentor: nobody guides at their own workplace, or while being visited."""
    anton = db.session.get_one(Person, cast.anton.id)
    anton.role_rows = [*anton.role_rows, PersonRole(role=Role.MENTOR)]
    db.session.flush()
    assert why_not(till, cast, cast.anton) == {ReasonCode.NO_MENTOR}
    visit = book(till, cast.vera)
    assert visit.mentor == cast.anton
    assert visit.agent in (cast.alice, cast.ada)
    # As mentor he is taken in every programme.
    taken = service.why_not(cast.programme, cast.eve, cast.anton.id, start=THURSDAY_TEN, now=MONDAY)
    assert {reason.code for reason in taken} == {ReasonCode.AGENT_BUSY}
    later = THURSDAY_TEN + timedelta(hours=2)
    service.book(programme=cast.programme, visitor=cast.eve, start=later, ask=Ask(cast.anton.id), now=MONDAY)
    assert why_not(till, cast, cast.ada, later) == {ReasonCode.MENTORS_TAKEN, ReasonCode.VISITOR_BUSY}
    # A mentor who visits is guided by somebody else.
    assert starts(till, anton) == []


def test_mentors_take_turns(till: Programme, max_: Person, cast: Cast) -> None:
    mia = mentor("Mia")
    visits = [
        book(till, cast.vera, THURSDAY_TEN + timedelta(days=day), Ask(cast.alice.id)) for day in (0, 1, 4, 5)
    ]
    guides = [visit.mentor for visit in visits]
    assert guides.count(mia) == guides.count(max_) == 2


def test_a_visit_that_moves_keeps_its_mentor_where_it_can(till: Programme, max_: Person, cast: Cast) -> None:
    mia = mentor("Mia")
    visit = book(till, cast.vera, ask=Ask(cast.alice.id))
    first = visit.mentor
    later = THURSDAY_TEN + timedelta(minutes=30)
    service.move(visit, cast.vera, start=later, now=MONDAY)
    assert (visit.mentor, visit.sequence, ticks_of(cast.alice)) == (first, 1, 12)
    assert first is not None
    db.session.get_one(Availability, first.id).overrides = {"2026-11-27": []}
    db.session.flush()
    service.move(visit, cast.vera, start=later + timedelta(days=1), now=MONDAY)
    assert {visit.mentor, first} == {mia, max_}
    assert ticks_of(first) == 0
    service.swap(visit, cast.lev, agent_id=cast.ada.id, now=MONDAY)
    assert (visit.agent, visit.mentor != first) == (cast.ada, True)
    service.cancel(visit, cast.vera, reason="", now=MONDAY)
    assert db.session.scalar(select(func.count()).select_from(Tick)) == 0


def test_a_lead_finds_another_mentor(till: Programme, max_: Person, cast: Cast) -> None:
    visit = book(till, cast.vera, ask=Ask(cast.alice.id))
    with pytest.raises(NoMentorFree):
        service.swap_mentor(visit, cast.lev, now=MONDAY)
    with pytest.raises(NotYoursToSwap):
        service.swap_mentor(visit, cast.vera, now=MONDAY)
    mia = mentor("Mia", buffer_before=10)
    with pytest.raises(NoMentorFree):
        service.swap_mentor(visit, cast.lev, mentor_id=cast.ada.id, now=MONDAY)
    assert service.free_mentors(visit) == [mia.id]
    db.session.query(OutboxItem).update({"state": "done"})
    service.swap_mentor(visit, cast.lev, now=THURSDAY_TEN - timedelta(minutes=10))
    assert (visit.mentor, visit.sequence, ticks_of(max_), ticks_of(mia)) == (mia, 1, 0, 14)
    words = {
        row.recipient: (row.payload["method"], row.payload["context"]["word"])
        for row in db.session.scalars(select(OutboxItem).where(OutboxItem.state == "ready"))
        if row.kind == "invite"
    }
    assert words[max_.email] == ("CANCEL", "replaced")
    assert words[mia.email] == ("REQUEST", "booked")
    assert words[cast.vera.email] == words[cast.alice.email] == ("REQUEST", "moved")


def test_everyone_is_locked_at_once(
    till: Programme, max_: Person, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who takes one lock after the other may wait in a circle: whatever happens to a visit, the first lock is
    of all whom a later one asks for."""
    seen: list[set[int]] = []
    real = path.lock

    def lock(ids: Collection[int]) -> None:
        seen.append(set(ids))
        real(ids)

    monkeypatch.setattr(path, "lock", lock)
    mentor("Mia")
    anton = db.session.get_one(Person, cast.anton.id)
    anton.role_rows = [*anton.role_rows, PersonRole(role=Role.MENTOR)]
    db.session.flush()
    old = book(till, cast.vera, ask=Ask(cast.alice.id))
    other = book(till, cast.eve, ask=Ask(cast.ada.id))
    # From before there were mentors; and one whose mentor is to be its agent.
    taking.vacate(old)
    old.mentor_id = None
    taking.occupy(old, [cast.vera.id])
    service.swap_mentor(other, cast.lena, mentor_id=anton.id, now=MONDAY)
    later = THURSDAY_TEN + timedelta(hours=5)

    def agree() -> None:
        (proposal,) = service.proposals_of(old.id)
        service.accept_proposal(old, proposal.id, old.agent, now=MONDAY)

    deeds: list[Callable[[], object]] = [
        lambda: service.swap(old, cast.lev, agent_id=cast.ada.id, now=MONDAY),
        lambda: service.swap(other, cast.adam, agent_id=anton.id, now=MONDAY),
        lambda: service.take_proposal(
            old.id, cast.vera.id, later, later + timedelta(hours=1), "", None, None, now=MONDAY
        ),
        agree,
        lambda: service.move(other, cast.eve, start=later + timedelta(days=1), now=MONDAY),
        lambda: service.swap_mentor(other, cast.adam, now=MONDAY),
        lambda: service.swap(old, cast.adam, now=MONDAY),
    ]
    taking.vacate(other)
    other.starts_at, other.ends_at = (at + timedelta(days=1) for at in (other.starts_at, other.ends_at))
    taking.occupy(other, [cast.eve.id])
    for deed in deeds:
        seen.clear()
        deed()
        db.session.flush()
        assert seen
        assert all(each <= seen[0] for each in seen)
    assert old.starts_at == later
    assert old.mentor_id is not None


def test_the_mentor_reads_and_answers(till: Programme, max_: Person, cast: Cast) -> None:
    visit = book(till, cast.vera, ask=Ask(cast.alice.id))
    assert service.get_visit(max_, visit.id) == visit
    assert service.unanswered_invites(max_, now=MONDAY) == [visit]
    said = service.Said(Answer.ACCEPTED, "", "web")
    assert service.take_answer(visit.id, max_.id, said, now=MONDAY) == service.Taken.COUNTED
    db.session.commit()
    reader = Reader(1, max_.id, "en", None, "", None)
    assert [one for one, _text in feed.read(reader, now=MONDAY)] == [visit.id]
    tomorrow = {due.person_id for due in due_mails(THURSDAY_TEN - timedelta(hours=20), limit=99)}
    assert tomorrow == {cast.vera.id, cast.alice.id, cast.lev.id, max_.id}
    over = visit.ends_at + timedelta(minutes=20)
    assert max_.id in {due.person_id for due in due_mails(over, limit=99)}
    _the_question_leads_to_the_debrief(visit, {max_.email, cast.vera.email}, over)
    service.tell_outcome(visit, max_, TookPlace.YES, now=over)
    assert visit.status == Status.HELD


def _the_question_leads_to_the_debrief(visit: Visit, writers: set[str], over: datetime) -> None:
    """Visitor and mentor are asked for their debrief in the mail that asks whether it took place."""
    reminders.queue(due_mails(over, limit=99), over)
    mails = {
        row.recipient: row.payload
        for row in db.session.scalars(select(OutboxItem).where(OutboxItem.kind == reminders.KIND))
        if row.payload["template"] == "visit_outcome"
    }
    for address, payload in mails.items():
        context = {**thaw(payload["context"]), "to_name": payload["name"], "answer_url": ""}
        written = render("visit_outcome", payload["locale"], context)
        for part in (written.text, written.html):
            assert (f"/visits/{visit.id}/debrief" in part) == (address in writers)
    assert writers < mails.keys()


def test_a_visitor_who_waits_is_offered_an_hour_with_a_mentor(
    till: Programme, max_: Person, cast: Cast
) -> None:
    hours = db.session.get_one(Availability, max_.id)
    hours.weekly = {"3": [[10 * 60, 11 * 60 + 15]]}
    visit = book(till, cast.vera, ask=Ask(cast.alice.id))
    service.wait(till, cast.eve, ANY, now=MONDAY)
    plan = service.plan_offers(till.id, now=MONDAY)
    service.cancel(visit, cast.vera, reason="", now=MONDAY)
    db.session.commit()
    assert [start for _entry, start in plan if start == THURSDAY_TEN] == []
    plan = service.plan_offers(till.id, now=MONDAY)
    assert service.make_offers(till.id, plan[:1], now=MONDAY)
    offered = db.session.scalars(select(Visit).where(Visit.status == Status.OFFERED)).one()
    assert (offered.mentor, offered.starts_at) == (max_, THURSDAY_TEN)
    service.take_offer(offered, cast.eve, now=MONDAY)
    assert (offered.status, ticks_of(max_)) == (Status.BOOKED, 15)


def test_two_visitors_race_for_one_mentor(app: Flask, till: Programme, max_: Person, cast: Cast) -> None:
    """Different agents, the same hour: the one mentor goes to one of them, and the other hears why."""
    slug, mentor_id = till.slug, max_.id
    pairs = [(cast.vera.id, cast.alice.id), (cast.eve.id, cast.ada.id)]
    db.session.commit()
    ready, said = threading.Barrier(2), []

    def race(visitor: int, agent: int) -> None:
        with app.app_context():
            programme = db.session.scalars(select(Programme).where(Programme.slug == slug)).one()
            person = db.session.get_one(Person, visitor)
            db.session.rollback()
            ready.wait(20)
            try:
                book(programme, person, ask=Ask(agent))
                db.session.commit()
                said.append("booked")
            except SlotTaken as refusal:
                db.session.rollback()
                said.append("taken" if refusal.alternatives else "nothing left")

    threads = [threading.Thread(target=race, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(said) == ["booked", "taken"]
    (visit,) = db.session.scalars(select(Visit))
    assert visit.mentor_id == mentor_id


def test_the_pages_of_a_visit_with_a_mentor(
    site: Flask, site_till: tuple[int, int], browser: Browser, site_cast: Cast
) -> None:
    visit_id, mentor_id = site_till
    page = browser.as_(mentor_id).get(f"/visits/{visit_id}").text
    assert "Nothing is sent that you would not send yourself." in page
    assert "Max Mentor" in browser.as_(site_cast.vera.id).get(f"/visits/{visit_id}").text
    assert browser.as_(mentor_id).get("/availability").status_code == 200
    lev = browser.as_(site_cast.lev.id)
    assert f"/visits/{visit_id}/mentor" in lev.get(f"/visits/{visit_id}").text
    assert "No other mentor is free at this hour." in lev.get(f"/visits/{visit_id}/mentor").text
    assert lev.post(f"/visits/{visit_id}/mentor", data={"agent": "x"}).status_code == 409
    for nobody in (mentor_id, site_cast.vera.id):
        assert browser.as_(nobody).get(f"/visits/{visit_id}/mentor").status_code == 403
    with site.app_context():
        mentor("Mia")
        db.session.commit()
    assert "Mia Mentor" in lev.get(f"/visits/{visit_id}/mentor").text
    with site.app_context():
        anton = db.session.get_one(Person, site_cast.anton.id)
        anton.role_rows = [*anton.role_rows, PersonRole(role=Role.MENTOR)]
        service.swap_mentor(
            db.session.get_one(Visit, visit_id),
            db.session.get_one(Person, site_cast.lev.id),
            mentor_id=anton.id,
            now=MONDAY,
        )
        db.session.commit()
    week = lev.get("/team?week=2026-11-26").text
    assert week.count(f"/visits/{visit_id}/swap") == week.count(f"/visits/{visit_id}/mentor") == 1
    assert lev.post(f"/visits/{visit_id}/mentor", data={}).status_code == 303
    assert "Mia Mentor" in lev.get(f"/visits/{visit_id}").text
    assert browser.as_(mentor_id).get(f"/visits/{visit_id}").status_code == 404


@pytest.fixture
def site_till(site: Flask, site_cast: Cast) -> tuple[int, int]:
    """A hands-on visit to come: its id, and that of its mentor."""
    with site.app_context():
        programme = Programme(slug="till", name="Free till", format="hands-on", created_at=MONDAY)
        db.session.add(programme)
        guide = mentor("Max")
        visit = book(programme, db.session.get_one(Person, site_cast.vera.id), ask=Ask(site_cast.alice.id))
        db.session.commit()
        return visit.id, guide.id


def test_visitor_and_mentor_write_their_debriefs(
    till: Programme, max_: Person, cast: Cast, clock: StandingClock
) -> None:
    visit = book(till, cast.vera, ask=Ask(cast.alice.id))
    clock.at = visit.ends_at - timedelta(minutes=1)
    with pytest.raises(DebriefTooEarly):
        debriefs.page(cast.vera, visit.id, "en", now=clock())
    clock.at = visit.ends_at
    page = debriefs.page(cast.vera, visit.id, "en", now=clock())
    asked = [question for question, _words in page.mine]
    assert asked[0] == "What did you learn that you will use in your own work?"
    assert debriefs.page(max_, visit.id, "ru", now=clock()).mine[0][0] == "Что гость увидел впервые?"
    for typed, wrong in (([(asked[0], " ")], "q0"), ([("x", "y"), (asked[1], "я" * 2001)], "q1")):
        with pytest.raises(Invalid) as refused:
            debriefs.save(cast.vera, visit.id, typed, now=clock())
        assert list(refused.value.errors) == [wrong]
    debriefs.save(cast.vera, visit.id, [(asked[0], "Two windows"), (asked[1], "")], now=clock())
    till.debrief = "Something else?"
    page = debriefs.page(cast.vera, visit.id, "en", now=clock())
    assert page.mine == [(asked[0], "Two windows"), ("Something else?", "")]
    # The agent reads it and writes none; the lead, an admin and strangers do not see it.
    seen = debriefs.page(cast.alice, visit.id, "en", now=clock())
    assert (seen.mine, [row.answers for row in seen.others]) == ([], [[[asked[0], "Two windows"]]])
    with pytest.raises(VisitNotFound):
        debriefs.save(cast.alice, visit.id, [(asked[0], "x")], now=clock())
    for nobody in (cast.lev, cast.adam, cast.eve):
        with pytest.raises(VisitNotFound):
            debriefs.page(nobody, visit.id, "en", now=clock())
    db.session.commit()
    with zipfile.ZipFile(io.BytesIO(archive_of(cast.vera))) as files:
        kept = files.read("visit_debrief.json").decode()
    assert "Two windows" in kept
    asked_max = debriefs.page(max_, visit.id, "en", now=clock()).mine[0][0]
    debriefs.save(max_, visit.id, [(asked_max, "Saw the queue")], now=clock())
    erase(cast.vera, cast.vera.email, now=clock() + timedelta(hours=1))
    db.session.expire_all()
    left = debriefs.page(cast.alice, visit.id, "en", now=clock()).others
    assert [row.answers for row in left] == [[[asked_max, "Saw the queue"]]]
    drop_old(visit.ends_at + timedelta(days=31 * till.keep_months))
    assert debriefs.page(cast.alice, visit.id, "en", now=clock()).others == []


def test_the_page_of_a_debrief(
    site_till: tuple[int, int], browser: Browser, site_cast: Cast, clock: StandingClock
) -> None:
    visit_id, mentor_id = site_till
    path, vera = f"/visits/{visit_id}/debrief", site_cast.vera.id
    assert browser.as_(vera).get(path).status_code == 409
    clock.at = THURSDAY_TEN + timedelta(hours=1, minutes=1)
    assert path in browser.as_(vera).get(f"/visits/{visit_id}").text
    assert browser.as_(vera).post(path, data={"q1": "x" * 2001}).status_code == 422
    assert browser.as_(vera).post(path, data={"q0": "Two <b>windows</b>"}).status_code == 303
    assert "Two &lt;b&gt;windows" in browser.as_(mentor_id).get(path).text
    assert "Two &lt;b&gt;windows" in browser.as_(site_cast.alice.id).get(path).text
    assert browser.as_(site_cast.lev.id).get(path).status_code == 404
    assert browser.as_(vera).put(path).status_code == 405
    assert browser.anonymous().get(path).status_code == 303
