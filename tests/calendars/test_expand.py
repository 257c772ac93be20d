"""Which times of a calendar are busy: repetitions, exceptions, zones, whole days, and what is free."""

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from gemba.calendars.rules import Trouble, Unreadable, coming, joined, next_wait, window
from gemba.calendars.rules.expand import Busy, expand
from tests.fakes.calendars import HOSTILE, event, ics

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
START, END = window(NOW)

WINDOWS_ZONE = """BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE"""


def read(*parts: str, zone: str = "Europe/Berlin", start: datetime = START, end: datetime = END) -> Busy:
    """The busy times of a calendar of these parts."""
    return expand(ics(*parts).encode(), zone=zone, start=start, end=end)


def busy(*parts: str, **more: object) -> list[str]:
    """The busy times as words in UTC: "11-24 09:00-10:00"."""
    return [_words(start, end) for start, end in read(*parts, **more).spans]  # type: ignore[arg-type]


def _words(start: int, end: int) -> str:
    first, last = (datetime.fromtimestamp(each * 60, UTC) for each in (start, end))
    day = "" if first.date() == last.date() else f"{last:%m-%d} "
    return f"{first:%m-%d %H:%M}-{day}{last:%H:%M}"


def trouble(*parts: str) -> Trouble:
    """Why a calendar is refused."""
    with pytest.raises(Unreadable) as caught:
        read(*parts)
    return caught.value.trouble


def test_one_event() -> None:
    assert busy(event("20261124T090000Z", "20261124T100000Z")) == ["11-24 09:00-10:00"]
    assert read(event("20261124T090000Z", "20261124T100000Z")).events == 1


def test_only_what_is_busy_counts() -> None:
    start, end = "20261124T090000Z", "20261124T100000Z"
    for free in (
        "TRANSP:TRANSPARENT",
        "STATUS:CANCELLED",
        "X-MICROSOFT-CDO-BUSYSTATUS:FREE",
        "transp:transparent",
    ):
        assert busy(event(start, end, free)) == []
    for taken in ("TRANSP:OPAQUE", "STATUS:TENTATIVE", "STATUS:CONFIRMED", "X-MICROSOFT-CDO-BUSYSTATUS:OOF"):
        assert len(busy(event(start, end, taken))) == 1


def test_length_by_duration_and_without_any() -> None:
    assert busy(event("20261124T090000Z", "", "DURATION:PT45M")) == ["11-24 09:00-09:45"]
    assert busy(event("20261124T090000Z", "", "DURATION:P1DT1H")) == ["11-24 09:00-11-25 10:00"]
    assert busy(event("20261124T090000Z")) == []


def test_seconds_are_rounded_outwards() -> None:
    assert busy(event("20261124T090030Z", "20261124T100030Z")) == ["11-24 09:00-10:01"]


def test_a_whole_day_is_one_of_the_agent() -> None:
    assert busy(event(";VALUE=DATE:20261124")) == ["11-23 23:00-11-24 23:00"]
    assert busy(event(";VALUE=DATE:20261124", ";VALUE=DATE:20261126")) == ["11-23 23:00-11-25 23:00"]
    assert busy(event(";VALUE=DATE:20261124"), zone="America/New_York") == ["11-24 05:00-11-25 05:00"]
    assert busy(event(";VALUE=DATE:20261124", "", "TRANSP:TRANSPARENT")) == []


def test_the_day_clocks_change_has_its_own_length() -> None:
    start, end = datetime(2027, 3, 27, tzinfo=UTC), datetime(2027, 4, 5, tzinfo=UTC)
    found = busy(event(";VALUE=DATE:20270328"), start=start, end=end)
    assert found == ["03-27 23:00-03-28 22:00"]


def test_times_without_a_zone_are_the_calendars_or_else_the_agents() -> None:
    floating = event("20261124T090000", "20261124T100000")
    assert busy(floating) == ["11-24 08:00-09:00"]
    assert busy(floating, zone="Asia/Kolkata") == ["11-24 03:30-04:30"]
    assert busy("X-WR-TIMEZONE:America/New_York", floating) == ["11-24 14:00-15:00"]
    assert busy("X-WR-TIMEZONE:Eastern Standard Time", floating) == ["11-24 14:00-15:00"]
    assert busy("X-WR-TIMEZONE:Nowhere/Land", floating) == ["11-24 08:00-09:00"]
    unknown = event(";TZID=Nowhere/Land:20261124T090000", ";TZID=Nowhere/Land:20261124T100000")
    assert busy(unknown) == ["11-24 08:00-09:00"]
    assert busy("X-WR-TIMEZONE:America/New_York", event(";VALUE=DATE:20261124")) == [
        "11-24 05:00-11-25 05:00"
    ]


