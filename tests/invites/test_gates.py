"""The gates can fail: every bad sample is flagged, for the reason it is bad."""

import base64
import re

import pytest

from gemba.invites.rules import calendar_bytes, calendar_file
from tests.invites import libical, strict
from tests.invites.sample import VERA, VISIT, cancelled, mail
from tests.readers import node

GOOD = calendar_bytes(VISIT, VERA.email)
GOOD_CANCEL = calendar_bytes(cancelled(), VERA.email)
ALARM = GOOD[GOOD.index(b"BEGIN:VALARM") : GOOD.index(b"END:VEVENT")]

BAD_REQUESTS = [
    (b"\r\n", b"\n", "CRLF"),
    (b"VERSION:2.0\r\n", b"", "0 VERSION"),
    (b"PRODID:", b"X-PRODID:", "unexpected X-PRODID"),
    (b"METHOD:REQUEST\r\n", b"", "0 METHOD"),
    (b"METHOD:REQUEST\r\n", b"METHOD:REQUEST\r\nMETHOD:CANCEL\r\n", "2 METHOD"),
    (b"METHOD:REQUEST", b"METHOD:PUBLISH", "METHOD is PUBLISH"),
    (b"UID:visit-7@company.example\r\n", b"", "0 UID"),
    (b"UID:", b"UID:two words ", "bad UID"),
    (b"SEQUENCE:0\r\n", b"", "0 SEQUENCE"),
    (b"SUMMARY:", b"SUMMARY:x\r\nSUMMARY:", "2 SUMMARY"),
    (b"STATUS:CONFIRMED", b"STATUS:CANCELLED", "not CONFIRMED"),
    (b"DTSTART:20270615T080000Z", b"DTSTART:20270615T080000", "bad DTSTART"),
    (b"DTSTART:20270615T080000Z", b"DTSTART:20270231T080000Z", "no such instant"),
    (b"DTSTART:20270615T080000Z", b"DTSTART;TZID=Europe/Berlin:20270615T080000", "parameters of DTSTART"),
    (b"DTEND:20270615T09", b"DTEND:20270615T07", "ends before"),
    (b"DTEND:", b"DURATION:PT1H\r\nDTEND:", "unexpected DURATION"),
    (b"DTSTAMP:20261123T090030Z\r\n", b"", "0 DTSTAMP"),
    (b"RSVP=TRUE:mailto:vera", b"RSVP=FALSE:mailto:vera", "bad RSVP"),
    (b"PARTSTAT=NEEDS-ACTION", b"PARTSTAT=MAYBE", "bad PARTSTAT"),
    (b"mailto:alice@", b"mailto:VERA@", "ATTENDEE twice"),
    (b"mailto:gemba@", b"mailto:Gemba <gemba@", "bad ORGANIZER"),
    (b"mailto:gemba@", b"mailto:other@", "not the ORGANIZER"),
    (b"mailto:vera@", b"mailto:eve@", "not one ATTENDEE"),
    (b'CN="How to WOW"', b"CN=How^'WOW", "bad CN"),
    (b'CN="How to WOW"', b'CN=a "b" c', "not a content line"),
    (b"Vera\\, Alice", b"Vera, Alice", "bad SUMMARY"),
    (b"Vera\\, Alice", b"Vera\\x", "bad SUMMARY"),
    (b"How to WOW: Vera", b"\0How to WOW: Vera", "control character"),
    (b"How to WOW: Vera", b"\xff\xfe", "not UTF-8"),
    (b"How to WOW: Vera", b"x" * 80, "octets"),
    (b"How to WOW: Vera", "Й".encode()[:1] + b"\r\n " + "Й".encode()[1:], "cuts a character"),
    (b"TRANSP:OPAQUE\r\n", b"TRANSP:OPAQUE\r\njunk\r\n", "not a content line"),
    (b"TRANSP:OPAQUE\r\n", b"TRANSP:OPAQUE\r\n\r\n", "an empty line"),
    (b"TRANSP:OPAQUE\r\n", b"TRANSP:OPAQUE\r\nRRULE:FREQ=DAILY\r\n", "unexpected RRULE"),
    (b"TRANSP:OPAQUE\r\n", b"END:VEVENT\r\nBEGIN:VEVENT\r\nTRANSP:OPAQUE\r\n", "the components are"),
    (b"TRIGGER:-PT15M\r\n", b"", "0 TRIGGER"),
    (b"END:VCALENDAR\r\n", b"", "no END"),
    (b"END:VALARM\r\n", b"", "without its BEGIN"),
]
BAD_CANCELS = [
    (b"STATUS:CANCELLED", b"STATUS:CONFIRMED", "without STATUS:CANCELLED"),
    (b"SEQUENCE:1", b"SEQUENCE:0", "raised SEQUENCE"),
    (b"END:VEVENT", ALARM + b"END:VEVENT", "with an alarm"),
    (b"SUMMARY:", b"COMMENT:", "0 SUMMARY"),
]


def with_calendar(raw: bytes, ics: bytes) -> bytes:
    """The mail with another calendar in its last part."""
    head, _, tail = raw.rpartition(b"\r\n\r\n--")
    kept = head[: head.rindex(b"\r\n\r\n") + 4]
    return kept + base64.encodebytes(ics).replace(b"\n", b"\r\n") + b"\r\n--" + tail


