"""What would open some hours for a visitor who sees none."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gemba.programmes.models import Programme
from gemba.schedule import service as schedule
from gemba.schedule.rules import (
    AgentFacts,
    BookingRules,
    Hours,
    Offer,
    Reason,
    ReasonCode,
    Span,
    VisitorFacts,
    explain,
    union_of,
)
from gemba.schedule.rules.frames import instant_of
from gemba.schedule.rules.maps import time_mask
from gemba.visits import facts, kept
from gemba.visits.facts import ANY, Ask
from gemba.visits.models import Visit

BEYOND = timedelta(days=7)
"""So far behind the horizon the maps of starts reach for certain."""


@dataclass(frozen=True)
class Relaxed:
    """How many starts there are without some of the filters, named as in addresses."""

    without: tuple[str, ...]
    count: int


@dataclass(frozen=True)
class WaysOut:
    """Why a visitor sees no hour, and what would open some.

    `own` are the visitor's own visits and limits that stand against the hours there are; `sooner` counts
    hours for which it is too late, and `next` is the first that is too far ahead yet.
    """

    relaxed: tuple[Relaxed, ...]
    own: tuple[Reason, ...]
    sooner: int
    next: datetime | None
    earliest: datetime
    until: datetime
    horizon: timedelta

    @property
    def opens(self) -> datetime | None:
        """When the next hour can be booked."""
        return self.next - self.horizon if self.next else None


def ways_out(
    programme: Programme,
    visitors: tuple[int, ...],
    ask: Ask,
    *,
    now: datetime,
    moving: Visit | None = None,
) -> WaysOut:
    """Looks for what would help these visitors, who see nothing for their ask, in four offers at most."""
    rules = schedule.booking_rules(programme)
    horizon = timedelta(days=rules.horizon_days)
    window = Span(now, now + horizon)
    anyone = kept.offered(programme, (), ask, window, now=now, moving=moving)
    anyone = replace(anyone, maps=tuple(each for each in anyone.maps if each[0] not in visitors), every=None)
    return WaysOut(
        relaxed=() if moving else tuple(_relaxed(programme, visitors, ask, window, now)),
        own=tuple(_own(programme, visitors, anyone, window, now, moving)),
        sooner=_between(anyone, replace(rules, min_notice_minutes=0), Span(now, _earliest(rules, now)), now)[
            0
        ],
        next=_between(
            anyone,
            replace(rules, horizon_days=rules.horizon_days + BEYOND.days),
            Span(window.end, window.end + BEYOND),
            now,
        )[1],
        earliest=_earliest(rules, now),
        until=window.end,
        horizon=horizon,
    )


def _earliest(rules: BookingRules, now: datetime) -> datetime:
    return now + timedelta(minutes=rules.min_notice_minutes)


def _relaxed(
    programme: Programme, visitors: tuple[int, ...], ask: Ask, window: Span, now: datetime
) -> Iterable[Relaxed]:
    """Each filter left out alone; all of them where there are two and neither alone helps."""
    names = {"agent": ask.agent_id, "product": ask.product_id, "language": ask.language}
    chosen = [name for name, value in names.items() if value is not None]
    looser = {
        "agent": replace(ask, agent_id=None),
        "product": replace(ask, product_id=None),
        "language": replace(ask, language=None),
    }
    tries: list[tuple[tuple[str, ...], Ask]] = [((name,), looser[name]) for name in chosen]
    if len(chosen) == 2:
        tries.append((tuple(chosen), ANY))
    found: list[Relaxed] = []
    for without, each in tries:
        if len(without) > 1 and found:
            break
        count = kept.offered(programme, visitors, each, window, now=now).union.bit_count()
        if count:
            found.append(Relaxed(without, count))
    return found


def _own(
    programme: Programme,
    visitors: tuple[int, ...],
    anyone: Offer,
    window: Span,
    now: datetime,
    moving: Visit | None,
) -> Iterable[Reason]:
    """What of the visitors' own stands against the starts that others could book, each rule once."""
    starts = anyone.starts
    if not starts:
        return ()
    times = facts.times_of(visitors, programme, window, but=moving)
    who = facts.visitors_of(programme, visitors, times)
    found: dict[ReasonCode, Reason] = {}
    for start in starts:
        for reason in _against(anyone.rules, who, start, now):
            found.setdefault(reason.code, reason)
    return found.values()


def _against(
    rules: BookingRules, who: Sequence[VisitorFacts], start: datetime, now: datetime
) -> list[Reason]:
    """The visitors' side alone: as if there were a seat for them then."""
    seat = AgentFacts(agent=0, hours=Hours("UTC"), joinable=(start,))
    return explain(rules, seat, visitors=who, start=start, now=now)


def _between(anyone: Offer, rules: BookingRules, part: Span, now: datetime) -> tuple[int, datetime | None]:
    """How many starts somebody has in a part of time under other rules, and the first of them."""
    every = union_of(anyone.maps)
    bits = every & time_mask(rules, part, now, anyone.first, every.bit_length())
    first = instant_of(anyone.first + (bits & -bits).bit_length() - 1) if bits else None
    return bits.bit_count(), first
