"""What a programme may look like: its JSON shape read strictly, with bounds and a sentence for each field.

    {"slug": "shadow", "name": "Side by side", "format": "shadow", "duration_minutes": 60,
     "slot_step_minutes": 30, "min_notice_minutes": 240, "move_notice_minutes": 240,
     "cancel_notice_minutes": 60, "horizon_days": 28, "seats": 1, "return_after_months": 6,
     "approval": false, "approval_hours": 48, "offer_hours": 12, "slot_offset_minutes": 0,
     "visitor_per_day": 1, "visitor_per_week": null, "visitor_per_month": null}

`name_ru`, `purpose`, `purpose_ru`, `active`, `review_hours`, `keep_months`, `smallest_group` and the guides
(`guide`, `rules`, `checklist`, `consent`, `debrief`, `debrief_mentor`, each with `_ru`, one a line) may stand
beside these, and so may `who`, `departments`, `opening`, `languages` (codes), `lines` (ids), `goal_share`,
`goal_months` and `goal_visits`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gemba.people.rules import LANGUAGES, clean_line, clean_text


class Format(StrEnum):
    """How a visit goes: watching an agent work, or answering customers under a mentor's eyes."""

    SHADOW = "shadow"
    HANDS_ON = "hands-on"


class Who(StrEnum):
    """Who may take part: everyone, the people of some departments, or those on a list."""

    EVERYONE = "everyone"
    DEPARTMENTS = "departments"
    LISTED = "listed"


class Opening(StrEnum):
    """How visits come about: booked by hand all year, given by rounds, or both."""

    ALL_YEAR = "all-year"
    ROUNDS = "rounds"
    BOTH = "both"

    @property
    def by_hand(self) -> bool:
        """Whether people book hours themselves."""
        return self is not Opening.ROUNDS

    @property
    def by_rounds(self) -> bool:
        """Whether rounds are held."""
        return self is not Opening.ALL_YEAR


class Problem(StrEnum):
    """What can be wrong; the value is the English sentence, which says what would be accepted."""

    DOCUMENT = "Please give an object with the fields of a programme."
    UNKNOWN = "Programmes have no such field."
    SLUG = "Please use 1 to 40 small Latin letters, digits and single hyphens, such as free-till."
    SLUG_RESERVED = "This address is taken by the page for a new programme. Please choose another."
    SLUG_TAKEN = "Another programme has this address. Please choose another."
    SLUG_FIXED = "The address of a programme cannot be changed, because links and scripts hold on to it."
    NAME = "Please give a name of 1 to 120 characters."
    NAME_RU = "Please use at most 120 characters."
    PURPOSE = "Please give text of at most 600 characters."
    GUIDE = "Please give at most 40 lines of at most 200 characters each."
    FORMAT = "Please choose shadow or hands-on."
    DURATION = "Please give whole minutes from 15 to 480, in steps of five."
    STEP = "Please give whole minutes from 5 to 480, in steps of five."
    NOTICE = "Please give whole minutes from 0 to 20160, which is two weeks."
    HORIZON = "Please give whole days from 1 to 365."
    SEATS = "Please give a whole number from 1 to 20."
    MONTHS = "Please give whole months from 0 to 36; 0 asks nobody to come back."
    OFFSET = "Please give whole minutes from 0 to 475, in steps of five."
    APPROVAL_HOURS = "Please give whole hours from 1 to 336, which is two weeks."
    OFFER_HOURS = "Please give whole hours from 1 to 168, which is a week."
    REVIEW_HOURS = "Please give whole hours from 0 to 336, which is two weeks; 0 publishes notes at once."
    KEEP_MONTHS = "Please give whole months from 0 to 120; 0 keeps words and pictures for good."
    GROUP = "Please give a whole number from 2 to 50."
    WHO = "Please choose everyone, departments or listed."
    DEPARTMENTS = "Please give at most 100 names of departments, each of at most 120 characters."
    LANGUAGES = "Please choose from en and ru; none is any language."
    LINES = "Please choose at most 100 of the lines there are; none is every line."
    OPENING = "Please choose all-year, rounds or both."
    SHARE = "Please give a whole number from 1 to 100, or null for no goal."
    GOAL_MONTHS = "Please give whole months from 1 to 36."
    GOAL_VISITS = "Please give a whole number from 1 to 200, or null for no goal."
    LIMIT = "Please give a whole number from 1 to 50, or null for no limit."
    YES_NO = "Please give true or false."


