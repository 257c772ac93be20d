"""The base of all forms: CSRF, cleaned text, and errors that can be added by the view."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, ValidationError
from wtforms.validators import InputRequired, Length, StopValidation

from gemba.errors import Invalid
from gemba.people.rules import clean_line, clean_text


class Form(FlaskForm):  # type: ignore[misc]
    """A form of ours. Shape only: what needs a row is the service's."""

    def submitted(self) -> bool:
        """Whether this is a POST whose fields all pass."""
        return bool(self.validate_on_submit())

    def take_errors(self, invalid: Invalid) -> None:
        """Puts a service's refusal at its fields; what belongs to no field goes on top."""
        for name, sentences in invalid.errors.items():
            words = [gettext(sentence) for sentence in sentences]
            if name in self._fields and self._fields[name].type not in ("HiddenField", "CSRFTokenField"):
                self._fields[name].errors = [*self._fields[name].errors, *words]
            else:
                self.form_errors.extend(words)

    def refuse(self, sentence: str) -> None:
        """Adds an error that belongs to no field."""
        self.form_errors.append(sentence)


def one_line(value: Any) -> Any:
    """Filter: text on one line, without control characters."""
    return clean_line(value) if isinstance(value, str) else value


def many_lines(value: Any) -> Any:
    """Filter: text of several lines, without control characters."""
    return clean_text(value) if isinstance(value, str) else value


def required(sentence: Any = None) -> InputRequired:
    """Validator: something must be there."""
    return InputRequired(sentence or _l("This field cannot be empty."))


class NotBlank:
    """Validator: something other than spaces must be there (also where the filter left nothing)."""

    field_flags: Mapping[str, Any] = {"required": True}

    def __init__(self, sentence: Any = None) -> None:
        self.sentence = sentence or _l("This field cannot be empty.")

    def __call__(self, _form: Any, field: Field) -> None:
        if not field.data or not str(field.data).strip():
            raise StopValidation(str(self.sentence))


def at_most(length: int) -> Length:
    """Validator: at most so many characters."""
    return Length(max=length, message=_l("Use at most %(max)d characters."))


def one_of(
    choices: Callable[[], Sequence[str]] | Sequence[str], sentence: Any = None
) -> Callable[[Any, Field], None]:
    """Validator: one of these values."""

    def check(_form: Any, field: Field) -> None:
        allowed = choices() if callable(choices) else choices
        if field.data not in allowed:
            raise ValidationError(str(sentence or _l("Choose one of the values offered.")))

    return check
