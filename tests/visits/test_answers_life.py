"""Captured mails of a life: booked, moved twice, words edited, a visitor replaced, cancelled.

Every mail passes libical's iTIP tables and the strict check of bytes and MIME, and three readers that are
not ours see the same instants; one UID, SEQUENCE and PARTSTATs as promised, in six zones and both languages.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.invites.mail import handle
from gemba.invites.rules import Answer
from gemba.outbox.models import OutboxItem
from gemba.people.models import Person
from gemba.schedule.models import Availability
from gemba.visits import service
from gemba.visits.facts import Ask
from gemba.visits.models import Visit
from gemba.visits.replies import Said
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.invites import libical, strict
from tests.readers import node
from tests.visits.errands import run_errands
from tests.visits.test_mails import ALL_WEEK, CHANGES, facts_of

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Seen:
    """One captured mail."""

    recipient: str
    method: str
    raw: bytes
    start: datetime

    @property
    def ics(self) -> bytes:
        return strict.calendar_of(self.raw)

    @property
    def lines(self) -> list[str]:
        return self.ics.decode().replace("\r\n ", "").split("\r\n")

    def value(self, name: str) -> str:
        """A property of the event."""
        (found,) = {line.partition(":")[2] for line in self.lines if line.startswith(f"{name}:")}
        return found

    @property
    def answers(self) -> dict[str, str]:
        """PARTSTAT of each attendee, by address."""
        found = {}
        for line in self.lines:
            if line.startswith("ATTENDEE") and (stat := re.search(r"PARTSTAT=([A-Z-]+)", line)):
                found[line.rpartition("mailto:")[2]] = stat[1]
        return found

    @property
    def words(self) -> str:
        mail = message_from_bytes(self.raw, policy=default)
        body = mail.get_body(("plain",))
        assert body is not None
        return f"{mail['Subject']}\n{body.get_content()}"


@dataclass
class Life:
    """A visit whose mails are taken out of the outbox after each change."""

    app: Flask
    clock: StandingClock
    cast: Cast
    visit: Visit
    last: int = 0
    mails: list[Seen] = field(default_factory=list)

    def captured(self) -> dict[str, Seen]:
        """What the last change sent, by recipient; every mail is left in `mails`."""
        db.session.commit()
        rows = db.session.scalars(
            select(OutboxItem)
            .where(OutboxItem.kind == "invite", OutboxItem.id > self.last)
            .order_by(OutboxItem.id)
        ).all()
        self.last = rows[-1].id
        found = {}
        for row in rows:
            raw = handle(row.payload, facts_of(row))
            assert raw == handle(row.payload, facts_of(row)), "the same bytes at every try"
            start = datetime.fromisoformat(row.payload["visit"]["start"])
            found[row.recipient] = Seen(row.recipient, row.payload["method"], raw, start)
        self.mails += found.values()
        run_errands(self.app, self.clock)
        self.clock.forward(minutes=1)
        return found

    def answer(self, person: Person, answer: Answer) -> None:
        said = Said(answer, "", "mail", self.visit.sequence, self.clock())
        assert service.take_answer(self.visit.id, person.id, said, now=self.clock()) is service.Taken.COUNTED


def _life(app: Flask, cast: Cast, clock: StandingClock, zone: str, start: datetime) -> Life:
    hours = db.session.get_one(Availability, cast.alice.id)
    hours.timezone, hours.weekly = zone, ALL_WEEK
    for person in (cast.vera, cast.alice, cast.eve):
        person.timezone = zone
    cast.programme.slot_step_minutes = 30
    db.session.commit()
    clock.at = start - timedelta(days=2)
    visit = service.book(
        programme=cast.programme, visitor=cast.vera, start=start, ask=Ask(agent_id=cast.alice.id), now=clock()
    )
    return Life(app, clock, cast, visit)


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("zone", sorted(CHANGES))
def test_a_life(app: Flask, cast: Cast, clock: StandingClock, zone: str, language: str) -> None:
    for person in (cast.vera, cast.alice, cast.lev, cast.eve):
        person.locale = language
    start = CHANGES[zone][0] - 20 * HOUR
    life = _life(app, cast, clock, zone, start)
    visit, vera, alice, lev, eve = life.visit, cast.vera, cast.alice, cast.lev, cast.eve
    three = {vera.email, alice.email, lev.email}

    booked = life.captured()
    assert set(booked) == three
    assert _sequences(booked) == {0}
    assert _answers(booked) == dict.fromkeys(three, "NEEDS-ACTION")

    life.answer(vera, Answer.ACCEPTED)
    life.answer(alice, Answer.TENTATIVE)
    for hours, sequence in ((2, 1), (22, 2)):
        service.move(visit, alice, start=start + hours * HOUR, now=clock())
        moved = life.captured()
        assert _sequences(moved) == {sequence}
        assert _answers(moved) == dict.fromkeys(three, "NEEDS-ACTION"), "nobody said yes to this hour"
        life.answer(vera, Answer.ACCEPTED)
        life.answer(alice, Answer.ACCEPTED)

    stamps = {mail.value("DTSTAMP") for mail in life.mails}
    service.edit_words(visit, vera, note="Возвраты, refunds; \\ and more", now=clock())
    edited = life.captured()
    assert _sequences(edited) == {2}
    assert _answers(edited) == {vera.email: "ACCEPTED", alice.email: "ACCEPTED", lev.email: "NEEDS-ACTION"}
    assert all(mail.value("DTSTAMP") > max(stamps) for mail in edited.values())

    service.hand_on(visit, vera, leaving=vera, email=eve.email, now=clock())
    replaced = life.captured()
    assert set(replaced) == {*three, eve.email}
    assert _sequences(replaced) == {3}
    assert {who for who, mail in replaced.items() if mail.method == "CANCEL"} == {vera.email}
    gone = replaced.pop(vera.email)
    assert next(line for line in gone.lines if line.startswith("ATTENDEE")).endswith(f"mailto:{vera.email}")
    assert "".join(gone.lines).count("ATTENDEE;") == 1
    assert _answers(replaced) == {
        eve.email: "NEEDS-ACTION",
        alice.email: "ACCEPTED",
        lev.email: "NEEDS-ACTION",
    }

    service.cancel(visit, eve, reason="Болею, sorry", now=clock())
    ended = life.captured()
    assert set(ended) == {eve.email, alice.email, lev.email}
    assert _sequences(ended) == {4}
    assert {mail.method for mail in ended.values()} == {"CANCEL"}

    assert {mail.value("UID") for mail in life.mails} == {visit.uid}
    assert len(life.mails) == 3 + 3 + 3 + 3 + 4 + 3
    _every_reader_agrees(life.mails)
    assert {"Здравствуйте" in mail.words for mail in life.mails} == {language == "ru"}


def _sequences(mails: dict[str, Seen]) -> set[int]:
    return {int(mail.value("SEQUENCE")) for mail in mails.values()}


def _answers(mails: dict[str, Seen]) -> dict[str, str]:
    """The PARTSTATs of a change, which every REQUEST must tell alike."""
    told = [mail.answers for mail in mails.values() if mail.method == "REQUEST"]
    assert all(answers == told[0] for answers in told)
    return told[0]


def _every_reader_agrees(mails: list[Seen]) -> None:
    for mail, both in zip(mails, node.read([mail.ics for mail in mails]), strict=True):
        assert strict.problems(mail.raw, mail.method) == []
        reading = libical.read(mail.ics)
        meant = (int(mail.start.timestamp()), int((mail.start + HOUR).timestamp()))
        assert reading.errors == []
        assert (reading.method, reading.start, reading.end) == (mail.method, *meant)
        wanted = (reading.uid, reading.sequence, mail.method, *meant)
        for reader in both.values():
            names = ("uid", "sequence", "method", "start", "end")
            assert reader == dict(zip(names, wanted, strict=True))


def test_links_to_answer_are_the_readers_own_in_text_and_html(
    app: Flask, cast: Cast, clock: StandingClock
) -> None:
    life = _life(app, cast, clock, "Europe/Berlin", datetime(2026, 11, 26, 9, tzinfo=UTC))
    mails = life.captured()
    links = {}
    for who, mail in mails.items():
        parts = message_from_bytes(mail.raw, policy=default)
        found = []
        for kind in ("plain", "html"):
            body = parts.get_body((kind,))
            assert body is not None
            found.append(re.findall(r"http://localhost/answer/([\w-]{32})\?say=(\w+)", body.get_content()))
        assert found[0] == found[1]
        assert [say for _token, say in found[0]] == ["accepted", "tentative", "declined"]
        (links[who],) = {token for token, _say in found[0]}
    assert len(set(links.values())) == 3


def test_replies_go_to_an_address_of_the_persons_own_where_they_are_read(
    app: Flask, cast: Cast, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gemba.config.Settings.takes_replies", property(lambda _settings: True))
    life = _life(app, cast, clock, "Europe/Berlin", datetime(2026, 11, 26, 9, tzinfo=UTC))
    first = life.captured()
    service.move(life.visit, cast.alice, start=life.visit.starts_at + 2 * HOUR, now=clock())
    second = life.captured()
    for who, mail in first.items():
        assert strict.problems(mail.raw, "REQUEST") == []
        sender = message_from_bytes(mail.raw, policy=default)["From"].addresses[0].addr_spec
        assert sender.startswith("gemba+")
        (organizer,) = (line for line in mail.lines if line.startswith("ORGANIZER"))
        assert organizer.endswith(f"mailto:{sender}")
        assert organizer in second[who].lines, "one organizer for life"
    senders = {message_from_bytes(mail.raw, policy=default)["From"] for mail in first.values()}
    assert len(senders) == 3


def test_invites_queued_by_an_earlier_version_are_still_written(
    app: Flask, cast: Cast, clock: StandingClock
) -> None:
    life = _life(app, cast, clock, "Europe/Berlin", datetime(2026, 11, 26, 9, tzinfo=UTC))
    db.session.commit()
    (row, *_rest) = db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "invite"))
    payload = dict(row.payload)
    del payload["organizer"]
    context = ("visit_id", "person_id", "note", "came", "went", "edited")
    payload["context"] = {name: value for name, value in payload["context"].items() if name not in context}
    facts = {**payload["visit"], "people": [dict(who) for who in payload["visit"]["people"]]}
    for name in ("note", "came", "went", "edited"):
        del facts[name]
    for who in facts["people"]:
        del who["answer"]
    for word, template in (("booked", "visit_booked"), ("moved", "visit_moved")):
        old = {**payload, "visit": facts, "template": template}
        old["context"] = {**payload["context"], "word": word}
        assert strict.problems(handle(old, facts_of(row)), "REQUEST") == []
    assert life.visit.sequence == 0
