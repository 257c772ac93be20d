"""A round's people and agents as the engine wants them, in a constant number of statements.

What an agent offers comes from the one availability function (`gemba.schedule.rules.start_map`), and so do
the free hours of people: the same rule reads the hours they painted and their busy times.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute

from gemba.db import db
from gemba.people.models import Person as PersonRow
from gemba.people.models import PersonLanguage, PersonProduct
from gemba.people.rules import LANGUAGES, Role
from gemba.programmes import doors
from gemba.programmes.models import Programme
from gemba.programmes.training import service as training
from gemba.programmes.training.models import TrainingDone, TrainingStep
from gemba.rounds.models import Round, RoundAgent, RoundPair, RoundSignUp
from gemba.rounds.pairing.grid import Grid
from gemba.rounds.pairing.network import capacity
from gemba.rounds.pairing.values import TICK_SECONDS, Agent, Person, Pin
from gemba.rounds.pairing.wire import Task
from gemba.rounds.rules import (
    NOT_AMONG,
    NOT_TRAINED,
    SECONDS,
    USUAL_WEEK,
    PairState,
    order_of,
    turn_of,
)
from gemba.rounds.service.calendars import busy_of
from gemba.rounds.service.turns import left_out_before, met_by
from gemba.rounds.service.wishing import waiting
from gemba.schedule import service as schedule
from gemba.schedule import sides
from gemba.schedule.rules import (
    REST,
    AgentFacts,
    BookingRules,
    Load,
    Seconds,
    Span,
    guide_map,
    guided,
    start_map,
    visitor_mask,
)
from gemba.schedule.sides import hours_from
from gemba.visits import facts
from gemba.visits.facts import ANY, Time
from gemba.visits.models import Visit
from gemba.visits.rules import COUNTED

DAY_TICKS = 24 * 3600 // TICK_SECONDS
FAIR_OVER = timedelta(days=180)
"""Visits of the past half a year count for who has done how much."""
AT_ONCE = sides.MANY - 1


@dataclass(frozen=True)
class Frame:
    """The ticks of a round, the rules of booking that hold in it, and the bits it may use."""

    grid: Grid
    rules: BookingRules
    mask: int


def frame_of(chosen: Round, now: datetime) -> Frame:
    """Days of UTC around a round's window; nothing begins before the programme's notice is kept."""
    return frame_between(chosen.programme, *chosen.window, now)


def frame_between(programme: Programme, start: datetime, end: datetime, now: datetime) -> Frame:
    """The same for any window."""
    rules = round_rules(programme)
    low = max(start, now + timedelta(minutes=rules.min_notice_minutes))
    first = int(start.timestamp()) // TICK_SECONDS // DAY_TICKS * DAY_TICKS - DAY_TICKS
    count = (-(-int(end.timestamp()) // TICK_SECONDS) - first) // DAY_TICKS * DAY_TICKS + 3 * DAY_TICKS
    begin = max(-(-int(low.timestamp()) // TICK_SECONDS) - first, 0)
    stop = max(int(end.timestamp()) // TICK_SECONDS - first, begin)
    return Frame(Grid(first, count), rules, (1 << stop) - (1 << begin))


def span_of(frame: Frame) -> Span:
    """All days of a frame."""
    grid = frame.grid
    return Span(grid.instant(grid.first), grid.instant(grid.first + grid.count))


def round_rules(programme: Programme) -> BookingRules:
    """A programme's rules of booking, without its horizon: a round says itself until when it runs."""
    return replace(schedule.booking_rules(programme), horizon_days=365)


def task_of(chosen: Round, *, now: datetime, seconds: float = SECONDS) -> Task:
    """All who wait for a visit and all agents, with the pairs that are pinned."""
    frame = frame_of(chosen, now)
    signs = ready(chosen)
    return Task(
        agents=tuple(agents_of(chosen, frame, guided_only=False)),
        people=tuple(people_of(chosen, signs, frame)),
        grid=frame.grid,
        pins=tuple(pins_of(chosen, {sign.person_id for sign in signs})),
        seconds=seconds,
        mentors=mentors_of(chosen.programme, frame),
    )


