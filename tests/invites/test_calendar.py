"""What the calendar part says, line by line."""

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from icalendar import Calendar

from gemba.invites.rules import Answer, Attendee, InviteFacts, Method, calendar_bytes, calendar_file
from gemba.outbox.mime import Address
from tests.invites import libical, strict
from tests.invites.sample import ALICE, LEV, SENT, VERA, VISIT, cancelled

REQUEST = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Gemba//Visits//EN
METHOD:REQUEST
BEGIN:VEVENT
SUMMARY:How to WOW: Vera\\, Alice
DTSTART:20270615T080000Z
DTEND:20270615T090000Z
DTSTAMP:20261123T090030Z
UID:visit-7@company.example
SEQUENCE:0
ATTENDEE;CN="Vera Petrova";CUTYPE=INDIVIDUAL;PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIPANT;RSVP=TRUE:mailto:vera@company.example
ATTENDEE;CN="Alice Lind";CUTYPE=INDIVIDUAL;PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIPANT;RSVP=TRUE:mailto:alice@company.example
ATTENDEE;CN="Лев Орлов";CUTYPE=INDIVIDUAL;PARTSTAT=NEEDS-ACTION;ROLE=OPT-PARTICIPANT;RSVP=TRUE:mailto:lev@company.example
DESCRIPTION:Alice works as usual and shares her screen.\\nAsk anything.\\n\\nhttps://meet.company.example/q7x
LOCATION:https://meet.company.example/q7x
ORGANIZER;CN="How to WOW":mailto:gemba@company.example
STATUS:CONFIRMED
TRANSP:OPAQUE
URL:https://meet.company.example/q7x
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:How to WOW: Vera\\, Alice
TRIGGER:-PT15M
END:VALARM
END:VEVENT
END:VCALENDAR
"""  # noqa: E501
_ANSWERS = ";PARTSTAT=NEEDS-ACTION"
_ALARM = REQUEST[REQUEST.index("BEGIN:VALARM") : REQUEST.index("END:VEVENT")]


def unfolded(ics: bytes) -> str:
    return ics.decode().replace("\r\n ", "").replace("\r\n", "\n")


def test_a_request_says_this() -> None:
    assert unfolded(calendar_bytes(VISIT, "vera@company.example")) == REQUEST


def test_a_cancel_repeats_the_visit_without_alarm_or_question() -> None:
    wanted = REQUEST.replace(_ALARM, "").replace(_ANSWERS, "").replace(";RSVP=TRUE", "")
    wanted = wanted.replace("METHOD:REQUEST", "METHOD:CANCEL").replace("SEQUENCE:0", "SEQUENCE:1")
    wanted = wanted.replace("STATUS:CONFIRMED", "STATUS:CANCELLED")
    assert unfolded(calendar_bytes(cancelled(), "vera@company.example")) == wanted


def test_a_file_to_keep_asks_nobody_and_answers_nobody() -> None:
    kept = ("METHOD", "ATTENDEE", "ORGANIZER")
    wanted = "".join(line for line in REQUEST.splitlines(keepends=True) if not line.startswith(kept))
    assert unfolded(calendar_file(VISIT)) == wanted
    assert "STATUS:CANCELLED\n" in unfolded(calendar_file(cancelled()))


def test_everybody_gets_the_same_calendar() -> None:
    written = {calendar_bytes(VISIT, person.email.upper()) for person in (VERA, ALICE, LEV)}
    assert len(written) == 1


def test_one_replaced_person_is_cancelled_alone() -> None:
    removed = replace(cancelled(), attendees=(VERA,))
    ics = calendar_bytes(removed, VERA.email)
    assert ics.count(b"ATTENDEE") == 1
    assert strict.calendar_problems(ics, "CANCEL") == []
    with pytest.raises(ValueError, match="not invited"):
        calendar_bytes(removed, ALICE.email)


def test_answers_stand_where_the_time_has_not_moved() -> None:
    said_yes = replace(VISIT, attendees=(replace(VERA, partstat=Answer.ACCEPTED), ALICE))
    assert "PARTSTAT=ACCEPTED;" in unfolded(calendar_bytes(said_yes, VERA.email))


def test_facts_come_back_from_json_as_they_were() -> None:
    facts = replace(
        cancelled(), start=SENT + timedelta(microseconds=7), location="Room 5", summary="Виз\0ит\t👋"
    )
    stored = json.loads(json.dumps(facts.to_json()))
    assert InviteFacts.from_json(stored) == facts
    assert calendar_bytes(InviteFacts.from_json(stored), VERA.email) == calendar_bytes(facts, VERA.email)
    assert stored["start"] == "2026-11-23T09:00:30Z"
    assert stored["attendees"][2] == {
        "email": "lev@company.example",
        "name": "Лев Орлов",
        "role": "OPT-PARTICIPANT",
        "partstat": "NEEDS-ACTION",
    }


def test_instants_of_any_zone_are_written_in_utc() -> None:
    kolkata = timezone(timedelta(hours=5, minutes=30))
    facts = replace(VISIT, start=datetime(2027, 6, 15, 13, 30, tzinfo=kolkata))
    assert "DTSTART:20270615T080000Z\n" in unfolded(calendar_file(facts))


@pytest.mark.parametrize(
    ("summary", "written"),
    [
        ("C:\\New\\notes", "C:\\\\New\\\\notes"),
        ("one, two; three: four", "one\\, two\\; three: four"),
        ("one\r\nATTENDEE:mailto:x@y.z", "one ATTENDEE:mailto:x@y.z"),
        ("\0a\x1b[31m\x9b\ud800b\u202e", "a[31mb"),
        ("\ufeffone\x85two\ufffe", "one two"),
    ],
)
def test_text_is_escaped_once(summary: str, written: str) -> None:
    ics = calendar_file(replace(VISIT, summary=summary))
    assert f"\nSUMMARY:{written}\n" in unfolded(ics)
    assert Calendar.from_ical(ics).walk("VEVENT")[0]["SUMMARY"] == replace(VISIT, summary=summary).summary


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ('Vera "V" Petrova', 'CN="Vera ”V” Petrova"'),
        ("Petrova, Vera", 'CN="Petrova, Vera"'),
        ("a;b:c", 'CN="a;b:c"'),
        ("Vera^n\nx\\", 'CN="Veran x/"'),
        ("", "ATTENDEE;CUTYPE"),
    ],
)
def test_names_are_safe_for_readers_without_rfc_6868(name: str, written: str) -> None:
    facts = replace(VISIT, attendees=(replace(VERA, name=name),))
    ics = calendar_bytes(facts, VERA.email)
    assert written in unfolded(ics)
    assert strict.calendar_problems(ics, "REQUEST") == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://meet.example/a b?x=1\r\nSUMMARY:evil", "https://meet.example/a%20b?x=1%20SUMMARY:evil"),
        ("https://meet.example/комната", "https://meet.example/%D0%BA%D0%BE%D0%BC%D0%BD%D0%B0%D1%82%D0%B0"),
        ("https://meet.example/%41#x", "https://meet.example/%41#x"),
        ("javascript:alert(1)", ""),
        ("https://", ""),
    ],
)
def test_a_link_is_a_link_or_nothing(given: str, kept: str) -> None:
    assert replace(VISIT, url=given).url == kept


def test_the_link_is_not_repeated_and_stands_beside_a_room() -> None:
    text = f"Join at {VISIT.url}"
    ics = unfolded(calendar_file(replace(VISIT, description=text, location="Room 5")))
    assert f"\nDESCRIPTION:{text}\n" in ics
    assert f"\nLOCATION:Room 5 {VISIT.url}\n" in ics


def test_a_visit_without_words_or_link_is_still_a_visit() -> None:
    facts = replace(VISIT, summary="\0\r\n", description="", location="", url="")
    ics = calendar_bytes(facts, VERA.email)
    assert "\nSUMMARY:How to WOW\n" in unfolded(ics)
    assert strict.calendar_problems(ics, "REQUEST") == libical.read(ics).errors == []


@pytest.mark.parametrize(
    "changes",
    [
        {"uid": "two words"},
        {"uid": "x\r\nSUMMARY:y"},
        {"sequence": -1},
        {"end": VISIT.start},
        {"attendees": ()},
        {"start": datetime(2027, 6, 15, 8, 0)},
    ],
)
def test_facts_no_calendar_takes_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"UID|ends|invited|zone"):
        replace(VISIT, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "email", ["", "vera", "a@b@c", "a\r\n@b.c", "a b@c.d", "вера@x.example", "<a@b.c>", "a@" + "x" * 64]
)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(ValueError, match="Not a mail address"):
        Address(email)


def test_a_domain_of_any_script_is_written_in_ascii() -> None:
    assert Attendee(" vera@компания.рф ").email == "vera@xn--80aqeigdi5k.xn--p1ai"


def test_the_methods_are_the_words_of_the_standard() -> None:
    assert [str(method) for method in Method] == ["REQUEST", "CANCEL", "DECLINECOUNTER"]
