"""An agent's hours as a form: one line of words per day, which scripts show as a week to paint.

The same fields serve the plain form and the painted week, so there is one way in. Words become the JSON
shape of the hours here; whether the hours are right is for the rules, whose answers are put at the fields.
"""

import re
from datetime import date
from typing import Any

import wtforms
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from wtforms import FieldList, FormField, HiddenField, StringField

from gemba.errors import Invalid
from gemba.web.forms import Form, one_line

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NUMBERS = ("buffer_before", "buffer_after")
LIMITS = ("per_day", "per_week", "per_month")
MOST_DATES = 400
HOURS_SENTENCE = _l("Please write hours such as 09:00–13:00, 14:00–18:00, or leave the field empty.")
_CLOCK = r"([0-9]{1,2})(?:[:.]([0-9]{2}))?"
_RANGE = re.compile(rf"{_CLOCK}\s*[-–—]\s*{_CLOCK}")

Range = dict[str, str]


def read_hours(text: str) -> list[Range] | None:
    """Ranges from words such as 9-13, 14:30–18; None where the words are no hours."""
    ranges = []
    for part in re.split(r"[,;]", text):
        if not part.strip():
            continue
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            return None
        start_hour, start_minute, end_hour, end_minute = match.groups()
        ranges.append(
            {
                "start": f"{int(start_hour):02}:{start_minute or '00'}",
                "end": f"{int(end_hour):02}:{end_minute or '00'}",
            }
        )
    return ranges


def write_hours(ranges: list[Range]) -> str:
    """The words for ranges: 09:00–13:00, 14:00–18:00."""
    return ", ".join(f"{each['start']}–{each['end']}" for each in ranges)


def _are_hours(_form: Any, field: wtforms.Field) -> None:
    if read_hours(field.data or "") is None:
        raise wtforms.ValidationError(str(HOURS_SENTENCE))


class DateForm(wtforms.Form):
    """Hours of one date instead of the usual ones; without hours it is a day off."""

    day = StringField(_l("Date"), filters=[one_line])
    hours = StringField(_l("Hours"), filters=[one_line], validators=[_are_hours])


class AvailabilityForm(Form):
    """Weekly hours, dates with other hours, limits, breaks and zone; `version` is the one that was read."""

    version = HiddenField()
    mon = StringField(_l("Monday"), filters=[one_line], validators=[_are_hours])
    tue = StringField(_l("Tuesday"), filters=[one_line], validators=[_are_hours])
    wed = StringField(_l("Wednesday"), filters=[one_line], validators=[_are_hours])
    thu = StringField(_l("Thursday"), filters=[one_line], validators=[_are_hours])
    fri = StringField(_l("Friday"), filters=[one_line], validators=[_are_hours])
    sat = StringField(_l("Saturday"), filters=[one_line], validators=[_are_hours])
    sun = StringField(_l("Sunday"), filters=[one_line], validators=[_are_hours])
    dates = FieldList(FormField(DateForm), max_entries=MOST_DATES)
    per_day = StringField(_l("A day"), filters=[one_line])
    per_week = StringField(_l("A week"), filters=[one_line])
    per_month = StringField(_l("A month"), filters=[one_line])
    buffer_before = StringField(_l("Before a visit"), filters=[one_line])
    buffer_after = StringField(_l("After a visit"), filters=[one_line])
    timezone = StringField(_l("Time zone of these hours"), filters=[one_line])

    @classmethod
    def of(cls, document: dict[str, Any], *, version: int, today: date) -> "AvailabilityForm":
        """The form of saved hours. Dates before `today` are over: they are not shown, and not kept."""
        values: dict[str, Any] = {name: document[name] for name in ("timezone", *NUMBERS)}
        values |= {name: document["limits"][name] or "" for name in LIMITS}
        for day in WEEKDAYS:
            values[day] = write_hours([each for each in document["weekly"] if each["weekday"] == day])
        values["dates"] = [
            {"day": each["date"], "hours": write_hours(each["intervals"])}
            for each in document["overrides"]
            if each["date"] >= today.isoformat()
        ]
        # No formdata: on a page that answers a POST this is still the saved state.
        return cls(formdata=None, data={**values, "version": version})

    @property
    def seen_version(self) -> int:
        """The version that was read; -1, which is never one, where the field was tampered with."""
        text = self.version.data or ""
        return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else -1

    def hours_on(self, day: str) -> str | None:
        """The words in the list for a date, None where it has its usual hours."""
        return next((row.hours.data or "" for row in self._named_dates() if row.day.data == day), None)

    def toggle(self, day: str) -> None:
        """Makes a date a day off, or gives it back its usual hours where it stands in the list."""
        listed = [entry.form for entry in self.dates.entries if entry.form.day.data == day]
        for row in listed:
            row.day.data = row.hours.data = ""
        if not listed and len(self.dates.entries) < MOST_DATES:
            self.dates.append_entry({"day": day, "hours": ""})

    def tidy(self) -> None:
        """Writes the hours that can be read in their normal form, so that they can be compared."""
        fields = [self[day] for day in WEEKDAYS] + [row.hours for row in self._named_dates()]
        for field in fields:
            ranges = read_hours(field.data or "")
            field.data = field.data if ranges is None else write_hours(ranges)

    def document(self) -> dict[str, object]:
        """What was typed, in the JSON shape of hours; numbers that are none stay words."""
        return {
            "timezone": self.timezone.data or "",
            "weekly": [{"weekday": day, **each} for day, each in self._weekly()],
            "overrides": [
                {"date": row.day.data or "", "intervals": read_hours(row.hours.data or "") or []}
                for row in self._named_dates()
            ],
            **{name: _number(self[name].data or "0") for name in NUMBERS},
            "limits": {name: _number(self[name].data) if self[name].data else None for name in LIMITS},
        }

    def take_errors(self, invalid: Invalid) -> None:
        """Puts the rules' answers at the fields: `weekly.3.end` at the day whose words held that range."""
        days = [day for day, _each in self._weekly()]
        rows = self._named_dates()
        rest: dict[str, list[str]] = {}
        for path, sentences in invalid.errors.items():
            head, _dot, tail = path.partition(".")
            index, _dot, leaf = tail.partition(".")
            if head == "weekly" and index.isdigit():
                _complain(self[days[int(index)]], sentences)
            elif head == "overrides" and index.isdigit():
                row = rows[int(index)]
                _complain(row.day if leaf == "date" else row.hours, sentences)
            else:
                rest.setdefault(tail if head == "limits" and tail else head, []).extend(sentences)
        super().take_errors(Invalid(rest))

    def _weekly(self) -> list[tuple[str, Range]]:
        return [(day, each) for day in WEEKDAYS for each in read_hours(self[day].data or "") or []]

    def _named_dates(self) -> list[DateForm]:
        """The rows in which something stands."""
        rows = [entry.form for entry in self.dates.entries]
        return [row for row in rows if row.day.data or row.hours.data]


def _number(text: str | None) -> object:
    text = str(text or "")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else text


def _complain(field: wtforms.Field, sentences: Any) -> None:
    words = [gettext(sentence) for sentence in sentences]
    field.errors = list(dict.fromkeys([*field.errors, *words]))