def changed(given: bytes, old: bytes, new: bytes) -> bytes:
    assert old in given
    return given.replace(old, new)


def test_the_samples_are_good_before_they_are_spoiled() -> None:
    assert strict.problems(with_calendar(mail(), GOOD), "REQUEST") == []
    assert strict.problems(with_calendar(mail(cancelled()), GOOD_CANCEL), "CANCEL") == []


@pytest.mark.parametrize(("old", "new", "reason"), BAD_REQUESTS)
def test_a_bad_request_is_flagged(old: bytes, new: bytes, reason: str) -> None:
    raw = with_calendar(mail(), changed(GOOD, old, new))
    assert reason in "; ".join(strict.problems(raw, "REQUEST"))


@pytest.mark.parametrize(("old", "new", "reason"), BAD_CANCELS)
def test_a_bad_cancel_is_flagged(old: bytes, new: bytes, reason: str) -> None:
    raw = with_calendar(mail(cancelled()), changed(GOOD_CANCEL, old, new))
    assert reason in "; ".join(strict.problems(raw, "CANCEL"))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b'; method="REQUEST"', b"", "method=None"),
        (b'method="REQUEST"', b'method="CANCEL"', "method=CANCEL"),
        (b"text/calendar", b"application/ics", "0 calendar parts"),
        (b"multipart/alternative", b"multipart/mixed", "not multipart/alternative"),
        (b"text/html", b"text/enriched", "the parts are"),
        (b'charset="utf-8"', b'charset="latin-1"', "not marked as UTF-8"),
        (b"base64\r\n\r\n", b"base64\r\nContent-Disposition: attachment\r\n\r\n", "not base64 and inline"),
        (b"From: How to WOW <gemba@", b"From: How to WOW <eve@", "not the ORGANIZER"),
        (b"To: Vera Petrova <vera@", b"To: Eve <eve@", "not one ATTENDEE"),
        (b"<vera@company.example>", b"<vera@company.example>, <alice@company.example>", "To is not one"),
        (b"To: Vera", b'To: "Boss, Vera"', "unsafe name in To"),
        (b"Subject:", b"Subject: x\r\nSubject:", "exactly one Subject"),
        (b"Subject:", b"Bcc: <eve@evil.example>\r\nSubject:", "unknown header bcc"),
        (b"Subject: A", b"Subject: =?utf-8?q?a=0d=0aBcc:_x?=", "unsafe Subject"),
        (b"Subject: A", "Subject: Я".encode(), "not plain ASCII"),
        (b"Subject: A", b"Subject: " + b"a" * 1000, "over 998"),
        (b"Auto-Submitted: auto-generated", b"Auto-Submitted: no", "auto-generated"),
        (b"Message-ID: <", b"Message-ID: x <", "Message-ID"),
        (b"Date:", b"X-Date:", "exactly one Date"),
        (b"\r\nDate", b"\nDate", "bare CR or LF"),
    ],
)
def test_a_bad_mail_is_flagged(old: bytes, new: bytes, reason: str) -> None:
    assert reason in "; ".join(strict.problems(changed(mail(), old, new), "REQUEST"))


def test_a_file_with_people_or_method_is_flagged() -> None:
    assert strict.calendar_problems(calendar_file(VISIT), None) == []
    found = "; ".join(strict.calendar_problems(GOOD, None))
    assert all(reason in found for reason in ("1 METHOD", "1 ORGANIZER", "ATTENDEE where"))


@pytest.mark.parametrize(
    ("given", "old", "new"),
    [
        (GOOD, rb"ORGANIZER.*\r\n", b""),
        (GOOD, rb"ATTENDEE.*\r\n( .*\r\n)*", b""),
        (GOOD, rb"UID.*\r\n", b""),
        (GOOD, rb"DTSTAMP.*\r\n", b""),
        (GOOD, rb"STATUS:CONFIRMED", b"STATUS:CANCELLED"),
        (GOOD, rb"DTEND:", b"DURATION:PT1H\r\nDTEND:"),
        (GOOD, rb"SUMMARY:", b"SUMMARY:x\r\nSUMMARY:"),
        (GOOD, rb"METHOD:REQUEST", b"METHOD:REQUEST\r\nMETHOD:REQUEST"),
        (GOOD_CANCEL, rb"ORGANIZER.*\r\n", b""),
    ],
)
def test_libical_refuses_what_itip_forbids(given: bytes, old: bytes, new: bytes) -> None:
    spoiled, count = re.subn(old, new, given)
    assert count
    assert libical.read(given).errors == []
    assert libical.read(spoiled).errors != []


def test_the_readers_tell_of_other_instants_and_of_rubbish() -> None:
    later = changed(GOOD, b"DTSTART:20270615T080000Z", b"DTSTART:20270615T083000Z")
    rubbish = b"BEGIN:VCALENDAR\r\njunk\r\nEND:VCALENDAR\r\n"
    moved, broken = node.read([later, rubbish])
    meant = VISIT.start.timestamp() + 1800
    assert moved["ical_js"]["start"] == moved["node_ical"]["start"] == libical.read(later).start == meant
    assert "error" in broken["ical_js"]
    assert "error" in broken["node_ical"]
    with pytest.raises(ValueError, match="libical"):
        libical.read(b"rubbish")
