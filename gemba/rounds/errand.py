"""What the worker does about rounds: looks for pairs, books them, reminds, mends what fell through."""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from gemba.calendars.errand import reader
from gemba.clock import now as app_now
from gemba.db import db, reading
from gemba.outbox.kinds import Ending, ItemFacts, register
from gemba.outbox.ticks import every
from gemba.programmes.doors import when_asked_for_rounds
from gemba.rounds.models import Round, RoundRun
from gemba.rounds.pairing.values import Plan
from gemba.rounds.rules import Step
from gemba.rounds.service import cadence, calendars, campaigns, inputs, inviting, proposing, publishing
from gemba.rounds.working import NoPlan, digest_of, work_out

TRIES = 3
"""So often those who lost their hour are paired anew before they are told that there is none."""
TRIES_GUIDED = 10
"""The same where mentors take part: an hour is lost as soon as either of two is taken."""
SLICE = 20.0
PAUSE = 0.12
"""Seconds between two parts: who waits for SQLite's only writer looks every tenth of a second."""

log = structlog.get_logger()


def propose(payload: Mapping[str, Any], _item: ItemFacts) -> Ending | None:
    """Looks for the pairs of a round, and keeps what is found as it comes."""
    look(int(payload["run"]))
    return None


def look(run_id: int) -> None:
    """One search, from the first look to the last word; no transaction is open while it is worked out."""
    now = app_now()
    token = proposing.begin(run_id, now=now)
    db.session.commit()
    if token is None:
        return
    with reading():
        chosen = db.session.get_one(Round, db.session.get_one(RoundRun, run_id).round_id)
        task = inputs.task_of(chosen, now=now)
        db.session.rollback()
    digest = digest_of(task)
    proposing.note(run_id, token, step=Step.WHO)
    db.session.commit()
    try:
        for plan, final in work_out(task, wanted=partial(_wanted, run_id, token)):
            proposing.keep(run_id, token, plan, digest=digest, final=final, now=app_now())
            db.session.commit()
    except NoPlan as none:
        log.warning("rounds.no-plan", run=run_id, code=none.code)
        proposing.fail(run_id, token, none.code, now=app_now())
        db.session.commit()


def _wanted(run_id: int, token: str) -> bool:
    with reading():
        wanted = proposing.goes_on(run_id, token)
        db.session.rollback()
    return wanted


def publish(payload: Mapping[str, Any], _item: ItemFacts) -> Ending | None:
    """Books the pairs of a round part by part; who lost the race for an hour is paired anew.

    Ends well before its lease does, and has the rest done by the next errand.
    """
    round_id, by_id, tries = int(payload["round"]), int(payload["by"]), int(payload.get("tries", 0))
    end = time.monotonic() + SLICE
    while publishing.book_some(round_id, by_id, now=app_now()):
        db.session.commit()
        if time.monotonic() > end:
            return partial(publishing.go_on, dict(payload))
        time.sleep(PAUSE)
    db.session.rollback()
    most = TRIES_GUIDED if publishing.has_mentors(round_id) else TRIES
    if tries < most and _pair_anew(round_id):
        return partial(publishing.go_on, {**payload, "tries": tries + 1})
    return partial(publishing.finish, round_id, by_id, bool(payload["all"]))


def _pair_anew(round_id: int) -> int:
    with reading():
        task = publishing.lost_task(round_id, now=app_now())
        db.session.rollback()
    if task is None:
        return 0
    plans: list[Plan] = [plan for plan, _final in work_out(task, wanted=lambda: True)]
    found = publishing.pair_anew(round_id, plans[-1], now=app_now())
    db.session.commit()
    return found


def every_minute(now: datetime) -> None:
    """Mends what fell through, and reminds before sign-up ends."""
    publishing.watch(now)
    inviting.remind_by_itself(now)
    inviting.ask_agents_again(now)


read_calendar = reader(calendars.order_of, calendars.take)


def init_app() -> None:
    """Says who does what."""
    register(calendars.KIND, read_calendar, background=True)
    register(proposing.KIND, propose, background=True)
    register(publishing.KIND, publish, background=True)
    when_asked_for_rounds(campaigns.open_round)
    every("rounds", timedelta(minutes=1), every_minute)
    every("cadence", timedelta(hours=6), cadence.nudge)
    every("round-calendars", timedelta(hours=6), calendars.forget_old)
