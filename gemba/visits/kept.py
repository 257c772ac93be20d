"""Each agent's map of starts, kept in the process until its cause changes.

The rules (`gemba.schedule.rules.start_map`) are the only truth; this spares reading the rows of a thousand
agents for each page. Every transaction that changes what an agent offers gives them a new random stamp
(`gemba.schedule.service.touch`), and a map is used only under the stamp it was made with. Stamps are read
before the facts, so a map is never older than its stamp; nothing is kept of agents whom this very
transaction has touched, for it may change them further.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from flask import current_app

from gemba.people.rules import Role
from gemba.programmes.models import Programme
from gemba.schedule import service as schedule
from gemba.schedule.rules import (
    BookingRules,
    Offer,
    Span,
    StartMap,
    guide_map,
    guided,
    offer,
    start_map,
    union_of,
)
from gemba.schedule.rules.frames import DAY_TICKS, instant_of, tick_at
from gemba.visits import facts
from gemba.visits.facts import Ask, Stamp, Sum
from gemba.visits.models import Visit

MOST_BUNDLES = 64
Kind = tuple[int, int, BookingRules, tuple[int, int] | None]
"""First tick, count, rules without notice and horizon; programme and seats where visits have several."""
GUIDES = (0, 0)
"""In the place of programme and seats: maps of mentors."""
Kept = Mapping[int, tuple[Stamp, StartMap]]


@dataclass(frozen=True)
class Bundle:
    """The maps of all agents who fit an ask, as long as the sum of their stamps is this one."""

    sum: Sum
    maps: tuple[tuple[int, StartMap], ...]
    agents: frozenset[int]
    every: int


class Shelf:
    """The maps of one process: by kind and agent, each with its stamp, and bundled for the usual asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kinds: dict[Kind, Kept] = {}
        self._bundles: dict[tuple[Kind, Ask], Bundle] = {}

    def get(self, kind: Kind) -> Kept:
        """A kind's maps; only ever replaced, never changed."""
        return self._kinds.get(kind, {})

    def put(self, kind: Kind, maps: Kept) -> None:
        """Takes maps in; those of past weeks go."""
        with self._lock:
            kinds = {each: kept for each, kept in self._kinds.items() if each[0] >= kind[0]}
            self._kinds = {**kinds, kind: {**kinds.get(kind, {}), **maps}}

    def bundle(self, kind: Kind, ask: Ask) -> Bundle | None:
        """The maps for an ask, if they were bundled."""
        return self._bundles.get((kind, ask))

    def put_bundle(self, kind: Kind, ask: Ask, bundle: Bundle) -> None:
        """Takes a bundle in; the oldest goes where there are too many."""
        with self._lock:
            bundles = {key: each for key, each in self._bundles.items() if key != (kind, ask)}
            while len(bundles) >= MOST_BUNDLES:
                del bundles[next(iter(bundles))]
            self._bundles = {**bundles, (kind, ask): bundle}


def init_app(extensions: dict[str, object]) -> None:
    """Gives an app its shelf."""
    extensions["gemba_maps"] = Shelf()


def offered(
    programme: Programme,
    visitors: tuple[int, ...],
    ask: Ask,
    window: Span,
    *,
    now: datetime,
    moving: Visit | None = None,
) -> Offer:
    """What these visitors can book in the window. Nobody visits themselves."""
    rules = schedule.booking_rules(programme)
    if moving is None or ask.agent_id != moving.agent_id:
        ask = facts.within(programme, ask)
    first = _monday(now)
    count = (rules.horizon_days + 8) * DAY_TICKS
    bundle = _bundle(programme, ask, first, count)
    maps, every = bundle.maps, None
    times = facts.times_of(visitors, programme, window, but=moving)
    who = facts.visitors_of(programme, visitors, times)
    if moving is not None:
        anew = _fresh(programme, _hosts_of(moving), first, count, but=moving)
        maps = tuple((agent, replace(anew.get(agent, each), seats=0)) for agent, each in maps)
    elif bundle.agents.isdisjoint(visitors):
        every = bundle.every
    if every is None:
        maps = tuple((agent, each) for agent, each in maps if agent not in visitors)
    if facts.is_guided(programme):
        maps, every = guided(maps, _guides(programme, visitors, first, count, moving)), None
    return offer(rules, maps, first=first, count=count, visitors=who, window=window, now=now, every=every)


