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
from wtforms import BooleanField, FieldList, FormField, HiddenField, StringField

from gemba.errors import Invalid
from gemba.schedule.rules.availability import MAX_OVERRIDES, MAX_TIMES_OFF, MAX_ZONE_CHANGES
from gemba.web.forms import Form, one_line

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NUMBERS = ("buffer_before", "buffer_after")
LIMITS = ("per_day", "per_week", "per_month")
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


class TimeOffForm(wtforms.Form):
    """Days off in a row, both ends included; without a last day it is the first alone."""

    first = StringField(_l("First day"), filters=[one_line])
    last = StringField(_l("Last day"), filters=[one_line])

    def entry(self) -> dict[str, str]:
        """The row in the JSON shape."""
        return {"first": self.first.data or "", "last": self.last.data or self.first.data or ""}


class ZoneChangeForm(wtforms.Form):
    """From a date on the same hours are meant in another zone."""

    date = StringField(_l("From this date on"), filters=[one_line])
    timezone = StringField(_l("Time zone there"), filters=[one_line])

    def entry(self) -> dict[str, str]:
        """The row in the JSON shape."""
        return {"date": self.date.data or "", "timezone": self.timezone.data or ""}


class WeekForm(Form):
    """Hours of a usual week and the zone they are meant in; `version` is the one that was read."""

    version = HiddenField()
    mon = StringField(_l("Monday"), filters=[one_line], validators=[_are_hours])
    tue = StringField(_l("Tuesday"), filters=[one_line], validators=[_are_hours])
    wed = StringField(_l("Wednesday"), filters=[one_line], validators=[_are_hours])
    thu = StringField(_l("Thursday"), filters=[one_line], validators=[_are_hours])
    fri = StringField(_l("Friday"), filters=[one_line], validators=[_are_hours])
    sat = StringField(_l("Saturday"), filters=[one_line], validators=[_are_hours])
    sun = StringField(_l("Sunday"), filters=[one_line], validators=[_are_hours])
    timezone = StringField(_l("Time zone of these hours"), filters=[one_line])

    @classmethod
    def of_week(cls, document: dict[str, Any], *, version: int) -> "WeekForm":
        """The form of a saved week, `{"timezone": …, "weekly": […]}`."""
        return cls(formdata=None, data={**_week_values(document), "version": version})

    @property
    def seen_version(self) -> int:
        """The version that was read; -1, which is never one, where the field was tampered with."""
        text = self.version.data or ""
        return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else -1

    def tidy(self) -> None:
        """Writes the hours that can be read in their normal form, so that they can be compared."""
        for field in self._hour_fields():
            ranges = read_hours(field.data or "")
            field.data = field.data if ranges is None else write_hours(ranges)

    def document(self) -> dict[str, Any]:
        """What was typed, in the JSON shape."""
        return {
            "timezone": self.timezone.data or "",
            "weekly": [{"weekday": day, **each} for day, each in self._weekly()],
        }

    def differences(self, mine: "WeekForm") -> list[tuple[str, str]]:
        """What is different in `self`, the saved state, from what was typed: name and saved words."""
        return [
            (str(self[name].label.text), str(self[name].data or gettext("closed")))
            for name in (*WEEKDAYS, "timezone")
            if self[name].data != mine[name].data
        ]

    def take_errors(self, invalid: Invalid) -> None:
        """Puts the rules' answers at the fields: `weekly.3.end` at the day whose words held that range."""
        rest: dict[str, list[str]] = {}
        for path, sentences in invalid.errors.items():
            head, _dot, tail = path.partition(".")
            index, _dot, leaf = tail.partition(".")
            field = self._field_of(head, int(index), leaf) if index.isdigit() else None
            if field is not None:
                _complain(field, sentences)
            else:
                rest.setdefault(tail if head == "limits" and tail else head, []).extend(sentences)
        super().take_errors(Invalid(rest))

    def _field_of(self, name: str, index: int, _leaf: str) -> wtforms.Field | None:
        """Where an answer about item `index` of a list of the document belongs."""
        return self[self._weekly()[index][0]] if name == "weekly" else None

    def _hour_fields(self) -> list[wtforms.Field]:
        return [self[day] for day in WEEKDAYS]

    def _weekly(self) -> list[tuple[str, Range]]:
        return [(day, each) for day in WEEKDAYS for each in read_hours(self[day].data or "") or []]


