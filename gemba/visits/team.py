"""The calendar of a team: what fills each agent's days, laid out for a page.

Everything is in the zone of who looks. Colours stand for kinds of time, and each has a word.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from gemba.db import db
from gemba.people.models import Line, Person
from gemba.schedule import service as schedule
from gemba.schedule.rules import AgentFacts, Hours, Span, Timeline, open_times
from gemba.schedule.rules.hours import local_day
from gemba.visits import facts
from gemba.visits.models import Visit
from gemba.visits.rules import COUNTED, OCCUPYING
from gemba.visits.service.path import hosted
from gemba.visits.service.reading import with_people

ONE_DAY = timedelta(days=1)
UNIT = timedelta(minutes=5)
PAGE = 15
USUAL = (9, 18)
"""The hours that are drawn where nothing is open."""


class Kind(StrEnum):
    """What a stretch of an agent's time is, the strongest first."""

    VISIT = "visit"
    BUSY = "busy"
    QUIET = "quiet"
    BREAK = "break"
    FREE = "free"
    CLOSED = "closed"


class Why(StrEnum):
    """Why nothing at all is open on a day."""

    NONE = ""
    CLOSED = "closed"
    DAY_OFF = "day-off"
    AWAY = "away"
    HOLIDAY = "holiday"
    NO_HOURS = "no-hours"


@dataclass(frozen=True)
class Piece:
    """A stretch of one kind; `visit` where it is one."""

    start: datetime
    end: datetime
    kind: Kind
    visit: Visit | None = None

    @property
    def minutes(self) -> int:
        """How long it is."""
        return (self.end - self.start) // timedelta(minutes=1)


@dataclass(frozen=True)
class Cell:
    """One agent's day: its pieces from midnight to midnight, none missing."""

    span: Span
    pieces: tuple[Piece, ...]
    why: Why

    def minutes(self, kind: Kind) -> int:
        """How much of the day is of a kind."""
        return sum(piece.minutes for piece in self.pieces if piece.kind == kind)

    @property
    def visits(self) -> list[Visit]:
        """The visits that begin on this day."""
        found = (piece.visit for piece in self.pieces if piece.visit is not None)
        return [visit for visit in dict.fromkeys(found) if visit.starts_at >= self.span.start]


@dataclass(frozen=True)
class Row:
    """An agent, their days, and how many visits they take in the week beside their limit."""

    agent: Person
    paused: bool
    days: tuple[Cell, ...]
    load: int
    limit: int | None

    @property
    def free(self) -> int:
        """How many minutes are free on these days; none while they take no visits."""
        return 0 if self.paused else sum(cell.minutes(Kind.FREE) for cell in self.days)


@dataclass(frozen=True)
class Team:
    """The rows of one page of the calendar, the lines one looks after, and whether there are more rows."""

    rows: tuple[Row, ...]
    lines: tuple[Line, ...]
    more: bool
    hours: tuple[int, int] = USUAL
    """The part of the day in which anything happens: its first hour and its end, as wall time."""


def calendar(
    viewer: Person, *, days: Sequence[date], week: Sequence[date], line_id: int | None = None, page: int = 0
) -> Team:
    """The agents a lead or admin looks after on some days of a week, in the viewer's zone.

    A constant number of statements, whatever the number of agents.
    """
    agents = schedule.agents_looked_after(viewer, line_id=line_id, limit=PAGE + 1, offset=page * PAGE)
    agents, more = agents[:PAGE], len(agents) > PAGE
    ids = [agent.id for agent in agents]
    zone = viewer.timezone
    whole = _window(zone, week)
    visits = _visits_of(ids, whole)
    known = {each.agent: each for each in facts.own_facts(ids)}
    rows = tuple(_row(agent, known.get(agent.id), visits[agent.id], days, whole, zone) for agent in agents)
    return Team(rows, tuple(schedule.lines_looked_after(viewer)), more, _hours_of(rows, zone))


def _visits_of(ids: Collection[int], window: Span) -> Mapping[int, list[Visit]]:
    """The visits that take these people's time in the window, as agent, as mentor or as visitor."""
    found: dict[int, list[Visit]] = {agent: [] for agent in ids}
    query = with_people(select(Visit)).where(
        Visit.status.in_(OCCUPYING),
        Visit.ends_at > window.start - ONE_DAY,
        Visit.starts_at < window.end + ONE_DAY,
        or_(Visit.agent_id.in_(ids), Visit.mentor_id.in_(ids), Visit.visitors.any(Person.id.in_(ids))),
    )
    for visit in db.session.scalars(query.order_by(Visit.starts_at, Visit.id)):
        for person in {visit.agent_id, *hosted(visit)} & found.keys():
            found[person].append(visit)
    return found


def _row(
    agent: Person, known: AgentFacts | None, visits: list[Visit], days: Sequence[date], week: Span, zone: str
) -> Row:
    load = sum(
        agent.id in (visit.agent_id, visit.mentor_id)
        and visit.status in COUNTED
        and week.start <= visit.starts_at < week.end
        for visit in visits
    )
    cells = tuple(_cell(agent, known, visits, day, zone) for day in days)
    if known is None:
        return Row(agent, False, cells, load, None)
    return Row(agent, known.paused, cells, load, known.limits.per_week)