def test_the_calendars_zone_leaves_series_in_utc_alone() -> None:
    series = event("20261020T080000Z", "20261020T090000Z", "RRULE:FREQ=WEEKLY", uid="series")
    moved = event("20261124T120000Z", "20261124T130000Z", "RECURRENCE-ID:20261124T080000Z", uid="series")
    start, end = datetime(2026, 10, 19, tzinfo=UTC), datetime(2026, 12, 3, tzinfo=UTC)
    found = busy("X-WR-TIMEZONE:Europe/Berlin", series, moved, start=start, end=end)
    assert found == [
        "10-20 08:00-09:00", "10-27 08:00-09:00", "11-03 08:00-09:00", "11-10 08:00-09:00",
        "11-17 08:00-09:00", "11-24 12:00-13:00", "12-01 08:00-09:00",
    ]  # fmt: skip


@pytest.mark.parametrize("declared", [True, False])
def test_a_series_of_a_windows_zone_stays_at_its_wall_time(declared: bool) -> None:
    name = "W. Europe Standard Time"
    series = event(
        f";TZID={name}:20270315T090000", f";TZID={name}:20270315T100000", "RRULE:FREQ=WEEKLY;COUNT=4"
    )
    start, end = datetime(2027, 3, 14, tzinfo=UTC), datetime(2027, 4, 14, tzinfo=UTC)
    parts = [WINDOWS_ZONE.replace("\n", "\r\n"), series] if declared else [series]
    found = busy(*parts, start=start, end=end, zone="Asia/Tokyo")
    assert found == ["03-15 08:00-09:00", "03-22 08:00-09:00", "03-29 07:00-08:00", "04-05 07:00-08:00"]


