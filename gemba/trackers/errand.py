"""What the worker does about trackers: exports, looks at what changed there, and applies the rules.

An export speaks to its tracker in several threads at once, none of which touches the database. This thread
alone does, in short transactions: claim, write down what is about to be sent, write down what came of it.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from threading import Event
from typing import Any

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from gemba.clock import now as app_now
from gemba.db import db, reading
from gemba.fetch import Lines
from gemba.insights import service as insights
from gemba.outbox.kinds import Ending, ItemFacts, register
from gemba.outbox.ticks import every
from gemba.trackers import hook, talk, views
from gemba.trackers.adapters import Tracker
from gemba.trackers.rules import pace
from gemba.trackers.service import back, chain, pictures, rules, running, struck
from gemba.trackers.service.running import Order
from gemba.trackers.talk import Outcome, Task, What

RECHECK = 1.0
DEEP = 8
"""So many requests wait for each thread at most."""
STEP = 0.05
"""Seconds between looks at what the threads have done: fewer, larger transactions."""


def export(payload: Mapping[str, Any], _item: ItemFacts) -> Ending | None:
    """One slice of a tracker's exports; the Ending queues the next where something is left."""
    tracker_id = int(payload["tracker"])
    with reading():
        order = running.order_of(tracker_id, app_now())
        db.session.rollback()
    if order is not None:
        with closing(Lines()) as lines:
            order = replace(order, adapter=order.adapter.over(lines))
            slice_ = _Slice(order)
            slice_.work()
            if slice_.may_go_on:
                _attach(order, time.monotonic() + pace.SLICE)
    return partial(running.after, tracker_id)


def _attach(order: Order, end: float) -> None:
    """Pictures, one after the other: what is being sent is written down before, what came of it after."""
    while time.monotonic() < end:
        with reading():
            waits = pictures.due(order.tracker_id, app_now())
            db.session.rollback()
        sent = pictures.take(order.tracker_id, app_now()) if waits else None
        db.session.commit()
        if sent is None:
            return
        content = insights.content_of(sent.file)
        if content is None:
            outcome = Outcome(sent.task, What.GONE, said="The picture's file is gone.")
        else:
            outcome = talk.enclose(order.adapter, sent.task, sent.name, content, tried=sent.tried)
        go_on = pictures.note(order.tracker_id, sent, outcome, app_now())
        db.session.commit()
        if not go_on:
            return


class _Slice:
    """Some seconds of exporting to one tracker."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._end = time.monotonic() + pace.SLICE
        self._going: set[Future[Outcome]] = set()
        self._ready: deque[Task] = deque()
        self._go_on = True
        traits = order.traits
        self._allowance = pace.Allowance(traits.per_minute, traits.parallel, time.monotonic())
        self._empty_until = 0.0
        self._hold = Event()

    def work(self) -> None:
        """Until nothing is left, time is up, or the tracker wants no more."""
        with ThreadPoolExecutor(self._order.traits.parallel, "tracker") as pool:
            while True:
                self._turn(pool)
                if not self._going and not self._ready:
                    return
                wait(self._going, timeout=STEP, return_when=FIRST_COMPLETED)
                time.sleep(STEP)

    @property
    def may_go_on(self) -> bool:
        """Whether the tracker still wants to be spoken to."""
        return not self._hold.is_set()

    def _turn(self, pool: ThreadPoolExecutor) -> None:
        """One transaction: what came back, what goes out."""
        done = {future for future in self._going if future.done()}
        if not (done or self._ready or self._wants_more()):
            return
        self._going -= done
        now = app_now()
        if done:
            ready, may = running.take(self._order, [future.result() for future in done], now)
            self._ready.extend(ready)
            self._go_on = self._go_on and may
            if not may:
                self._hold.set()
        # Once a thread heard that it must wait, all would come back unsent, again and again.
        self._go_on = self._go_on and not self._hold.is_set() and time.monotonic() < self._end
        sending: list[Task] = []
        work = running.Work([], [])
        if self._go_on:
            sending = [self._ready.popleft() for _ in range(self._room())]
            sending = running.begin(sending, now)
            work = running.claim(self._order, self._appetite(), now)
            if not len(work):
                self._empty_until = time.monotonic() + RECHECK
        else:
            running.release(self._ready)
            self._ready.clear()
        db.session.commit()
        jobs = ((talk.make, sending), (talk.look, work.look), (talk.change, work.change))
        for job, tasks in jobs:
            begun = time.monotonic()
            self._going |= {pool.submit(self._do, job, task, begun) for task in tasks}

    def _do(self, job: Callable[[Tracker, Task], Outcome], task: Task, begun: float) -> Outcome:
        """In a thread. Once the tracker said to wait, or took the token no more, nothing more is sent; nor
        what waited so long that another worker may soon take it for abandoned."""
        stale = time.monotonic() - begun > pace.LEASE.total_seconds() / 2
        if self._hold.is_set() or stale:
            return Outcome(task, What.HELD)
        outcome = job(self._order.adapter, task)
        if outcome.what in (What.BUSY, What.TOKEN):
            self._hold.set()
        return outcome

    def _wants_more(self) -> bool:
        return self._go_on and self._appetite() > 0 and time.monotonic() >= self._empty_until

    def _appetite(self) -> int:
        """How many more to claim: enough that no thread waits for the next transaction."""
        return DEEP * self._order.traits.parallel - len(self._going) - len(self._ready)

    def _room(self) -> int:
        """How many may be sent now, by threads and by what the tracker takes in a minute."""
        room = DEEP * self._order.traits.parallel - len(self._going)
        return self._allowance.take(min(room, len(self._ready)), time.monotonic())


def look(payload: Mapping[str, Any], _item: ItemFacts) -> Ending | None:
    """Reads what changed in a tracker, and writes it down with the end of the errand."""
    tracker_id = int(payload["tracker"])
    now = app_now()
    with reading():
        order = running.order_of(tracker_id, now)
        asked = back.asked(tracker_id, now) if order is not None else None
        db.session.rollback()
    if order is None or asked is None:
        return None
    found = back.read(order.adapter, asked, [str(ref) for ref in payload.get("refs", ())])
    return partial(back.take, tracker_id, found)


def every_minute(now: datetime) -> None:
    """Goes on with exports whose chain was broken, and looks at the trackers whose turn it is."""
    for tracker_id in running.unfinished():
        chain.wake(tracker_id, now)
    for tracker_id in back.due(now):
        chain.look_soon(tracker_id, [], now)


def every_hour(now: datetime) -> None:
    """Exports what the rules of trackers say."""
    rules.apply(now)


KEEPS_COPIES = (struck.take_out,)
"""Registered by being imported: wherever words are struck, they are taken out here too."""


def init_app(app: Flask, csrf: CSRFProtect) -> None:
    """Registers pages, the way in for webhooks (known by signature alone), and what the worker does."""
    app.register_blueprint(views.blueprint)
    app.register_blueprint(hook.blueprint)
    csrf.exempt(hook.blueprint)
    register(chain.RUN, export, background=True)
    register(chain.LOOK, look, background=True)
    every("trackers", timedelta(minutes=1), every_minute)
    every("tracker-rules", timedelta(hours=1), every_hour)