def ready(chosen: Round) -> list[RoundSignUp]:
    """Who waits for a visit, may take part and is trained for it, by id."""
    signs = waiting(chosen)
    barred = barred_of(chosen.programme, [sign.person_id for sign in signs])
    return [sign for sign in signs if sign.person_id not in barred]


def barred_of(programme: Programme, ids: Sequence[int]) -> dict[int, str]:
    """What keeps some of these people out, whatever hours there are: in at most three statements."""
    untrained = dict.fromkeys(_untrained(programme, ids), NOT_TRAINED)
    return untrained | dict.fromkeys(doors.not_admitted(programme, ids), NOT_AMONG)


def _untrained(programme: Programme, ids: Sequence[int]) -> set[int]:
    """Those of these people who have steps of the programme's training before them, in two statements."""
    if not training.has_training(programme):
        return set()
    steps = select(TrainingStep.id).where(TrainingStep.programme_id == programme.id)
    count = len(db.session.scalars(steps).all())
    done = (
        select(TrainingDone.person_id, func.count())
        .where(TrainingDone.step_id.in_(steps), *sides.among(TrainingDone.person_id, ids))
        .group_by(TrainingDone.person_id)
    )
    has_done = dict(db.session.execute(done).tuples().all())
    return {person for person in ids if has_done.get(person, 0) < count}


def pins_of(chosen: Round, people: Collection[int]) -> Iterator[Pin]:
    """The pairs that stay as they are."""
    query = select(RoundPair).where(
        RoundPair.round_id == chosen.id, RoundPair.pinned, RoundPair.state == PairState.PROPOSED
    )
    for pair in db.session.scalars(query.order_by(RoundPair.person_id)):
        if pair.person_id in people:
            yield Pin(pair.person_id, pair.agent_id, pair.tick)


def agents_of(
    chosen: Round,
    frame: Frame,
    *,
    only: Collection[int] | None = None,
    gone: Collection[Visit] = (),
    guided_only: bool = True,
) -> Iterator[Agent]:
    """The agents of a round with what they offer in it, at most as many visits as they said.

    The visits `gone` count as if they were not; they still count among those an agent takes in the round.
    What each is to do is measured against the most visits they could take in it.
    """
    spare, loads = _capacities(chosen), _loads(chosen)
    for agent in offers_between(chosen.programme, frame, only=only, gone=gone, guided_only=guided_only):
        known = replace(agent, spare=spare.get(agent.id), load=loads.get(agent.id, 0))
        yield replace(known, offered=float(max(capacity(known, frame.grid), 1)))


def offers_between(
    programme: Programme,
    frame: Frame,
    *,
    only: Collection[int] | None = None,
    gone: Collection[Visit] = (),
    guided_only: bool = True,
) -> Iterator[Agent]:
    """What agents offer in a frame, by id ascending, as if the visits `gone` were not.

    Where visits need a mentor, only the hours that some mentor has too, unless not `guided_only`.
    """
    grid = frame.grid
    fitting = facts.within(programme, ANY)
    ids = [agent for agent in facts.agents_for(fitting) if only is None or agent in only]
    times = facts.times_of(ids, programme, span_of(frame))
    mentors = mentors_of(programme, frame, gone=gone) if guided_only else None
    _without(times, gone)
    lines, spoken = _lines(ids), frozenset(programme.languages or LANGUAGES)
    products: dict[int, set[int]] = _sets(PersonProduct.person_id, PersonProduct.product_id, ids)
    languages: dict[int, set[str]] = _sets(PersonLanguage.person_id, PersonLanguage.language, ids)
    for agent, load in facts.loads_of(ids, times):
        # A seat in a visit there is takes none of the agent's time; a pair is a visit of its own.
        load.joinable = []
        starts = start_map(frame.rules, agent, grid.first, grid.count, load)
        if mentors is not None:
            ((_, starts),) = guided([(agent.agent, starts)], [(each.id, each.starts) for each in mentors])
        own = starts.own & frame.mask
        number = agent.agent
        yield _host(
            frame.rules,
            agent,
            load,
            own,
            products=frozenset(products.get(number, ())),
            languages=frozenset(languages.get(number, ())) & spoken,
            line=lines.get(number),
            offered=float(max(own.bit_count(), 1)),
        )


