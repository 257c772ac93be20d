"""What visitors see of an agent: each start of a day with "offered" or what stands against it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from gemba.people.models import Person
from gemba.programmes.models import Programme
from gemba.schedule import service as schedule
from gemba.schedule.rules import AgentFacts, BookingRules, Hours, Reason, ReasonCode, Span, explain
from gemba.schedule.rules.hours import local_day
from gemba.visits import facts
from gemba.visits.facts import Ask

TICK = timedelta(minutes=5)
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Run:
    """Neighbouring starts with one answer. What holds all day is named by the day and not in `reasons`."""

    starts: tuple[datetime, ...]
    reasons: tuple[Reason, ...]
    is_offered: bool

    @property
    def first(self) -> datetime:
        """The first start."""
        return self.starts[0]

    @property
    def last(self) -> datetime:
        """The last start, at which a visit can still begin."""
        return self.starts[-1]


@dataclass(frozen=True)
class OfferedDay:
    """A date of the agent's, the zone whose clock counts on it, and its starts in runs.

    `all_day` are the reasons that stand against every start.
    """

    date: date
    zone: str
    all_day: tuple[Reason, ...]
    runs: tuple[Run, ...]

    @property
    def free(self) -> int:
        """How many starts are offered."""
        return sum(len(run.starts) for run in self.runs if run.is_offered)


@dataclass(frozen=True)
class Offered:
    """What one programme shows of an agent on some dates. `knows_hours` is False where none were saved."""

    days: tuple[OfferedDay, ...]
    knows_hours: bool


def offered(
    viewer: Person, agent_id: int, programme: Programme, days: Sequence[date], *, now: datetime
) -> Offered:
    """The starts of these consecutive dates, for the agent, the lead of their line and admins.

    A constant number of statements. Raises NotFound.
    """
    agent = schedule.agent_in_sight(viewer, agent_id)
    # A day to spare on both sides, for the dates are of whatever zone the agent is in.
    around = [local_day("UTC", day).first for day in (days[0] - ONE_DAY, days[-1] + 2 * ONE_DAY)]
    found = facts.agents_for(Ask(agent_id=agent.id))
    guides = facts.mentors_for(programme) if facts.is_guided(programme) else None
    known = facts.gather(programme, found, (), Span(*around), mentors=guides)
    if not known.agents:
        return Offered((), knows_hours=False)
    rules = schedule.booking_rules(programme)
    shown = (_day(rules, known, day, now) for day in days)
    return Offered(tuple(shown), knows_hours=True)


def zone_on(hours: Hours, day: date) -> str:
    """The zone whose clock counts on a local date."""
    return next((zone for since, zone in reversed(hours.zone_changes) if since <= day), hours.timezone)


def _day(rules: BookingRules, known: facts.Known, day: date, now: datetime) -> OfferedDay:
    agent = known.agents[0]
    zone = zone_on(agent.hours, day)
    other = [Reason(ReasonCode.OTHER_AGENTS)] if agent.agent in known.outside else []
    answers = [
        (
            start,
            _plain(other + explain(rules, agent, visitors=(), start=start, now=now, mentors=known.mentors)),
        )
        for start in _starts(rules, agent, zone, day)
    ]
    first = answers[0][1] if answers else ()
    all_day = tuple(reason for reason in first if all(reason in reasons for _, reasons in answers))
    return OfferedDay(day, zone, all_day, tuple(_runs(answers, all_day)))


def _runs(
    answers: Iterable[tuple[datetime, tuple[Reason, ...]]], all_day: tuple[Reason, ...]
) -> Iterator[Run]:
    for reasons, group in groupby(answers, key=lambda answer: answer[1]):
        told = tuple(reason for reason in reasons if reason not in all_day)
        yield Run(tuple(start for start, _ in group), told, not reasons)


def _starts(rules: BookingRules, agent: AgentFacts, zone: str, day: date) -> Iterator[datetime]:
    """The starts of the grid on a date, those of a repeated hour twice, and seats off the grid."""
    clock = ZoneInfo(zone)
    instant, end = local_day(zone, day).first, local_day(zone, day + ONE_DAY).first
    while instant < end:
        wall = instant.astimezone(clock)
        minute = wall.hour * 60 + wall.minute - rules.slot_offset_minutes
        if minute % rules.slot_step_minutes == 0 or instant in agent.joinable:
            yield instant
        instant += TICK


def _plain(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """The reasons a person wants to know: what has begun is over, whatever else there was."""
    told = tuple(reasons)
    over = tuple(reason for reason in told if reason.code == ReasonCode.IN_THE_PAST)
    return over or told
