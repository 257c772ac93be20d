"""Publishing: proposed pairs become visits through the one booking path, some at a time.

Each part is a transaction of its own, so that people book by hand meanwhile; where an hour went to somebody
else, the pair is lost and its person is paired anew among what is left. Nobody who was told of a visit is
moved for that.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update

from gemba.db import db
from gemba.openings import hours_opened
from gemba.outbox import service as outbox
from gemba.people import service as people
from gemba.people.models import AuditEntry, Person
from gemba.rounds.errors import NothingProposed, UnderWay
from gemba.rounds.models import Round, RoundPair, RoundSignUp
from gemba.rounds.pairing.values import TICK_SECONDS, Plan, Why
from gemba.rounds.pairing.wire import Task
from gemba.rounds.rules import NOT_PROPOSED, UNDER_WAY, Outcome, PairState, left_values, pair_values
from gemba.rounds.service import campaigns, declining, inputs, mails
from gemba.rounds.service.looking import help_names
from gemba.rounds.service.proposing import newest_plan, newest_run, publishing_count
from gemba.rounds.service.turns import turns
from gemba.rounds.service.wishing import waiting
from gemba.schedule.rules import AgentFacts
from gemba.visits import facts
from gemba.visits.facts import Ask
from gemba.visits.models import Visit
from gemba.visits.rules import FREE
from gemba.visits.service.agents import Choice, Wanted
from gemba.visits.service.booking import open_visit
from gemba.visits.service.path import lock, settle_or_none
from gemba.visits.service.waiting import hosts_of_held, leave_line

KIND = "round-publish"
PART = 10
"""So many visits are booked in one transaction: some tenths of a second."""
SECONDS = 20.0


def start(viewer: Person, chosen: Round, *, only: Collection[int] | None = None, now: datetime) -> int:
    """Has a worker book the proposed pairs, all or those of some people; says how many.

    With all of them the round is over: who has no visit is told why. Raises UnderWay, NothingProposed.
    """
    campaigns.reread(chosen)
    run = newest_run(chosen)
    if (run is not None and run.state in UNDER_WAY) or publishing_count(chosen):
        raise UnderWay
    query = select(RoundPair).where(RoundPair.round_id == chosen.id, RoundPair.state == PairState.PROPOSED)
    if only is not None:
        query = query.where(RoundPair.person_id.in_(only))
    # Locked: whoever withdraws takes their pair along.
    pairs = db.session.scalars(query.order_by(RoundPair.person_id).with_for_update()).all()
    if not pairs:
        raise NothingProposed
    for pair in pairs:
        pair.state = PairState.PUBLISHING
    detail = {"pairs": len(pairs), "all": only is None}
    people.audit(viewer, "round.publish", f"round:{chosen.id}", detail, now)
    db.session.flush()
    go_on({"round": chosen.id, "by": viewer.id, "all": only is None}, now)
    return len(pairs)


def is_under_way(chosen: Round) -> bool:
    """Whether a worker books visits of a round, or will."""
    return outbox.is_waiting(f"{KIND}:{chosen.id}", or_leased=True)


def go_on(payload: Mapping[str, Any], now: datetime) -> None:
    """Has a worker book what is to be booked in a round."""
    outbox.queue(
        KIND,
        dedup_key=f"{KIND}:{payload['round']}:{secrets.token_hex(8)}",
        group_key=f"{KIND}:{payload['round']}",
        recipient="",
        payload=payload,
        now=now,
    )


def book_some(round_id: int, by_id: int, *, now: datetime) -> int:
    """Books the next pairs; says how many it looked at. To be committed before the next are."""
    chosen = db.session.get_one(Round, round_id)
    pairs = db.session.scalars(
        select(RoundPair)
        .where(RoundPair.round_id == round_id, RoundPair.state == PairState.PUBLISHING)
        .order_by(RoundPair.person_id)
        .limit(PART)
    ).all()
    if not pairs:
        return 0
    # Everyone at once and in order of id: who books by hand locks in the same order, so nobody waits in a
    # circle.
    people_in = {one for pair in pairs for one in (pair.person_id, pair.agent_id)}
    held = hosts_of_held(chosen.programme, [pair.person_id for pair in pairs])
    lock(people_in | held | set(facts.mentors_for(chosen.programme)))
    by = db.session.get_one(Person, by_id)
    for pair in pairs:
        db.session.refresh(pair)
        if pair.state == PairState.PUBLISHING:
            book_pair(chosen, pair, by, now=now)
    db.session.flush()
    return len(pairs)


def book_pair(chosen: Round, pair: RoundPair, by: Person, *, now: datetime) -> None:
    """Books a pair, or marks it lost. To be called under the lock."""
    programme = chosen.programme
    sign = db.session.get(RoundSignUp, (chosen.id, pair.person_id), populate_existing=True)
    if sign is None:
        db.session.delete(pair)
        return
    start = datetime.fromtimestamp(pair.tick * TICK_SECONDS, UTC)
    ask = Ask(agent_id=pair.agent_id)
    wanted = Wanted(
        programme,
        (pair.person_id,),
        ask,
        start,
        rules=inputs.round_rules(programme),
        mentor=pair.mentor_id,
    )
    because = {"round": chosen.id, "words": pair.because}

    def take(choice: Choice, agent: AgentFacts) -> Visit:
        why = replace(choice, because="round", facts=because)
        return open_visit(wanted, why, agent, by, now=now)

    barred = inputs.barred_of(programme, [pair.person_id])
    visit = None if barred else settle_or_none(wanted, take, now=now)
    if visit is None:
        pair.state = PairState.LOST
        return
    pair.state, pair.visit_id = PairState.BOOKED, visit.id
    sign.outcome, sign.reason = Outcome.SERVED, {}
    if leave_line(programme, pair.person, also=ask, now=now):
        hours_opened(now=now)
    mails.served(chosen, pair, visit, now=now)
    people.audit(by, f"visit.{visit.status}", f"visit:{visit.id}", {"round": chosen.id}, now=now)


def lost_task(round_id: int, *, now: datetime) -> Task | None:
    """Those who lost their pair, and what is left of the agents' time; None where nobody did."""
    chosen = db.session.get_one(Round, round_id)
    lost = set(
        db.session.scalars(
            select(RoundPair.person_id).where(
                RoundPair.round_id == round_id, RoundPair.state == PairState.LOST
            )
        )
    )
    signs = list(
        db.session.scalars(
            select(RoundSignUp)
            .join(Person, Person.id == RoundSignUp.person_id)
            .where(RoundSignUp.round_id == round_id, RoundSignUp.person_id.in_(lost), Person.active)
            .order_by(RoundSignUp.person_id)
        )
    )
    barred = inputs.barred_of(chosen.programme, [sign.person_id for sign in signs])
    signs = [sign for sign in signs if sign.person_id not in barred]
    if not signs:
        return None
    frame = inputs.frame_of(chosen, now)
    return Task(
        agents=tuple(inputs.agents_of(chosen, frame, guided_only=False)),
        people=tuple(declining.without_declined(chosen, inputs.people_of(chosen, signs, frame), frame)),
        grid=frame.grid,
        pins=(),
        seconds=SECONDS,
        mentors=inputs.mentors_of(chosen.programme, frame),
    )


