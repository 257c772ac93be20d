"""Why this agent: the code and the facts of a choice as a sentence in the reader's language."""

from collections.abc import Mapping
from typing import Any

from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _

from gemba.visits.models import Visit


def because(visit: Visit, *, own: bool) -> str:
    """Why this agent takes the visit, "" where nobody knows; `own` where the reader is the visitor."""
    return because_of(visit.because, visit.because_facts or {}, visit.agent.first_name, own=own)


def speaks_for(facts: Mapping[str, Any], *, met: bool) -> str:
    """What speaks for an agent who could take a visit; "" where there is no other."""
    if "done" not in facts:
        return ""
    so_far = ngettext(
        "%(num)s visit so far, a fair share would be %(share)s.",
        "%(num)s visits so far, a fair share would be %(share)s.",
        int(facts["done"]),
        share=format_decimal(facts["share"]),
    )
    return f"{so_far} {_met('met-all' if met else 'not-met', own=False)}"


def because_of(code: str, facts: Mapping[str, Any], name: str, *, own: bool) -> str:
    """The same of a code, its facts and the agent's first name."""
    plain = {
        "asked": _("%(name)s was asked for by name.", name=name),
        "only-one": _("%(name)s was the only one free at this hour.", name=name),
        "stand-in": _("%(name)s stands in for an agent who could not.", name=name),
        "round": _("The round gave this hour with %(name)s.", name=name),
    }
    if code not in ("not-met", "met-all"):
        return str(plain.get(code, ""))
    met = _met(code, own=own)
    return f"{_turn(facts, name)} {met}" if "done" in facts else met


def _turn(facts: Mapping[str, Any], name: str) -> str:
    return str(
        ngettext(
            "It was the turn of %(name)s: %(num)s visit so far, a fair share would be %(share)s.",
            "It was the turn of %(name)s: %(num)s visits so far, a fair share would be %(share)s.",
            int(facts["done"]),
            name=name,
            share=format_decimal(facts["share"]),
        )
    )


def _met(code: str, *, own: bool) -> str:
    if code == "met-all":
        return str(_("You have met everyone who was free.") if own else _("They have met before."))
    return str(_("You have not met yet.") if own else _("They have not met before."))
