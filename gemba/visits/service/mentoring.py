"""Who guides a hands-on visit: the mentors who can, in the order in which they should, and a stand-in.

Mentors' hours, calendars, breaks and limits count as an agent's do (`gemba.schedule.rules.guides_at`), and a
visit takes their time whether they come to it as mentor, as agent or as visitor.
"""

from collections.abc import Iterable

from gemba.schedule.rules import Reason, ReasonCode, guides_at
from gemba.visits.models import Visit
from gemba.visits.rules import in_order
from gemba.visits.service.agents import Wanted, candidates

ABOUT_MENTORS = frozenset({ReasonCode.NO_MENTOR, ReasonCode.MENTORS_TAKEN})
"""The reasons that another mentor would take away."""


def is_about_mentors(reasons: Iterable[Reason]) -> bool:
    """Whether nothing but the mentor stands against an hour."""
    return all(reason.code in ABOUT_MENTORS for reason in reasons)


def in_turn(wanted: Wanted, agent_id: int) -> list[int | None]:
    """The mentors who seem free, best first: who has the visit or was found for it, then whose turn it is.

    None alone where nobody is: a seat in a visit there is needs no further mentor.
    """
    known, rules = wanted.known([]), wanted.booking_rules
    free = [
        mentor.agent
        for mentor in known.mentors or ()
        if mentor.agent != agent_id and not guides_at(rules, mentor, wanted.start)
    ]
    if not free:
        return [None]
    has_it = wanted.moving.mentor_id if wanted.moving else wanted.mentor
    if len(free) > 1:
        spoken = wanted.programme.languages
        found = candidates(free, wanted.visitors, as_part=Visit.mentor_id, languages=spoken)
        free = [each.agent for each in in_order(found, wanted.start)]
    return sorted(free, key=lambda mentor: mentor != has_it)
