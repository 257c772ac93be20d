"""Whatever people type: the mail stays one mail, and the calendar one event that all readers take."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes

from hypothesis import example, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from gemba.invites.rules import (
    Answer,
    Attendee,
    InviteFacts,
    Method,
    Part,
    calendar_bytes,
    calendar_file,
    clean_link,
)
from gemba.outbox.mime import Address, clean_line, clean_text
from tests.invites import libical, strict
from tests.invites.sample import SENT, VERA, VISIT, mail
from tests.readers import node

NASTY = [
    "\r\nATTENDEE:mailto:eve@evil.example",
    "\nEND:VEVENT\nBEGIN:VEVENT",
    "\r\n\r\n<script>",
    "\r\nBcc: eve@evil.example",
    "\0",
    "\x0b\x0c\x1b[31m\x85\x9b",
    "\u2028\u2029\ufeff\ufffe",
    "\u202eevil\u202c\u2066x\u2069",
    "\ud800",
    "\udfff\ud83d",
    "👩‍👩‍👧‍👦🇷🇸",
    "שלום עולם مرحبا",
    "e\u0301\u0327",
    ",;:\\\"'",
    "\\n\\N\\;\\,\\",
    "^n^'^^",
    "=?utf-8?q?x?=",
    "--=_boundary--",
    "%0d%0a",
    "Я" * 5000,
    "x" * 5000,
    " \t ",
]
EVERYTHING = "\r\n".join(NASTY)
text = st.lists(
    st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=()), max_size=40), max_size=6
).map("".join)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))


@st.composite
def facts(draw: st.DrawFn) -> InviteFacts:
    """Any visit anybody could make us write."""
    start = draw(instants)
    method = draw(st.sampled_from((Method.REQUEST, Method.CANCEL)))
    names = draw(st.lists(text, min_size=1, max_size=4))
    return InviteFacts(
        uid=f"{draw(st.uuids())}@company.example",
        sequence=draw(st.integers(method is Method.CANCEL, 500)),
        method=method,
        start=start,
        end=start + timedelta(minutes=draw(st.integers(1, 600))),
        dtstamp=draw(instants),
        summary=draw(text),
        organizer=Address("gemba@company.example", draw(text)),
        attendees=tuple(
            Attendee(
                f"p{n}@company.example", name, draw(st.sampled_from(Part)), draw(st.sampled_from(Answer))
            )
            for n, name in enumerate(names)
        ),
        description=draw(text),
        location=draw(text),
        url=draw(text | text.map("https://meet.example/".__add__)),
    )


@settings(max_examples=120, deadline=None)
@given(facts(), text, text)
def test_any_words_make_one_good_mail(visit: InviteFacts, subject: str, body: str) -> None:
    raw = mail(visit, visit.attendees[-1], subject, body)
    assert strict.problems(raw, visit.method) == []
    assert raw == mail(InviteFacts.from_json(visit.to_json()), visit.attendees[-1], subject, body)
    reading = libical.read(strict.calendar_of(raw))
    assert reading == (
        visit.uid,
        visit.sequence,
        visit.method,
        int(visit.start.timestamp()),
        int(visit.end.timestamp()),
        [],
    )
    kept = message_from_bytes(raw).get_payload()
    assert [part.get_content_subtype() for part in kept] == ["plain", "html", "calendar"]  # type: ignore[union-attr]


@settings(max_examples=30, deadline=None)
@given(facts(), text, text)
def test_an_answer_to_a_proposal_says_nothing_of_the_visit(
    visit: InviteFacts, subject: str, body: str
) -> None:
    kept = replace(visit, method=Method.DECLINECOUNTER)
    raw = mail(kept, kept.attendees[-1], subject, body)
    assert strict.problems(raw, "DECLINECOUNTER") == []
    ics = strict.calendar_of(raw)
    reading = libical.read(ics)
    assert (reading.uid, reading.method, reading.errors) == (visit.uid, "DECLINECOUNTER", [])
    begun = {line.split(b":")[0].split(b";")[0] for line in ics.replace(b"\r\n ", b"").split(b"\r\n")}
    assert begun.isdisjoint({b"DTSTART", b"DTEND", b"ATTENDEE", b"SUMMARY", b"SEQUENCE"})
    assert b"BEGIN:VALARM" not in ics


@settings(max_examples=60, deadline=None)
@given(facts())
def test_any_words_come_out_as_they_went_in(visit: InviteFacts) -> None:
    ics = calendar_file(visit)
    assert strict.calendar_problems(ics, None) == []
    (event,) = Calendar.from_ical(ics).walk("VEVENT")
    assert event["SUMMARY"] == (visit.summary or visit.organizer.name or visit.organizer.email)
    assert str(event.get("DESCRIPTION", "")).startswith(visit.description)
    assert visit.url in str(event.get("LOCATION", ""))
    assert str(event.get("URL", "")) == visit.url


@given(text)
@example(EVERYTHING)
def test_cleaning_twice_is_cleaning_once(value: str) -> None:
    for clean in (clean_text, clean_line, clean_link):
        assert clean(clean(value)) == clean(value)
        clean(value).encode()


def test_the_worst_reads_alike_elsewhere() -> None:
    visits = [
        replace(
            VISIT, summary=nasty, description=nasty, location=nasty, attendees=(replace(VERA, name=nasty),)
        )
        for nasty in (*NASTY, EVERYTHING)
    ]
    for both in node.read([calendar_bytes(visit, VERA.email) for visit in visits]):
        for reading in both.values():
            assert reading == {
                "uid": VISIT.uid,
                "sequence": 0,
                "method": "REQUEST",
                "start": VISIT.start.timestamp(),
                "end": VISIT.end.timestamp(),
            }
    assert VISIT.dtstamp == SENT
