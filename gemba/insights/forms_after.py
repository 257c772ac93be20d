"""Forms for the end of a visit: shape only."""

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from wtforms import DateField, FieldList, FormField, RadioField, SelectField, StringField, TextAreaField
from wtforms import Form as PlainForm
from wtforms.validators import Optional

from gemba.insights.rules.kinds import FREQUENCY_LABELS
from gemba.insights.rules.severity import IMPACT_LABELS, PERSISTENCE_LABELS
from gemba.web.forms import Form, at_most, many_lines, one_line

WORDS_MAX = 1000
PROMISE_MAX = 300
IDEA_MAX = 500
TITLE_SHOWN = 80


def _number_or_none(value: Any) -> int | None:
    text = "" if value is None else str(value)
    return int(text) if text.isascii() and text.isdigit() else None


class WorstForm(PlainForm):
    """One of the three worst."""

    note = SelectField(_l("The note"), coerce=_number_or_none)
    frequency = SelectField(_l("How often?"), default="")
    impact = SelectField(_l("How hard does it hit?"), coerce=_number_or_none)
    persistence = SelectField(_l("Does one get used to it?"), default="")
    idea = TextAreaField(_l("An idea"), filters=[many_lines], validators=[at_most(IDEA_MAX)])


class WrapForm(Form):
    """What somebody takes along from a visit."""

    worst = FieldList(FormField(WorstForm), min_entries=3, max_entries=3)
    works_well = TextAreaField(_l("What works well"), filters=[many_lines], validators=[at_most(WORDS_MAX)])
    promise = StringField(_l("One thing I will do"), filters=[one_line], validators=[at_most(PROMISE_MAX)])
    promised_for = DateField(_l("By which day"), validators=[Optional()])

    def __init__(self, *args: Any, notes: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        none = ("", gettext("none"))
        unknown = ("", gettext("not known"))
        titles = [(str(id_), _short(text)) for id_, text in notes]
        for entry in self.worst:
            one: Any = entry.form
            one.note.choices = [none, *titles]
            one.frequency.choices = [unknown, *((k.value, gettext(v)) for k, v in FREQUENCY_LABELS.items())]
            one.impact.choices = [unknown, *((str(k), gettext(v)) for k, v in IMPACT_LABELS.items())]
            one.persistence.choices = [
                unknown,
                *((k.value, gettext(v)) for k, v in PERSISTENCE_LABELS.items()),
            ]


def _short(text: str) -> str:
    return text[:TITLE_SHOWN] + ("…" if len(text) > TITLE_SHOWN else "")


class ThanksForm(Form):
    """Two-sided and short: of the hour, never of a person."""

    worth = RadioField(
        _l("Was it worth the hour?"),
        choices=[("yes", _l("Yes")), ("partly", _l("Partly")), ("no", _l("No"))],
    )
    words = TextAreaField(_l("A word to the others"), filters=[many_lines], validators=[at_most(IDEA_MAX)])
