"""The mail around the calendar: MIME shape, headers, and the same bytes each time."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest

from gemba.invites.rules import InviteFacts, Method, calendar_bytes
from gemba.outbox.mime import Address, compose, message_id
from tests.invites import strict
from tests.invites.sample import ALICE, GEMBA, LEV, SENT, VERA, VISIT, cancelled, mail


def parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def sign_in_mail(name: str = "Vera", subject: str = "Your code", html: str | None = None) -> bytes:
    return compose(
        sender=GEMBA,
        to=Address("vera@company.example", name),
        subject=subject,
        text="482913",
        html=html,
        message_id=message_id("sign-in:1", "company.example"),
        date=SENT,
    )


@pytest.mark.parametrize("facts", [VISIT, cancelled(), replace(VISIT, sequence=3)])
@pytest.mark.parametrize("to", [VERA, ALICE, LEV])
def test_an_invite_has_the_shape_calendars_know(facts: InviteFacts, to: Address) -> None:
    raw = mail(facts, to)
    assert strict.problems(raw, facts.method) == []
    shape = [(part.get_content_type(), part["Content-Disposition"]) for part in parsed(raw).walk()]
    kinds = ["multipart/alternative", "text/plain", "text/html", "text/calendar"]
    assert shape == [(kind, None) for kind in kinds]
    assert strict.calendar_of(raw) == calendar_bytes(facts, to.email)


def test_the_headers_say_who_when_and_that_a_machine_wrote() -> None:
    message = parsed(mail(to=LEV, subject="Визит: во вторник, 15 июня"))
    assert message["From"] == "How to WOW <gemba@company.example>"
    assert message["To"] == "Лев Орлов <lev@company.example>"
    assert message["Subject"] == "Визит: во вторник, 15 июня"
    assert message["Date"].datetime == SENT
    assert message["Auto-Submitted"] == "auto-generated"


def test_words_arrive_as_they_were_written() -> None:
    text = "Привет, Вера 👋\n\n.\nFrom here = there\n" + "long " * 400
    body = parsed(mail(text=text)).get_body(("plain",))
    assert body is not None
    assert body.get_content() == text.strip() + "\n"


def test_plain_mails_need_no_calendar() -> None:
    assert strict.problems(sign_in_mail()) == []
    assert parsed(sign_in_mail()).get_content_type() == "text/plain"
    with_html = sign_in_mail(html="<p>482913</p>")
    assert strict.problems(with_html) == []
    kinds = [part.get_content_type() for part in parsed(with_html).walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html"]


def test_the_same_values_are_the_same_mail() -> None:
    assert len({mail() for _ in range(20)}) == 1
    assert mail() != mail(to=ALICE)


def test_a_message_id_belongs_to_its_row() -> None:
    first = message_id("invite:7:0:vera", "company.example")
    assert first == message_id("invite:7:0:vera", "company.example")
    assert first != message_id("invite:7:1:vera", "company.example")
    assert message_id("ключ \ud800", "компания.рф").isascii()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ('a@evil.example, "Boss": x', "aevil.example Boss x"),
        ("Dr. Kim (QA)", "Dr. Kim (QA)"),
        ("Vera\r\nBcc: eve@evil.example", "Vera Bcc eveevil.example"),
        ("=?utf-8?q?Boss?=", "=?utf-8?q?Boss?="),
        ("Очень " * 40, ("Очень " * 20).strip()),
        ("n" * 500, "n" * 120),
        ("@", ""),
    ],
)
def test_names_cannot_pretend(name: str, shown: str) -> None:
    raw = sign_in_mail(name)
    assert strict.problems(raw) == []
    # Decoded by the older parser: the newer one puts spaces between the encoded words of a long name.
    header = str(make_header(decode_header(message_from_bytes(raw)["To"])))
    assert parseaddr(header) == (shown, "vera@company.example")


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ("Hi\r\nBcc: eve@evil.example", "Hi Bcc: eve@evil.example"),
        ("x" * 5000, "x" * 900),
        ("Я " * 2000, ("Я " * 450).strip()),
        ("=?utf-8?q?x?=", "=?utf-8?q?x?="),
        ("\0", ""),
    ],
)
def test_subjects_stay_one_line(subject: str, shown: str) -> None:
    raw = sign_in_mail(subject=subject)
    assert strict.problems(raw) == []
    assert parsed(raw)["Subject"] == shown


def test_a_calendar_and_its_method_come_together() -> None:
    ics = calendar_bytes(VISIT, VERA.email)
    for calendar, method in ((ics, None), (None, Method.REQUEST), (ics, Method.CANCEL)):
        with pytest.raises(ValueError, match="method"):
            compose(
                sender=GEMBA,
                to=VERA,
                subject="s",
                text="t",
                message_id="<a@b>",
                date=SENT,
                calendar=calendar,
                method=method,
            )


@pytest.mark.parametrize(
    ("identifier", "date"), [("a@b", SENT), ("<a@b>\r\nX: y", SENT), ("<a@b>", datetime(2026, 1, 1))]
)
def test_broken_ids_and_naive_dates_are_refused(identifier: str, date: datetime) -> None:
    with pytest.raises(ValueError, match=r"Message-ID|zone"):
        compose(sender=GEMBA, to=VERA, subject="s", text="t", message_id=identifier, date=date)


def test_the_date_is_written_in_utc() -> None:
    assert SENT.tzinfo is UTC
    assert parsed(mail())["Date"] == "Mon, 23 Nov 2026 09:00:30 +0000"
