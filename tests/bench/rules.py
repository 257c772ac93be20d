"""The pure parts: slots against the slow oracle of the tests, calendar text against glued strings."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from gemba.invites.rules import calendar_bytes
from gemba.schedule.rules import AgentFacts, BookingRules, Hours, Interval, Limits, Span, open_slots
from tests.bench.measure import Cost, Row, cost
from tests.invites.sample import VERA, VISIT
from tests.schedule.oracle import Oracle, walk_around

ZONES = ("Europe/Berlin", "Europe/Moscow", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe")
DAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
WEEK = timedelta(days=7)
WORKDAY = (Interval(9 * 60, 13 * 60), Interval(14 * 60, 18 * 60))
RULES = BookingRules(duration_minutes=60, slot_step_minutes=15, min_notice_minutes=60, horizon_days=60)


def agents(count: int) -> list[AgentFacts]:
    """Agents in five zones, with ten bookings each in the coming weeks."""
    return [_agent(number) for number in range(1, count + 1)]


def _agent(number: int) -> AgentFacts:
    hours = Hours(ZONES[number % 5], dict.fromkeys(range(5), WORKDAY), {date(2026, 11, 26): ()})
    starts = [NOW + timedelta(days=2 * each, hours=number % 9) for each in range(1, 11)]
    busy = tuple(Span(start, start + timedelta(hours=1)) for start in starts)
    return AgentFacts(number, hours, 0, 15, Limits(2, 6, None), False, busy, busy)


def measure() -> Iterator[Row]:
    """Slots and calendar text."""
    noon = datetime(2026, 11, 23, tzinfo=UTC)
    two_days = Span(noon, noon + timedelta(days=2))
    few = agents(5)
    naive = cost(lambda: [_naive(agent, two_days) for agent in few])
    quick = cost(lambda: open_slots(RULES, few, visitors=(), window=two_days, now=NOW))
    yield Row("open_slots, 5 agents, 2 days", "", quick, "minute by minute", naive)
    window = Span(NOW, NOW + 4 * WEEK)
    per_week = 2 / 7 * 5
    for count in (14, 200, 1000):
        many = agents(count)
        whole = cost(lambda many=many: open_slots(RULES, many, visitors=(), window=window, now=NOW))  # type: ignore[misc]
        weeks = count * 4
        one = Cost(whole.cpu / weeks, whole.wall / weeks)
        floor = Cost(naive.cpu / per_week, naive.wall / per_week)
        yield Row(f"an agent's week, of {count} in 4 weeks", "", one, "minute by minute", floor)
    glue = cost(_glued)
    yield Row(
        "calendar text of an invite", "", cost(lambda: calendar_bytes(VISIT, VERA.email)), "glued", glue
    )


def _naive(agent: AgentFacts, window: Span) -> list[datetime]:
    return Oracle(walk_around(agent.hours, DAY), RULES, agent, (), NOW, set()).starts(window)


def _glued() -> bytes:
    """The least one could do: lines without escaping, folding or checks."""
    form = "%Y%m%dT%H%M%SZ"
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//x//EN",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        f"UID:{VISIT.uid}",
        f"SEQUENCE:{VISIT.sequence}",
        f"DTSTAMP:{VISIT.dtstamp.strftime(form)}",
        f"DTSTART:{VISIT.start.strftime(form)}",
        f"DTEND:{VISIT.end.strftime(form)}",
        f"SUMMARY:{VISIT.summary}",
        f"DESCRIPTION:{VISIT.description}",
        f"ORGANIZER;CN={VISIT.organizer.name}:mailto:{VISIT.organizer.email}",
        *(f"ATTENDEE;CN={each.name};RSVP=TRUE:mailto:{each.email}" for each in VISIT.attendees),
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "\r\n".join(lines).encode()