def test_a_series_over_the_change_of_clocks_in_an_iana_zone() -> None:
    series = event(";TZID=America/New_York:20270312T090000", "", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=4")
    start, end = datetime(2027, 3, 11, tzinfo=UTC), datetime(2027, 3, 20, tzinfo=UTC)
    found = busy(series, start=start, end=end)
    assert found == ["03-12 14:00-15:00", "03-13 14:00-15:00", "03-14 13:00-14:00", "03-15 13:00-14:00"]


def test_dates_taken_out_and_put_in() -> None:
    zone = ";TZID=Europe/Berlin:"
    series = event(
        f"{zone}20261123T090000",
        f"{zone}20261123T100000",
        "RRULE:FREQ=DAILY;COUNT=4",
        f"EXDATE{zone}20261124T090000,20261125T090000",
        f"RDATE{zone}20261201T120000",
    )
    assert busy(series) == ["11-23 08:00-09:00", "11-26 08:00-09:00", "12-01 11:00-12:00"]


def test_one_of_a_series_is_moved_cancelled_or_set_free() -> None:
    series = event("20261123T090000Z", "20261123T100000Z", "RRULE:FREQ=DAILY;COUNT=5", uid="s")
    moved = event("20261124T150000Z", "20261124T170000Z", "RECURRENCE-ID:20261124T090000Z", uid="s")
    cancelled = event(
        "20261125T090000Z", "20261125T100000Z", "RECURRENCE-ID:20261125T090000Z", "STATUS:CANCELLED", uid="s"
    )
    free = event(
        "20261126T090000Z",
        "20261126T100000Z",
        "RECURRENCE-ID:20261126T090000Z",
        "TRANSP:TRANSPARENT",
        uid="s",
    )
    assert busy(series, moved, cancelled, free) == [
        "11-23 09:00-10:00",
        "11-24 15:00-17:00",
        "11-27 09:00-10:00",
    ]


def test_one_of_a_series_moved_out_of_sight_leaves_its_place() -> None:
    series = event("20261123T090000Z", "20261123T100000Z", "RRULE:FREQ=DAILY;COUNT=2", uid="s")
    moved = event("20280101T090000Z", "20280101T100000Z", "RECURRENCE-ID:20261124T090000Z", uid="s")
    assert busy(series, moved) == ["11-23 09:00-10:00"]


def test_this_and_all_that_follow_are_moved() -> None:
    series = event("20261123T090000Z", "20261123T100000Z", "RRULE:FREQ=DAILY;COUNT=4", uid="s")
    moved = event(
        "20261125T110000Z", "20261125T120000Z", "RECURRENCE-ID;RANGE=THISANDFUTURE:20261125T090000Z", uid="s"
    )
    assert busy(series, moved) == [
        "11-23 09:00-10:00", "11-24 09:00-10:00", "11-25 11:00-12:00", "11-26 11:00-12:00",
    ]  # fmt: skip


def test_a_series_from_long_ago_and_a_birthday_from_longer_ago() -> None:
    old = event("20100104T090000Z", "20100104T100000Z", "RRULE:FREQ=WEEKLY;BYDAY=TU")
    assert len(busy(old)) == 17
    birthday = event(";VALUE=DATE:16041225", "", "RRULE:FREQ=YEARLY")
    assert busy(birthday) == ["12-24 23:00-12-25 23:00"]
    assert trouble(event("19690101T090000Z", "19690101T100000Z", "RRULE:FREQ=DAILY")) is Trouble.BAD_RULE


def test_what_is_over_costs_nothing() -> None:
    past = [
        event(f"2016010{n % 9 + 1}T090000Z", f"2016010{n % 9 + 1}T100000Z", uid=str(n)) for n in range(7000)
    ]
    long_running = event("20200101T090000Z", "20301231T090000Z")
    assert busy(*past, event("20261124T090000Z", "20261124T100000Z")) == ["11-24 09:00-10:00"]
    assert busy(long_running) == ["11-22 00:00-03-23 00:00"]


def test_times_are_cut_at_the_window_and_joined() -> None:
    found = busy(
        event("20261121T000000Z", "20261122T030000Z"),
        event("20261124T090000Z", "20261124T100000Z"),
        event("20261124T100000Z", "20261124T110000Z"),
        event("20261124T103000Z", "20261124T104500Z"),
        event("20270322T230000Z", "20270401T000000Z"),
    )
    assert found == ["11-22 00:00-03:00", "11-24 09:00-11:00", "03-22 23:00-03-23 00:00"]


def test_a_list_of_free_and_busy() -> None:
    told = (
        "BEGIN:VFREEBUSY",
        "FREEBUSY;FBTYPE=BUSY:20261124T090000Z/20261124T100000Z,20261125T090000Z/PT30M",
        "FREEBUSY;FBTYPE=FREE:20261126T090000Z/20261126T100000Z",
        "FREEBUSY:nonsense",
        "END:VFREEBUSY",
    )
    assert busy(*told) == ["11-24 09:00-10:00", "11-25 09:00-09:30"]


def test_what_is_broken_is_passed_over_and_the_rest_stays() -> None:
    good = event("20261124T090000Z", "20261124T100000Z")
    for bad in (
        event("20261340T090000Z", "20261124T100000Z"),
        event("soon", "later"),
        "BEGIN:VEVENT\r\nUID:none\r\nEND:VEVENT",
        event("20261124T090000Z", "", "DURATION:long"),
        event("20261125T090000Z", "20261125T100000Z", "RRULE:FREQ=DAILY;UNTIL=never"),
        event("20261124T093000Z", "20261124T094500Z", "EXDATE:when", uid="x"),
        "BEGIN:VTODO\r\nDUE:20261124T120000Z\r\nEND:VTODO",
        "X-JUNK\r\n\r\nno line at all",
    ):
        assert "11-24 09:00-10:00" in busy(bad, good), bad


def test_folded_lines_odd_line_ends_and_other_encodings() -> None:
    text = ics(event("20261124T090000Z", "20261124T100000Z", "SUMMARY:caf\u00e9\u2028there")).replace(
        "DTSTART:2026", "DTSTART:20\r\n 26"
    )
    for data in (
        text.encode(),
        b"\xef\xbb\xbf" + text.encode(),
        text.replace("\r\n", "\n").encode(),
        text.replace("\u2028", "").encode("latin-1"),
        b"\r\n" + text.encode(),
    ):
        assert expand(data, zone="UTC", start=START, end=END).spans == [
            [29923740 + 1440 - 0, 29923740 + 1500]
        ]


def test_several_calendars_in_one_file() -> None:
    text = ics(event("20261124T090000Z", "20261124T100000Z")) + ics(
        event("20261125T090000Z", "20261125T100000Z")
    )
    assert len(expand(text.encode(), zone="UTC", start=START, end=END).spans) == 2
    assert busy() == []


def test_no_words_of_a_calendar_come_through() -> None:
    from gemba.calendars.rules.screen import screen

    private = (
        "SUMMARY:Dentist",
        "LOCATION:Clinic",
        "DESCRIPTION:teeth",
        "ATTENDEE;CN=Eve:mailto:eve@a.example",
    )
    alarm = "BEGIN:VALARM\r\nTRIGGER:-PT5M\r\nDESCRIPTION:Dentist\r\nEND:VALARM"
    text = ics("X-WR-CALNAME:Private", event("20261124T090000Z", "20261124T100000Z", *private, alarm))
    kept = screen(text.encode(), START, END).text
    assert not [word for word in ("Dentist", "Clinic", "teeth", "Eve", "Private", "VALARM") if word in kept]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/secondly", Trouble.TOO_OFTEN),
        ("/minutely", Trouble.TOO_OFTEN),
        ("/interval", Trouble.BAD_RULE),
        ("/rdates", Trouble.TOO_MANY_DATES),
        ("/hourly", Trouble.TOO_MANY_TIMES),
    ],
)
def test_hostile_repetitions_are_refused_before_they_are_followed(path: str, why: Trouble) -> None:
    with pytest.raises(Unreadable) as caught:
        expand(HOSTILE[path].encode(), zone="UTC", start=START, end=END)
    assert caught.value.trouble is why


