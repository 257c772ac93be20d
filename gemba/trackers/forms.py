"""Forms of trackers: shape only."""

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, PasswordField, StringField
from wtforms.widgets import PasswordInput

from gemba.trackers.rules.kinds import TRAITS, TrackerKind
from gemba.web.forms import Form, one_line


class ConnectForm(Form):
    """Where tickets go. What signs in is added by `connect_form`; it is never filled in again."""

    kind = HiddenField()
    name = StringField(_l("Name"), filters=[one_line])
    base_url = StringField(_l("Address"), filters=[one_line])
    project = StringField(_l("Project"), filters=[one_line])
    item_type = StringField(_l("Type of ticket"), filters=[one_line])

    credential_names: tuple[str, ...] = ()

    def values(self) -> dict[str, Any]:
        """What was typed, for the service."""
        names = ("kind", "name", "base_url", "project", "item_type")
        given = {name: self[name].data or "" for name in names}
        return {**given, "credentials": {name: self[name].data or "" for name in self.credential_names}}


def connect_form(kind: TrackerKind) -> type[ConnectForm]:
    """The form of a kind: with the credentials it asks for."""
    traits = TRAITS[kind]
    fields: dict[str, Any] = {"credential_names": tuple(each.name for each in traits.credentials)}
    for each in traits.credentials:
        label = gettext(each.label)
        if each.secret:
            # Browsers must not offer the person's own password here.
            fields[each.name] = PasswordField(label, widget=PasswordInput(hide_value=True))
        else:
            fields[each.name] = StringField(label, filters=[one_line])
    return type(f"Connect{kind.name.title()}", (ConnectForm,), fields)
