"""The form of a programme: shape only, the bounds are in rules.py and checked by the service."""

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import BooleanField, RadioField, SelectMultipleField, StringField, TextAreaField
from wtforms.widgets import CheckboxInput, ListWidget

from gemba.people.rules import LANGUAGES
from gemba.programmes.rules import GOALS, GUIDES, LIMITS, NUMBERS, Format, Opening, Who
from gemba.web.forms import Form, at_most, many_lines, one_line

TEXTS = ("name", "name_ru", "purpose", "purpose_ru", *GUIDES)
SWITCHES = ("approval", "active")
CHOICES = ("format", "who", "opening")


class ProgrammeForm(Form):
    """All fields of a programme. Numbers are kept as typed, so that wrong words stay in the field."""

    slug = StringField(
        _l("Address"),
        filters=[one_line],
        description=_l(
            "The end of its web address and its name in the API, such as shadow. It stays for good."
        ),
    )
    name = StringField(_l("Name in English"), filters=[one_line])
    name_ru = StringField(_l("Name in Russian"), filters=[one_line])
    purpose = TextAreaField(_l("What it is for"), filters=[many_lines])
    purpose_ru = TextAreaField(_l("What it is for, in Russian"), filters=[many_lines])
    guide = TextAreaField(
        _l("Prompts for a visit"),
        filters=[many_lines],
        description=_l("One a line. They stand beside the notes while the visit runs."),
    )
    guide_ru = TextAreaField(_l("Prompts for a visit, in Russian"), filters=[many_lines])
    rules = TextAreaField(
        _l("Rules of the house"),
        filters=[many_lines],
        description=_l("One a line: what is watched, what may be noted and what may not."),
    )
    rules_ru = TextAreaField(_l("Rules of the house, in Russian"), filters=[many_lines])
    checklist = TextAreaField(
        _l("To have ready"), filters=[many_lines], description=_l("One a line, for the visitor.")
    )
    checklist_ru = TextAreaField(_l("To have ready, in Russian"), filters=[many_lines])
    consent = TextAreaField(
        _l("What visitors confirm once"),
        filters=[many_lines],
        description=_l("One sentence a line. Without this nobody takes notes as a visitor."),
    )
    consent_ru = TextAreaField(_l("What visitors confirm once, in Russian"), filters=[many_lines])
    debrief = TextAreaField(
        _l("Questions to the visitor after hands-on visits"),
        filters=[many_lines],
        description=_l("One a line. Visitor and mentor each answer theirs, and read each other's."),
    )
    debrief_ru = TextAreaField(
        _l("Questions to the visitor after hands-on visits, in Russian"), filters=[many_lines]
    )
    debrief_mentor = TextAreaField(
        _l("Questions to the mentor after hands-on visits"),
        filters=[many_lines],
        description=_l("One a line."),
    )
    debrief_mentor_ru = TextAreaField(
        _l("Questions to the mentor after hands-on visits, in Russian"), filters=[many_lines]
    )
    format = RadioField(
        _l("Format"),
        choices=[
            (Format.SHADOW.value, _l("Watch: a call in which the agent works and shares the screen")),
            (Format.HANDS_ON.value, _l("Hands on: the visitor answers customers beside a mentor")),
        ],
        default=Format.SHADOW.value,
        validate_choice=False,
    )
    duration_minutes = StringField(_l("Length of a visit, minutes"), filters=[one_line])
    slot_step_minutes = StringField(_l("From one start to the next, minutes"), filters=[one_line])
    min_notice_minutes = StringField(_l("To book, minutes"), filters=[one_line])
    move_notice_minutes = StringField(_l("To move, minutes"), filters=[one_line])
    cancel_notice_minutes = StringField(_l("To cancel, minutes"), filters=[one_line])
    horizon_days = StringField(_l("Days that can be booked ahead"), filters=[one_line])
    seats = StringField(_l("Seats for visitors in one visit"), filters=[one_line])
    return_after_months = StringField(_l("Months until people come back"), filters=[one_line])
    slot_offset_minutes = StringField(
        _l("First start, minutes after the full step"),
        filters=[one_line],
        description=_l("With a step of 60, 15 means starts at 09:15, 10:15 and so on."),
    )
    visitor_per_day = StringField(_l("A day"), filters=[one_line])
    visitor_per_week = StringField(_l("A week"), filters=[one_line])
    visitor_per_month = StringField(_l("A month"), filters=[one_line])
    approval = BooleanField(
        _l("A visit needs the lead's yes"),
        description=_l("Until then the hour is held for the visitor and offered to nobody else."),
    )
    approval_hours = StringField(_l("Hours a lead has to answer"), filters=[one_line])
    offer_hours = StringField(_l("Hours to take an offer from the waitlist"), filters=[one_line])
    review_hours = StringField(
        _l("Hours agents have to look at notes"),
        filters=[one_line],
        description=_l("Counted from the end of the visit; then they are published. 0 publishes at once."),
    )
    keep_months = StringField(
        _l("Months that words and pictures of notes are kept"),
        filters=[one_line],
        description=_l("Insights and their figures stay for good. 0 drops nothing."),
    )
    smallest_group = StringField(
        _l("Smallest group that is shown by itself"),
        filters=[one_line],
        description=_l("No line with fewer agents is named beside evidence."),
    )
    who = RadioField(
        _l("Who may take part"),
        choices=[
            (Who.EVERYONE.value, _l("Everyone")),
            (Who.DEPARTMENTS.value, _l("The departments ticked below")),
            (Who.LISTED.value, _l("Only people on a list")),
        ],
        default=Who.EVERYONE.value,
        validate_choice=False,
    )
    departments = SelectMultipleField(
        _l("Departments"),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        validate_choice=False,
    )
    opening = RadioField(
        _l("How visits come about"),
        choices=[
            (Opening.BOTH.value, _l("Both: people book hours all year, and there are rounds")),
            (Opening.ALL_YEAR.value, _l("All year: people book hours themselves, no rounds")),
            (Opening.ROUNDS.value, _l("By rounds only: people sign up, and pairs are made for them")),
        ],
        default=Opening.BOTH.value,
        validate_choice=False,
    )
    lines = SelectMultipleField(
        _l("Lines that are visited"),
        description=_l("None ticked: every line."),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        validate_choice=False,
    )
    languages = SelectMultipleField(
        _l("Languages of the visits"),
        description=_l("Visits are with agents who speak one of them. None ticked: any language."),
        choices=list(LANGUAGES.items()),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        validate_choice=False,
    )
    goal_share = StringField(_l("Percent who should have come"), filters=[one_line])
    goal_months = StringField(_l("Within so many months"), filters=[one_line])
    goal_visits = StringField(_l("Visits of each line in a month"), filters=[one_line])
    active = BooleanField(_l("Running: people can book"), default=True)

    def document(self) -> dict[str, object]:
        """What was typed, in the JSON shape of a programme; numbers that are none stay words."""
        typed: dict[str, object] = {name: self[name].data or "" for name in TEXTS}
        typed |= {name: bool(self[name].data) for name in SWITCHES}
        typed |= {name: _number(self[name].data) for name in NUMBERS}
        typed |= {name: _number(self[name].data) if self[name].data else None for name in (*LIMITS, *GOALS)}
        typed |= {name: self[name].data or "" for name in CHOICES}
        typed["lines"] = [_number(each) for each in self.lines.data or ()]
        ticked = {name: list(self[name].data or ()) for name in ("departments", "languages")}
        return typed | ticked

    def offer(self, departments: list[tuple[str, int]], lines: list[tuple[int, str]]) -> None:
        """Says which departments there are, each with how many people, and which lines; those that are
        ticked stay."""
        self.lines.choices = [(str(number), name) for number, name in lines]
        self.lines.data = [str(each) for each in self.lines.data or ()]
        there = dict(departments)
        gone = {name: 0 for name in self.departments.data or () if name not in there}
        self.departments.choices = [
            (name, f"{name} ({count})") for name, count in sorted({**there, **gone}.items())
        ]


class PeopleForm(Form):
    """Whom to put on a programme's list."""

    addresses = TextAreaField(
        _l("E-mail addresses"),
        filters=[many_lines],
        description=_l("One a line, or with commas between."),
        validators=[at_most(200_000)],
    )
    file = FileField(
        _l("A CSV file"), description=_l("With a column named email; other columns are not read.")
    )


def _number(text: str | None) -> object:
    is_number = text and text.isascii() and text.isdigit() and len(text) <= 9
    return int(text or 0) if is_number else (text or "")
