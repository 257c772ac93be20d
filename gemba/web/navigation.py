"""The places of the house: what stands in the rail, in whose eyes, in which order."""

from dataclasses import dataclass

from flask import current_app, request, url_for
from flask_babel import lazy_gettext as _l

from gemba.people.models import Person
from gemba.people.rules import Role


@dataclass(frozen=True)
class Place:
    """An entry of the rail; the first four stand in the bar of a phone."""

    endpoint: str
    label: str
    icon: str
    url: str
    active: bool


_PLACES = (
    ("home.home", _l("Home"), "house", None),
    (
        "visits.book",
        _l("Book"),
        "calendar-plus",
        frozenset({Role.VISITOR, Role.LEAD, Role.OWNER, Role.ADMIN}),
    ),
    ("schedule.availability", _l("Availability"), "calendar-week", frozenset({Role.AGENT, Role.MENTOR})),
    ("visits.index", _l("Visits"), "people", None),
    ("insights.backlog", _l("Backlog"), "list-check", None),
    ("team.index", _l("Team"), "calendar3", frozenset({Role.LEAD, Role.ADMIN})),
    ("training.index", _l("Trainees"), "mortarboard", frozenset({Role.MENTOR})),
    ("trackers.index", _l("Trackers"), "box-arrow-up-right", frozenset({Role.OWNER, Role.ADMIN})),
    ("people.index", _l("People"), "person-lines-fill", frozenset({Role.ADMIN})),
    ("programmes.index", _l("Programmes"), "signpost", frozenset({Role.ADMIN})),
    ("rounds.index", _l("Rounds"), "shuffle", frozenset({Role.ADMIN})),
    ("outbox.index", _l("Outbox"), "send", frozenset({Role.ADMIN})),
)


_BY_PATH = (
    ("/visits/", "visits.index"),
    ("/outbox/", "outbox.index"),
    ("/exports/", "trackers.index"),
    ("/webhooks", "trackers.index"),
    ("/insights/", "insights.backlog"),
)


def places(person: Person | None) -> list[Place]:
    """What this person may open, most important first."""
    if person is None:
        return []
    here = request.endpoint or ""
    return [
        Place(endpoint, str(label), icon, url_for(endpoint), _is_here(endpoint, here))
        for endpoint, label, icon, roles in _PLACES
        if (roles is None or person.has(*roles)) and endpoint in current_app.view_functions
    ]


def _is_here(endpoint: str, here: str) -> bool:
    if here == endpoint:
        return True
    if here in {row[0] for row in _PLACES}:
        return False
    # Notes belong to the visit in whose address they stand, whichever folder their pages live in.
    for start, place in _BY_PATH:
        if request.path.startswith(start):
            return endpoint == place
    if request.path.startswith("/profile"):
        return False
    blueprint, _dot, word = endpoint.partition(".")
    return here.partition(".")[0] == blueprint and word in ("index", "backlog", "availability")
