"""A round as JSON, for the process that works it out: what goes in, and plans that come back.

Starts are numbers of any length as hexadecimal text, sets are sorted lists, dates are written as ISO 8601.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from gemba.rounds.pairing.grid import Grid
from gemba.rounds.pairing.values import Agent, Because, Figures, LeftOut, Pair, Person, Pin, Plan, Reason, Why

ENGINE = "3"
"""Rises when the same round may get another plan."""


@dataclass(frozen=True)
class Task:
    """A round to be worked out within `seconds`."""

    agents: tuple[Agent, ...]
    people: tuple[Person, ...]
    grid: Grid
    pins: tuple[Pin, ...]
    seconds: float

    @property
    def digest(self) -> str:
        """Of all that the plan depends on; equal tasks give equal plans."""
        return hashlib.sha256(f"{ENGINE}:{dump_task(self)}".encode()).hexdigest()[:16]


def dump_task(task: Task) -> str:
    """The task as one line of JSON."""
    document = {
        "agents": [_agent(agent) for agent in sorted(task.agents, key=lambda each: each.id)],
        "people": [_person(person) for person in sorted(task.people, key=lambda each: each.id)],
        "grid": [task.grid.first, task.grid.count],
        "pins": [[pin.person, pin.agent, pin.start] for pin in sorted(task.pins, key=lambda pin: pin.person)],
        "seconds": task.seconds,
    }
    return json.dumps(document, separators=(",", ":"))


def load_task(text: str) -> Task:
    """What `dump_task` wrote."""
    told = json.loads(text)
    return Task(
        agents=tuple(_agent_of(each) for each in told["agents"]),
        people=tuple(_person_of(each) for each in told["people"]),
        grid=Grid(*told["grid"]),
        pins=tuple(Pin(*each) for each in told["pins"]),
        seconds=told["seconds"],
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
    return asdict(plan)


def plan_of(told: Mapping[str, Any]) -> Plan:
    """The plan of its JSON."""
    return Plan(
        tuple(_pair_of(each) for each in told["pairs"]),
        tuple(_left_of(each) for each in told["left_out"]),
        Figures(**told["figures"]),
    )


def _pair_of(told: Mapping[str, Any]) -> Pair:
    words: Sequence[str] = told["because"]
    return Pair(told["person"], told["agent"], told["start"], told["score"], tuple(map(Because, words)))


def _left_of(told: Mapping[str, Any]) -> LeftOut:
    reason = Reason(Why(told["reason"]["code"]), told["reason"]["facts"])
    return LeftOut(told["person"], reason, tuple(told["would_work"]))
