"""A round as JSON lines, for the process that works it out: what goes in, and plans that come back.

A line for each agent, mentor and person: a round of thousands never lies in memory as text.

Starts are numbers of any length as hexadecimal text, sets are sorted lists, dates are written as ISO 8601.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from gemba.rounds.pairing.grid import Grid
from gemba.rounds.pairing.values import (
    Agent,
    Because,
    Figures,
    Help,
    Helps,
    LeftOut,
    Pair,
    Person,
    Pin,
    Plan,
    Reason,
    Why,
)

ENGINE = "4"
"""Rises when the same round may get another plan."""


@dataclass(frozen=True)
class Task:
    """A round to be worked out within `seconds`; `mentors` are None where no visit needs one."""

    agents: tuple[Agent, ...]
    people: tuple[Person, ...]
    grid: Grid
    pins: tuple[Pin, ...]
    seconds: float
    mentors: tuple[Agent, ...] | None = None


def dump_task(task: Task) -> Iterator[str]:
    """The task as lines of JSON."""
    head = {
        "grid": [task.grid.first, task.grid.count],
        "pins": [[pin.person, pin.agent, pin.start] for pin in sorted(task.pins, key=lambda pin: pin.person)],
        "seconds": task.seconds,
        "guided": task.mentors is not None,
    }
    yield _line(head)
    for name, hosts in (("agent", task.agents), ("mentor", task.mentors or ())):
        for agent in sorted(hosts, key=lambda each: each.id):
            yield _line({name: _agent(agent)})
    for person in sorted(task.people, key=lambda each: each.id):
        yield _line({"person": _person(person)})


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":")) + "\n"


def load_task(lines: Iterable[str | bytes]) -> Task:
    """What `dump_task` wrote."""
    told = iter(lines)
    head = json.loads(next(told))
    agents: list[Agent] = []
    mentors: list[Agent] = []
    people: list[Person] = []
    for line in told:
        ((name, values),) = json.loads(line).items()
        if name == "person":
            people.append(_person_of(values))
        else:
            (agents if name == "agent" else mentors).append(_agent_of(values))
    return Task(
        agents=tuple(agents),
        people=tuple(people),
        grid=Grid(*head["grid"]),
        pins=tuple(Pin(*each) for each in head["pins"]),
        seconds=head["seconds"],
        mentors=tuple(mentors) if head["guided"] else None,
    )


def _agent(agent: Agent) -> dict[str, Any]:
    values = {name: getattr(agent, name) for name in Agent.__slots__}
    taken = sorted((day.isoformat(), count) for day, count in agent.taken.items())
    sets = {"products": sorted(agent.products), "languages": sorted(agent.languages)}
    return {**values, "starts": f"{agent.starts:x}", "taken": taken, **sets}


def _agent_of(told: Mapping[str, Any]) -> Agent:
    taken = {date.fromisoformat(day): count for day, count in told["taken"]}
    sets = {name: frozenset(told[name]) for name in ("products", "languages")}
    return Agent(**{**told, "starts": int(told["starts"], 16), "taken": taken, **sets})


def _person(person: Person) -> dict[str, Any]:
    values = {name: getattr(person, name) for name in Person.__slots__}
    bits = {name: f"{values[name]:x}" for name in ("free", "preferred")}
    return {**values, **bits, "refuses": sorted(person.refuses), "met": sorted(person.met)}


def _person_of(told: Mapping[str, Any]) -> Person:
    bits = {name: int(told[name], 16) for name in ("free", "preferred")}
    lists = {name: tuple(told[name]) for name in ("order", "products", "languages")}
    sets = {name: frozenset(told[name]) for name in ("refuses", "met")}
    return Person(**{**told, **bits, **lists, **sets})


def plan_document(plan: Plan) -> dict[str, Any]:
    """A plan as JSON."""
    pairs = [{name: getattr(pair, name) for name in Pair.__slots__} for pair in plan.pairs]
    return {
        "pairs": pairs,
        "left_out": [asdict(each) for each in plan.left_out],
        "figures": asdict(plan.figures),
    }


def plan_of(told: Mapping[str, Any]) -> Plan:
    """The plan of its JSON."""
    return Plan(
        tuple(_pair_of(each) for each in told["pairs"]),
        tuple(_left_of(each) for each in told["left_out"]),
        Figures(**told["figures"]),
    )


def _pair_of(told: Mapping[str, Any]) -> Pair:
    words: Sequence[str] = told["because"]
    because = tuple(map(Because, words))
    return Pair(told["person"], told["agent"], told["start"], told["score"], because, told["mentor"])


def _left_of(told: Mapping[str, Any]) -> LeftOut:
    reason = Reason(Why(told["reason"]["code"]), told["reason"]["facts"])
    helps = tuple(Help(Helps(each["kind"]), _value_of(each["value"]), each["zone"]) for each in told["helps"])
    return LeftOut(told["person"], reason, tuple(told["would_work"]), helps)


def _value_of(told: Any) -> Any:
    return tuple(told) if isinstance(told, list) else told
