"""The blueprint of rounds, and what several of its pages put into words."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, request
from flask_babel import gettext as _
from flask_babel import ngettext

from gemba.rounds.models import Round
from gemba.rounds.pairing.values import TICK_SECONDS, Because, Why
from gemba.rounds.rules import NOT_AMONG, NOT_PROPOSED, NOT_TRAINED
from gemba.rounds.words import Named, help_words, turn_words

blueprint = Blueprint("rounds", __name__, url_prefix="/rounds")
blueprint.add_app_template_global(help_words)
blueprint.add_app_template_global(turn_words)
SHOWN = 50
"""So many rows stand on a page."""


def number(name: str) -> int:
    """A small number of the address, 0 where there is none."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0


def start_of(tick: int) -> datetime:
    """The instant of a tick."""
    return datetime.fromtimestamp(tick * TICK_SECONDS, UTC)


def because_words(words: Sequence[str]) -> list[str]:
    """Why a pair is a good one, in the reader's language."""
    known = {
        Because.PINNED: _("pinned"),
        Because.FIRST_PRODUCT: _("the first product wished for"),
        Because.OTHER_PRODUCT: _("a product wished for"),
        Because.LANGUAGE: _("the language wished for"),
        Because.PREFERRED_TIME: _("a preferred hour"),
        Because.MET_BEFORE: _("they have met before: nobody else was free"),
    }
    return [known[Because(word)] for word in words if word in known]


def why_words(left: Mapping[str, Any]) -> list[str]:
    """Why somebody is left out, sentence by sentence, in the reader's language."""
    code, facts = left.get("code"), left.get("facts", {})
    if code == Why.NO_AGENT:
        lifted = {
            "language": _("In another language there would be somebody."),
            "product": _("With another product there would be somebody."),
            "line": _("In another line there would be somebody."),
            "refuses": _("There would be somebody among those not to be visited."),
        }
        return [_("No agent fits all the wishes."), *(lifted[one] for one in facts.get("lift", []))]
    plain = {
        NOT_TRAINED: _("The training is not done yet: its checklist comes before the first visit."),
        NOT_AMONG: _("The programme is for some colleagues only, and this sign-up is not among them."),
        NOT_PROPOSED: _("No pair was proposed: the sign-up came, changed or was taken out after that."),
        Why.NO_TIME: _("No agent who fits works in the free hours."),
        Why.NO_MENTOR: _("Agents have time in the free hours, but no mentor is free then."),
    }
    if code in plain:
        return [plain[code]]
    places = int(facts.get("places", 0))
    if not places:
        return [_("All places in the free hours are taken by people whose turn was earlier.")]
    competed = ngettext("%(num)d person", "%(num)d people", int(facts.get("people", 0)))
    return [
        ngettext(
            "%(people)s compete here for %(num)d place, and the lot fell to others.",
            "%(people)s compete here for %(num)d places, and the lot fell to others.",
            places,
            people=competed,
        )
    ]


def helps_of(chosen: Round, left: Mapping[str, Any], names: Named) -> list[str]:
    """What would help somebody who is left out of a round, a sentence for each change."""
    minutes = chosen.programme.duration_minutes
    return help_words(left.get("helps", ()), names, minutes=minutes)


def works_of(left: Mapping[str, Any]) -> list[datetime]:
    """The hours that would have worked."""
    return [datetime.fromtimestamp(second, UTC) for second in left.get("would_work", [])]
