"""The form of a programme: shape only, the bounds are in rules.py and checked by the service."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, StringField, TextAreaField

from gemba.programmes.rules import GUIDES, LIMITS, NUMBERS, Format
from gemba.web.forms import Form, many_lines, one_line

TEXTS = ("name", "name_ru", "purpose", "purpose_ru", *GUIDES)
SWITCHES = ("approval", "active")


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
    active = BooleanField(_l("Running: people can book"), default=True)

    def document(self) -> dict[str, object]:
        """What was typed, in the JSON shape of a programme; numbers that are none stay words."""
        typed: dict[str, object] = {name: self[name].data or "" for name in TEXTS}
        typed |= {name: bool(self[name].data) for name in SWITCHES}
        typed |= {name: _number(self[name].data) for name in NUMBERS}
        typed |= {name: _number(self[name].data) if self[name].data else None for name in LIMITS}
        return typed | {"format": self.format.data or ""}


def _number(text: str | None) -> object:
    is_number = text and text.isascii() and text.isdigit() and len(text) <= 9
    return int(text or 0) if is_number else (text or "")
