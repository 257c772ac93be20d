"""The form of a busy calendar: an address or a file."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import StringField

from gemba.calendars.rules import NAME_MAX
from gemba.web.forms import Form, at_most, one_line


class CalendarForm(Form):
    """Where the calendar is; the name is for its owner's eyes."""

    url = StringField(_l("Address of the calendar"), filters=[one_line])
    file = FileField(_l("Or a file"))
    name = StringField(_l("Name of the calendar"), filters=[one_line], validators=[at_most(NAME_MAX)])

    def validate(self, extra_validators: Any = None) -> bool:
        """Exactly one of address and file."""
        good = bool(super().validate(extra_validators))
        if bool(self.url.data) == bool(self.file.data):
            words = (
                _("Give an address or a file, not both.")
                if self.url.data
                else _("Give the address of a calendar, or choose a file.")
            )
            self.url.errors = [*self.url.errors, words]
            good = False
        return good
