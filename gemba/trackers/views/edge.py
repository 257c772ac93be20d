"""The blueprint, its marks, and the words its templates need."""

from flask import Blueprint, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from gemba.config import current_settings
from gemba.people.rules import Role
from gemba.trackers.adapters.errors import TrackerError, sentence_of
from gemba.trackers.models import Claim
from gemba.trackers.rules.kinds import ACTION_LABELS, STATE_LABELS, TRAITS, Action, TicketState, TrackerKind
from gemba.trackers.service import connections
from gemba.web.access import requires
from gemba.web.pages import say

blueprint = Blueprint("trackers", __name__)
admins = requires(Role.ADMIN)
editors = requires(Role.OWNER, Role.ADMIN)

Answer = Response | str | tuple[str, int]


@blueprint.app_template_filter("tracker_kind")
def tracker_kind(kind: str) -> str:
    """The name of a kind of tracker."""
    return TRAITS[TrackerKind(kind)].name


@blueprint.app_template_filter("ticket_state")
def ticket_state(state: str) -> str:
    """How a ticket stands, in words."""
    return str(_(STATE_LABELS[TicketState(state)]))


@blueprint.app_template_filter("export_action")
def export_action(action: str) -> str:
    """What an export does, in words."""
    return str(_(ACTION_LABELS[Action(action)]))


@blueprint.app_template_filter("tracker_said")
def tracker_said(kept: str) -> str:
    """Why a ticket was not made: our sentence, then the tracker's own words as they came."""
    sentence, words = sentence_of(kept)
    return f"{_(sentence) if sentence else ''} {words}".strip()


@blueprint.app_template_global("tickets_of")
def tickets_of(insight_id: int) -> list[Claim]:
    """The tickets of one insight, for its page."""
    return connections.tickets_of([insight_id]).get(insight_id, [])


@blueprint.app_template_global("trackers_to_export_to")
def trackers_to_export_to() -> list[tuple[int, str]]:
    """Trackers by name, for a choice; nothing for who may not export."""
    return connections.choices()


def url_of(insight_id: int) -> str:
    """An insight's address outside."""
    return current_settings().base_url + url_for("insights.show", insight_id=insight_id)


def said(error: TrackerError) -> str:
    """A refusal of a tracker: our sentence, then its own words as they came."""
    return f"{say(error)} {error.said}".strip()
