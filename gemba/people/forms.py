"""Forms of sign-in, profile, people, lines and products."""

import re
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import Regexp
from wtforms.widgets import CheckboxInput, ListWidget

from gemba.people.rules import COMMON_ZONES, DEPARTMENT_MAX, LANGUAGES, NAME_MAX, MailKind, Role, Scope
from gemba.web.forms import Form, NotBlank, at_most, one_line

ZONES = [(zone, zone) for zone in COMMON_ZONES]


def _digits(value: Any) -> Any:
    return re.sub(r"[\s-]", "", value) if isinstance(value, str) else value


def _id_or_none(value: Any) -> int | None:
    return int(value) if value not in (None, "", "None") else None


class ManyField(SelectMultipleField):
    """Several of a few values, as checkboxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class SignInForm(Form):
    """Who wants to sign in. The address is checked by the same rule that stores addresses."""

    email = StringField(_l("E-mail"), filters=[one_line], validators=[NotBlank(), at_most(254)])
    next = HiddenField()


class CodeForm(Form):
    """The code of the mail."""

    code = StringField(
        _l("Code"),
        filters=[_digits],
        validators=[NotBlank(), Regexp(r"^[0-9]{6}\Z", message=_l("The code has six digits."))],
    )


class ProfileForm(Form):
    """What people say about themselves."""

    name = StringField(_l("Name"), filters=[one_line], validators=[NotBlank(), at_most(NAME_MAX)])
    timezone = SelectField(_l("Time zone"), choices=ZONES)
    locale = SelectField(_l("Language"), choices=list(LANGUAGES.items()))
    next = HiddenField()


class MailForm(Form):
    """The kinds of mail that somebody wants, apart from those that always come."""

    kinds = ManyField(
        _l("Mails you may turn off"),
        choices=[
            (
                MailKind.REMINDER_DAY.value,
                _l("A day before a visit: when and with whom, what to watch and how to prepare"),
            ),
            (
                MailKind.REMINDER_HOUR.value,
                _l("An hour before a visit: the link to the call and what to have ready"),
            ),
            (
                MailKind.OUTCOME.value,
                _l("After a visit: whether it took place, asked once more if you do not answer"),
            ),
            (
                MailKind.REVIEW.value,
                _l("After a visit to you: that its notes wait for your look before others read them"),
            ),
            (
                MailKind.INSIGHT.value,
                _l("What became of something you saw, showed or know too"),
            ),
            (
                MailKind.ROUND.value,
                _l("Rounds: that one begins, that its sign-up ends, and that it is time to come back"),
            ),
        ],
    )


class TokenForm(Form):
    """A new API token."""

    name = StringField(_l("What it is for"), filters=[one_line], validators=[NotBlank(), at_most(60)])
    scope = RadioField(
        _l("What it may do"),
        choices=[(Scope.READ.value, _l("Read")), (Scope.WRITE.value, _l("Read and change"))],
        default=Scope.READ.value,
    )


class PersonForm(Form):
    """A person as an admin sees them; lines and products are filled in by the view."""

    name = StringField(_l("Name"), filters=[one_line], validators=[NotBlank(), at_most(NAME_MAX)])
    email = StringField(_l("E-mail"), filters=[one_line], validators=[NotBlank(), at_most(254)])
    roles = ManyField(
        _l("Roles"),
        choices=[
            (Role.VISITOR.value, _l("visitor: books visits and takes notes")),
            (Role.AGENT.value, _l("agent: is visited")),
            (Role.LEAD.value, _l("lead: heads a support line")),
            (Role.MENTOR.value, _l("mentor: guides hands-on visits")),
            (Role.OWNER.value, _l("owner: keeps the backlog")),
            (Role.ADMIN.value, _l("admin: runs the programme")),
        ],
        default=[Role.VISITOR.value],
    )
    line_id = SelectField(_l("Line"), coerce=_id_or_none)
    department = StringField(_l("Department"), filters=[one_line], validators=[at_most(DEPARTMENT_MAX)])
    timezone = SelectField(_l("Time zone"), choices=ZONES, default="UTC")
    locale = SelectField(_l("Language of pages and mails"), choices=list(LANGUAGES.items()))
    languages = ManyField(_l("Can be visited in"), choices=list(LANGUAGES.items()))
    product_ids = ManyField(_l("Products"), coerce=int)
    active = BooleanField(_l("Active"), default=True)


class LineForm(Form):
    """A support line; the leads to choose from are filled in by the view."""

    name = StringField(_l("What it is called"), filters=[one_line], validators=[NotBlank(), at_most(80)])
    lead_id = SelectField(_l("Lead"), coerce=_id_or_none)


class ProductForm(Form):
    """A product."""

    name = StringField(_l("What it is called"), filters=[one_line], validators=[NotBlank(), at_most(80)])
