"""From the invite as it leaves to the answer as it counts: the address, the UID and the mail's id fit."""

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from flask import Flask
from icalendar import Calendar
from sqlalchemy import select

from gemba.db import db
from gemba.inbox.rules import Outcome
from gemba.outbox import ticks
from gemba.outbox.kinds import ItemFacts, handler_of
from gemba.outbox.models import OutboxItem
from gemba.visits import service as visits
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.inbox import mails
from tests.inbox.conftest import WEDNESDAY, Post, answer_of, book, with_replies
from tests.inbox.mails import Ask


def _mail(item: OutboxItem) -> EmailMessage:
    """The mail as the worker writes it."""
    facts = ItemFacts(item.id, item.kind, item.dedup_key, item.group_key, item.recipient, 1, item.created_at)
    made = handler_of(item.kind)(item.payload, facts)
    assert isinstance(made, bytes)
    return message_from_bytes(made, policy=default)


def _ask(mail: EmailMessage, answer: str, number: int) -> Ask:
    """The answer of whoever got this mail, as their calendar would take it from there."""
    part = next(part for part in mail.walk() if part.get_content_type() == "text/calendar")
    event = next(iter(Calendar.from_ical(part.get_content()).walk("VEVENT")))
    to = str(mail["To"].addresses[0].addr_spec)
    organizer = str(event["ORGANIZER"]).removeprefix("mailto:")
    assert organizer == str(mail["From"].addresses[0].addr_spec), "answers go to From or to ORGANIZER"
    return Ask(
        to=organizer,
        sender=to,
        attendee=to,
        uid=str(event["UID"]),
        sequence=int(event.get("SEQUENCE", 0)),
        stamp=f"20261123T0{number}3000Z",
        answer=answer,
        message_id=f"<{number}-{to}>",
    )


@pytest.fixture
def post(app: Flask, cast: Cast, clock: StandingClock) -> Post:
    """A visit that was booked once replies were taken."""
    with_replies(app)
    return Post(cast, book(cast, clock()), clock)


def _mails() -> list[EmailMessage]:
    rows = db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "invite").order_by(OutboxItem.id))
    return [_mail(item) for item in rows]


def test_everyone_answers_to_the_invite_they_got(post: Post) -> None:
    sent = _mails()
    asks = [_ask(mail, "accepted", 0) for mail in sent]
    assert len({ask.to for ask in asks}) == len(asks) == 3
    post.clock.forward(hours=3)
    for ask, client in zip(asks, ("gmail", "exchange", "thunderbird"), strict=True):
        assert post.take(mails.CLIENTS[client](ask)) == Outcome.COUNTED
    for person in (post.cast.vera, post.cast.alice, post.cast.lev):
        assert answer_of(post.visit, person) == ("accepted", "")


def test_after_a_move_only_answers_to_the_new_invite_count(post: Post) -> None:
    old = next(_ask(mail, "accepted", 0) for mail in _mails() if "vera" in mail["To"])
    known = len(_mails())
    visits.move(post.visit, post.cast.vera, start=post.visit.starts_at.replace(hour=13), now=post.clock())
    db.session.commit()
    new = next(_ask(mail, "tentative", 1) for mail in _mails()[-known:] if "vera" in mail["To"])
    assert (new.to, new.uid, new.sequence) == (old.to, old.uid, 1)
    post.clock.forward(hours=4)
    assert post.take(mails.gmail(replace(old, stamp="20261123T110000Z"))) == Outcome.OUTDATED
    assert post.take(mails.gmail(new)) == Outcome.COUNTED
    assert post.vera == ("tentative", "")


def test_an_invite_that_comes_back_is_known_by_its_id_alone(post: Post) -> None:
    sent = next(mail for mail in _mails() if "vera" in mail["To"])
    about = str(sent["Message-ID"])
    assert post.take(mails.bounce(about=about)) == Outcome.BOUNCED
    db.session.expire_all()
    assert post.cast.vera.bounced_at == post.clock()


def test_the_organizer_stays_for_life_when_replies_are_turned_on(
    app: Flask, cast: Cast, clock: StandingClock
) -> None:
    visit = book(cast, clock())
    with_replies(app)
    clock.forward(hours=1)
    visits.move(visit, cast.vera, start=visit.starts_at.replace(hour=13), now=clock())
    db.session.commit()
    later = book(cast, clock(), start=WEDNESDAY + timedelta(days=1), visitor=cast.eve)
    for mail in _mails():
        part = next(part for part in mail.walk() if part.get_content_type() == "text/calendar")
        event = next(iter(Calendar.from_ical(part.get_content()).walk("VEVENT")))
        organizer = str(event["ORGANIZER"]).removeprefix("mailto:")
        assert organizer == mail["From"].addresses[0].addr_spec
        assert ("+" in organizer) == (str(event["UID"]) == later.uid)


def test_what_came_in_is_tidied_up_every_day(app: Flask) -> None:
    assert "received-mail" in ticks.names()