class BadProgramme(ValueError):
    """Some fields of this programme need another look."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{name}: {' '.join(words)}" for name, words in errors.items()))
        self.errors = errors


@dataclass(frozen=True)
class Bounds:
    """A whole number from `low` to `high`, in steps of `step`."""

    low: int
    high: int
    step: int = 1

    def hold(self, value: object) -> bool:
        """Say whether a value lies within. Not isinstance: JSON true is an int in Python."""
        return type(value) is int and self.low <= value <= self.high and value % self.step == 0


NAME_MAX = 120
SLUG_MAX = 40
PURPOSE_MAX = 600
PROMPTS_MAX, PROMPT_MAX = 40, 200
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
RESERVED_SLUGS = frozenset({"new"})
NUMBERS: Mapping[str, tuple[Bounds, Problem]] = {
    "duration_minutes": (Bounds(15, 480, 5), Problem.DURATION),
    "slot_step_minutes": (Bounds(5, 480, 5), Problem.STEP),
    "min_notice_minutes": (Bounds(0, 20160), Problem.NOTICE),
    "move_notice_minutes": (Bounds(0, 20160), Problem.NOTICE),
    "cancel_notice_minutes": (Bounds(0, 20160), Problem.NOTICE),
    "horizon_days": (Bounds(1, 365), Problem.HORIZON),
    "seats": (Bounds(1, 20), Problem.SEATS),
    "return_after_months": (Bounds(0, 36), Problem.MONTHS),
    "slot_offset_minutes": (Bounds(0, 475, 5), Problem.OFFSET),
    "approval_hours": (Bounds(1, 336), Problem.APPROVAL_HOURS),
    "offer_hours": (Bounds(1, 168), Problem.OFFER_HOURS),
    "review_hours": (Bounds(0, 336), Problem.REVIEW_HOURS),
    "keep_months": (Bounds(0, 120), Problem.KEEP_MONTHS),
    "smallest_group": (Bounds(2, 50), Problem.GROUP),
    "goal_months": (Bounds(1, 36), Problem.GOAL_MONTHS),
}
LIMIT = Bounds(1, 50)
LIMITS = ("visitor_per_day", "visitor_per_week", "visitor_per_month")
"""How many visits one visitor may have; None is no limit."""
GOALS: Mapping[str, tuple[Bounds, Problem]] = {
    "goal_share": (Bounds(1, 100), Problem.SHARE),
    "goal_visits": (Bounds(1, 200), Problem.GOAL_VISITS),
}
"""What a programme wants to reach; None is no goal."""
DEPARTMENTS_MOST = LINES_MOST = 100

GUIDES = (
    "guide",
    "guide_ru",
    "rules",
    "rules_ru",
    "checklist",
    "checklist_ru",
    "consent",
    "consent_ru",
    "debrief",
    "debrief_ru",
    "debrief_mentor",
    "debrief_mentor_ru",
)
"""The texts of one line each; where they are empty, the shipped ones stand in (guides.py)."""

Value = str | int | bool | list[str] | list[int] | None
Values = dict[str, Value]


_SOUNDS = "a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya"
_LATIN = dict(zip("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", _SOUNDS.split(), strict=True))


def slug_from(name: str) -> str:
    """An address for a name, "programme" where nothing of it can be read in Latin letters."""
    latin = "".join(_LATIN.get(letter, letter).replace("_", "") for letter in name.casefold())
    words = re.findall(r"[a-z0-9]+", latin)
    slug = "-".join(words)[: SLUG_MAX - 4].strip("-") or "programme"
    return f"{slug}-1" if slug in RESERVED_SLUGS else slug


def parse_programme(doc: object, *, whole: bool) -> Values:
    """Read the JSON shape into clean values by field; what is left out is left out.

    `whole` asks for a slug and a name too, as a new programme needs them. Raises BadProgramme with every
    problem found.
    """
    if not isinstance(doc, dict):
        raise BadProgramme({"programme": [Problem.DOCUMENT.value]})
    values: Values = {}
    errors: dict[str, list[str]] = {}
    needed = ("slug", "name") if whole else ()
    for name in [*doc, *(name for name in needed if name not in doc)]:
        read = _READERS.get(name)
        found = Problem.UNKNOWN if read is None else read(doc.get(name))
        if isinstance(found, Problem):
            errors[str(name)[:60]] = [found.value]
        else:
            values[name] = found
    if errors:
        raise BadProgramme(errors)
    return values


Read = Callable[[object], "Value | Problem"]


def _slug(value: object) -> str | Problem:
    if not isinstance(value, str) or len(value) > SLUG_MAX or not SLUG.fullmatch(value):
        return Problem.SLUG
    return Problem.SLUG_RESERVED if value in RESERVED_SLUGS else value


def _line(problem: Problem, at_least: int) -> Read:
    def read(value: object) -> str | Problem:
        text = clean_line(value) if isinstance(value, str) else None
        return problem if text is None or not at_least <= len(text) <= NAME_MAX else text

    return read


def _purpose(value: object) -> str | Problem:
    text = clean_text(value) if isinstance(value, str) else None
    return Problem.PURPOSE if text is None or len(text) > PURPOSE_MAX else text


def _guide(value: object) -> str | Problem:
    if not isinstance(value, str):
        return Problem.GUIDE
    prompts = [line for line in map(clean_line, clean_text(value).split("\n")) if line]
    if len(prompts) > PROMPTS_MAX or any(len(prompt) > PROMPT_MAX for prompt in prompts):
        return Problem.GUIDE
    return "\n".join(prompts)


def _one_of(words: type[StrEnum], problem: Problem) -> Read:
    def read(value: object) -> str | Problem:
        return value if isinstance(value, str) and value in set(words) else problem

    return read


def _departments(value: object) -> list[str] | Problem:
    """The names once each, in alphabetical order."""
    if not isinstance(value, list) or len(value) > DEPARTMENTS_MOST:
        return Problem.DEPARTMENTS
    names = [clean_line(each) if isinstance(each, str) else "" for each in value]
    is_good = all(0 < len(name) <= NAME_MAX for name in names)
    return sorted(set(names)) if is_good else Problem.DEPARTMENTS


def _languages(value: object) -> list[str] | Problem:
    """The codes once each, in the order in which the house names its languages."""
    if not isinstance(value, list) or any(each not in tuple(LANGUAGES) for each in value):
        return Problem.LANGUAGES
    return [code for code in LANGUAGES if code in value]


def _lines(value: object) -> list[int] | Problem:
    """The ids once each, ascending; whether there are such lines is for the service to say."""
    if not isinstance(value, list) or len(value) > LINES_MOST:
        return Problem.LINES
    is_good = all(type(each) is int and 0 < each < 2**31 for each in value)
    return sorted(set(value)) if is_good else Problem.LINES


def _number(bounds: Bounds, problem: Problem) -> Read:
    def read(value: object) -> int | Problem:
        return value if isinstance(value, int) and bounds.hold(value) else problem

    return read


def _perhaps(bounds: Bounds, problem: Problem) -> Read:
    def read(value: object) -> int | Problem | None:
        is_good = value is None or (isinstance(value, int) and bounds.hold(value))
        return value if is_good else problem  # type: ignore[return-value]

    return read


def _yes_no(value: object) -> bool | Problem:
    return value if isinstance(value, bool) else Problem.YES_NO


_READERS: Mapping[object, Read] = {
    "slug": _slug,
    "name": _line(Problem.NAME, 1),
    "name_ru": _line(Problem.NAME_RU, 0),
    "purpose": _purpose,
    "purpose_ru": _purpose,
    **dict.fromkeys(GUIDES, _guide),
    "format": _one_of(Format, Problem.FORMAT),
    "who": _one_of(Who, Problem.WHO),
    "opening": _one_of(Opening, Problem.OPENING),
    "departments": _departments,
    "languages": _languages,
    "lines": _lines,
    **{name: _number(bounds, problem) for name, (bounds, problem) in NUMBERS.items()},
    **dict.fromkeys(LIMITS, _perhaps(LIMIT, Problem.LIMIT)),
    **{name: _perhaps(bounds, problem) for name, (bounds, problem) in GOALS.items()},
    "approval": _yes_no,
    "active": _yes_no,
}
