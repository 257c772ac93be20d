"""The demo company as it is written down in `company/*.json`: pure values, checked as they are read.

Everything refers to everything else by key. Days are relative to the moment of loading, hours are wall
time of the agent, minutes of weekly hours count from local midnight. `read_company()` raises KeyError
or ValueError where the files contradict themselves.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from gemba.insights.rules.kinds import Frequency, Kind, Status
from gemba.people.rules import Role

FOLDER = Path(__file__).parent / "company"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Interval = tuple[int, int]


class Outcome(StrEnum):
    """How a past visit ended."""

    HELD = "held"
    NOT_HELD = "not_held"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Both:
    """A text in English and Russian."""

    en: str
    ru: str


@dataclass(frozen=True)
class CastEntry:
    """A place on the page where one signs in as someone: who am I, in one line."""

    order: int
    who: Both


@dataclass(frozen=True)
class LineContent:
    """A support line and the key of its lead."""

    key: str
    name: str
    lead: str


@dataclass(frozen=True)
class ProductContent:
    """A supported product."""

    key: str
    name: str


@dataclass(frozen=True)
class PersonContent:
    """Someone of the company. Products and languages are an agent's."""

    key: str
    name: str
    email: str
    timezone: str
    locale: str
    department: str
    roles: frozenset[Role]
    line: str | None
    products: tuple[str, ...]
    languages: tuple[str, ...]
    cast: CastEntry | None


@dataclass(frozen=True)
class OverrideContent:
    """Other hours on a day that lies so many days ahead; no interval is a day off."""

    days_ahead: int
    intervals: tuple[Interval, ...]


@dataclass(frozen=True)
class HoursContent:
    """An agent's week (0 = Monday) in minutes after local midnight, buffers in minutes, and caps."""

    agent: str
    weekly: Mapping[int, tuple[Interval, ...]]
    overrides: tuple[OverrideContent, ...]
    buffer_before: int
    buffer_after: int
    per_day: int
    per_week: int
    per_month: int


@dataclass(frozen=True)
class RunningVisit:
    """The visit that is going on while the demo is loaded."""

    key: str
    agent: str
    visitor: str
    product: str
    started_minutes_ago: int


@dataclass(frozen=True)
class PastVisit:
    """A visit about `days_ago` days ago; `minute` is its start after the agent's midnight.

    `reason` and `cancelled_by` (by default the visitor) matter where it was cancelled.
    """

    key: str
    agent: str
    visitor: str
    product: str
    days_ago: int
    minute: int
    outcome: Outcome
    reason: str
    cancelled_by: str


@dataclass(frozen=True)
class ComingVisit:
    """A visit to be booked about `days_ahead` days ahead, at or after `minute` of the agent's day."""

    key: str
    agent: str
    visitor: str
    product: str
    days_ahead: int
    minute: int


@dataclass(frozen=True)
class ObservationContent:
    """What was seen in a past visit, so many minutes after its start."""

    visit: str
    minute: int
    text: str
    severity: int | None
    frequency: Frequency
    verbatim: str
    workaround: str
    tool: str


@dataclass(frozen=True)
class InsightContent:
    """An item of the backlog with its evidence, in the language it was first written in.

    `reason` says why it was declined.
    """

    key: str
    language: str
    title: str
    body: str
    kind: Kind
    status: Status
    product: str | None
    owner: str | None
    reason: str
    observations: tuple[ObservationContent, ...]


@dataclass(frozen=True)
class SignUpContent:
    """A wish to take part in the round."""

    person: str
    days_ago: int
    note: str


@dataclass(frozen=True)
class RoundContent:
    """The open round with its window in days around the moment of loading."""

    name: Both
    opened_days_ago: int
    closes_in_days: int
    sign_ups: tuple[SignUpContent, ...]


@dataclass(frozen=True)
class ProgrammeContent:
    """The programme, its rules of booking (`rules`: columns of the programme) and its round."""

    slug: str
    name: Both
    purpose: Both
    guide: Both
    rules: Mapping[str, Any]
    started_days_ago: int
    round: RoundContent


@dataclass(frozen=True)
class Company:
    """All of it."""

    name: str
    domain: str
    lines: tuple[LineContent, ...]
    products: tuple[ProductContent, ...]
    people: tuple[PersonContent, ...]
    hours: tuple[HoursContent, ...]
    programme: ProgrammeContent
    running: RunningVisit
    past: tuple[PastVisit, ...]
    coming: tuple[ComingVisit, ...]
    insights: tuple[InsightContent, ...]

    def person(self, key: str) -> PersonContent:
        """The person with this key. Raises KeyError."""
        return {person.key: person for person in self.people}[key]

    @property
    def cast(self) -> tuple[PersonContent, ...]:
        """Who one can sign in as, in the order of the page."""
        entries = [(person.cast.order, person) for person in self.people if person.cast is not None]
        return tuple(person for _, person in sorted(entries, key=lambda entry: entry[0]))


