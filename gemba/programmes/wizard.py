"""The short way to a new programme: five steps, each kept on the server as soon as it is sent.

A draft is a programme that rests and was never started: nobody but admins sees it.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import select

from gemba.db import db
from gemba.errors import NotFound, Refused
from gemba.people.models import Person
from gemba.people.rules import Role
from gemba.programmes import service
from gemba.programmes.guides import Part, shipped
from gemba.programmes.models import Programme
from gemba.programmes.rules import GOALS, GUIDES, LIMITS, Format


class Step(StrEnum):
    """The steps in their order."""

    FORMAT = "format"
    PEOPLE = "people"
    HOURS = "hours"
    TEXTS = "texts"
    LOOK = "look"

    @property
    def number(self) -> int:
        """Its place, from 1."""
        return list(Step).index(self) + 1

    @property
    def after(self) -> "Step":
        """The step that follows; the last one stays."""
        return list(Step)[min(self.number, len(Step) - 1)]


FIELDS: Mapping[Step, Sequence[str]] = {
    Step.FORMAT: ("format", "name", "name_ru"),
    Step.PEOPLE: ("who", "departments", "opening", "seats", "lines", "languages", *GOALS, "goal_months"),
    Step.HOURS: (
        "duration_minutes",
        "slot_step_minutes",
        "min_notice_minutes",
        "move_notice_minutes",
        "cancel_notice_minutes",
        "horizon_days",
        *LIMITS,
        "return_after_months",
        "approval",
    ),
    Step.TEXTS: ("purpose", "purpose_ru", *GUIDES),
    Step.LOOK: (),
}
DEFAULTS: Mapping[str, Mapping[str, int | None]] = {
    Format.SHADOW: {
        "duration_minutes": 60,
        "slot_step_minutes": 30,
        "min_notice_minutes": 240,
        "move_notice_minutes": 240,
        "cancel_notice_minutes": 60,
        "horizon_days": 28,
        "return_after_months": 6,
        "visitor_per_week": 1,
        "goal_share": 80,
        "goal_months": 6,
    },
    Format.HANDS_ON: {
        "duration_minutes": 240,
        "slot_step_minutes": 60,
        "min_notice_minutes": 2880,
        "move_notice_minutes": 1440,
        "cancel_notice_minutes": 1440,
        "horizon_days": 60,
        "return_after_months": 6,
        "visitor_per_week": 1,
        "goal_share": 80,
        "goal_months": 6,
    },
}
"""What is sensible for an hour of watching, and for half a day on the line."""


class SavedMeanwhile(Refused):
    """Another page saved this step while you were writing. Your words are kept: look, and save again."""


def begin(viewer: Person, document: Mapping[str, object], *, now: datetime) -> Programme:
    """A draft of this format and name; sent twice, the same draft again. Raises Forbidden or Invalid."""
    name = str(document.get("name", ""))
    there = db.session.scalar(select(Programme).where(Programme.draft, Programme.name == name).limit(1))
    if there is not None and viewer.has(Role.ADMIN):
        return save(viewer, there.slug, Step.FORMAT, document, now=now)
    usual = DEFAULTS.get(str(document.get("format")), {})
    whole = {**usual, **document, "slug": service.free_slug(name)}
    return service.create(viewer, whole, draft=True, now=now)


def draft_of(slug: str) -> Programme:
    """A draft. Raises NotFound."""
    programme = service.get_programme(slug)
    if not programme.draft:
        raise NotFound
    return programme


def save(
    viewer: Person, slug: str, step: Step, document: Mapping[str, object], *, seen: str = "", now: datetime
) -> Programme:
    """Keeps the fields of one step. Raises Forbidden, NotFound, Invalid, or SavedMeanwhile where the step is
    not what was `seen` when its page was made."""
    programme = draft_of(slug)
    db.session.refresh(programme, with_for_update=True)
    values = {name: document[name] for name in FIELDS[step]}
    if seen and seen != digest_of(programme, step) and values != shown(programme, step):
        raise SavedMeanwhile
    if step is Step.FORMAT and values["format"] != programme.format:
        values |= _other_usual(programme, str(values["format"]))
    if step is Step.TEXTS:
        values = _without_shipped(programme.format, values)
    return service.update(viewer, slug, values, now=now)


def shown(programme: Programme, step: Step) -> dict[str, object]:
    """The fields of a step as its form shows them: shipped texts stand where nothing else is written."""
    values = {name: getattr(programme, name) for name in FIELDS[step]}
    if step is Step.TEXTS:
        values |= {name: values[name] or _shipped(programme.format, name) for name in GUIDES}
    return values


def digest_of(programme: Programme, step: Step) -> str:
    """A word for what a step says now."""
    return sha256(json.dumps(shown(programme, step), sort_keys=True).encode()).hexdigest()[:16]


def _other_usual(programme: Programme, format_: str) -> dict[str, object]:
    """With another format the usual values follow, and what was typed stays."""
    before, after = DEFAULTS[programme.format], DEFAULTS.get(format_, {})
    return {name: value for name, value in after.items() if getattr(programme, name) == before[name]}


def _without_shipped(format_: str, values: Mapping[str, object]) -> dict[str, object]:
    """Texts that are the shipped ones stay the house's own, in its newest words."""

    def lines(text: object) -> str:
        return "\n".join(line for line in map(str.strip, str(text).splitlines()) if line)

    return {
        name: "" if name in GUIDES and lines(value) == _shipped(format_, name) else value
        for name, value in values.items()
    }


def _shipped(format_: str, name: str) -> str:
    part, _dash, locale = name.partition("_")
    return "\n".join(shipped(format_, Part(part), locale or "en"))
