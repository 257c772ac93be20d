"""A list of people from a CSV file: all of it or nothing."""

import re
from dataclasses import dataclass
from datetime import datetime

from gemba.errors import Invalid
from gemba.people.models import Line, Person
from gemba.people.rules import COMMON_ZONES, Row, folded, read_people, row_fields
from gemba.people.service.directory import save_person
from gemba.people.service.lines import all_lines


@dataclass(frozen=True)
class Imported:
    """What became of a row."""

    person: Person
    added: bool
    changed: list[str]


SEPARATOR = re.compile(r"[\s,;]+")


def addresses_in(text: str, content: bytes = b"") -> list[str]:
    """The addresses of a typed list and of a CSV file with a column `email`. Raises Invalid at `file`."""
    found = [each for each in SEPARATOR.split(text) if each]
    if content:
        rows, errors = read_people(content)
        if errors:
            raise Invalid({"file": [f"{where}: {words[0]}" for where, words in errors.items()][:1]})
        found += [row.cells["email"] for row in rows if "email" in row.cells]
    return found


def import_people(content: bytes, *, by: Person | None, now: datetime) -> list[Imported]:
    """Adds or changes the people of a CSV file (columns: rules.COLUMNS; an empty cell changes nothing).

    Raises Invalid with every bad line named; then nothing may be committed.
    """
    rows, errors = read_people(content)
    lines = {folded(line.name): line for line in all_lines()}
    done = []
    for row in rows:
        try:
            done.append(_import_row(row, lines, by, now))
        except Invalid as error:
            sentences = [_with_value(row, field, text) for field, text in _flat(error)]
            errors[f"line {row.number}"] = [*errors.get(f"line {row.number}", []), *sentences]
    if errors:
        raise Invalid(dict(sorted(errors.items(), key=lambda item: (len(item[0]), item[0]))))
    return done


def _import_row(row: Row, lines: dict[str, Line], by: Person | None, now: datetime) -> Imported:
    fields, errors = row_fields(row), {}
    if "line" in row.cells:
        line = lines.get(folded(row.cells["line"]))
        if line is not None:
            fields["line_id"] = line.id
        else:
            names = ", ".join(sorted(known.name for known in lines.values())) or "none is there yet"
            errors = {"line": [f"There is no such line. Lines are: {names}."]}
    try:
        person, added, changed = save_person(by=by, now=now, **fields)
    except Invalid as error:
        raise Invalid({**error.errors, **errors}) from error
    if errors:
        raise Invalid(errors)
    return Imported(person, added, changed)


def _flat(error: Invalid) -> list[tuple[str, str]]:
    return [(field, sentence) for field, sentences in error.errors.items() for sentence in sentences]


def _with_value(row: Row, field: str, sentence: str) -> str:
    given = row.cells.get(field, "")
    near = _near_zone(given) if field == "timezone" else ""
    return f"{field} “{given}”: {sentence}{near}" if given else f"{field} is empty: {sentence}"


def _near_zone(given: str) -> str:
    city = folded(given).rpartition("/")[2].replace(" ", "_")
    near = [zone for zone in COMMON_ZONES if city and folded(zone).rpartition("/")[2] == city]
    return f" Did you mean {near[0]}?" if near else ""
