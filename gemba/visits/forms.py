"""Forms of visits: shape only; whether an hour can be booked is the service's to say."""

from datetime import UTC, datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import Field, HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import ValidationError

from gemba.invites.rules import Answer
from gemba.visits.rules import NOTE_MAX, REASON_MAX, TookPlace
from gemba.web.forms import Form, NotBlank, at_most, many_lines, one_line


def parse_instant(text: str | None) -> datetime | None:
    """An instant written as 2026-11-23T09:00:00Z (or with an offset), in UTC; None where it is none."""
    try:
        value = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    if value.tzinfo is None or not 1970 <= value.year <= 2200:
        return None
    return value.astimezone(UTC)


def stamp(instant: datetime) -> str:
    """The instant as it is written in addresses and forms."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_instant(_form: Any, field: Field) -> None:
    if parse_instant(field.data) is None:
        raise ValidationError(str(_l("Choose an hour from the list.")))


class BookForm(Form):
    """The hour and the agent; also used to move a visit."""

    start = HiddenField(_l("Hour"), validators=[_is_instant])
    agent = RadioField(_l("With"), validate_choice=False, default="")

    @property
    def start_at(self) -> datetime:
        """The chosen start, in UTC."""
        instant = parse_instant(self.start.data)
        if instant is None:
            raise ValueError("read only after the form passed")
        return instant

    @property
    def agent_id(self) -> int | None:
        """The chosen agent, None for any."""
        return int(self.agent.data) if (self.agent.data or "").isdecimal() else None


class CancelForm(Form):
    """Why a visit is cancelled; may be left empty."""

    reason = TextAreaField(
        _l("A word for the others"),
        description=_l("They read it in the mail. You may leave it empty."),
        filters=[many_lines],
        validators=[at_most(REASON_MAX)],
    )


class SwapForm(Form):
    """Who stands in for the agent; empty is the best of those who are free."""

    agent = RadioField(_l("Who takes the visit"), validate_choice=False, default="")

    @property
    def agent_id(self) -> int | None:
        """The chosen agent, None for any."""
        text = self.agent.data or ""
        return int(text) if text.isdecimal() and len(text) < 10 else None


class NoteForm(BookForm):
    """The hour, the agent, and what the visitor would like to see."""

    note = TextAreaField(
        _l("What I would like to see"),
        description=_l("The agent reads it in the invite and can prepare."),
        filters=[many_lines],
        validators=[at_most(NOTE_MAX)],
    )


class AnswerForm(Form):
    """Will you be there?"""

    answer = RadioField(
        _l("Will you be there?"),
        choices=[
            (Answer.ACCEPTED, _l("I will be there")),
            (Answer.TENTATIVE, _l("Maybe")),
            (Answer.DECLINED, _l("I cannot come")),
        ],
    )
    comment = TextAreaField(
        _l("A word for the others"),
        description=_l("They read it in a mail and on the page of the visit."),
        filters=[many_lines],
        validators=[at_most(REASON_MAX)],
    )


class WordsForm(Form):
    """The words of a visit: what the visitors would like to see, and the link of the video call."""

    note = TextAreaField(
        _l("What the visitors would like to see"),
        description=_l("Everyone reads it in the invite."),
        filters=[many_lines],
        validators=[at_most(NOTE_MAX)],
    )
    meeting_url = StringField(
        _l("Link of the video call"),
        description=_l("It begins with https://."),
        filters=[one_line],
        validators=[NotBlank()],
    )


class HandOnForm(Form):
    """Who comes instead of whom."""

    leaving = RadioField(_l("Who does not come"), validate_choice=False, default="")
    email = StringField(
        _l("E-mail of who comes instead"),
        description=_l("Somebody who is known here as a visitor."),
        filters=[one_line],
        validators=[NotBlank(_l("Write an e-mail address, such as vera@example.com."))],
    )

    @property
    def leaving_id(self) -> int | None:
        """Whose seat it is, None where nobody was chosen."""
        text = self.leaving.data or ""
        return int(text) if text.isdecimal() and len(text) < 10 else None


class OutcomeForm(Form):
    """Did the visit take place?"""

    took_place = RadioField(
        _l("Did the visit take place?"),
        choices=[
            (TookPlace.YES, _l("It took place")),
            (TookPlace.NO, _l("It did not")),
            (TookPlace.UNKNOWN, _l("I do not know")),
        ],
    )
