"""Forms of rounds."""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import BooleanField, DateField, SelectField, StringField, TextAreaField

from gemba.fetch.addresses import LONGEST_ADDRESS
from gemba.people.rules import LANGUAGES
from gemba.programmes.forms import PeopleForm
from gemba.rounds.models import RoundSignUp
from gemba.rounds.rules import NOTE_MAX, USUAL_WEEK
from gemba.rounds.service import Plan
from gemba.schedule.forms import WEEKDAYS, WeekForm
from gemba.web.forms import Form, at_most, many_lines, one_line, required

ANY = "0"
_A_DAY = _l("Choose a day.")


class WishForm(WeekForm):
    """What the pairing should know; all of it may be left as it is."""

    note = TextAreaField(
        _l("What should we know?"),
        description=_l("Whoever makes the pairs reads this; the agent does not."),
        filters=[many_lines],
        validators=[at_most(NOTE_MAX)],
    )
    first = SelectField(_l("Product you would like to see"), validate_choice=False, default=ANY)
    second = SelectField(_l("Or else"), validate_choice=False, default=ANY)
    insists = BooleanField(_l("Only these products, else rather no visit"))
    language = SelectField(_l("Language of the visit"), validate_choice=False, default="")
    line = SelectField(_l("Only with agents of this line"), validate_choice=False, default=ANY)
    refuses = StringField(
        _l("Whom would you rather not visit?"),
        description=_l("Names with commas between. Nobody but you sees them."),
        filters=[one_line],
        validators=[at_most(600)],
    )
    calendar_url = StringField(
        _l("Your calendar at an address"),
        description=_l(
            "It begins with https:// or webcal:// and mostly ends in .ics. Nobody but you sees it."
        ),
        filters=[one_line],
        validators=[at_most(LONGEST_ADDRESS)],
    )
    calendar = FileField(
        _l("Or your calendar as a file"),
        description=_l("An .ics file: only its busy times are kept, and your visit avoids them."),
    )
    forget = BooleanField(_l("Forget the busy times of the file"))

    @classmethod
    def of(cls, sign: RoundSignUp | None, zone: str, names: str, address: str) -> "WishForm":
        """The form of a sign-up, or of the usual wish."""
        weekly = sign.weekly if sign is not None and sign.weekly else USUAL_WEEK
        values: dict[str, Any] = {
            "timezone": sign.timezone if sign is not None and sign.timezone else zone,
            **{day: _words(weekly.get(str(number), ())) for number, day in enumerate(WEEKDAYS)},
            "refuses": names,
            "calendar_url": address,
        }
        if sign is not None:
            products = [str(one) for one in sign.products] + [ANY, ANY]
            values |= {
                "note": sign.note,
                "first": products[0],
                "second": products[1],
                "insists": sign.insists,
                "language": sign.language,
                "line": str(sign.line_id or ANY),
            }
        return cls(formdata=None, data=values)

    def offer(
        self, products: list[tuple[str, str]], lines: list[tuple[str, str]], languages: Collection[str]
    ) -> None:
        """Says what there is to choose from; no `languages` are all of them."""
        self.first.choices = [(ANY, _l("Any")), *products]
        self.second.choices = [(ANY, _l("Nothing else")), *products]
        self.line.choices = [(ANY, _l("Any line")), *lines]
        self.language.choices = [
            ("", _l("Any")),
            *((code, name) for code, name in LANGUAGES.items() if not languages or code in languages),
        ]

    def products(self) -> tuple[int, ...]:
        """The products wished for, best first."""
        return tuple(dict.fromkeys(n for n in (_id(self.first.data), _id(self.second.data)) if n))


def _words(ranges: Any) -> str:
    return ", ".join(
        f"{start // 60:02}:{start % 60:02}–{end // 60:02}:{end % 60:02}" for start, end in ranges
    )


def _id(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 9 else 0


class RoundForm(Form):
    """A new round: its name and its days, in the zone of whoever makes it."""

    programme = SelectField(_l("Programme"), validate_choice=False)
    name = StringField(_l("Name in English"), filters=[one_line])
    name_ru = StringField(_l("Name in Russian"), filters=[one_line])
    closes_on = DateField(_l("Last day of sign-up"), validators=[required(_A_DAY)])
    first_day = DateField(_l("First day of visits"), validators=[required(_A_DAY)])
    last_day = DateField(_l("Last day of visits"), validators=[required(_A_DAY)])

    @classmethod
    def of(cls, plan: Plan) -> "RoundForm":
        """The form of a round there is; without data it reads what was sent."""
        form = cls(data=asdict(plan))
        del form.programme
        return form

    def plan(self) -> Plan:
        """What was typed, once the form is valid."""
        closes, first, last = self.closes_on.data, self.first_day.data, self.last_day.data
        if closes is None or first is None or last is None:
            raise ValueError("the days are read before the plan is")
        return Plan(self.name.data or "", self.name_ru.data or "", closes, first, last)


class InviteForm(PeopleForm):
    """Whom to ask: any of the three."""

    department = SelectField(_l("A whole department"), validate_choice=False, default="")


class CapacityForm(Form):
    """How many visits an agent takes."""

    capacity = StringField(
        _l("Visits you take in this round"),
        filters=[one_line],
        description=_l("Empty: as many as your hours and limits allow. 0: none this time."),
    )

    def number(self) -> int | None:
        """The number typed, -1 where it is none."""
        text = self.capacity.data or ""
        if not text:
            return None
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else -1


class HeadForm(Form):
    """Who heads a department."""

    department = SelectField(_l("Department"), validate_choice=False)
    email = StringField(
        _l("E-mail address of its head"),
        filters=[one_line],
        description=_l("Once a month they read who is overdue for more than a month. Empty: nobody does."),
        validators=[at_most(200)],
    )
