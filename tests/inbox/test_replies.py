"""Mails of every shape, read: what counts comes out, and nothing of what is hostile does harm."""

import base64
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemba.invites.replies import Bounce, Code, Counter, Nothing, Reply, Said, read_mail
from gemba.invites.rules import Answer
from tests.inbox import mails
from tests.inbox.mails import CLIENTS, Ask, plain, reply_lines

VERA = "vera@gemba.example"


@pytest.mark.parametrize("answer", ["accepted", "tentative", "declined"])
@pytest.mark.parametrize("client", CLIENTS)
def test_every_program_is_understood(client: str, answer: str) -> None:
    ask = Ask(answer=answer, sequence=3, to="gemba+token@gemba.example")
    found = read_mail(CLIENTS[client](ask))
    assert isinstance(found, Reply)
    assert (found.uid, found.attendees) == (mails.UID, (Said(VERA, Answer(answer.upper())),))
    assert found.sequence == (None if client == "outlook.com" else 3)
    assert found.stamped_at == datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert (found.head.message_id, found.head.sender) == ("<1@mail.example>", VERA)
    assert "gemba+token@gemba.example" in found.head.recipients


@pytest.mark.parametrize("client", sorted(set(CLIENTS) - {"outlook.com"}))
def test_a_comment_is_kept(client: str) -> None:
    found = read_mail(CLIENTS[client](Ask(comment="Late\\, perhaps.\\nПривет \U0001f44b " + "ü" * 60)))
    assert isinstance(found, Reply)
    assert found.comment == "Late, perhaps.\nПривет \U0001f44b " + "ü" * 60


@pytest.mark.parametrize(
    ("tzid", "hour"),
    [
        ("W. Europe Standard Time", 13),
        ("Russian Standard Time", 11),
        ("Europe/Berlin", 13),
        ('"Eastern Standard Time"', 19),
        ("/freeassociation.sourceforge.net/Europe/Berlin", 13),
        ("/mozilla.org/20050126_1/America/Argentina/Salta", 17),
        ("tzone://Microsoft/Utc", 14),
    ],
)
def test_another_hour_in_any_zone(tzid: str, hour: int) -> None:
    ask = Ask(answer="tentative", start="20261126T140000", end="20261126T150000", comment="Later?")
    found = read_mail(mails.exchange_counter(ask, tzid))
    assert isinstance(found, Counter)
    assert found.start == datetime(2026, 11, 26, hour, tzinfo=UTC)
    assert found.end == datetime(2026, 11, 26, hour + 1, tzinfo=UTC)
    assert found.comment == "Later?"


def test_summer_time_of_windows_zones() -> None:
    found = read_mail(mails.exchange_counter(Ask(start="20270615T100000", end="20270615T110000")))
    assert isinstance(found, Counter)
    assert found.start == datetime(2027, 6, 15, 8, tzinfo=UTC)


def test_a_zone_of_the_calendars_own_with_one_offset() -> None:
    zone = ["BEGIN:VTIMEZONE", "TZID:Ours", "BEGIN:STANDARD", "DTSTART:19700101T000000"]
    zone += ["TZOFFSETFROM:-0330", "TZOFFSETTO:-0330", "END:STANDARD", "END:VTIMEZONE", "BEGIN:VEVENT"]
    calendar = reply_lines(Ask(), "DTSTART;TZID=Ours:20261126T100000", "DURATION:PT45M", method="COUNTER")
    calendar = calendar.replace("BEGIN:VEVENT", "\r\n".join(zone), 1)
    found = read_mail(plain(Ask(), calendar, "text/calendar; method=COUNTER"))
    assert isinstance(found, Counter)
    assert (found.start, found.end, found.lasts) == (
        datetime(2026, 11, 26, 13, 30, tzinfo=UTC),
        None,
        timedelta(minutes=45),
    )


