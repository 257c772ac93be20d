"""Reminders, the question afterwards and the nudge: who gets which when, and what stops them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, select

from gemba.db import db
from gemba.outbox.kinds import ItemFacts
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import State
from gemba.outbox.worker import Worker
from gemba.people.models import Person
from gemba.people.rules import MailKind
from gemba.people.service import mail_choices
from gemba.schedule.models import Availability
from gemba.visits import reminders, service
from gemba.visits.facts import Ask
from gemba.visits.models import Visit, VisitAnswer
from gemba.visits.rules import Status, TookPlace
from gemba.visits.timing import WINDOWS, Occasion, is_known, is_open, key
from tests.cast import Cast
from tests.conftest import MONDAY, StandingClock
from tests.crowd import add_agents, add_visits

THURSDAY = datetime(2026, 11, 26, 9, tzinfo=UTC)
DAY, HOUR, QUESTION, NUDGE = Occasion


def book(cast: Cast, clock: StandingClock, start: datetime = THURSDAY, **more: Any) -> Visit:
    """Vera visits Alice, unless other people are named."""
    agent = more.pop("agent", cast.alice)
    visit = service.book(
        programme=cast.programme,
        visitor=more.pop("visitor", cast.vera),
        start=start,
        ask=Ask(agent_id=agent.id),
        now=clock(),
    )
    db.session.commit()
    return visit


def tick(now: datetime) -> None:
    """What the worker does each minute."""
    ending = reminders.plan(now)
    if ending is not None:
        ending(now)
    db.session.commit()


def queued(*occasions: Occasion) -> list[tuple[str, str]]:
    """Occasion and recipient of what was queued, in order."""
    rows = db.session.scalars(select(OutboxItem).where(OutboxItem.kind == reminders.KIND))
    found = [(row.payload["occasion"], row.recipient.partition("@")[0]) for row in rows]
    return sorted(pair for pair in found if not occasions or pair[0] in occasions)


def send(app: Flask, clock: StandingClock) -> list[EmailMessage]:
    """Sends what is due, and reads the reminders and questions among it."""
    db.session.rollback()
    Worker(app, clock=clock).drain()
    db.session.expire_all()
    folder = app.extensions["gemba_settings"].mail_folder
    mails = [message_from_bytes(path.read_bytes(), policy=default) for path in sorted(folder.glob("*.eml"))]
    return [mail for mail in mails if mail["List-Unsubscribe"]]


def text_of(mail: EmailMessage) -> str:
    """The plain words."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def states() -> dict[str, str]:
    """The state of each reminder by recipient."""
    db.session.expire_all()
    rows = db.session.scalars(select(OutboxItem).where(OutboxItem.kind == reminders.KIND))
    return {row.recipient.partition("@")[0]: row.state for row in rows}


def both(name: Occasion, *people: str) -> list[tuple[str, str]]:
    """These people, reminded on an occasion."""
    return sorted((name.value, person) for person in people)


def test_each_is_reminded_once_a_day_and_an_hour_before(app: Flask, cast: Cast, clock: StandingClock) -> None:
    book(cast, clock)
    assert queued() == [], "booking queues no reminder"
    tick(THURSDAY - timedelta(hours=24, seconds=1))
    assert queued() == []
    for minutes in (0, 1, 60, 600):
        tick(THURSDAY - timedelta(hours=24) + timedelta(minutes=minutes))
        assert queued() == both(DAY, "alice", "lev", "vera")
    tick(THURSDAY - timedelta(minutes=61))
    assert queued(HOUR) == []
    for minutes in (60, 59, 1):
        tick(THURSDAY - timedelta(minutes=minutes))
        assert queued(HOUR) == both(HOUR, "alice", "lev", "vera")
    assert len(queued(DAY)) == 3


