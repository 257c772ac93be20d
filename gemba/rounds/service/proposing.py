"""Proposals: asked for, kept while they are worked out, looked at, pinned and changed.

One search at a time writes a round's pairs. Whoever runs it holds the token of its row; a search that was
stopped, or whose worker died and was taken over, writes nothing any more.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from gemba.db import db, table_of
from gemba.errors import NotFound
from gemba.outbox import service as outbox
from gemba.people import service as people
from gemba.people.models import Person
from gemba.rounds.errors import NobodySignedUp, NotPossible, UnderWay
from gemba.rounds.models import Round, RoundPair, RoundRun, RoundSignUp
from gemba.rounds.pairing.candidates import because, score_at
from gemba.rounds.pairing.values import TICK_SECONDS, Plan
from gemba.rounds.rules import (
    UNDER_WAY,
    UNSETTLED,
    Outcome,
    PairState,
    RunState,
    Step,
    figures_values,
    left_values,
    pair_values,
)
from gemba.rounds.service import campaigns, inputs

KIND = "round-propose"
ABANDONED = timedelta(minutes=3)
"""A search that began so long ago was killed: it never takes longer."""


def start(viewer: Person | None, chosen: Round, *, now: datetime) -> RoundRun:
    """Asks a worker for pairs. Raises UnderWay, or NobodySignedUp where nobody waits."""
    campaigns.reread(chosen)
    before = newest_run(chosen)
    if before is not None and before.state in UNDER_WAY:
        if now - (before.began_at or before.created_at) < ABANDONED:
            raise UnderWay
        before.state, before.ended_at = RunState.FAILED, now
    if publishing_count(chosen):
        raise UnderWay
    if not inputs.ready(chosen):
        raise NobodySignedUp
    run = RoundRun(
        round_id=chosen.id,
        state=RunState.WAITING,
        step=Step.WAITS,
        asked_by_id=viewer.id if viewer else None,
        created_at=now,
    )
    db.session.add(run)
    db.session.flush()
    people.audit(viewer, "round.propose", f"round:{chosen.id}", {"run": run.id}, now)
    return run


def queue(run: RoundRun, *, now: datetime) -> None:
    """Puts a search into the outbox for a worker."""
    outbox.queue(
        KIND,
        dedup_key=f"{KIND}:{run.id}",
        group_key=f"{KIND}:{run.round_id}",
        recipient="",
        payload={"run": run.id},
        now=now,
    )


def stop(viewer: Person, chosen: Round, *, now: datetime) -> bool:
    """Stops a search that is under way; what it found so far stays. False where there is none."""
    run = newest_run(chosen)
    if run is None or run.state not in UNDER_WAY:
        return False
    run.state, run.ended_at = RunState.STOPPED, now
    people.audit(viewer, "round.stop", f"round:{chosen.id}", {"run": run.id}, now)
    db.session.flush()
    return True


def newest_run(chosen: Round) -> RoundRun | None:
    """The newest search of a round."""
    return db.session.scalar(
        select(RoundRun).where(RoundRun.round_id == chosen.id).order_by(RoundRun.id.desc()).limit(1)
    )


def newest_plan(chosen: Round) -> RoundRun | None:
    """The newest search of a round that found something: what its pairs and reasons are from."""
    found = select(RoundRun).where(RoundRun.round_id == chosen.id, RoundRun.digest != "")
    return db.session.scalar(found.order_by(RoundRun.id.desc()).limit(1))


def publishing_count(chosen: Round) -> int:
    """How many pairs wait to be booked, or for another hour."""
    query = select(func.count()).where(RoundPair.round_id == chosen.id, RoundPair.state.in_(UNSETTLED))
    return db.session.scalar(query) or 0


def begin(run_id: int, *, now: datetime) -> str | None:
    """Takes a search over; its token, None where it is over or was stopped."""
    token = secrets.token_hex(8)
    taken = db.session.execute(
        update(RoundRun)
        .where(RoundRun.id == run_id, RoundRun.state.in_(UNDER_WAY))
        .values(state=RunState.RUNNING, step=Step.READS, token=token, began_at=now)
        .execution_options(synchronize_session=False)
    )
    return token if taken.rowcount else None  # type: ignore[attr-defined]


def note(run_id: int, token: str, **values: Any) -> bool:
    """Writes down how far a search is; False where it was stopped or taken over."""
    written = db.session.execute(
        update(RoundRun)
        .where(RoundRun.id == run_id, RoundRun.token == token, RoundRun.state == RunState.RUNNING)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(written.rowcount)  # type: ignore[attr-defined]


def goes_on(run_id: int, token: str) -> bool:
    """Whether a search still runs and is ours."""
    query = select(RoundRun.id).where(
        RoundRun.id == run_id, RoundRun.token == token, RoundRun.state == RunState.RUNNING
    )
    return db.session.scalar(query) is not None


def keep(run_id: int, token: str, plan: Plan, *, digest: str, final: bool, now: datetime) -> bool:
    """Writes a plan in the place of the one before; False where the search was stopped or taken over."""
    run = db.session.get(RoundRun, run_id)
    values: dict[str, Any] = {
        "figures": figures_values(plan),
        "left_out": [left_values(each) for each in plan.left_out],
        "digest": digest,
        "step": Step.READY if final else Step.MATCH,
    }
    if final:
        values |= {"state": RunState.DONE, "ended_at": now}
    if run is None or not note(run_id, token, **values):
        return False
    mine = RoundPair.round_id == run.round_id
    kept = set(db.session.scalars(select(RoundPair.person_id).where(mine, _stays())))
    db.session.execute(delete(RoundPair).where(mine, ~_stays()).execution_options(synchronize_session=False))
    # Whoever withdrew while pairs were looked for gets none.
    still = set(db.session.scalars(select(RoundSignUp.person_id).where(RoundSignUp.round_id == run.round_id)))
    free = still - kept
    rows = [
        {"round_id": run.round_id, "state": PairState.PROPOSED, "pinned": False, **pair_values(pair)}
        for pair in plan.pairs
        if pair.person in free
    ]
    if rows:
        db.session.execute(insert(table_of(RoundPair)), rows)
    db.session.expire_all()
    return True


def _stays() -> Any:
    """SQL: pairs that a new proposal leaves alone."""
    return RoundPair.pinned | RoundPair.state.in_((PairState.BOOKED, PairState.PUBLISHING))


def fail(run_id: int, token: str, code: str, *, now: datetime) -> None:
    """Writes down that a search came to nothing."""
    note(run_id, token, state=RunState.FAILED, error=code, ended_at=now)


def pin(viewer: Person, chosen: Round, person_id: int, *, pinned: bool, now: datetime) -> RoundPair:
    """Keeps a proposed pair in the next proposals, or no longer does. Raises NotFound, UnderWay."""
    _nothing_runs(chosen)
    pair = _proposed(chosen, person_id)
    pair.pinned = pinned
    action = "round.pin" if pinned else "round.unpin"
    people.audit(viewer, action, f"round:{chosen.id}", {"person": person_id}, now)
    db.session.flush()
    return pair


def drop(viewer: Person, chosen: Round, person_id: int, *, now: datetime) -> None:
    """Takes a proposed pair out of the proposal. Raises NotFound, UnderWay."""
    _nothing_runs(chosen)
    db.session.delete(_proposed(chosen, person_id))
    people.audit(viewer, "round.drop", f"round:{chosen.id}", {"person": person_id}, now)
    db.session.flush()


def change(
    viewer: Person, chosen: Round, person_id: int, agent_id: int, start: datetime, *, now: datetime
) -> RoundPair:
    """Gives somebody who signed up this agent and hour, pinned. Raises NotFound, UnderWay, NotPossible.

    Whether the rest still fits is for the next proposal to say, and for the booking itself.
    """
    _nothing_runs(chosen)
    sign = db.session.get(RoundSignUp, (chosen.id, person_id))
    if sign is None or sign.outcome not in (Outcome.OPEN, Outcome.LEFT_OUT):
        raise NotFound
    if inputs.barred_of(chosen.programme, [person_id]):
        raise NotPossible
    frame = inputs.frame_of(chosen, now)
    agents = list(inputs.agents_of(chosen, frame, only={agent_id}))
    (person,) = inputs.people_of(chosen, [sign], frame)
    tick = int(start.timestamp()) // TICK_SECONDS
    bit = tick - frame.grid.first
    fits = agents and agent_id != person_id and 0 <= bit < frame.grid.count
    if not fits or not agents[0].starts & person.free & 1 << bit:
        raise NotPossible
    for other in db.session.scalars(
        select(RoundPair).where(
            RoundPair.round_id == chosen.id,
            RoundPair.agent_id == agent_id,
            RoundPair.person_id != person_id,
            RoundPair.state == PairState.PROPOSED,
        )
    ):
        if abs(other.tick - tick) < agents[0].apart:
            if other.pinned:
                raise NotPossible
            db.session.delete(other)
    pair = db.session.get(RoundPair, (chosen.id, person_id))
    if pair is None:
        pair = RoundPair(round_id=chosen.id, person_id=person_id)
        db.session.add(pair)
    elif pair.state not in (PairState.PROPOSED, PairState.LOST):
        raise NotFound
    pair.agent_id, pair.tick, pair.state, pair.pinned = agent_id, tick, PairState.PROPOSED, True
    pair.visit_id = pair.mentor_id = None
    pair.score = score_at(person, agents[0], bit)
    pair.because = [word.value for word in because(person, agents[0], bit)]
    detail = {"person": person_id, "agent": agent_id, "start": start.isoformat()}
    people.audit(viewer, "round.change", f"round:{chosen.id}", detail, now)
    db.session.flush()
    return pair


def _proposed(chosen: Round, person_id: int) -> RoundPair:
    pair = db.session.get(RoundPair, (chosen.id, person_id))
    if pair is None or pair.state != PairState.PROPOSED:
        raise NotFound
    return pair


def _nothing_runs(chosen: Round) -> None:
    run = newest_run(chosen)
    if run is not None and run.state in UNDER_WAY:
        raise UnderWay