def test_an_hour_without_a_zone_stays_without() -> None:
    calendar = reply_lines(Ask(), "DTSTART:20261126T100000", method="COUNTER")
    found = read_mail(plain(Ask(), calendar, "text/calendar; method=COUNTER"))
    assert isinstance(found, Counter)
    assert found.start == datetime(2026, 11, 26, 10)


@pytest.mark.parametrize(
    "start",
    [
        "DTSTART;VALUE=DATE:20261126",
        "DTSTART:20261301T250000Z",
        "DTSTART;TZID=Nowhere/Land:20261126T100000",
        "DTSTART;TZID=../../etc/passwd:20261126T100000",
        "DTSTART:00010101T000000",
        "DTSTART:" + "9" * 5000,
        "DTSTART;TZID=" + "A" * 5000 + ":20261126T100000",
        "X-NOTHING:1",
    ],
)
def test_an_hour_that_is_none(start: str) -> None:
    found = read_mail(plain(Ask(), reply_lines(Ask(), start, method="COUNTER"), "text/calendar"))
    assert found == Nothing(found.head, Code.NO_TIME)


@pytest.mark.parametrize(
    "stamp", ["", "yesterday", "20261399T000000Z", "99999999T999999Z", "\u0662\u0660261123T090000Z"]
)
def test_a_stamp_or_sequence_that_is_none_is_missing(stamp: str) -> None:
    ask = Ask(stamp=stamp, sequence=None)
    for sequence in ("", "SEQUENCE:-1", "SEQUENCE:1e9", "SEQUENCE:99999999999999", "SEQUENCE:\u0663"):
        found = read_mail(plain(ask, reply_lines(ask, sequence)))
        assert isinstance(found, Reply)
        assert (found.sequence, found.stamped_at) == (None, None)


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("mailto:vera@gemba.example", VERA),
        ("MAILTO:Vera@Gemba.example", VERA),
        ("Mailto: <vera@gemba.example>", VERA),
        ("vera@gemba.example", VERA),
        ("mailto:vera%40gemba.example", VERA),
        ("mailto:vera%2Btag@gemba.example", "vera+tag@gemba.example"),
    ],
)
def test_addresses_of_attendees(value: str, address: str) -> None:
    calendar = reply_lines(Ask()).replace("mailto:vera@gemba.example", value)
    found = read_mail(plain(Ask(), calendar))
    assert isinstance(found, Reply)
    assert [each.address for each in found.attendees] == [address]


@pytest.mark.parametrize(
    ("kind", "method", "outcome"),
    [
        ("text/calendar; charset=utf-8", "REPLY", Reply),
        ("text/calendar; method=reply", "REPLY", Reply),
        ('text/calendar; method="REPLY"', "", Reply),
        ("application/ics; method=REPLY", "", Reply),
        ("TEXT/CALENDAR", "reply", Reply),
        ("text/calendar; method=REQUEST", "REPLY", Code.UNCLEAR),
        ("text/calendar", "", Code.NO_ANSWER),
        ("text/calendar; method=REQUEST", "REQUEST", Code.NO_ANSWER),
        ("text/calendar; method=CANCEL", "CANCEL", Code.NO_ANSWER),
        ("text/plain", "REPLY", Code.NO_ANSWER),
    ],
)
def test_the_method_is_that_of_the_part_or_of_the_calendar(
    kind: str, method: str, outcome: type[Reply] | Code
) -> None:
    found = read_mail(plain(Ask(), reply_lines(Ask(), method=method), kind))
    assert found.code is outcome if isinstance(found, Nothing) else type(found) is outcome


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "us-ascii", "x-unknown", "zip", "punycode", "\0"])
def test_the_charset_may_be_wrong(charset: str) -> None:
    calendar = reply_lines(Ask(), "COMMENT:Schön")
    found = read_mail(plain(Ask(), calendar, f'text/calendar; charset="{charset}"; method=REPLY'))
    assert isinstance(found, Reply)
    assert found.comment == "Schön"