def has_mentors(round_id: int) -> bool:
    """Whether a mentor takes part in the visits of a round."""
    return facts.is_guided(db.session.get_one(Round, round_id).programme)


def pair_anew(round_id: int, plan: Plan, *, now: datetime) -> int:
    """Gives those who lost their pair another one, to be booked; keeps why the others get none."""
    mine = {
        pair.person_id: pair
        for pair in db.session.scalars(
            select(RoundPair).where(RoundPair.round_id == round_id, RoundPair.state == PairState.LOST)
        )
    }
    found = 0
    for each in plan.pairs:
        pair = mine.get(each.person)
        if pair is not None:
            values = pair_values(each)
            pair.agent_id, pair.tick, pair.score = values["agent_id"], values["tick"], values["score"]
            pair.because, pair.state, pair.visit_id = values["because"], PairState.PUBLISHING, None
            pair.mentor_id = values["mentor_id"]
            found += 1
    for left in plan.left_out:
        sign = db.session.get(RoundSignUp, (round_id, left.person))
        if sign is not None:
            sign.reason = left_values(left)
    db.session.flush()
    return found


def finish(round_id: int, by_id: int, is_all: bool, now: datetime) -> None:
    """All is booked: who has no visit is told why, where this was the last part, or lost theirs."""
    chosen = db.session.get_one(Round, round_id)
    lost = select(RoundPair).where(RoundPair.round_id == round_id, RoundPair.state == PairState.LOST)
    gone = {pair.person_id: pair for pair in db.session.scalars(lost)}
    for pair in gone.values():
        db.session.delete(pair)
    ends = is_all or chosen.published_at is not None
    if is_all and chosen.published_at is None:
        chosen.published_at = now
        chosen.close(now)
    plan = newest_plan(chosen)
    why = {each["person"]: each for each in (plan.left_out if plan is not None else [])}
    db.session.flush()
    if not ends:
        return
    signs = [sign for sign in waiting(chosen) if sign.person_id in gone or sign.outcome == Outcome.OPEN]
    barred = inputs.barred_of(chosen.programme, [sign.person_id for sign in signs])
    why |= {who: {"code": code, "facts": {}, "would_work": []} for who, code in barred.items()}
    order = turns(chosen, [sign.person_id for sign in waiting(chosen)])
    names = help_names([*why.values(), *(sign.reason for sign in signs)])
    for sign in signs:
        reason = (sign.reason if sign.person_id in gone else None) or why.get(sign.person_id)
        sign.outcome = Outcome.LEFT_OUT
        turn, number = order[sign.person_id]
        usual = Why.ALL_TAKEN.value if sign.person_id in gone else NOT_PROPOSED
        sign.reason = {**(reason or {"code": usual, "facts": {}, "would_work": []})}
        sign.reason |= {"turn": turn, "lot": number}
        mails.left_out(chosen, sign, names, now=now)
    db.session.flush()


