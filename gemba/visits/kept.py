"""Each agent's map of starts, kept in the process until its cause changes.

The rules (`gemba.schedule.rules.start_map`) are the only truth; this spares reading the rows of a thousand
agents for each page. Every transaction that changes what an agent offers gives them a new random stamp
(`gemba.schedule.service.touch`), and a map is used only under the stamp it was made with. It is made in
transactions that only read: what a writer sees may be rolled back.
"""

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from flask import current_app

from gemba.db import is_reading
from gemba.programmes.models import Programme
from gemba.schedule import service as schedule
from gemba.schedule.rules import BookingRules, Offer, Span, StartMap, offer, start_map
from gemba.schedule.rules.frames import DAY_TICKS, instant_of, tick_at
from gemba.visits import facts
from gemba.visits.facts import Ask, Stamp
from gemba.visits.models import Visit

Kind = tuple[int, int, BookingRules, tuple[int, int] | None]
"""First tick, count, rules without notice and horizon; programme and seats where visits have several."""
Kept = Mapping[int, tuple[Stamp, StartMap]]


class Shelf:
    """The maps of one process, by kind and agent, each with the stamp it was made under."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kinds: dict[Kind, Kept] = {}

    def get(self, kind: Kind) -> Kept:
        """A kind's maps; only ever replaced, never changed."""
        return self._kinds.get(kind, {})

    def put(self, kind: Kind, maps: Kept) -> None:
        """Takes maps in; those of past weeks go."""
        with self._lock:
            kinds = {each: kept for each, kept in self._kinds.items() if each[0] >= kind[0]}
            self._kinds = {**kinds, kind: {**kinds.get(kind, {}), **maps}}


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
    stamps = facts.stamps_for(ask, but=visitors)
    first = _monday(now)
    count = (rules.horizon_days + 8) * DAY_TICKS
    maps = _maps(programme, stamps, first, count, leave_out=moving.agent_id if moving else None)
    if moving is not None and moving.agent_id in stamps:
        maps[moving.agent_id] = _fresh(programme, [moving.agent_id], first, count, but=moving)[
            moving.agent_id
        ]
    times = facts.times_of(visitors, programme, window, but=moving)
    who = facts.visitors_of(programme, visitors, times)
    found = [(agent, maps[agent]) for agent in stamps if agent in maps]
    if moving is not None:
        found = [(agent, replace(each, seats=0)) for agent, each in found]
    return offer(rules, found, first=first, count=count, visitors=who, window=window, now=now)


def _maps(
    programme: Programme, stamps: Mapping[int, Stamp], first: int, count: int, *, leave_out: int | None
) -> dict[int, StartMap]:
    """The agents' maps: those on the shelf, and the others made anew."""
    shelf: Shelf = current_app.extensions["gemba_maps"]
    kind = (
        first,
        count,
        _timeless(programme),
        (programme.id, programme.seats) if programme.seats > 1 else None,
    )
    kept = shelf.get(kind)
    found = {}
    stale = []
    for agent, stamp in stamps.items():
        there = kept.get(agent)
        if there is not None and there[0] == stamp:
            found[agent] = there[1]
        elif agent != leave_out:
            stale.append(agent)
    if stale:
        made = _fresh(programme, stale, first, count)
        found.update(made)
        if is_reading():
            shelf.put(kind, {agent: (stamps[agent], each) for agent, each in made.items()})
    return found


def _fresh(
    programme: Programme, agents: list[int], first: int, count: int, *, but: Visit | None = None
) -> dict[int, StartMap]:
    window = Span(instant_of(first), instant_of(first + count))
    rules = schedule.booking_rules(programme)
    known = facts.gather(programme, agents, (), window, but=but)
    return {agent.agent: start_map(rules, agent, first, count) for agent in known.agents}


def _timeless(programme: Programme) -> BookingRules:
    return replace(schedule.booking_rules(programme), min_notice_minutes=0, horizon_days=0)


def _monday(now: datetime) -> int:
    """The tick at which this week begins in UTC: maps stay good for a week."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return tick_at(day - timedelta(days=day.weekday()))