@pytest.mark.parametrize(("charset", "codec"), [("iso-8859-1", "latin-1"), ("windows-1251", "cp1251")])
def test_the_charset_may_be_right(charset: str, codec: str) -> None:
    word = "Schön" if codec == "latin-1" else "Опоздаю"
    head = plain(Ask(), "", f"text/calendar; charset={charset}; method=REPLY")
    found = read_mail(head + reply_lines(Ask(), f"COMMENT:{word}").encode(codec))
    assert isinstance(found, Reply)
    assert found.comment == word


def test_calendars_in_utf_16() -> None:
    ask = Ask(extra="Content-Transfer-Encoding: base64\r\n")
    data = base64.b64encode(reply_lines(ask, "COMMENT:Schön").encode("utf-16")).decode()
    found = read_mail(plain(ask, data, "text/calendar; charset=utf-16; method=REPLY"))
    assert isinstance(found, Reply)
    assert found.comment == "Schön"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_any_end_of_line_is_one(newline: str) -> None:
    calendar = reply_lines(Ask(attendee=VERA)).replace("\r\n ", "").replace("\r\n", newline)
    assert isinstance(read_mail(plain(Ask(), calendar)), Reply)


def test_a_fold_may_cut_a_character() -> None:
    calendar = reply_lines(Ask(), "COMMENT:ж").encode().replace("ж".encode(), b"\xd0\r\n \xb6")
    found = read_mail(plain(Ask(), "") + calendar)
    assert isinstance(found, Reply)
    assert found.comment == "ж"


def _many(count: int, calendar: str) -> bytes:
    part = f"--b\r\nContent-Type: text/calendar; method=REPLY\r\n\r\n{calendar}\r\n"
    return plain(Ask(), part * count + "--b--\r\n", "multipart/mixed; boundary=b")