def mentors_of(
    programme: Programme, frame: Frame, *, gone: Collection[Visit] = ()
) -> tuple[Agent, ...] | None:
    """The mentors with the starts at which each can guide, and their limits; None where none is needed."""
    if not facts.is_guided(programme):
        return None
    ids, grid, rules = list(facts.mentor_stamps()), frame.grid, frame.rules
    times, found = facts.times_of(ids, programme, span_of(frame)), []
    _without(times, gone)
    for mentor, load in facts.loads_of(ids, times, Role.MENTOR):
        starts = guide_map(rules, mentor, grid.first, grid.count, load) & frame.mask
        known = _host(rules, mentor, load, starts)
        found.append(replace(known, offered=float(max(capacity(known, grid), 1))))
    return tuple(found)


def _host(rules: BookingRules, host: AgentFacts, load: Load, starts: int, **more: Any) -> Agent:
    """Somebody in whose time visits lie, with their limits."""
    limits = host.limits
    return Agent(
        id=host.agent,
        starts=starts,
        zone=host.hours.timezone,
        apart=_apart(rules, host),
        per_day=limits.per_day,
        per_week=limits.per_week,
        per_month=limits.per_month,
        taken=_days(host, load),
        **more,
    )


def _without(times: Mapping[int, Time], gone: Collection[Visit]) -> None:
    """Takes visits out of what is known of people's time."""
    for visit in gone:
        start, end = int(visit.starts_at.timestamp()), int(visit.ends_at.timestamp())
        hosts = (
            (visit.agent_id, visit.buffer_before, visit.buffer_after),
            (visit.mentor_id or 0, visit.mentor_before, visit.mentor_after),
        )
        for host, before, after in hosts:
            if host in times:
                _drop(times[host].load.busy, (start - before * 60, end + after * 60))
                _drop(times[host].load.visits, (start, end))
        for visitor in visit.visitors:
            if visitor.id in times:
                _drop(times[visitor.id].load.busy, (start, end))
                _drop(times[visitor.id].came, start)


def _drop(values: list[Any], value: object) -> None:
    with suppress(ValueError):
        values.remove(value)