def test_other_files_are_refused() -> None:
    day = "20261124T090000Z", "20261124T100000Z"
    assert trouble(event(*day, "RRULE:FREQ=DAILY;INTERVAL=-1")) is Trouble.BAD_RULE
    assert trouble(event(*day, "RRULE:FREQ=SOMETIMES")) is Trouble.BAD_RULE
    assert trouble(
        event(*day, f"RRULE:FREQ=DAILY;BYHOUR={','.join(map(str, range(24)))};BYMINUTE=0,1,2,3,4,5,6,7")
    ) is (Trouble.TOO_MANY_TIMES)
    assert trouble(*[event(*day, uid=str(n)) for n in range(5001)]) is Trouble.TOO_MANY_EVENTS
    assert trouble(
        "BEGIN:VTIMEZONE\r\nTZID:x\r\nBEGIN:STANDARD\r\nRRULE:FREQ=SECONDLY\r\nEND:STANDARD\r\nEND:VTIMEZONE"
    ) is (Trouble.TOO_OFTEN)
    for data, why in (
        (b"", Trouble.NOT_A_CALENDAR),
        (b"<html>BEGIN:VCALENDAR", Trouble.NOT_A_CALENDAR),
        (ics(event(*day)).encode()[:-20], Trouble.CUT_SHORT),
        (b"BEGIN:VCALENDAR\r\nEND:VEVENT\r\n", Trouble.UNREADABLE),
        (b"BEGIN:VCALENDAR\r\n" * 10, Trouble.UNREADABLE),
        (b"BEGIN:VCALENDAR" + b" " * 3_000_000, Trouble.TOO_LARGE),
    ):
        with pytest.raises(Unreadable) as caught:
            expand(data, zone="UTC", start=START, end=END)
        assert caught.value.trouble is why, data[:40]


def test_small_rules() -> None:
    assert joined([[5, 6], [1, 3], [3, 4], [2, 2], [5, 5]]) == [[1, 4], [5, 6]]
    minute = int(NOW.timestamp() // 60)
    spans = [
        [minute - 20, minute - 10],
        [minute - 5, minute + 5],
        [minute + 60 * 24 * 30, minute + 60 * 24 * 31],
    ]
    assert coming(spans, NOW) == spans[1:]
    assert coming(spans, NOW, days=28) == spans[1:2]
    waits = [next_wait(timedelta(minutes=minutes)) for minutes in (0, 30, 60, 240, 3000)]
    assert waits == [timedelta(minutes=minutes) for minutes in (30, 30, 60, 240, 360)]


@pytest.mark.parametrize(
    "junk",
    [
        "a" * 1_900_000,
        "A;" * 900_000,
        'A;"' * 600_000,
        'A;X="b":' * 200_000,
        "A:\n" * 600_000,
        "\n " * 900_000,
    ],
)
def test_junk_costs_little(junk: str) -> None:
    begun = time.process_time()
    with suppress(Unreadable):
        assert read(junk, event("20261124T090000Z", "20261124T100000Z")).events == 1
    assert time.process_time() - begun < 15
