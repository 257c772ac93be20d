"""Forms of notes and insights: shape only."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    DateField,
    Field,
    HiddenField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.form import BaseForm
from wtforms.validators import NumberRange, Optional, Regexp, StopValidation
from wtforms.widgets import TextInput

from gemba.insights.rules.kinds import (
    BODY_MAX,
    MINUTES_MAX,
    REASON_MAX,
    SEVERITY_LABELS,
    STEP_MAX,
    TAG_MAX,
    TAGS_MAX,
    TEXT_MAX,
    TITLE_MAX,
    TOOL_MAX,
    VERBATIM_MAX,
    WORKAROUND_MAX,
    Frequency,
    Hurts,
    Kind,
    Status,
    Verdict,
)
from gemba.insights.rules.reference import insight_number
from gemba.web.forms import Form, NotBlank, at_most, many_lines, one_line

UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
LINE_MAX = TEXT_MAX + VERBATIM_MAX


def _number_or_none(value: Any) -> int | None:
    text = "" if value is None else str(value)
    return int(text) if text.isascii() and text.isdigit() else None


def _words(pairs: Any) -> list[tuple[str, str]]:
    return [(str(value), gettext(label)) for value, label in pairs]


class _WithKind(Form):
    """The choices of kind and severity, in the reader's language."""

    kind = SelectField(_l("What is it?"), default=Kind.TOOL_PAIN.value)
    severity = SelectField(_l("How bad is it?"), coerce=_number_or_none)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices = _words((kind.value, kind.label) for kind in Kind)
        rated = [(number, f"{number} · {gettext(label)}") for number, label in SEVERITY_LABELS.items()]
        self.severity.choices = [("", gettext("not rated")), *rated]


class _MayBePrivate(_WithKind):
    """Words that may look like private data; the pressed button says what to do about it.

    `private` is "mask", "as-is" or nothing yet.
    """

    private = StringField()


class NoteForm(_MayBePrivate):
    """One note as it is typed in the visit: a line with marks.

    `person` is for whom the page was made, `draft` the draft these words come from. `edited` and `removed`
    are the page's later word about a note that it has sent before.
    """

    line = TextAreaField(
        _l("What do you see?"),
        filters=[many_lines],
        validators=[NotBlank(_l("Write what you see, then save.")), at_most(LINE_MAX)],
    )
    is_ask = BooleanField(_l("This is what I ask for"))
    at = HiddenField()
    client_id = HiddenField(validators=[Regexp(UUID, message=_l("Reload the page and send this again."))])
    person = HiddenField()
    draft = HiddenField(
        validators=[Optional(), Regexp(UUID, message=_l("Reload the page and send this again."))]
    )
    edited = HiddenField()
    removed = HiddenField()


class DraftForm(_WithKind):
    """Words of a note that is still being typed."""

    line = TextAreaField(filters=[many_lines], validators=[at_most(LINE_MAX)])
    is_ask = BooleanField()
    at = HiddenField()
    client_id = HiddenField(validators=[Regexp(UUID)])
    draft = HiddenField(validators=[Optional(), Regexp(UUID)])
    person = HiddenField()


class StartForm(Form):
    """That the visit begins now: `at` is when it was pressed, `planned` takes it back."""

    at = HiddenField()
    planned = HiddenField()


