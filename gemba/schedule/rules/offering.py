"""The slots that are offered: the maps of agents, what the visitors can, and what now allows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gemba.schedule.rules.facts import AgentFacts, BookingRules, Slot, VisitorFacts
from gemba.schedule.rules.frames import instant_of, ones, run, tick_at, tick_from
from gemba.schedule.rules.hours import Span
from gemba.schedule.rules.maps import StartMap, guide_map, start_map, time_mask, visitor_mask


@dataclass(frozen=True, slots=True)
class Offer:
    """What some visitors can book: a map of starts for each agent who offers any, and which starts count.

    Bit i of each map is the start at tick `first + i`.
    """

    rules: BookingRules
    first: int
    maps: tuple[tuple[int, StartMap], ...]
    allowed: int
    every: int | None = None
    """The union of all maps, where it is known already."""

    @property
    def starts(self) -> list[datetime]:
        """All starts that somebody offers, ascending."""
        return [instant_of(self.first + bit) for bit in ones(self.union)]

    @property
    def union(self) -> int:
        """The bits of all starts that somebody offers."""
        every = union_of(self.maps) if self.every is None else self.every
        return every & self.allowed

    def agents_at(self, start: datetime) -> tuple[int, ...]:
        """The ids of the agents who offer a start, ascending."""
        bit = self._bit(start)
        return tuple(agent for agent, each in self.maps if each.all >> bit & 1) if bit >= 0 else ()

    def seats_at(self, start: datetime) -> tuple[int, ...]:
        """The ids of the agents who have a visit then with a free seat, ascending."""
        bit = self._bit(start)
        return tuple(agent for agent, each in self.maps if each.seats >> bit & 1) if bit >= 0 else ()

    def count(self, window: Span) -> int:
        """How many starts somebody offers within a window."""
        return (self.union & self._bits(window)).bit_count()

    def first_after(self, instant: datetime) -> datetime | None:
        """The first start at an instant or later that somebody offers."""
        low = max(tick_from(instant) - self.first, 0)
        left = self.union >> low << low
        return instant_of(self.first + (left & -left).bit_length() - 1) if left else None

    def how_many(self, window: Span) -> dict[datetime, int]:
        """How many agents offer each start within a window, by start.

        Adds all maps at once: plane n holds bit n of the sum of every start, as adders in hardware do.
        """
        within = self._bits(window) & self.allowed
        low = max((within & -within).bit_length() - 1, 0)
        within >>= low
        planes: list[int] = []
        for _, each in self.maps:
            carry = (each.own | each.seats) >> low & within
            for number, plane in enumerate(planes):
                planes[number], carry = plane ^ carry, plane & carry
                if not carry:
                    break
            if carry:
                planes.append(carry)
        length = within.bit_length()
        columns = zip(*(f"{plane:0{length}b}"[::-1] for plane in reversed(planes)), strict=True)
        sums = ((bit, int("".join(digits), 2)) for bit, digits in enumerate(columns) if "1" in digits)
        return {instant_of(self.first + low + bit): count for bit, count in sums}

    def _bits(self, window: Span) -> int:
        return run(tick_from(window.start) - self.first, tick_from(window.end) - self.first)

    def slots(self) -> list[Slot]:
        """All slots by start, each with every agent; for many agents this is most of the work."""
        found: dict[int, list[int]] = {bit: [] for bit in ones(self.union)}
        for agent, each in self.maps:
            for bit in ones(each.all & self.allowed):
                found[bit].append(agent)
        length = self.rules.length
        starts = ((instant_of(self.first + bit), tuple(agents)) for bit, agents in found.items())
        return [Slot(start, start + length, agents) for start, agents in starts]

    def _bit(self, start: datetime) -> int:
        """The bit of a start, -1 where it is not allowed."""
        bit = tick_at(start) - self.first
        is_tick = tick_from(start) - self.first == bit
        return bit if is_tick and bit >= 0 and self.allowed >> bit & 1 else -1


def offer(
    rules: BookingRules,
    maps: Iterable[tuple[int, StartMap]],
    *,
    first: int,
    count: int,
    visitors: Sequence[VisitorFacts],
    window: Span,
    now: datetime,
    every: int | None = None,
) -> Offer:
    """Return what the visitors can book within the window, from maps of `count` starts from tick `first`."""
    allowed = time_mask(rules, window, now.astimezone(UTC), first, count)
    if allowed:
        allowed &= ~visitor_mask(rules, visitors, first, count)
    return Offer(rules, first, tuple(maps) if allowed else (), allowed, every)


def union_of(maps: Iterable[tuple[int, StartMap]]) -> int:
    """Return the bits that any of the maps has."""
    bits = 0
    for _, each in maps:
        bits |= each.own | each.seats
    return bits


def guided(
    maps: Iterable[tuple[int, StartMap]], mentors: Sequence[tuple[int, int]]
) -> tuple[tuple[int, StartMap], ...]:
    """Return the maps of agents with only those new visits for which a mentor is free as well.

    `mentors` are ids with the bits of `guide_map`. Nobody guides at their own workplace; a seat in a visit
    there is needs no further mentor.
    """
    anyone = 0
    for _, bits in mentors:
        anyone |= bits
    own = {mentor for mentor, _ in mentors}
    return tuple(
        (
            agent,
            StartMap(each.first, each.own & (_but(mentors, agent) if agent in own else anyone), each.seats),
        )
        for agent, each in maps
    )


def _but(mentors: Sequence[tuple[int, int]], agent: int) -> int:
    bits = 0
    for mentor, each in mentors:
        if mentor != agent:
            bits |= each
    return bits


def _reach(rules: BookingRules, window: Span, now: datetime) -> tuple[int, int]:
    """Return first tick and count of the starts that can be offered in a window; no more than needed."""
    low = max(window.start, now + timedelta(minutes=rules.min_notice_minutes))
    high = min(window.end, now + timedelta(days=rules.horizon_days))
    if low >= high:
        return 0, 0
    first = tick_at(low)
    return first, tick_from(high) - first


def open_slots(
    rules: BookingRules,
    agents: Sequence[AgentFacts],
    *,
    visitors: Sequence[VisitorFacts],
    window: Span,
    now: datetime,
    mentors: Sequence[AgentFacts] | None = None,
) -> list[Slot]:
    """Return the slots that start within `window` (half-open), by start, each with every agent offered.

    `mentors` are those of whom one has to be free as well, None where the programme needs none.
    """
    now = now.astimezone(UTC)
    first, count = _reach(rules, window, now)
    if not count:
        return []
    maps: Iterable[tuple[int, StartMap]] = [
        (agent.agent, start_map(rules, agent, first, count))
        for agent in sorted(agents, key=lambda each: each.agent)
    ]
    if mentors is not None:
        maps = guided(maps, [(each.agent, guide_map(rules, each, first, count)) for each in mentors])
    found = offer(rules, maps, first=first, count=count, visitors=visitors, window=window, now=now)
    return found.slots()
