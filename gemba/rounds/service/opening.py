"""A new round asks those first who wait for it: whoever said so, and whoever the last one left out."""

from datetime import datetime

from gemba.people.models import Person
from gemba.programmes import next_time
from gemba.programmes.models import Programme
from gemba.rounds.models import Round
from gemba.rounds.service import campaigns, inviting
from gemba.rounds.service.turns import left_out_before


def make(viewer: Person, programme: Programme, plan: campaigns.Plan, *, now: datetime) -> Round:
    """A new round, open for sign-up at once, to which those are asked who wait for it.

    Raises Forbidden or Invalid by field.
    """
    made = campaigns.make(viewer, programme, plan, now=now)
    if waiting := next_time.take_all(programme) | left_out_before(made):
        inviting.invite(viewer, made, ids=waiting, now=now)
    return made
