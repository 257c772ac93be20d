"""Three readers that are not ours see exactly the instants meant, on the days the clocks change too."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar, Event

from gemba.invites.rules import InviteFacts, Method, calendar_bytes, calendar_file
from tests.invites import libical, strict
from tests.invites.sample import VERA, VISIT, mail
from tests.readers import node

ZONES = {  # and how many days of 2026-2028 have more or less than 24 hours there
    "Europe/Berlin": 6,
    "America/New_York": 6,
    "Asia/Kolkata": 0,
    "Europe/Moscow": 0,
    "Australia/Lord_Howe": 6,
    "Africa/Casablanca": 6,
}
ORDINARY = [date(2026, 12, 1), date(2027, 6, 15)]
HOURS = [time(1, 30), time(2, 15), time(3, 30), time(10, 0)]


def change_days(zone: ZoneInfo) -> Iterator[date]:
    """The days of 2026 to 2028 on which the clocks of the zone change."""
    day = date(2026, 1, 1)
    while day.year <= 2028:
        midnights = [datetime.combine(day + timedelta(days=n), time(), zone) for n in (0, 1)]
        if midnights[0].utcoffset() != midnights[1].utcoffset():
            yield day
        day += timedelta(days=1)


def starts(zone: ZoneInfo) -> Iterator[datetime]:
    """Local hours that exist, on ordinary and on change days; of a repeated hour both."""
    for day in (*ORDINARY, *change_days(zone)):
        for hour in HOURS:
            for fold in (0, 1):
                local = datetime.combine(day, hour, zone).replace(fold=fold)
                exists = local.astimezone(UTC).astimezone(zone).replace(fold=fold) == local
                if exists and (fold == 0 or local.utcoffset() != local.replace(fold=0).utcoffset()):
                    yield local


def life(start: datetime) -> list[InviteFacts]:
    """Booked, moved by a day, called off."""
    booked = replace(VISIT, start=start, end=start.astimezone(UTC) + timedelta(hours=1))
    moved = replace(
        booked, sequence=1, start=booked.start + timedelta(days=1), end=booked.end + timedelta(days=1)
    )
    return [booked, moved, replace(moved, sequence=2, method=Method.CANCEL)]


@pytest.mark.parametrize(("name", "changes"), ZONES.items())
def test_everybody_reads_the_instants_that_were_meant(name: str, changes: int) -> None:
    zone = ZoneInfo(name)
    assert len(list(change_days(zone))) == changes
    meant: list[tuple[InviteFacts, str | None]] = []
    calendars = []
    for start in starts(zone):
        for facts in life(start):
            raw = mail(facts)
            assert strict.problems(raw, facts.method) == []
            assert strict.calendar_problems(calendar_file(facts), None) == []
            meant += [(facts, facts.method), (facts, None)]
            calendars += [strict.calendar_of(raw), calendar_file(facts)]
    assert len(meant) >= 6 * len(ORDINARY) * len(HOURS)
    for (facts, method), ics, both in zip(meant, calendars, node.read(calendars), strict=True):
        wanted = (facts.uid, facts.sequence, method, facts.start.timestamp(), facts.end.timestamp())
        assert libical.read(ics) == (*wanted, [])
        for reading in both.values():
            assert reading == dict(zip(("uid", "sequence", "method", "start", "end"), wanted, strict=True))


def test_the_hour_meant_is_the_hour_written() -> None:
    """A hand-worked day: the clocks of Berlin go from 02:00 to 03:00 on 28 March 2027."""
    zone = ZoneInfo("Europe/Berlin")
    ics = calendar_bytes(replace(VISIT, start=datetime(2027, 3, 28, 3, 30, tzinfo=zone)), VERA.email)
    assert b"\r\nDTSTART:20270328T013000Z\r\n" in ics
    assert libical.read(ics).start == 1806197400


def test_a_reader_tells_when_a_time_zone_is_written_badly() -> None:
    """Why UTC: the library's own zones make a summer visit an hour late in ical.js, and so in Thunderbird."""
    event = Event()
    event.add("UID", "summer")
    event.add("DTSTAMP", datetime(2026, 11, 23, tzinfo=UTC))
    event.add("DTSTART", datetime(2027, 6, 15, 10, tzinfo=ZoneInfo("Europe/Berlin")))
    event.add("DTEND", datetime(2027, 6, 15, 11, tzinfo=ZoneInfo("Europe/Berlin")))
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", "-//Gemba//Test//EN")
    calendar.add_component(event)
    calendar.add_missing_timezones()
    meant = datetime(2027, 6, 15, 8, tzinfo=UTC).timestamp()
    (both,) = node.read([calendar.to_ical()])
    assert both["ical_js"]["start"] == meant + 3600
    assert both["node_ical"]["start"] == meant
    assert "the components are" in " ".join(strict.calendar_problems(calendar.to_ical(), None))