def _nested(depth: int, kind: str = "multipart/mixed") -> bytes:
    body = "".join(f"Content-Type: {kind}; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(depth))
    return plain(Ask(), "--b\r\n" + body + "x\r\n" * 200_000, "multipart/mixed; boundary=b")[:1_000_000]


def _cut(raw: bytes) -> bytes:
    return raw[: raw.index(b"BEGIN:VEVENT") + 60]


REFUSED: dict[str, tuple[Callable[[], bytes], Code]] = {
    "2 MiB": (lambda: mails.gmail(Ask()) + b"x" * 2**21, Code.TOO_LARGE),
    "a large calendar": (lambda: plain(Ask(), reply_lines(Ask()) + "x" * 300_000), Code.TOO_LARGE),
    "10 calendars": (lambda: _many(10, reply_lines(Ask())), Code.TOO_MANY_CALENDARS),
    "20,000 parts": (lambda: _many(20_000, ""), Code.TOO_DEEP),
    "5,000 levels": (lambda: _nested(5_000), Code.TOO_DEEP),
    "20,000 mails within mails": (lambda: _nested(20_000, "message/rfc822"), Code.NO_ANSWER),
    "cut": (lambda: _cut(mails.thunderbird(Ask())), Code.TRUNCATED),
    "cut within base64": (lambda: mails.exchange(Ask())[:-400], Code.TRUNCATED),
    "winmail.dat": (
        lambda: plain(Ask(), "x", 'application/ms-tnef; name="winmail.dat"'),
        Code.TNEF,
    ),
    "out of office": (
        lambda: mails.gmail(Ask(extra="Auto-Submitted: Auto-Replied (vacation)\r\n")),
        Code.AUTO_REPLIED,
    ),
    "words only": (lambda: plain(Ask(), "Yes, gladly.", "text/plain"), Code.NO_ANSWER),
    "two answers": (
        lambda: plain(
            Ask(),
            "".join(
                f"--b\r\nContent-Type: text/calendar\r\n\r\n{reply_lines(Ask(answer=answer))}\r\n"
                for answer in ("accepted", "declined")
            )
            + "--b--",
            "multipart/alternative; boundary=b",
        ),
        Code.UNCLEAR,
    ),
    "two events": (
        lambda: plain(Ask(), reply_lines(Ask(), "END:VEVENT", "BEGIN:VEVENT", "UID:other")),
        Code.UNCLEAR,
    ),
    "no UID": (lambda: plain(Ask(), reply_lines(Ask(uid=""))), Code.UNCLEAR),
    "nobody": (lambda: plain(Ask(), reply_lines(Ask(attendee="nobody"))), Code.UNCLEAR),
    "delegated": (
        lambda: plain(Ask(), reply_lines(Ask()).replace("ACCEPTED", "DELEGATED")),
        Code.UNCLEAR,
    ),
    "nothing": (lambda: b"", Code.NO_ANSWER),
    "a report of delay": (lambda: mails.bounce(action="delayed", status="4.4.1"), Code.DELAYED),
    "a huge header": (lambda: b"Subject: " + b"x" * 900_000 + b"\r\n\r\n", Code.UNREADABLE),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_refused_quickly_and_with_a_code(name: str) -> None:
    raw, code = REFUSED[name][0](), REFUSED[name][1]
    begun = time.process_time()
    found = read_mail(raw)
    assert time.process_time() - begun < 2
    assert isinstance(found, Nothing)
    assert found.code is code


HOSTILE = [
    b"From: =?utf-8?B?////?= <a@b>\r\nSubject: =?x?Q?=00=0d=0aBcc: x?=\r\n\r\n",
    b"From: \xff\xfe\x00\r\nSubject: \xf0\x9f\r\n\x00: x\r\n\r\n",
    b"Content-Type: text/calendar; charset*=a'b'%ff%fe; method*0=RE; method*1=PLY\r\n\r\nBEGIN:VCALENDAR",
    b'Content-Type: multipart/mixed; boundary="\xff\xff"\r\n\r\n--\xff\xff\r\n\r\n--\xff\xff--',
    b"Content-Type: " + b'a/b; x="' + b";" * 100_000 + b"\r\n\r\n",
    b"To: " + b"(" * 100_000 + b"\r\n\r\n",
    b"To: " + b"<" * 100_000 + b"\r\n\r\n",
    b"From: " + b"=?utf-8?q?" * 10_000 + b"\r\n\r\n",
    plain(Ask(), "BEGIN:VCALENDAR\r\n" + 'A;"' * 80_000),
    plain(Ask(), "BEGIN:" * 40_000),
    plain(Ask(), "BEGIN:VCALENDAR\r\n" * 15_000),
    plain(Ask(), reply_lines(Ask(), *["ATTENDEE:mailto:x@y"] * 8_000)),
    plain(Ask(), reply_lines(Ask(), "X" + ';A="b"' * 3_000 + ":c")),
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_bytes_take_no_time_and_raise_nothing(number: int) -> None:
    begun = time.process_time()
    found = read_mail(HOSTILE[number])
    assert time.process_time() - begun < 2
    for words in (found.head.shown_sender, found.head.subject):
        assert not any(ord(ch) < 32 or 0xD800 <= ord(ch) < 0xE000 for ch in words)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_bytes_changed_anywhere_never_raise(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from([*(make(Ask()) for make in CLIENTS.values()), mails.bounce()])))
    for _n in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    read_mail(bytes(raw))


@pytest.mark.parametrize("quoted", ["text/rfc822-headers", "message/rfc822"])
def test_a_bounce_says_who_why_and_about_what(quoted: str) -> None:
    found = read_mail(mails.bounce(quoted=quoted))
    assert isinstance(found, Bounce)
    assert (set(found.failed), found.status, found.about) == ({VERA}, "5.1.1", "<mine@gemba.example>")
    assert found.diagnostic.startswith("550 5.1.1")
    assert "gemba@gemba.example" in found.returned


def test_from_counts_only_where_it_is_one() -> None:
    two = read_mail(mails.gmail(Ask(extra="From: eve@elsewhere.example\r\n")))
    list_of_two = read_mail(mails.gmail(replace(Ask(), sender="vera@gemba.example>, <eve@gemba.example")))
    assert two.head.sender == list_of_two.head.sender == ""