@cache
def read_company() -> Company:
    """The company as written; read once per process."""
    about = _file("company")
    visits = _file("visits")
    return Company(
        name=about["name"],
        domain=about["domain"],
        lines=tuple(LineContent(**line) for line in about["lines"]),
        products=tuple(ProductContent(**product) for product in about["products"]),
        people=tuple(_person(entry) for entry in _file("people")),
        hours=tuple(_hours(entry) for entry in _file("hours")),
        programme=_programme(_file("programme")),
        running=RunningVisit(**visits["running"]),
        past=tuple(_past(entry) for entry in visits["past"]),
        coming=tuple(_coming(entry) for entry in visits["coming"]),
        insights=tuple(_insight(entry, lang) for lang in ("en", "ru") for entry in _file(f"insights.{lang}")),
    )


@cache
def read_talk() -> Mapping[str, Any]:
    """What is said around the insights, and the programme's own statuses, as written in `talk.json`."""
    told: Mapping[str, Any] = _file("talk")
    return told


def picture(name: str) -> bytes:
    """A picture of the demo company, drawn for it."""
    return (FOLDER / name).read_bytes()


def minutes(text: str) -> int:
    """Minutes after midnight of "HH:MM"; "24:00" is the end of the day. Raises ValueError."""
    hour, minute = text.split(":")
    total = int(hour) * 60 + int(minute)
    if not 0 <= total <= 24 * 60 or int(minute) > 59:
        raise ValueError(text)
    return total


def _file(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def _both(entry: Mapping[str, str]) -> Both:
    return Both(entry["en"], entry["ru"])


def _person(entry: Mapping[str, Any]) -> PersonContent:
    cast = entry.get("cast")
    return PersonContent(
        key=entry["key"],
        name=entry["name"],
        email=entry["email"],
        timezone=entry["timezone"],
        locale=entry["locale"],
        department=entry["department"],
        roles=frozenset(Role(role) for role in entry["roles"]),
        line=entry["line"],
        products=tuple(entry.get("products", ())),
        languages=tuple(entry.get("languages", ())),
        cast=CastEntry(cast["order"], _both(cast)) if cast else None,
    )


def _intervals(pairs: Sequence[Sequence[str]]) -> tuple[Interval, ...]:
    return tuple((minutes(start), minutes(end)) for start, end in pairs)


def _hours(entry: Mapping[str, Any]) -> HoursContent:
    return HoursContent(
        agent=entry["agent"],
        weekly={WEEKDAYS.index(day): _intervals(pairs) for day, pairs in entry["weekly"].items()},
        overrides=tuple(
            OverrideContent(other["days_ahead"], _intervals(other["intervals"]))
            for other in entry["overrides"]
        ),
        buffer_before=entry["buffer_before"],
        buffer_after=entry["buffer_after"],
        per_day=entry["per_day"],
        per_week=entry["per_week"],
        per_month=entry["per_month"],
    )


def _past(entry: Mapping[str, Any]) -> PastVisit:
    return PastVisit(
        key=entry["key"],
        agent=entry["agent"],
        visitor=entry["visitor"],
        product=entry["product"],
        days_ago=entry["days_ago"],
        minute=minutes(entry["hour"]),
        outcome=Outcome(entry["outcome"]),
        reason=entry.get("reason", ""),
        cancelled_by=entry.get("cancelled_by", entry["visitor"]),
    )


def _coming(entry: Mapping[str, Any]) -> ComingVisit:
    return ComingVisit(
        key=entry["key"],
        agent=entry["agent"],
        visitor=entry["visitor"],
        product=entry["product"],
        days_ahead=entry["days_ahead"],
        minute=minutes(entry["hour"]),
    )


def _insight(entry: Mapping[str, Any], language: str) -> InsightContent:
    return InsightContent(
        key=entry["key"],
        language=language,
        title=entry["title"],
        body=entry["body"],
        kind=Kind(entry["kind"]),
        status=Status(entry["status"]),
        product=entry["product"],
        owner=entry["owner"],
        reason=entry.get("reason", ""),
        observations=tuple(_observation(seen) for seen in entry["observations"]),
    )


def _observation(entry: Mapping[str, Any]) -> ObservationContent:
    return ObservationContent(
        visit=entry["visit"],
        minute=entry["minute"],
        text=entry["text"],
        severity=entry["severity"],
        frequency=Frequency(entry["frequency"]),
        verbatim=entry.get("verbatim", ""),
        workaround=entry.get("workaround", ""),
        tool=entry.get("tool", ""),
    )


def _programme(entry: Mapping[str, Any]) -> ProgrammeContent:
    told = ("slug", "name", "purpose", "guide", "started_days_ago", "round")
    campaign = entry["round"]
    return ProgrammeContent(
        slug=entry["slug"],
        name=_both(entry["name"]),
        purpose=_both(entry["purpose"]),
        guide=_both({locale: "\n".join(prompts) for locale, prompts in entry["guide"].items()}),
        rules={name: value for name, value in entry.items() if name not in told},
        started_days_ago=entry["started_days_ago"],
        round=RoundContent(
            name=_both(campaign["name"]),
            opened_days_ago=campaign["opened_days_ago"],
            closes_in_days=campaign["closes_in_days"],
            sign_ups=tuple(SignUpContent(**sign_up) for sign_up in campaign["sign_ups"]),
        ),
    )