def _apart(rules: BookingRules, agent: AgentFacts) -> int:
    between = agent.buffer_before + agent.buffer_after
    if agent.rest_between:
        between = max(between, REST // timedelta(minutes=1))
    return -(-(rules.duration_minutes + between) // 5)


def _days(agent: AgentFacts, load: Load) -> Mapping[date, int]:
    zone = ZoneInfo(agent.hours.timezone)
    return Counter(datetime.fromtimestamp(start, zone).date() for start, _end in load.visits)


def _capacities(chosen: Round) -> dict[int, int]:
    """What is left of the visits that agents said they take, given the pairs that are booked."""
    here = RoundPair.round_id == chosen.id, RoundPair.state == PairState.BOOKED
    booked = Counter(db.session.scalars(select(RoundPair.agent_id).where(*here)))
    query = select(RoundAgent.person_id, RoundAgent.capacity).where(RoundAgent.round_id == chosen.id)
    return {
        agent: max(capacity - booked[agent], 0)
        for agent, capacity in db.session.execute(query).tuples()
        if capacity is not None
    }


def _loads(chosen: Round) -> dict[int, int]:
    since = chosen.window[0] - FAIR_OVER
    query = (
        select(Visit.agent_id, func.count())
        .where(Visit.status.in_(COUNTED), Visit.starts_at >= since)
        .group_by(Visit.agent_id)
    )
    return dict(db.session.execute(query).tuples().all())


def _lines(ids: Sequence[int]) -> dict[int, int | None]:
    query = select(PersonRow.id, PersonRow.line_id).where(*sides.among(PersonRow.id, ids))
    return dict(db.session.execute(query).tuples().all())


def _sets(owner: InstrumentedAttribute[int], value: Any, ids: Sequence[int]) -> dict[int, set[Any]]:
    """By person, the values of a column."""
    found: dict[int, set[Any]] = defaultdict(set)
    for person, one in db.session.execute(select(owner, value).where(*sides.among(owner, ids))):
        found[person].add(one)
    return found


def people_of(
    chosen: Round, signs: Sequence[RoundSignUp], frame: Frame, *, gone: Collection[Visit] = ()
) -> Iterator[Person]:
    """The people behind these sign-ups with what they wish and when they are free, but for visits `gone`."""
    ids = [sign.person_id for sign in signs]
    times, met, left, zones = (
        _times(chosen, ids, frame),
        met_by(ids, gone),
        left_out_before(chosen),
        _zones(ids),
    )
    _without(times, gone)
    programme, calendars = chosen.programme, busy_of(chosen, ids)
    for sign in signs:
        who = sign.person_id
        turn = turn_of(left_out_last=who in left, came=who in met)
        busy = [(start * 60, end * 60) for start, end in sign.busy] + calendars.get(who, [])
        yield Person(
            id=who,
            free=_free(sign, busy, times.get(who) or Time(), zones.get(who, "UTC"), programme, frame),
            order=order_of(turn, chosen.seed or chosen.id, who),
            products=tuple(sign.products),
            insists=sign.insists,
            languages=(sign.language,) if sign.language else (),
            line=sign.line_id,
            refuses=frozenset(sign.refuses),
            met=frozenset(met.get(who, ())),
            zone=sign.timezone or zones.get(who, "UTC"),
        )


def _free(
    sign: RoundSignUp, busy: list[Seconds], time: Time, zone: str, programme: Programme, frame: Frame
) -> int:
    """The starts at which a whole visit lies in somebody's free hours and not in what their calendars say is
    `busy`, whatever else they have then."""
    grid = frame.grid
    hours = hours_from(sign.timezone or zone, sign.weekly or USUAL_WEEK, {}, [], "", [])
    # Every five minutes: which starts there are is for the agent's clock to say.
    rules = replace(frame.rules, slot_step_minutes=5, slot_offset_minutes=0)
    load = Load(calendar=busy)
    own = start_map(rules, AgentFacts(sign.person_id, hours), grid.first, grid.count, load).own
    return own & frame.mask & ~taken_of(programme, sign.person_id, time, frame)


def taken_of(programme: Programme, person_id: int, time: Time, frame: Frame) -> int:
    """The starts at which somebody is in another visit, or has enough of them."""
    (visitor,) = facts.visitors_of(programme, [person_id], {person_id: time})
    return visitor_mask(frame.rules, [visitor], frame.grid.first, frame.grid.count)


def _times(chosen: Round, ids: Sequence[int], frame: Frame) -> dict[int, Time]:
    """What people have already; some hundreds at a time, as of thousands only agents' visits are read."""
    window = span_of(frame)
    found: dict[int, Time] = {}
    for number in range(0, len(ids), AT_ONCE):
        found |= facts.times_of(ids[number : number + AT_ONCE], chosen.programme, window)
    return found


def _zones(ids: Sequence[int]) -> dict[int, str]:
    query = select(PersonRow.id, PersonRow.timezone).where(*sides.among(PersonRow.id, ids))
    return dict(db.session.execute(query).tuples().all())
