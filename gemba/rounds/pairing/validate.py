"""Looks a plan over, start by start, with code of its own: of the engine only its values are imported."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from gemba.rounds.pairing.values import TICK_SECONDS, Agent, Pair, Person, Pin, Plan


def violations(
    agents: Sequence[Agent],
    people: Sequence[Person],
    first: int,
    plan: Plan,
    pins: Sequence[Pin] = (),
    *,
    mentors: Sequence[Agent] | None = None,
) -> list[str]:
    """Every rule the plan breaks, as sentences for who mends the engine; `first` is the tick of bit 0.

    With `mentors` each visit needs one of them.
    """
    by_agent, by_person = {agent.id: agent for agent in agents}, {person.id: person for person in people}
    found = _everybody_once(by_person, plan)
    for pair in plan.pairs:
        agent, person = by_agent.get(pair.agent), by_person.get(pair.person)
        if agent is None or person is None:
            found.append(f"{pair}: nobody of that id")
            continue
        found += [f"{pair}: {why}" for why in _pair(agent, person, pair.start - first)]
    for agent in agents:
        starts = sorted(pair.start for pair in plan.pairs if pair.agent == agent.id)
        found += [f"agent {agent.id}: {why}" for why in _agent(agent, starts)]
    found += _guiding(mentors or (), agents, plan, first, needed=mentors is not None)
    for pin in pins:
        if not any((p.person, p.agent, p.start) == (pin.person, pin.agent, pin.start) for p in plan.pairs):
            found.append(f"{pin} is not in the plan")
    return found


def _everybody_once(people: dict[int, Person], plan: Plan) -> list[str]:
    named = Counter([pair.person for pair in plan.pairs] + [left.person for left in plan.left_out])
    found = [f"person {one} stands there {count} times" for one, count in named.items() if count > 1]
    found += [f"person {one} is missing" for one in sorted(people.keys() - named.keys())]
    if plan.figures.served != len(plan.pairs) or plan.figures.people != len(people):
        found.append("the figures do not count what is there")
    if plan.figures.bound < plan.figures.served:
        found.append("more are served than the bound allows")
    return found


def _pair(agent: Agent, person: Person, bit: int) -> list[str]:
    found = []
    if bit < 0 or not (agent.starts >> bit) & 1:
        found.append("the agent does not offer this start")
    if bit < 0 or not (person.free >> bit) & 1:
        found.append("the person cannot come")
    if person.languages and not set(person.languages) & set(agent.languages):
        found.append("no common language")
    if person.insists and person.products and not set(person.products) & set(agent.products):
        found.append("none of the products insisted on")
    if person.line is not None and person.line != agent.line:
        found.append("another line")
    if agent.id in person.refuses or agent.id == person.id:
        found.append("these two do not want each other")
    return found


def _guiding(
    mentors: Sequence[Agent], agents: Sequence[Agent], plan: Plan, first: int, *, needed: bool
) -> list[str]:
    known, apart = {mentor.id: mentor for mentor in mentors}, {agent.id: agent.apart for agent in agents}
    found = []
    for pair in plan.pairs:
        mentor = known.get(pair.mentor or 0)
        if not needed and pair.mentor is not None:
            found.append(f"{pair}: a mentor whom nobody needs")
        elif needed and mentor is None:
            found.append(f"{pair}: nobody guides it")
        elif mentor is not None:
            if mentor.id in (pair.agent, pair.person):
                found.append(f"{pair}: this mentor has another part in it")
            if pair.start < first or not (mentor.starts >> pair.start - first) & 1:
                found.append(f"{pair}: the mentor does not offer this start")
    for mentor in mentors:
        starts = sorted(pair.start for pair in plan.pairs if pair.mentor == mentor.id)
        found += [f"mentor {mentor.id}: {why}" for why in _agent(mentor, starts)]
        shown = [pair.start for pair in plan.pairs if pair.agent == mentor.id]
        least = min(mentor.apart, apart.get(mentor.id, mentor.apart))
        if any(abs(one - two) < least for one in starts for two in shown):
            found.append(f"mentor {mentor.id} guides and is visited at once")
    return found


def _agent(agent: Agent, starts: Sequence[int]) -> list[str]:
    found = [
        f"visits at {one} and {two} are too near" for one, two in pairwise(starts) if two - one < agent.apart
    ]
    if agent.spare is not None and len(starts) > agent.spare:
        found.append("more visits than the agent takes")
    zone = ZoneInfo(agent.zone)
    days = [datetime.fromtimestamp(tick * TICK_SECONDS, UTC).astimezone(zone).date() for tick in starts]
    periods: list[tuple[int | None, str, Callable[[date], Hashable]]] = [
        (agent.per_day, "day", lambda day: day),
        (agent.per_week, "week", lambda day: day - timedelta(days=day.weekday())),
        (agent.per_month, "month", lambda day: (day.year, day.month)),
    ]
    for cap, name, key in periods:
        counts = Counter(key(day) for day in days)
        before: Counter[Hashable] = Counter()
        for day, count in agent.taken.items():
            before[key(day)] += count
        if cap is not None:
            found += [
                f"more than {cap} in the {name} of {when}"
                for when, count in counts.items()
                if count + before[when] > cap
            ]
    return found


def spoilt(plan: Plan, number: int, **changes: object) -> Plan:
    """The plan with one pair changed: for tests that plant faults."""
    pair = plan.pairs[number]
    values = {"person": pair.person, "agent": pair.agent, "start": pair.start, "score": 0, "because": ()}
    changed = Pair(**{**values, **changes})  # type: ignore[arg-type]
    return Plan((*plan.pairs[:number], changed, *plan.pairs[number + 1 :]), plan.left_out, plan.figures)
