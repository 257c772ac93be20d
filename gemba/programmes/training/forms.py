"""Forms of a training's steps: shape only, the bounds are in rules.py."""

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import BooleanField, StringField, TextAreaField

from gemba.programmes.training.rules import StepText
from gemba.web.forms import Form, many_lines, one_line


class StepForm(Form):
    """All fields of a step; a page shows those that its kind has."""

    title = StringField(_l("Title in English"), filters=[one_line])
    title_ru = StringField(_l("Title in Russian"), filters=[one_line])
    text = TextAreaField(
        _l("What to know or to do"),
        filters=[many_lines],
        description=_l("A few sentences, shown as they are."),
    )
    text_ru = TextAreaField(_l("What to know or to do, in Russian"), filters=[many_lines])
    link = StringField(_l("Link"), filters=[one_line], description=_l("A page to read or a film to watch."))
    file = FileField(_l("PDF file"), description=_l("At most 10 MB."))
    answers = TextAreaField(
        _l("Answers"),
        filters=[many_lines],
        description=_l("One a line. Begin each right one with an asterisk: *Ask the mentor first."),
    )
    answers_ru = TextAreaField(_l("Answers in Russian, in the same order"), filters=[many_lines])
    again = BooleanField(
        _l("Everyone does this step again"),
        description=_l("Who had done it cannot book until they do it again. Booked visits stay."),
    )

    def words(self) -> StepText:
        """What was typed."""
        names = ("title", "title_ru", "text", "text_ru", "link", "answers", "answers_ru")
        return StepText(**{name: self[name].data or "" for name in names})


class TakeForm(Form):
    """One's own step: done, or answered; the choices are numbers."""
