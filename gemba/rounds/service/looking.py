"""What an admin sees of a proposal: pairs, who is left out, one person's wish, and other hours for them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from gemba.db import db
from gemba.errors import NotFound
from gemba.people.models import Line, Person, Product
from gemba.people.rules import folded
from gemba.people.service.lookups import names_of
from gemba.rounds.models import Round, RoundPair, RoundRun, RoundSignUp
from gemba.rounds.pairing.candidates import because, score_at
from gemba.rounds.pairing.grid import bits_of
from gemba.rounds.pairing.rank import Ranking
from gemba.rounds.pairing.values import Helps, Pair
from gemba.rounds.rules import NOT_PROPOSED, UNDER_WAY, UNSETTLED, Outcome, PairState
from gemba.rounds.service import inputs
from gemba.rounds.service.proposing import newest_plan, newest_run
from gemba.rounds.service.wishing import waiting

OPTIONS, A_HEAD = 30, 3
"""So many other hours are shown, of each agent at most so many."""


@dataclass(frozen=True)
class Proposal:
    """What an admin looks at: the newest search and the newest that found something, a part of the pairs, and
    how many there are."""

    run: RoundRun | None
    plan: RoundRun | None
    pairs: Sequence[RoundPair]
    total: int


def proposal(
    chosen: Round, *, search: str = "", only_left: bool = False, limit: int = 50, offset: int = 0
) -> Proposal:
    """The pairs of a round by person's name, with the newest search."""
    query = select(RoundPair).where(RoundPair.round_id == chosen.id)
    if search:
        query = query.where(RoundPair.person_id.in_(_named(chosen, search)))
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = db.session.scalars(
        query.join(Person, Person.id == RoundPair.person_id)
        .options(
            joinedload(RoundPair.person),
            joinedload(RoundPair.agent),
            joinedload(RoundPair.mentor),
            joinedload(RoundPair.visit),
        )
        .order_by(func.lower(Person.name), Person.id)
        .limit(limit)
        .offset(offset)
    ).all()
    return Proposal(newest_run(chosen), newest_plan(chosen), [] if only_left else rows, total)


def _named(chosen: Round, search: str) -> list[int]:
    """Who of a round is called so, or visits somebody who is; compared here, as databases fold Latin only."""
    words = folded(search)
    agent = db.session.execute(
        select(RoundPair.person_id, RoundPair.agent_id).where(RoundPair.round_id == chosen.id)
    ).all()
    names = names_of({one for row in agent for one in row})
    return [who for who, other in agent if words in folded(names[who]) or words in folded(names[other])]


def left_out(chosen: Round, plan: RoundRun | None) -> list[Mapping[str, Any]]:
    """Who has no place in the newest plan and still waits, with reasons, by id; who signed up, changed their
    wish or was taken out since it was made stands there as `not-proposed`."""
    here = RoundPair.round_id == chosen.id
    paired = set(db.session.scalars(select(RoundPair.person_id).where(here)))
    still = {sign.person_id: sign for sign in waiting(chosen)}
    found: dict[int, Mapping[str, Any]] = {}
    if plan is not None:
        found |= {who: {"person": who, "code": NOT_PROPOSED} for who in still}
        found |= {each["person"]: each for each in plan.left_out}
    found |= {who: {**sign.reason, "person": who} for who, sign in still.items() if sign.reason}
    barred = inputs.barred_of(chosen.programme, list(still))
    found |= {who: {"person": who, "code": code} for who, code in barred.items()}
    return [each for who, each in sorted(found.items()) if who in still and who not in paired]


def help_names(left: Iterable[Mapping[str, Any]]) -> dict[tuple[str, int], str]:
    """The names of the products and lines that would help somebody, in two statements."""
    ids: dict[str, set[int]] = {Helps.PRODUCT: set(), Helps.LINE: set()}
    for each in left:
        for told in each.get("helps", ()):
            if told["kind"] in ids and told["value"] is not None:
                ids[told["kind"]].add(told["value"])
    found: dict[tuple[str, int], str] = {}
    for kind, column in ((Helps.PRODUCT, Product), (Helps.LINE, Line)):
        rows = db.session.execute(select(column.id, column.name).where(column.id.in_(ids[kind]))).tuples()
        found |= {(kind.value, number): name for number, name in rows}
    return found


def all_pairs(chosen: Round) -> list[RoundPair]:
    """All pairs of a round, by visitor's id."""
    query = select(RoundPair).where(RoundPair.round_id == chosen.id).order_by(RoundPair.person_id)
    return list(db.session.scalars(query))


def status_of(chosen: Round, run: RoundRun | None, pairs: Sequence[RoundPair]) -> str:
    """Where a round's proposal stands, in a word."""
    if any(pair.state in UNSETTLED for pair in pairs):
        return "publishing"
    if run is not None and run.state in UNDER_WAY:
        return str(run.state)
    if chosen.published_at is not None:
        return "published"
    return str(run.state) if run is not None else "none"


@dataclass(frozen=True)
class Wished:
    """A sign-up with its pair, the newest search and plan, and the products' names.

    Whom they refuse stays theirs.
    """

    sign: RoundSignUp
    pair: RoundPair | None
    run: RoundRun | None
    plan: RoundRun | None
    products: Sequence[str]

    @property
    def can_change(self) -> bool:
        """Whether somebody may be given another hour now."""
        is_free = self.sign.outcome in (Outcome.OPEN, Outcome.LEFT_OUT)
        proposed = self.pair is None or self.pair.state == PairState.PROPOSED
        return is_free and proposed and (self.run is None or self.run.state not in UNDER_WAY)


def wish_of(chosen: Round, person_id: int) -> Wished:
    """Somebody's wish and what they were given. Raises NotFound."""
    sign = db.session.scalar(
        select(RoundSignUp)
        .where(RoundSignUp.round_id == chosen.id, RoundSignUp.person_id == person_id)
        .options(joinedload(RoundSignUp.person), joinedload(RoundSignUp.line))
    )
    if sign is None:
        raise NotFound
    pair = db.session.scalar(
        select(RoundPair)
        .where(RoundPair.round_id == chosen.id, RoundPair.person_id == person_id)
        .options(joinedload(RoundPair.agent), joinedload(RoundPair.mentor), joinedload(RoundPair.visit))
    )
    query = select(Product.id, Product.name).where(Product.id.in_(sign.products))
    products = dict(db.session.execute(query).tuples().all())
    named = [products[one] for one in sign.products if one in products]
    return Wished(sign, pair, newest_run(chosen), newest_plan(chosen), named)


def options(chosen: Round, sign: RoundSignUp, *, now: datetime) -> list[Pair]:
    """Hours that somebody could be given whatever the others have, the best match first."""
    frame = inputs.frame_of(chosen, now)
    (person,) = inputs.people_of(chosen, [sign], frame)
    found = []
    for each in Ranking(list(inputs.agents_of(chosen, frame))).best(person, OPTIONS, whatever=True):
        bits, agent = bits_of(each.starts), each.agent
        for bit in bits[:: max(len(bits) // A_HEAD, 1)][:A_HEAD]:
            words, score = because(person, agent, bit), score_at(person, agent, bit)
            found.append(Pair(person.id, agent.id, frame.grid.first + bit, score, words))
    found.sort(key=lambda pair: (-pair.score, pair.agent in person.met, pair.start, pair.agent))
    return found[:OPTIONS]