def _cell(agent: Person, known: AgentFacts | None, visits: list[Visit], day: date, zone: str) -> Cell:
    span = _window(zone, [day])
    hours = known.hours if known else Hours("UTC")
    opened = open_times(hours, span)
    pieces = tuple(_pieces(agent, known, visits, opened, span))
    is_open = opened.meets(span.start, span.end)
    return Cell(span, pieces, Why.NONE if is_open else _why(known, span))


def _why(known: AgentFacts | None, span: Span) -> Why:
    """Why nothing is open: what the agent's own calendar says at noon."""
    if known is None:
        return Why.NO_HOURS
    hours = known.hours
    noon = span.start + (span.end - span.start) / 2
    day = noon.astimezone(ZoneInfo(hours.zone_at(noon))).date()
    override = hours.overrides.get(day)
    if override is not None:
        return Why.CLOSED if override else Why.DAY_OFF
    if hours.is_time_off(day):
        return Why.AWAY
    return Why.HOLIDAY if hours.is_holiday(day) else Why.CLOSED


def _pieces(
    agent: Person, known: AgentFacts | None, visits: list[Visit], opened: Timeline, span: Span
) -> Iterator[Piece]:
    """The day cut at every edge of anything; neighbours of one kind are one piece."""
    near = [visit for visit in visits if _with_breaks(visit, agent).end > span.start - ONE_DAY]
    taken = Timeline.join(_with_breaks(visit, agent) for visit in near)
    busy = Timeline.join(known.calendar if known else ())
    quiet = open_times(known.quiet, span) if known and known.quiet else Timeline((), ())
    edges = {span.start, span.end}
    for line in (opened, taken, busy, quiet, [Span(visit.starts_at, visit.ends_at) for visit in near]):
        edges |= {edge for part in line for edge in (part.start, part.end) if span.start < edge < span.end}

    def kind_of(start: datetime, end: datetime) -> tuple[Kind, Visit | None]:
        for visit in near:
            if visit.starts_at < end and start < visit.ends_at:
                return Kind.VISIT, visit
        if not opened.meets(start, end):
            return Kind.CLOSED, None
        layers = ((busy, Kind.BUSY), (quiet, Kind.QUIET), (taken, Kind.BREAK))
        return next((kind for line, kind in layers if line.meets(start, end)), Kind.FREE), None

    return _joined(Piece(start, end, *kind_of(start, end)) for start, end in pairwise(sorted(edges)))


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    last: Piece | None = None
    for piece in pieces:
        if last is not None and (last.kind, last.visit) == (piece.kind, piece.visit):
            last = Piece(last.start, piece.end, piece.kind, piece.visit)
            continue
        if last is not None:
            yield last
        last = piece
    if last is not None:
        yield last


def _with_breaks(visit: Visit, agent: Person) -> Span:
    """When a visit takes the agent or mentor, with their own breaks around it; a visitor has none."""
    breaks = {
        visit.mentor_id: (visit.mentor_before, visit.mentor_after),
        visit.agent_id: (visit.buffer_before, visit.buffer_after),
    }
    before, after = (timedelta(minutes=minutes) for minutes in breaks.get(agent.id, (0, 0)))
    return Span(visit.starts_at - before, visit.ends_at + after)


def _window(zone: str, days: Sequence[date]) -> Span:
    return Span(local_day(zone, days[0]).first, local_day(zone, days[-1] + ONE_DAY).first)


def _hours_of(rows: Sequence[Row], zone: str) -> tuple[int, int]:
    """The part of the day that has to be drawn, in whole hours."""
    clock = ZoneInfo(zone)
    low, high = 24, 0
    for row in rows:
        for cell in row.days:
            for piece in cell.pieces:
                if piece.kind != Kind.CLOSED:
                    start, end = piece.start.astimezone(clock), piece.end.astimezone(clock)
                    low = min(low, start.hour)
                    same = end.date() == start.date()
                    high = max(high, end.hour + (end.minute > 0) if same else 24)
    return (low, high) if low < high else USUAL


@dataclass(frozen=True)
class Scale:
    """The drawn part of a day in units of five minutes."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, zone: str, day: date, hours: tuple[int, int]) -> "Scale":
        """The hours of one date."""
        local = local_day(zone, day)
        return cls(local.reach(hours[0] * 60).astimezone(UTC), local.reach(hours[1] * 60).astimezone(UTC))

    @property
    def length(self) -> int:
        """How many units there are."""
        return (self.end - self.start) // UNIT

    @property
    def ticks(self) -> list[datetime]:
        """The beginning of each hour."""
        count = -(-self.length // 12)
        return [self.start + timedelta(hours=n) for n in range(count)]

    def place(self, instant: datetime) -> int:
        """Where an instant lies, within the drawn part."""
        return min(max(round((instant - self.start) / UNIT), 0), self.length)

    def path(self, cell: Cell, kind: Kind) -> str:
        """The pieces of a kind as an SVG path, ten high."""
        parts = (
            (self.place(piece.start), self.place(piece.end)) for piece in cell.pieces if piece.kind == kind
        )
        return "".join(f"M{low} 0h{high - low}v10h{low - high}z" for low, high in parts if low < high)

    def cells(self, cell: Cell) -> list[tuple[int, Piece]]:
        """The pieces as cells of a table: how many units each spans. Together they fill the scale."""
        found = ((self.place(piece.end) - self.place(piece.start), piece) for piece in cell.pieces)
        return [(width, piece) for width, piece in found if width > 0]