class EditNoteForm(_MayBePrivate):
    """All that a note can say."""

    text = TextAreaField(
        _l("What you saw"),
        filters=[many_lines],
        validators=[NotBlank(_l("Write what you saw.")), at_most(TEXT_MAX)],
    )
    verbatim = TextAreaField(_l("In their words"), filters=[many_lines], validators=[at_most(VERBATIM_MAX)])
    workaround = TextAreaField(
        _l("How they get around it"), filters=[many_lines], validators=[at_most(WORKAROUND_MAX)]
    )
    tool = StringField(_l("Tool"), filters=[one_line], validators=[at_most(TOOL_MAX)])
    frequency = SelectField(_l("How often does it happen?"), default="")
    product_id = SelectField(_l("Product"), coerce=_number_or_none)
    is_question = BooleanField(_l("A question for the end of the visit"))
    is_ask = BooleanField(_l("This is what I ask for"))

    def __init__(self, *args: Any, products: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.frequency.choices = [("", gettext("not known")), *_words((f.value, f.label) for f in Frequency)]
        self.product_id.choices = [("", gettext("none")), *((str(id_), name) for id_, name in products)]


class InsightForm(Form):
    """The words of an insight, with the version the editor saw."""

    title = StringField(
        _l("Title"), filters=[one_line], validators=[NotBlank(_l("Give it a title.")), at_most(TITLE_MAX)]
    )
    body = TextAreaField(_l("Description"), filters=[many_lines], validators=[at_most(BODY_MAX)])
    kind = SelectField(_l("Kind"))
    product_id = SelectField(_l("Product"), coerce=_number_or_none)
    owner_id = SelectField(_l("Owner"), coerce=_number_or_none)
    hurts = SelectField(_l("Who it hurts"))
    minutes_lost = IntegerField(
        _l("Minutes lost each time"),
        validators=[
            Optional(),
            NumberRange(0, MINUTES_MAX, _l("Give whole minutes from 0 to 480.")),
        ],
    )
    workaround = TextAreaField(
        _l("How they get around it"), filters=[many_lines], validators=[at_most(WORKAROUND_MAX)]
    )
    tool = StringField(_l("Tool"), filters=[one_line], validators=[at_most(TOOL_MAX)])
    step = StringField(_l("Step of the work"), filters=[one_line], validators=[at_most(STEP_MAX)])
    due = DateField(_l("Due by"), validators=[Optional()])
    tags = StringField(_l("Tags"), filters=[one_line], validators=[at_most(TAGS_MAX * (TAG_MAX + 1))])
    version = HiddenField()

    def __init__(
        self, *args: Any, products: list[tuple[int, str]], owners: list[tuple[int, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices = _words((kind.value, kind.label) for kind in Kind)
        self.product_id.choices = [("", gettext("none")), *((str(id_), name) for id_, name in products)]
        self.owner_id.choices = [("", gettext("nobody")), *((str(id_), name) for id_, name in owners)]
        self.hurts.choices = [("", gettext("not known")), *_words((each.value, each.label) for each in Hurts)]


class NewInsightForm(InsightForm):
    """An insight written by hand. `same` is the number of one that says it already."""

    act = StringField()
    same = IntegerField(validators=[Optional()])


class StatusForm(Form):
    """How far the insight has come, and why."""

    status = SelectField(_l("Status"))
    reason = TextAreaField(_l("Reason"), filters=[many_lines], validators=[at_most(REASON_MAX)])
    version = HiddenField()

    def __init__(self, *args: Any, own: Sequence[tuple[int, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(f"own-{number}", name) for number, name in own]
        self.status.choices = [*_words((status.value, status.label) for status in Status), *named]


WHICH_ONE = _l("Write the number of the other insight, or paste its address.")


class InsightField(Field):
    """Another insight by its number or address; its data is the number, None where nothing is named."""

    widget = TextInput()
    data: int | None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Reads what was typed; the words stay in the field."""
        self.data = insight_number(valuelist[0]) if valuelist else None

    def _value(self) -> str:
        return self.raw_data[0] if self.raw_data else ""

    def pre_validate(self, form: BaseForm) -> None:
        """Refuses what names no insight."""
        if self.data is None:
            raise StopValidation(str(WHICH_ONE))


class TargetForm(Form):
    """The insight that something is added to or merged into, by its number or address."""

    into = InsightField(_l("The other insight"))


class SplitForm(Form):
    """The evidence to take out, and the new insight's title."""

    notes = SelectMultipleField(_l("Evidence"), coerce=int, validate_choice=False)
    title = StringField(_l("Title of the new insight"), filters=[one_line], validators=[at_most(TITLE_MAX)])


class PictureForm(Form):
    """One picture, as a file: the browser's tools put in what was cropped and blacked out."""

    picture = FileField(_l("Picture"), validators=[FileRequired(_l("Choose or paste a picture."))])


class FileForm(Form):
    """One file for an insight."""

    file = FileField(_l("File"), validators=[FileRequired(_l("Choose a file, or paste a picture."))])


class ReviewForm(Form):
    """The agent's answers; their fields carry the notes' numbers and are read by `words_said`."""


def words_said(form: MultiDict[str, str], note_id: int) -> Mapping[str, Any] | None:
    """What was said of one note, as fields of service.reviewing.Said; None where it was not on the page."""
    seen = form.get(f"seen-{note_id}")
    if seen is None:
        return None
    verdict = form.get(f"verdict-{note_id}", "")
    numbers = form.getlist(f"strike-{note_id}")
    return {
        "seen": seen,
        "verdict": Verdict(verdict) if verdict in set(Verdict) else None,
        "words": form.get(f"words-{note_id}"),
        "strike": frozenset(int(one) for one in numbers if one.isascii() and one.isdigit()),
        "all_of_it": verdict == "strike",
    }


class TriageForm(Form):
    """What becomes of one insight of the inbox."""

    act = HiddenField()
    title = StringField(_l("A better title"), filters=[one_line], validators=[at_most(TITLE_MAX)])
    reason = TextAreaField(_l("In a few words"), filters=[many_lines], validators=[at_most(REASON_MAX)])
    into = IntegerField(_l("Number of the other insight"), validators=[Optional()])
