"""What the rules are told: agents, visitors, a programme's rules of booking."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gemba.schedule.rules.hours import Hours, Span

TICK = timedelta(minutes=5)
"""All starts, durations and steps are multiples of this; busy times may be any."""

REST = timedelta(hours=1)
"""What lies between two visits of an agent who does not want two observed hours in a row."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many visits a person takes per day, ISO week and month of their own zone; None is no limit."""

    per_day: int | None = None
    per_week: int | None = None
    per_month: int | None = None

    @property
    def any(self) -> bool:
        """Whether there is any limit at all."""
        return (self.per_day, self.per_week, self.per_month) != (None, None, None)


Seconds = tuple[int, int]
"""From a second up to, not including, another, both counted from 1970 in UTC."""


@dataclass(slots=True)
class Load:
    """What takes an agent's time, in plain numbers: there are tens of thousands in a page of slots.

    The fields mean what those of AgentFacts mean; `joinable` are seconds.
    """

    busy: list[Seconds] = field(default_factory=list)
    visits: list[Seconds] = field(default_factory=list)
    calendar: list[Seconds] = field(default_factory=list)
    joinable: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class AgentFacts:
    """What is known of one agent.

    Buffers are minutes. `busy` is when visits occupy this person, with the buffers of those visits already
    in it, and `calendar` when their own calendars say so. `visits` are those with this agent that count
    towards the limits and for the rest between two of them. `quiet` are the wall-clock hours in which their
    line takes no visits, and `declined` the times this agent said no to. `joinable` are the starts of visits
    of the programme that have a free seat.
    """

    agent: int
    hours: Hours
    buffer_before: int = 0
    buffer_after: int = 0
    limits: Limits = field(default_factory=Limits)
    paused: bool = False
    busy: tuple[Span, ...] = ()
    visits: tuple[Span, ...] = ()
    calendar: tuple[Span, ...] = ()
    rest_between: bool = False
    quiet: Hours | None = None
    declined: tuple[Seconds, ...] = ()
    joinable: tuple[datetime, ...] = ()

    @property
    def load(self) -> Load:
        """What takes their time, in numbers."""
        return Load(
            busy=[seconds_of(span) for span in self.busy],
            visits=[seconds_of(span) for span in self.visits],
            calendar=[seconds_of(span) for span in self.calendar],
            joinable=[int(start.timestamp()) for start in self.joinable],
        )


def seconds_of(span: Span) -> Seconds:
    """Return the whole seconds a span touches."""
    return int(span.start.timestamp()), -int(-span.end.timestamp() // 1)


@dataclass(frozen=True, slots=True)
class VisitorFacts:
    """What is known of one visitor: when they are taken, and the starts of their visits that count."""

    timezone: str = "UTC"
    busy: tuple[Span, ...] = ()
    visits: tuple[datetime, ...] = ()
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRules:
    """A programme's rules of booking.

    A start is a wall time of the agent's zone whose minute of the day is `slot_offset_minutes` modulo
    `slot_step_minutes`. The horizon is days of 24 hours from now. Raises ValueError unless duration and step
    are positive multiples of five minutes, and the offset a multiple.
    """

    duration_minutes: int
    slot_step_minutes: int
    min_notice_minutes: int
    horizon_days: int
    slot_offset_minutes: int = 0

    def __post_init__(self) -> None:
        for minutes in (self.duration_minutes, self.slot_step_minutes):
            if minutes < 1 or minutes % 5:
                raise ValueError("A visit and the step between starts take five minutes or a multiple.")
        if self.slot_offset_minutes % 5:
            raise ValueError("The offset of starts is a multiple of five minutes.")

    @property
    def length(self) -> timedelta:
        """How long a visit takes."""
        return timedelta(minutes=self.duration_minutes)


@dataclass(frozen=True, slots=True)
class Slot:
    """A start at which a visit could be booked, and with which agents (ids, ascending)."""

    start: datetime
    end: datetime
    agents: tuple[int, ...]