def watch(now: datetime) -> None:
    """Looks after booked pairs: whose visit fell through, or who declined its hour, is paired anew; who
    cancelled has withdrawn."""
    rows = db.session.execute(
        select(RoundPair, Visit)
        .join(Visit, Visit.id == RoundPair.visit_id)
        .where(RoundPair.state == PairState.BOOKED, Visit.status.in_(FREE), Visit.starts_at > now)
        .order_by(RoundPair.round_id, RoundPair.person_id)
    ).all()
    again: set[int] = set()
    for pair, visit in rows:
        own = _cancelled_by(visit) == pair.person_id
        if own and not declining.wants_another(db.session.get_one(Round, pair.round_id), pair.person_id):
            _withdrew(pair)
        else:
            pair.state = PairState.LOST
            db.session.execute(
                update(RoundSignUp)
                .where(RoundSignUp.round_id == pair.round_id, RoundSignUp.person_id == pair.person_id)
                .values(outcome=Outcome.OPEN)
            )
            again.add(pair.round_id)
    for round_id in sorted(again):
        db.session.flush()
        go_on({"round": round_id, "by": _publisher(round_id), "all": False}, now)


def _withdrew(pair: RoundPair) -> None:
    db.session.execute(
        update(RoundSignUp)
        .where(RoundSignUp.round_id == pair.round_id, RoundSignUp.person_id == pair.person_id)
        .values(outcome=Outcome.WITHDREW)
    )
    db.session.delete(pair)


def _cancelled_by(visit: Visit) -> int | None:
    """Who cancelled a visit: its audit entry is of the same instant as its last change."""
    return db.session.scalar(
        select(AuditEntry.person_id)
        .where(
            AuditEntry.at == visit.changed_at,
            AuditEntry.action == "visit.cancelled",
            AuditEntry.subject == f"visit:{visit.id}",
        )
        .limit(1)
    )


def _publisher(round_id: int) -> int:
    """In whose name a round books: whoever published it last."""
    return (
        db.session.scalar(
            select(Visit.booked_by_id)
            .join(RoundPair, RoundPair.visit_id == Visit.id)
            .where(RoundPair.round_id == round_id)
            .order_by(Visit.id.desc())
            .limit(1)
        )
        or 0
    )
