"""Forms of rounds."""

from flask_babel import lazy_gettext as _l
from wtforms import TextAreaField

from gemba.rounds.rules import NOTE_MAX
from gemba.web.forms import Form, at_most, many_lines


class SignUpForm(Form):
    """What the pairing should know; may be left empty."""

    note = TextAreaField(
        _l("What should we know?"),
        description=_l("Products you care about, days that never work, whom you would like to meet."),
        filters=[many_lines],
        validators=[at_most(NOTE_MAX)],
    )
