"""What mail changes: proven answers, once; nothing else."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from gemba.config import current_settings
from gemba.db import db
from gemba.errors import NotFound
from gemba.inbox import service
from gemba.inbox.errors import NothingHeld
from gemba.inbox.models import ReceivedMail
from gemba.inbox.rules import Outcome
from gemba.invites.addresses import reply_address
from gemba.outbox.mime import message_id
from gemba.outbox.models import OutboxItem
from gemba.people import service as people
from gemba.people.models import AuditEntry
from gemba.visits import service as visits
from gemba.visits.models import Visit, VisitAnswer, VisitProposal
from tests.inbox import mails
from tests.inbox.conftest import VOUCHED, Post, address_of, answer_of, proposals
from tests.inbox.mails import CLIENTS, Ask


def untouched(post: Post) -> bool:
    """Whether no mail changed anything about visits."""
    counts = (
        db.session.scalar(select(func.count()).select_from(table)) for table in (VisitAnswer, VisitProposal)
    )
    visit = db.session.get_one(Visit, post.visit.id)
    return list(counts) == [0, 0] and (visit.status, visit.sequence) == ("booked", 0)


@pytest.mark.parametrize("client", CLIENTS)
def test_an_answer_of_any_program_counts(post: Post, client: str) -> None:
    raw = CLIENTS[client](replace(post.ask, answer="declined"))
    assert post.take(raw) == Outcome.COUNTED
    assert post.vera == ("declined", "")
    [row] = post.rows()
    assert (row.visit_id, row.person_id, row.method) == (post.visit.id, post.cast.vera.id, "REPLY")
    assert row.reply is None


def test_answers_follow_each_other(post: Post) -> None:
    for number, (answer, comment) in enumerate(
        [("accepted", ""), ("tentative", "Perhaps"), ("declined", "No")]
    ):
        ask = replace(post.ask, answer=answer, comment=comment, message_id=f"<{number}@x>")
        assert (
            post.take(mails.thunderbird(replace(ask, stamp=f"2026112309{number:02}00Z"))) == Outcome.COUNTED
        )
        assert post.vera == (answer, comment)
        post.clock.forward(minutes=5)


@pytest.mark.parametrize("via", ["lmtp", "hook", "imap"])
def test_the_same_mail_counts_once_whichever_way_it_comes_again(post: Post, via: str) -> None:
    raw = mails.gmail(post.ask)
    assert post.take(raw) == Outcome.COUNTED
    later = mails.gmail(replace(post.ask, answer="declined", message_id="<2@x>", stamp="20261123T093000Z"))
    assert post.take(later) == Outcome.COUNTED
    again = b"Received: from elsewhere\r\nDelivered-To: " + post.ask.to.encode() + b"\r\n" + raw
    assert post.take(again, via=via, recipients=(post.ask.to,)) == Outcome.COUNTED
    assert post.vera == ("declined", "")
    assert len(post.rows()) == 2


def test_the_same_answer_in_another_mail_says_nothing_new(post: Post) -> None:
    assert post.take(mails.gmail(post.ask)) == Outcome.COUNTED
    assert post.take(mails.apple(replace(post.ask, message_id="<other@x>"))) == Outcome.REPEATED


def test_an_older_answer_changes_nothing(post: Post) -> None:
    new = replace(post.ask, answer="tentative", stamp="20261123T093000Z")
    old = replace(post.ask, answer="accepted", stamp="20261123T091500Z", message_id="<2@x>")
    assert post.take(mails.exchange(new)) == Outcome.COUNTED
    assert post.take(mails.exchange(old)) == Outcome.OUTDATED
    assert post.vera == ("tentative", "")


def test_an_answer_to_the_hour_before_the_move_does_not_count_for_the_new_one(post: Post) -> None:
    late = mails.gmail(replace(post.ask, stamp="20261123T095900Z"))
    visits.move(
        post.visit, start=post.visit.starts_at + timedelta(hours=2), by=post.cast.vera, now=post.clock()
    )
    db.session.commit()
    post.clock.forward(minutes=1)
    assert post.take(late) == Outcome.OUTDATED
    new = replace(post.ask, sequence=1, stamp="20261123T100100Z", message_id="<2@x>")
    post.clock.forward(minutes=1)
    assert post.take(mails.exchange(new)) == Outcome.COUNTED
    assert post.vera == ("accepted", "")


def test_without_sequence_the_hour_says_which_invite_is_answered(post: Post) -> None:
    visits.move(
        post.visit, start=post.visit.starts_at + timedelta(hours=2), by=post.cast.vera, now=post.clock()
    )
    db.session.commit()
    post.clock.forward(minutes=2)
    ask = replace(post.ask, sequence=None, stamp="20261123T100100Z")
    assert post.take(mails.exchange(ask)) == Outcome.OUTDATED
    moved = replace(ask, message_id="<2@x>", start="20261125T120000", end="20261125T130000")
    assert post.take(mails.exchange(moved)) == Outcome.COUNTED


def test_a_sequence_or_stamp_from_the_future_keeps_nobody_out(post: Post) -> None:
    ahead = replace(post.ask, sequence=2**31 - 1, stamp="20991231T235959Z")
    assert post.take(mails.gmail(ahead)) == Outcome.COUNTED
    post.clock.forward(hours=1)
    after = replace(post.ask, answer="declined", stamp="20261123T104500Z", message_id="<2@x>")
    assert post.take(mails.gmail(after)) == Outcome.COUNTED
    assert post.vera == ("declined", "")


def test_another_hour_is_proposed(post: Post) -> None:
    ask = replace(post.ask, answer="tentative", start="20261126T140000", end="20261126T150000")
    assert post.take(mails.exchange_counter(ask)) == Outcome.COUNTED
    assert post.take(mails.exchange_counter(ask)) == Outcome.COUNTED
    start = datetime(2026, 11, 26, 13, tzinfo=UTC)
    assert proposals() == [(start, start + timedelta(hours=1))]
    assert post.visit.starts_at == datetime(2026, 11, 25, 9, tzinfo=UTC)


def test_a_proposal_does_not_speak_of_invites_to_come(post: Post) -> None:
    ask = replace(post.ask, sequence=7, start="20261126T140000", end="20261126T150000")
    assert post.take(mails.exchange_counter(ask)) == Outcome.COUNTED
    assert db.session.scalars(select(VisitProposal.sequence)).all() == [0]


def test_another_hour_without_zone_and_end_is_meant_as_the_visitor_lives(post: Post) -> None:
    calendar = mails.reply_lines(post.ask, "DTSTART:20261126T140000", method="COUNTER")
    assert post.take(mails.plain(post.ask, calendar, "text/calendar; method=COUNTER")) == Outcome.COUNTED
    start = datetime(2026, 11, 26, 13, tzinfo=UTC)
    assert proposals() == [(start, start + (post.visit.ends_at - post.visit.starts_at))]


def test_a_counter_that_names_everyone_is_of_whose_address_it_came_to(post: Post) -> None:
    more = [f"ATTENDEE:mailto:{who.email}" for who in (post.cast.alice, post.cast.lev)]
    calendar = mails.reply_lines(post.ask, "DTSTART:20261126T130000Z", *more, method="COUNTER")
    assert post.take(mails.plain(post.ask, calendar, "text/calendar; method=COUNTER")) == Outcome.COUNTED
    assert db.session.scalars(select(VisitProposal.person_id)).all() == [post.cast.vera.id]


@pytest.mark.parametrize("field", ["Delivered-To", "X-Original-To", "Cc", "envelope"])
def test_the_token_may_stand_in_any_recipient(post: Post, field: str) -> None:
    token = post.ask.to.upper()
    extra = "" if field == "envelope" else f"{field}: <{token}>\r\n"
    raw = mails.gmail(replace(post.plain_ask, extra=extra))
    assert post.take(raw, recipients=(token,) if field == "envelope" else ()) == Outcome.COUNTED


def test_a_from_that_our_mail_server_vouches_for_proves_as_well(post: Post) -> None:
    assert post.take(mails.exchange(replace(post.plain_ask, extra=VOUCHED))) == Outcome.COUNTED
    assert post.vera == ("accepted", "")


AR = "Authentication-Results: "
FORGED = {
    "nobody vouches": "",
    "another server": f"{AR}mx.elsewhere.example; dmarc=pass header.from=gemba.example\r\n",
    "ours only below": f"{AR}mx.elsewhere.example; dmarc=fail\r\n{VOUCHED}",
    "failed": f"{AR}mx.gemba.example; dmarc=fail header.from=gemba.example\r\n",
    "spf alone": f"{AR}mx.gemba.example; spf=pass smtp.mailfrom=vera@gemba.example\r\n",
    "another domain's dkim": f"{AR}mx.gemba.example; dkim=pass header.d=evil.example\r\n",
    "a domain that ends alike": f"{AR}mx.gemba.example; dkim=pass header.d=mba.example\r\n",
    "a whole top level": f"{AR}mx.gemba.example; dkim=pass header.d=example\r\n",
    "dmarc of another domain": f"{AR}mx.gemba.example; dmarc=pass header.from=evil.example\r\n",
    "pass in a comment": f"{AR}mx.gemba.example; dmarc=fail (dmarc=pass; header.from=gemba.example)\r\n",
    "pass in quotes": f'{AR}mx.gemba.example; dkim=fail reason="; dmarc=pass header.from=gemba.example"\r\n',
    "name in a comment": f"{AR}(mx.gemba.example) x; dmarc=pass header.from=gemba.example\r\n",
    "password": f"{AR}mx.gemba.example; dmarc=passed header.from=gemba.example\r\n",
    "two From": f"From: eve@gemba.example\r\n{VOUCHED}",
    "open comment": f"{AR}mx.gemba.example; dmarc=pass header.from=gemba.example (\r\n",
}


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_from_changes_nothing_and_is_held(post: Post, how: str) -> None:
    raw = mails.exchange(replace(post.plain_ask, answer="declined", extra=FORGED[how]))
    assert post.take(raw) == Outcome.NOT_PROVEN
    assert untouched(post)
    [row] = post.rows()
    assert row.reply is not None
    assert (row.visit_id, row.person_id) == (post.visit.id, post.cast.vera.id)


def test_a_vouched_sender_cannot_answer_for_another(post: Post) -> None:
    raw = mails.gmail(replace(post.plain_ask, sender="eve@gemba.example", extra=VOUCHED))
    assert post.take(raw) == Outcome.NOT_PROVEN
    assert untouched(post)


@pytest.mark.parametrize("ours", [True, False])
def test_an_address_proves_its_own_person_and_visit_only(post: Post, ours: bool) -> None:
    other = post.cast.alice if ours else post.cast.eve
    raw = mails.gmail(replace(post.ask, attendee=other.email, sender=other.email))
    assert post.take(raw) == (Outcome.NOT_PROVEN if ours else Outcome.NOT_INVITED)
    assert untouched(post)


def test_an_address_of_another_visit_proves_nothing(post: Post) -> None:
    settings = current_settings()
    elsewhere = reply_address(settings.mail_from, settings.secret_key, post.visit.id + 1, post.cast.vera.id)
    forged = post.ask.to.replace(f"+{post.visit.id:x}-", f"+{post.visit.id + 1:x}-")
    for number, to in enumerate((elsewhere, forged)):
        raw = mails.gmail(replace(post.ask, to=to, message_id=f"<{number}@x>"))
        assert post.take(raw) == Outcome.NOT_PROVEN
    assert untouched(post)


def test_an_answer_from_another_address_waits_for_a_person(post: Post) -> None:
    raw = mails.gmail(replace(post.ask, attendee="v.v@home.example", sender="v.v@home.example"))
    assert post.take(raw) == Outcome.OTHER_ADDRESS
    assert untouched(post)
    [row] = post.rows()
    assert (row.person_id, row.detail) == (post.cast.vera.id, "v.v@home.example")
    service.let_count(row.id, by=post.cast.adam, now=post.clock())
    assert post.vera == ("accepted", "")


@pytest.mark.parametrize(
    ("uid", "attendee", "outcome"),
    [
        ("nothing@gemba.example", "vera@gemba.example", Outcome.UNKNOWN_VISIT),
        ("", "stranger@elsewhere.example", Outcome.STRANGER),
    ],
)
def test_what_is_about_nothing_of_ours_is_only_noted(
    post: Post, uid: str, attendee: str, outcome: Outcome
) -> None:
    ask = replace(post.plain_ask, uid=uid or post.visit.uid, attendee=attendee)
    assert post.take(mails.gmail(ask)) == outcome
    assert untouched(post)
    assert post.rows()[0].reply is None


def test_a_visit_that_is_cancelled_takes_no_answer(post: Post) -> None:
    visits.cancel(post.visit, by=post.cast.vera, reason="Ill", now=post.clock())
    db.session.commit()
    assert post.take(mails.gmail(post.ask)) == Outcome.OVER


HARMLESS: dict[str, tuple[Callable[[Ask], bytes], Outcome]] = {
    "too large": (lambda ask: mails.gmail(ask) + b"x" * 2**21, Outcome.TOO_LARGE),
    "cut": (lambda ask: mails.exchange(ask)[:-400], Outcome.TRUNCATED),
    "ten calendars": (
        lambda ask: mails.plain(
            ask,
            f"--b\r\nContent-Type: text/calendar\r\n\r\n{mails.reply_lines(ask)}\r\n" * 10,
            "multipart/mixed; boundary=b",
        ),
        Outcome.TOO_MANY_CALENDARS,
    ),
    "hostile header": (
        lambda ask: b"From: \xff\x00\r\nTo: ((((\r\nSubject: =?x?b?\xff?=\r\n\r\n",
        Outcome.NO_ANSWER,
    ),
    "empty": (lambda ask: b"", Outcome.NO_ANSWER),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_cannot_count_is_noted_with_its_code_and_changes_nothing(post: Post, name: str) -> None:
    make, outcome = HARMLESS[name]
    assert post.take(make(post.ask)) == outcome
    assert post.take(make(post.ask)) == outcome
    assert untouched(post)
    assert [row.result for row in post.rows()] == [outcome]


def test_an_admin_lets_a_held_answer_count_once(post: Post) -> None:
    post.take(mails.exchange(replace(post.plain_ask, answer="declined", comment="Ill")))
    row = post.rows()[0]
    service.let_count(row.id, by=post.cast.adam, now=post.clock(), address="192.0.2.1")
    db.session.commit()
    assert post.vera is not None
    assert post.vera[0] == "declined"
    assert (row.result, row.reply) == (Outcome.COUNTED, None)
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "reply-let-count")).one()
    assert (entry.person_id, entry.subject) == (post.cast.adam.id, f"visit:{post.visit.id}")
    with pytest.raises(NothingHeld):
        service.let_count(row.id, by=post.cast.adam, now=post.clock())
    with pytest.raises(NothingHeld):
        service.dismiss(row.id)
    with pytest.raises(NotFound):
        service.dismiss(999)


def test_a_held_counter_keeps_its_hours(post: Post) -> None:
    ask = replace(post.plain_ask, start="20261126T140000", end="20261126T150000")
    assert post.take(mails.exchange_counter(ask)) == Outcome.NOT_PROVEN
    service.let_count(post.rows()[0].id, by=post.cast.adam, now=post.clock())
    start = datetime(2026, 11, 26, 13, tzinfo=UTC)
    assert proposals() == [(start, start + timedelta(hours=1))]


def test_a_held_answer_may_be_put_aside(post: Post) -> None:
    post.take(mails.exchange(post.plain_ask))
    service.dismiss(post.rows()[0].id)
    assert post.rows()[0].result == Outcome.DISMISSED
    assert untouched(post)


def test_a_forged_copy_does_not_keep_the_real_one_out(post: Post) -> None:
    assert post.take(mails.gmail(post.plain_ask)) == Outcome.NOT_PROVEN
    assert post.take(mails.gmail(replace(post.plain_ask, extra=VOUCHED))) == Outcome.COUNTED
    assert post.vera == ("accepted", "")


def _id_of_invite(post: Post) -> str:
    key = db.session.scalars(
        select(OutboxItem.dedup_key).where(OutboxItem.recipient == post.cast.vera.email)
    ).first()
    assert key is not None
    return message_id(key, "gemba.example")


@pytest.mark.parametrize("proof", ["message id", "token it went to", "token it came from"])
def test_a_bounce_of_our_mail_marks_the_address(post: Post, proof: str) -> None:
    token = post.ask.to
    made: dict[str, Callable[[], bytes]] = {
        "message id": lambda: mails.bounce(about=_id_of_invite(post)),
        "token it went to": lambda: mails.bounce(to=token),
        "token it came from": lambda: mails.bounce(returned_from=token),
    }
    raw = made[proof]()
    assert post.take(raw) == Outcome.BOUNCED
    db.session.expire_all()
    assert post.cast.vera.bounced_at == post.clock()
    assert post.cast.vera.bounce.startswith("5.1.1 550 5.1.1 <vera@gemba.example>")
    first = post.cast.vera.bounced_at
    post.clock.forward(hours=1)
    assert post.take(raw) == Outcome.BOUNCED
    assert post.cast.vera.bounced_at == first


@pytest.mark.parametrize("how", ["guessed id", "id of another's mail", "token of another", "a delay"])
def test_a_bounce_that_proves_nothing_marks_nobody(post: Post, how: str) -> None:
    made: dict[str, Callable[[], bytes]] = {
        "guessed id": lambda: mails.bounce(about="<0@gemba.example>"),
        "id of another's mail": lambda: mails.bounce(failed="adam@gemba.example", about=_id_of_invite(post)),
        "token of another": lambda: mails.bounce(to=address_of(post.visit, post.cast.alice)),
        "a delay": lambda: mails.bounce(to=post.ask.to, action="delayed"),
    }
    raw = made[how]()
    assert post.take(raw) == (Outcome.DELAYED if how == "a delay" else Outcome.BOUNCE_NOT_OURS)
    db.session.expire_all()
    assert all(who.bounced_at is None for who in (post.cast.vera, post.cast.adam, post.cast.alice))


def test_a_new_address_or_a_later_answer_takes_the_mark_away(post: Post) -> None:
    post.take(mails.bounce(to=post.ask.to))
    post.clock.forward(hours=1)
    late = replace(post.ask, stamp="20261123T103000Z")
    assert post.take(mails.gmail(late)) == Outcome.COUNTED
    assert post.cast.vera.bounced_at is None
    post.take(mails.bounce(to=address_of(post.visit, post.cast.alice), failed=post.cast.alice.email))
    assert post.cast.alice.bounced_at is not None
    people.update_person(post.cast.alice, by=None, now=post.clock(), email="alice@new.example")
    assert not post.cast.alice.bounced_at
    assert post.cast.alice.bounce == ""


def test_old_rows_go_after_ninety_days(post: Post) -> None:
    post.take(mails.gmail(post.ask))
    service.prune(post.clock() + timedelta(days=89))
    assert len(post.rows()) == 1
    service.prune(post.clock() + timedelta(days=91))
    assert post.rows() == []


def test_pages_of_what_came(post: Post) -> None:
    for number in range(5):
        post.take(mails.plain(Ask(message_id=f"<{number}@x>"), "hello", "text/plain"))
    first = service.list_received(limit=2)
    second = service.list_received(first.next_cursor, limit=3)
    ids = [each.mail.id for each in [*first.received, *second.received]]
    assert ids == sorted((row.id for row in post.rows()), reverse=True)
    assert second.next_cursor is None


def test_nothing_of_the_mail_itself_is_kept(app: Flask, post: Post) -> None:
    post.take(mails.gmail(post.ask))
    columns = {
        name: getattr(post.rows()[0], name) for name in [c.name for c in ReceivedMail.__table__.columns]
    }
    assert "BEGIN" not in str(columns)
    assert "has accepted" not in str(columns)
    assert answer_of(post.visit, post.cast.alice) is None