def _hosts_of(visit: Visit) -> list[int]:
    """Those whose own maps change where a visit is thought away."""
    return [visit.agent_id, *([visit.mentor_id] if visit.mentor_id else [])]


def _guides(
    programme: Programme, visitors: tuple[int, ...], first: int, count: int, moving: Visit | None
) -> list[tuple[int, int]]:
    """When each mentor can guide these visitors."""
    kind = (first, count, _timeless(programme), GUIDES)
    stamps = facts.mentor_stamps(but=visitors)
    found = dict(_maps(kind, stamps, lambda stale: _fresh_guides(programme, stale, first, count)))
    anew = [each for each in _hosts_of(moving) if each in stamps] if moving else []
    if anew:
        found |= _fresh_guides(programme, anew, first, count, but=moving)
    return [(mentor, each.own) for mentor, each in found.items()]


def _bundle(programme: Programme, ask: Ask, first: int, count: int) -> Bundle:
    """The maps of all who fit: as they were bundled, or put together anew."""
    shelf: Shelf = current_app.extensions["gemba_maps"]
    seats = (programme.id, programme.seats) if programme.seats > 1 else None
    kind = (first, count, _timeless(programme), seats)
    total = facts.sum_for(ask)
    bundle = shelf.bundle(kind, ask)
    if bundle is None or bundle.sum != total:
        stamps = facts.stamps_for(ask)
        maps = _maps(kind, stamps, lambda stale: _fresh(programme, stale, first, count))
        bundle = Bundle(total, maps, frozenset(stamps), union_of(maps))
        if schedule.touched().isdisjoint(stamps):
            shelf.put_bundle(kind, ask, bundle)
    return bundle


def _maps(
    kind: Kind, stamps: Mapping[int, Stamp], make: Callable[[list[int]], dict[int, StartMap]]
) -> tuple[tuple[int, StartMap], ...]:
    """People's maps by id ascending: those on the shelf, the others made anew."""
    shelf: Shelf = current_app.extensions["gemba_maps"]
    kept = shelf.get(kind)
    stale = [agent for agent, stamp in stamps.items() if agent not in kept or kept[agent][0] != stamp]
    made = make(stale) if stale else {}
    touched = schedule.touched()
    keep = {agent: (stamps[agent], each) for agent, each in made.items() if agent not in touched}
    if keep:
        shelf.put(kind, keep)
    both = ((agent, made.get(agent) or kept[agent][1]) for agent in stamps if agent in made or agent in kept)
    return tuple(both)


def _fresh(
    programme: Programme, agents: list[int], first: int, count: int, *, but: Visit | None = None
) -> dict[int, StartMap]:
    window = Span(instant_of(first), instant_of(first + count))
    rules = schedule.booking_rules(programme)
    times = facts.times_of(agents, programme, window, but=but)
    return {
        agent.agent: start_map(rules, agent, first, count, load)
        for agent, load in facts.loads_of(agents, times)
    }


def _fresh_guides(
    programme: Programme, mentors: list[int], first: int, count: int, *, but: Visit | None = None
) -> dict[int, StartMap]:
    window = Span(instant_of(first), instant_of(first + count))
    rules = schedule.booking_rules(programme)
    times = facts.times_of(mentors, programme, window, but=but)
    return {
        mentor.agent: StartMap(first, guide_map(rules, mentor, first, count, load), 0)
        for mentor, load in facts.loads_of(mentors, times, Role.MENTOR)
    }


def _timeless(programme: Programme) -> BookingRules:
    return replace(schedule.booking_rules(programme), min_notice_minutes=0, horizon_days=0)


def _monday(now: datetime) -> int:
    """The tick at which this week begins in UTC: maps stay good for a week."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return tick_at(day - timedelta(days=day.weekday()))
