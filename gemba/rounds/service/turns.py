"""Who goes before whom in a round's lottery, and who has met whom."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import select

from gemba.db import db
from gemba.rounds.models import Round, RoundSignUp
from gemba.rounds.rules import Outcome, order_of, turn_of
from gemba.schedule import sides
from gemba.visits.models import Visit, VisitVisitor
from gemba.visits.rules import COUNTED


def met_by(ids: Sequence[int], gone: Collection[Visit] = ()) -> dict[int, set[int]]:
    """The agents whom each of these people has visited, or is going to but for visits `gone`."""
    found: dict[int, set[int]] = defaultdict(set)
    query = (
        select(VisitVisitor.person_id, Visit.agent_id, Visit.id)
        .join(Visit, Visit.id == VisitVisitor.visit_id)
        .where(Visit.status.in_(COUNTED), *sides.among(VisitVisitor.person_id, ids))
    )
    but = {visit.id for visit in gone}
    for person, agent, visit in db.session.execute(query):
        if visit not in but:
            found[person].add(agent)
    return found


def left_out_before(chosen: Round) -> set[int]:
    """Who was left out of the round of this programme before this one."""
    last = (
        select(Round.id)
        .where(
            Round.programme_id == chosen.programme_id,
            Round.id != chosen.id,
            Round.published_at.is_not(None),
            Round.opens_at <= chosen.opens_at,
        )
        .order_by(Round.published_at.desc(), Round.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(RoundSignUp.person_id).where(
        RoundSignUp.round_id == last, RoundSignUp.outcome == Outcome.LEFT_OUT
    )
    return set(db.session.scalars(query))


def turns(chosen: Round, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """By person: who goes first (see rules.order_of)."""
    met, left = met_by(ids), left_out_before(chosen)
    seed = chosen.seed or chosen.id
    return {who: order_of(turn_of(left_out_last=who in left, came=who in met), seed, who) for who in ids}