def test_the_key_holds_person_kind_visit_and_start(app: Flask, cast: Cast, clock: StandingClock) -> None:
    visit = book(cast, clock)
    tick(THURSDAY - timedelta(hours=20))
    keys = set(db.session.scalars(select(OutboxItem.dedup_key).where(OutboxItem.kind == reminders.KIND)))
    assert f"reminder-day:2026-11-26T09:00:00Z:{visit.id}:{cast.vera.id}" in keys
    assert len(keys) == 3


def test_two_machines_at_once_make_one_mail_each(app: Flask, cast: Cast, clock: StandingClock) -> None:
    book(cast, clock)
    now = THURSDAY - timedelta(hours=20)
    endings = [reminders.plan(now) for _ in range(2)]
    db.session.remove()
    ready, trouble = threading.Barrier(2), []

    def race(ending: Callable[[datetime], None]) -> None:
        with app.app_context():
            ready.wait(30)
            try:
                ending(now)
                db.session.commit()
            except Exception as error:
                trouble.append(error)
            db.session.remove()

    threads = [threading.Thread(target=race, args=(ending,)) for ending in endings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert trouble == []
    assert queued() == both(DAY, "alice", "lev", "vera")
    clock.at = now
    workers = [threading.Thread(target=Worker(app, clock=clock).drain) for _ in range(2)]
    db.session.remove()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    recipients = [mail["To"] for mail in send(app, clock)]
    assert len(recipients) == len(set(recipients)) == 3


@pytest.mark.parametrize(
    ("hours_before", "wanted"),
    [
        (30, {DAY, HOUR}),
        (29.9, {HOUR}),
        (12, {HOUR}),
        (4, {HOUR}),
    ],
)
def test_who_booked_late_is_not_told_again_what_the_invite_just_said(
    app: Flask, cast: Cast, clock: StandingClock, hours_before: float, wanted: set[Occasion]
) -> None:
    start = THURSDAY
    clock.at = start - timedelta(hours=hours_before)
    book(cast, clock, start)
    minute = clock.at
    while minute <= start:
        tick(minute)
        minute += timedelta(minutes=30)
    assert {occasion for occasion, _who in queued()} == {one.value for one in wanted}


def test_who_booked_an_hour_and_a_half_before_is_not_reminded(
    app: Flask, cast: Cast, clock: StandingClock
) -> None:
    cast.programme.min_notice_minutes = 30
    clock.at = THURSDAY - timedelta(minutes=90)
    book(cast, clock)
    for minutes in (60, 30, 1):
        tick(THURSDAY - timedelta(minutes=minutes))
    assert queued() == []


def test_after_downtime_nothing_comes_too_late(app: Flask, cast: Cast, clock: StandingClock) -> None:
    book(cast, clock)
    tick(THURSDAY - timedelta(hours=3))
    assert queued() == [], "three hours before, it is no day any more"
    tick(THURSDAY)
    tick(THURSDAY + timedelta(minutes=5))
    assert queued() == [], "the visit has begun"


@pytest.mark.parametrize(("occasion", "late"), [(DAY, timedelta(hours=21)), (HOUR, timedelta(hours=1))])
def test_what_could_not_leave_in_time_is_dropped(
    app: Flask, cast: Cast, clock: StandingClock, occasion: Occasion, late: timedelta
) -> None:
    book(cast, clock)
    due = THURSDAY + WINDOWS[occasion].opens
    tick(due)
    clock.at = due + late
    assert send(app, clock) == []
    assert set(states().values()) == {State.DROPPED}


def test_a_move_drops_the_old_reminder_and_brings_a_new_one(
    app: Flask, cast: Cast, clock: StandingClock
) -> None:
    visit = book(cast, clock)
    clock.at = THURSDAY - timedelta(hours=23)
    tick(clock())
    service.move(visit, cast.vera, start=THURSDAY + timedelta(days=4), now=clock())
    db.session.commit()
    assert send(app, clock) == []
    assert set(states().values()) == {State.DROPPED}
    tick(THURSDAY - timedelta(hours=1))
    assert len(queued()) == 3, "the hour it moved from has none"
    clock.at = THURSDAY + timedelta(days=3)
    tick(clock())
    assert queued(DAY) == sorted(both(DAY, "alice", "lev", "vera") * 2)
    mails = send(app, clock)
    assert len(mails) == 3
    assert all("30" in mail["Subject"] for mail in mails)


def test_a_cancelled_visit_reminds_nobody(app: Flask, cast: Cast, clock: StandingClock) -> None:
    visit = book(cast, clock)
    clock.at = THURSDAY - timedelta(hours=23)
    tick(clock())
    service.cancel(visit, cast.vera, reason="", now=clock())
    db.session.commit()
    assert send(app, clock) == []
    assert set(states().values()) == {State.DROPPED}
    tick(THURSDAY - timedelta(minutes=30))
    tick(THURSDAY + timedelta(hours=2))
    assert len(queued()) == 3


def test_who_left_is_not_reminded_and_the_others_are(app: Flask, cast: Cast, clock: StandingClock) -> None:
    cast.programme.seats = 2
    visit = book(cast, clock)
    service.book(
        programme=cast.programme,
        visitor=cast.eve,
        start=THURSDAY,
        ask=Ask(agent_id=cast.alice.id),
        now=clock(),
    )
    db.session.commit()
    if len(visit.visitors) == 1:
        visit.visitors.append(cast.eve)
        db.session.commit()
    assert {one.id for one in visit.visitors} == {cast.vera.id, cast.eve.id}
    clock.at = THURSDAY - timedelta(days=2)
    service.cancel(visit, cast.eve, reason="", now=clock())
    db.session.commit()
    tick(THURSDAY - timedelta(hours=24))
    assert queued() == both(DAY, "alice", "lev", "vera")


def test_another_agent_is_reminded_instead(app: Flask, cast: Cast, clock: StandingClock) -> None:
    visit = book(cast, clock)
    clock.at = THURSDAY - timedelta(days=2)
    service.move(visit, cast.lev, start=THURSDAY, agent_id=cast.anton.id, now=clock())
    db.session.commit()
    tick(THURSDAY - timedelta(hours=24))
    assert queued() == both(DAY, "anton", "lev", "vera")


def test_a_swap_in_the_last_minute_drops_what_names_the_old_agent(
    app: Flask, cast: Cast, clock: StandingClock
) -> None:
    visit = book(cast, clock)
    clock.at = THURSDAY - timedelta(hours=23)
    tick(clock())
    service.move(visit, cast.lev, start=THURSDAY, agent_id=cast.anton.id, now=clock())
    db.session.commit()
    assert send(app, clock) == []
    tick(THURSDAY - timedelta(hours=1))
    assert queued(HOUR) == both(HOUR, "anton", "lev", "vera")


def test_who_said_no_or_is_gone_is_not_reminded(app: Flask, cast: Cast, clock: StandingClock) -> None:
    visit = book(cast, clock)
    db.session.add(
        VisitAnswer(visit_id=visit.id, person_id=cast.lev.id, answer="DECLINED", via="web", at=clock())
    )
    cast.alice.active = False
    db.session.commit()
    tick(THURSDAY - timedelta(hours=24))
    assert queued() == both(DAY, "vera")


@pytest.mark.parametrize("status", [Status.REQUESTED, Status.OFFERED])
def test_a_visit_nobody_agreed_on_yet_reminds_nobody(
    app: Flask, cast: Cast, clock: StandingClock, status: Status
) -> None:
    visit = book(cast, clock)
    visit.status = status
    db.session.commit()
    tick(THURSDAY - timedelta(hours=24))
    tick(THURSDAY + timedelta(hours=2))
    assert queued() == []


def test_who_cannot_be_reached_is_not_reminded(app: Flask, cast: Cast, clock: StandingClock) -> None:
    book(cast, clock)
    cast.vera.bounced_at = clock()
    tick(THURSDAY - timedelta(hours=20))
    assert queued() == both(DAY, "alice", "lev")
    cast.alice.bounced_at = clock()
    db.session.commit()
    clock.at = THURSDAY - timedelta(hours=20)
    send(app, clock)
    assert states() == {"alice": "dropped", "lev": "done"}
    cast.vera.bounced_at = None
    tick(THURSDAY - timedelta(hours=19))
    assert queued() == both(DAY, "alice", "lev", "vera")


def test_a_worker_that_only_drains_reminds_too(app: Flask, cast: Cast, clock: StandingClock) -> None:
    """An installation without a standing worker, only with cron."""
    book(cast, clock)
    clock.at = THURSDAY - timedelta(hours=20)
    db.session.rollback()
    for _run in range(2):
        Worker(app, clock=clock).drain(alone=True)
    assert states() == {"alice": "done", "lev": "done", "vera": "done"}


def test_who_declined_a_kind_does_not_get_it(app: Flask, cast: Cast, clock: StandingClock) -> None:
    book(cast, clock)
    mail_choices.choose_one(cast.vera, MailKind.REMINDER_DAY, False, now=clock(), by=cast.vera)
    mail_choices.choose_one(cast.alice, MailKind.OUTCOME, False, now=clock(), by=cast.alice)
    db.session.commit()
    for hours in (-24, -1, 2, 51):
        tick(THURSDAY + timedelta(hours=hours))
    assert queued() == sorted(
        both(DAY, "alice", "lev")
        + both(HOUR, "alice", "lev", "vera")
        + both(QUESTION, "vera")
        + both(NUDGE, "vera")
    )


def test_who_turns_them_off_in_between_does_not_get_what_waits(
    app: Flask, cast: Cast, clock: StandingClock
) -> None:
    book(cast, clock)
    clock.at = THURSDAY - timedelta(hours=23)
    tick(clock())
    mail_choices.choose_one(cast.vera, MailKind.REMINDER_DAY, False, now=clock(), by=None)
    db.session.commit()
    assert {mail["To"].addresses[0].username for mail in send(app, clock)} == {"alice", "lev"}
    assert states()["vera"] == State.DROPPED


def test_the_question_goes_to_both_sides_and_the_nudge_to_who_is_silent(
    app: Flask, cast: Cast, clock: StandingClock
) -> None:
    visit = book(cast, clock)
    end = visit.ends_at
    tick(end + timedelta(minutes=14, seconds=59))
    assert queued(QUESTION) == []
    tick(end + timedelta(minutes=15))
    tick(end + timedelta(hours=5))
    assert queued(QUESTION) == both(QUESTION, "alice", "vera")
    service.tell_outcome(visit, cast.vera, TookPlace.YES, now=end + timedelta(hours=6))
    db.session.commit()
    tick(end + timedelta(days=2, minutes=14))
    assert queued(NUDGE) == []
    for days in (2.02, 3, 4, 5, 8):
        tick(end + timedelta(days=days))
        assert queued(NUDGE) == both(NUDGE, "alice"), "once, and only who is silent"
    assert queued(QUESTION) == both(QUESTION, "alice", "vera")


def test_who_answered_at_once_is_not_asked(app: Flask, cast: Cast, clock: StandingClock) -> None:
    visit = book(cast, clock)
    service.tell_outcome(visit, cast.alice, TookPlace.NO, now=THURSDAY + timedelta(minutes=20))
    db.session.commit()
    tick(visit.ends_at + timedelta(minutes=15))
    assert queued() == both(QUESTION, "vera")
    clock.at = visit.ends_at + timedelta(minutes=20)
    service.tell_outcome(visit, cast.vera, TookPlace.NO, now=clock())
    db.session.commit()
    assert send(app, clock) == []
    assert states() == {"vera": State.DROPPED}


def test_who_was_asked_late_is_nudged_two_days_after_that(
    app: Flask, cast: Cast, clock: StandingClock
) -> None:
    visit = book(cast, clock)
    late = visit.ends_at + timedelta(days=2)
    tick(late)
    tick(late + timedelta(hours=20))
    assert queued() == both(QUESTION, "alice", "vera")
    tick(late + timedelta(days=2))
    assert queued(NUDGE) == both(NUDGE, "alice", "vera")


def test_a_visit_of_last_week_is_not_asked_about(app: Flask, cast: Cast, clock: StandingClock) -> None:
    visit = book(cast, clock)
    tick(visit.ends_at + timedelta(days=3, seconds=1))
    assert queued() == []


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("locale", ["en", "ru"])
def test_words_and_hours_are_the_readers_across_a_change_of_clocks(
    app: Flask, cast: Cast, clock: StandingClock, zone: str, locale: str
) -> None:
    hours = db.session.get_one(Availability, cast.alice.id)
    hours.timezone, hours.weekly = "Europe/Berlin", {str(day): [[0, 1440]] for day in range(7)}
    cast.vera.timezone, cast.vera.locale = zone, locale
    cast.programme.guide, cast.programme.guide_ru = "Watch the waiting", "Где ждут"
    db.session.commit()
    # Berlin puts its clocks back at 01:00 UTC on 31 October 2027: 24 hours before, it is another offset.
    start = datetime(2027, 10, 31, 8, tzinfo=UTC)
    clock.at = start - timedelta(days=3)
    visit = book(cast, clock, start)
    visit.note = "Refunds, <b>please</b>"
    db.session.commit()
    clock.at = start - timedelta(hours=24)
    tick(clock())
    (mail,) = [one for one in send(app, clock) if one["To"].addresses[0].username == "vera"]
    local = {"Europe/Berlin": "09:00–10:00", "America/New_York": "04:00–05:00"}[zone]
    label = {"Europe/Berlin": "Europe/Berlin (UTC+1)", "America/New_York": "America/New_York (UTC-4)"}[zone]
    text = text_of(mail)
    assert local in mail["Subject"]
    assert ("Sunday 31 October" if locale == "en" else "Воскресенье, 31 октября") in text
    assert f"{local}\n      {label}" in text
    assert ("Watch the waiting" if locale == "en" else "Где ждут") in text
    assert "Refunds, <b>please</b>" in text
    assert mail["From"].addresses[0].display_name == ("Side by side" if locale == "en" else "Рядом")
    if zone != "Europe/Berlin":
        assert "09:00–10:00, Europe/Berlin (UTC+1)" in text
    assert visit.meeting_url in text
    assert f"http://localhost/visits/{visit.id}/notes" in text


def test_each_part_reads_its_own_words(app: Flask, cast: Cast, clock: StandingClock) -> None:
    book(cast, clock)
    clock.at = THURSDAY - timedelta(hours=1)
    tick(clock())
    words = {mail["To"].addresses[0].username: text_of(mail) for mail in send(app, clock)}
    assert "You watch the work, never the worker." in words["vera"]
    assert "Work as you always do" in words["alice"]
    assert "You are invited as head of the line" in words["lev"]
    assert all("/answer/" in each and "/mail/" in each for each in words.values())
    links = {line for each in words.values() for line in each.split() if "/answer/" in line}
    assert len(links) == 3, "each link is its holder's own"


def test_the_answers_are_links_that_open(app: Flask, cast: Cast, clock: StandingClock) -> None:
    visit = book(cast, clock)
    clock.at = visit.ends_at + timedelta(minutes=15)
    tick(clock())
    (mail,) = [one for one in send(app, clock) if one["To"].addresses[0].username == "vera"]
    links = [line.partition("http://localhost")[2] for line in text_of(mail).splitlines() if "?say=" in line]
    assert [link.rpartition("=")[2] for link in links] == [value.value for value in TookPlace]
    client = app.test_client()
    for link in links:
        page = client.get(link)
        assert page.status_code == 200
        assert "Did the visit take place?" in page.text
    assert service.answers_of(visit) == {}, "looking is not answering"


def test_a_mail_that_leaves_twice_is_the_same_mail(app: Flask, cast: Cast, clock: StandingClock) -> None:
    book(cast, clock)
    clock.at = THURSDAY - timedelta(hours=23)
    tick(clock())
    row = db.session.scalars(select(OutboxItem).where(OutboxItem.kind == reminders.KIND)).first()
    assert row is not None
    facts = ItemFacts(row.id, row.kind, row.dedup_key, row.group_key, row.recipient, 1, row.created_at)
    first = reminders.handle(row.payload, facts)
    person = db.session.scalars(select(Person).where(Person.email == row.recipient)).one()
    person.name, clock.at = "Renamed Since", clock.at + timedelta(hours=1)
    db.session.commit()
    assert isinstance(first, bytes)
    assert reminders.handle(row.payload, facts) == first


def test_neither_links_nor_keys_are_kept_in_the_outbox(app: Flask, cast: Cast, clock: StandingClock) -> None:
    book(cast, clock)
    tick(THURSDAY - timedelta(hours=1))
    for row in db.session.scalars(select(OutboxItem).where(OutboxItem.kind == reminders.KIND)):
        assert "/answer/" not in str(row.payload)
        assert "/mail/" not in str(row.payload)


def _statements(act: Callable[[], object]) -> int:
    sent: list[str] = []

    def note(_c: Any, _cur: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    act()
    event.remove(db.engine, "before_cursor_execute", note)
    return len(sent)


def test_a_look_costs_the_same_for_one_visit_and_for_a_hundred(
    app: Flask, cast: Cast, clock: StandingClock
) -> None:
    add_visits(cast, [cast.alice.id], 1, MONDAY)
    db.session.commit()
    first = db.session.scalars(select(Visit).order_by(Visit.starts_at)).first()
    assert first is not None
    moments = [first.starts_at - timedelta(hours=23), first.ends_at + timedelta(hours=1)]
    for visit in db.session.scalars(select(Visit)):
        visit.status, visit.changed_at = Status.BOOKED, visit.starts_at - timedelta(days=9)
    db.session.commit()
    small = [_statements(lambda now=now: tick(now)) for now in moments]  # type: ignore[misc]
    assert queued() != []
    for row in db.session.scalars(select(OutboxItem)):
        db.session.delete(row)
    start, end = first.starts_at, first.ends_at
    add_visits(cast, add_agents(cast, 60, MONDAY), 100, MONDAY, cast.eve.id)
    for visit in db.session.scalars(select(Visit)):
        visit.status, visit.starts_at, visit.ends_at = Status.BOOKED, start, end
        visit.changed_at = start - timedelta(days=9)
    db.session.commit()
    large = [_statements(lambda now=now: tick(now)) for now in moments]  # type: ignore[misc]
    assert len(queued()) > 200
    # Of more rows than a few PostgreSQL is told in a statement of its own.
    assert large <= [count + 1 for count in small]


instants = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))


@given(instants, instants, st.sampled_from([DAY, HOUR]))
def test_reminders_never_come_after_the_start_nor_on_the_heels_of_news(
    start: datetime, now: datetime, occasion: Occasion
) -> None:
    if is_open(occasion, start, now):
        assert start - timedelta(hours=24) <= now < start
        assert occasion is HOUR or now < start - timedelta(hours=3)
        assert not is_known(occasion, start, now), "who hears of it now is not reminded now"


@given(st.sets(st.tuples(instants.map(lambda at: at.replace(microsecond=0)), st.integers(1, 9)), max_size=9))
def test_keys_differ_and_stand_in_the_order_of_their_instants(pairs: set[tuple[datetime, int]]) -> None:
    keys = [key(DAY, at, visit, 1) for at, visit in sorted(pairs)]
    assert len(set(keys)) == len(pairs)
    assert [one.split("Z")[0] for one in keys] == sorted(one.split("Z")[0] for one in keys)