class AvailabilityForm(WeekForm):
    """All of an agent's hours: the week, dates, time off, limits, breaks, holidays and journeys."""

    dates = FieldList(FormField(DateForm), max_entries=MAX_OVERRIDES)
    time_off = FieldList(FormField(TimeOffForm), max_entries=MAX_TIMES_OFF)
    per_day = StringField(_l("A day"), filters=[one_line])
    per_week = StringField(_l("A week"), filters=[one_line])
    per_month = StringField(_l("A month"), filters=[one_line])
    buffer_before = StringField(_l("Before a visit"), filters=[one_line])
    buffer_after = StringField(_l("After a visit"), filters=[one_line])
    rest_between = BooleanField(_l("No two observed hours in a row"))
    holidays = StringField(_l("Public holidays of"), filters=[one_line])
    holidays_part = StringField(_l("Part of the country"), filters=[one_line])
    zone_changes = FieldList(FormField(ZoneChangeForm), max_entries=MAX_ZONE_CHANGES)

    @classmethod
    def of(cls, document: dict[str, Any], *, version: int, today: date) -> "AvailabilityForm":
        """The form of saved hours. What is over before `today` is not shown, and not kept."""
        since = today.isoformat()
        country, _dash, part = document["holidays"].partition("-")
        values: dict[str, Any] = {name: document[name] for name in (*NUMBERS, "rest_between")}
        values |= {name: document["limits"][name] or "" for name in LIMITS}
        values |= {"holidays": country, "holidays_part": document["holidays"] if part else ""}
        values["dates"] = [
            {"day": each["date"], "hours": write_hours(each["intervals"])}
            for each in document["overrides"]
            if each["date"] >= since
        ]
        values["time_off"] = [each for each in document["time_off"] if each["last"] >= since]
        values["zone_changes"] = document["zone_changes"]
        # No formdata: on a page that answers a POST this is still the saved state.
        return cls(formdata=None, data={**_week_values(document), **values, "version": version})

    @property
    def folds_errors(self) -> bool:
        """Whether something needs another look among what the page folds away."""
        fields = [self[name] for name in (*NUMBERS, "rest_between", "holidays", "holidays_part", "timezone")]
        fields += [field for row in self._rows("zone_changes") for field in row]
        return any(field.errors for field in fields)

    def hours_on(self, day: str) -> str | None:
        """The words in the list for a date, None where it has its usual hours."""
        return next((row.hours.data or "" for row in self._rows("dates") if row.day.data == day), None)

    def toggle(self, day: str) -> None:
        """Makes a date a day off, or gives it back its usual hours where it stands in the list."""
        listed = [entry.form for entry in self.dates.entries if entry.form.day.data == day]
        for row in listed:
            row.day.data = row.hours.data = ""
        if not listed and len(self.dates.entries) < MAX_OVERRIDES:
            self.dates.append_entry({"day": day, "hours": ""})

    def remove(self, name: str) -> dict[str, str]:
        """Empties the row of a time off or journey, such as `time_off-0`, and tells what stood in it."""
        entries: list[Any] = [*self.time_off.entries, *self.zone_changes.entries]
        for entry in entries:
            if entry.name == name:
                values: dict[str, str] = entry.form.entry()
                for field in entry.form:
                    field.data = ""
                return values
        return {}

    def document(self) -> dict[str, Any]:
        """What was typed, in the JSON shape of hours; numbers that are none stay words."""
        country, part = self.holidays.data or "", self.holidays_part.data or ""
        return {
            **super().document(),
            "overrides": [
                {"date": row.day.data or "", "intervals": read_hours(row.hours.data or "") or []}
                for row in self._rows("dates")
            ],
            **{name: _number(self[name].data or "0") for name in NUMBERS},
            "limits": {name: _number(self[name].data) if self[name].data else None for name in LIMITS},
            "time_off": [row.entry() for row in self._rows("time_off")],
            # Without scripts the parts of the country that was chosen before are still there to choose.
            "holidays": part if part.startswith(f"{country}-") else country,
            "zone_changes": [row.entry() for row in self._rows("zone_changes")],
            "rest_between": bool(self.rest_between.data),
        }

    def differences(self, mine: WeekForm) -> list[tuple[str, str]]:
        """What is different in `self`, the saved state, from what was typed: name and saved words."""
        found = super().differences(mine)
        found += [
            (str(self[name].label.text), str(self[name].data or gettext("no limit")))
            for name in (*LIMITS, *NUMBERS)
            if str(self[name].data) != str(mine[name].data)
        ]
        if self.document()["holidays"] != mine.document()["holidays"]:
            found.append((str(self.holidays.label.text), str(self.document()["holidays"] or gettext("none"))))
        if bool(self.rest_between.data) != bool(mine["rest_between"].data):
            words = gettext("yes") if self.rest_between.data else gettext("no")
            found.append((str(self.rest_between.label.text), str(words)))
        return found + self._other_rows(mine)

    def _other_rows(self, mine: WeekForm) -> list[tuple[str, str]]:
        typed, saved = mine.document(), self.document()
        lists = {name: [one for one in saved[name] if one not in typed[name]] for name in _LISTS}
        dates = [
            (one["date"], write_hours(one["intervals"]) or gettext("day off")) for one in lists["overrides"]
        ]
        off = [(gettext("Time off"), f"{one['first']} – {one['last']}") for one in lists["time_off"]]
        moves = [(one["date"], one["timezone"]) for one in lists["zone_changes"]]
        return [(str(label), str(words)) for label, words in [*dates, *off, *moves]]

    def _field_of(self, name: str, index: int, leaf: str) -> wtforms.Field | None:
        found = super()._field_of(name, index, leaf)
        if name == "overrides":
            row = self._rows("dates")[index]
            found = row.day if leaf == "date" else row.hours
        elif name in ("time_off", "zone_changes"):
            found = self._rows(name)[index][leaf]
        return found

    def _hour_fields(self) -> list[wtforms.Field]:
        return [*super()._hour_fields(), *(row.hours for row in self._rows("dates"))]

    def _rows(self, name: str) -> list[Any]:
        """The rows of a list in which something stands."""
        return [entry.form for entry in self[name].entries if any(field.data for field in entry.form)]


_LISTS = ("overrides", "time_off", "zone_changes")


def _week_values(document: dict[str, Any]) -> dict[str, Any]:
    values = {
        day: write_hours([each for each in document["weekly"] if each["weekday"] == day]) for day in WEEKDAYS
    }
    return {**values, "timezone": document["timezone"]}


def _number(text: str | None) -> object:
    text = str(text or "")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else text


def _complain(field: wtforms.Field, sentences: Any) -> None:
    words = [gettext(sentence) for sentence in sentences]
    field.errors = list(dict.fromkeys([*field.errors, *words]))
