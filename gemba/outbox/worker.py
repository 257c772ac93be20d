"""The worker: threads that claim, send and report, until told to stop.

Any number of workers may run on any number of machines (one machine on SQLite). Time is the database's
own on PostgreSQL, so that machines whose clocks differ agree on when a lease ends.
"""

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog
from flask import Flask
from jinja2 import TemplateError
from sqlalchemy.exc import SQLAlchemyError

from gemba.clock import now as app_now
from gemba.config import current_settings
from gemba.db import db, reading
from gemba.outbox import claims, ticks
from gemba.outbox.claims import Lease
from gemba.outbox.delivery import Deliverer, deliverer
from gemba.outbox.kinds import Ending, background_kinds, handler_of
from gemba.outbox.rules import LEASE, Failed, Permanent, Temporary
from gemba.outbox.service import CHANNEL

POLL = 1.0
HEARTBEAT = 10.0
LAST_SENDS = 20.0
KEEP_CONNECTION = 5.0
OF_THE_DATA = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, TemplateError)

log = structlog.get_logger()


def outbox_time() -> datetime:
    """The database's time on PostgreSQL, the app's clock on SQLite."""
    return claims.database_now() or app_now()


class Worker:
    """Empties the outbox of an app with some threads; `lease`, `poll` and `clock` are for tests."""

    def __init__(
        self,
        app: Flask,
        *,
        threads: int = 4,
        lease: timedelta = LEASE,
        poll: float = POLL,
        clock: Callable[[], datetime] = outbox_time,
    ) -> None:
        self._app, self._lease, self._poll, self._clock = app, lease, poll, clock
        self._asked_to_stop = False
        self._stopping = threading.Event()
        self._bell = threading.Condition()
        self._ticks: dict[str, datetime] = {}
        self._threads = [
            # Every second thread leaves aside what runs in the background: a code to sign in never waits
            # for a slow calendar.
            threading.Thread(target=self._work, args=(number % 2 == 1,), name=f"outbox-{number}", daemon=True)
            for number in range(threads)
        ]
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"

    def stop(self) -> None:
        """Asks the worker to end; for signal handlers too, so it takes no lock (Event.set() does)."""
        self._asked_to_stop = True

    def run(self) -> bool:
        """Works until stop(). False where a send did not end in time: its lease will run out."""
        for thread in self._threads:
            thread.start()
        listener = threading.Thread(target=self._listen, name="outbox-bell", daemon=True)
        listener.start()
        beaten = float("-inf")
        while not self._asked_to_stop:
            if time.monotonic() - beaten >= HEARTBEAT:
                self._beat()
                beaten = time.monotonic()
            time.sleep(0.1)
        self._stopping.set()
        with self._bell:
            self._bell.notify_all()
        deadline = time.monotonic() + LAST_SENDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def drain(self, *, alone: bool = False) -> int:
        """Sends in this thread what is due, and says how many tries it took.

        `alone` where no worker stays: periodic work that is due is done too, and what comes of it sent.
        """
        if alone:
            self._beat()
        with self._app.app_context():
            way_out = deliverer(current_settings())
        try:
            return self._send(way_out)
        finally:
            way_out.close()

    def _beat(self) -> None:
        with self._app.app_context():
            try:
                now = self._clock()
                claims.heartbeat(self.name, now)
                made = ticks.make_due(now, self._ticks)
                db.session.commit()
                self._ticks = made
            except SQLAlchemyError:
                log.warning("outbox.no-heartbeat", worker=self.name, exc_info=True)

    def _work(self, only_messages: bool) -> None:
        with self._app.app_context():
            way_out = deliverer(current_settings())
        worked = time.monotonic()
        while not self._stopping.is_set():
            try:
                found = self._send(way_out, background_kinds() if only_messages else ()) > 0
            except Exception:
                # The database is away, or something nobody thought of: the thread must outlive both.
                log.exception("outbox.trouble", worker=self.name)
                self._stopping.wait(self._poll * 2)
                continue
            if found:
                worked = time.monotonic()
                continue
            if time.monotonic() - worked > KEEP_CONNECTION:
                way_out.close()
            with self._bell:
                if not self._stopping.is_set():
                    self._bell.wait(self._poll)
        way_out.close()

    def _send(self, way_out: Deliverer, but: Sequence[str] = ()) -> int:
        """Sends one after the other until nothing is due; says how many tries it took."""
        tries = 0
        with self._app.app_context():
            held = self._claim(but)
        while held is not None:
            with self._app.app_context():
                held = self._report(held, self._try(held, way_out), but)
            tries += 1
        return tries

    def _claim(self, but: Sequence[str]) -> Lease | None:
        with reading():
            now = self._clock()
            due = claims.something_due(now, but)
            db.session.rollback()
        if not due:
            return None
        held = claims.claim(now, self._lease, but)
        db.session.commit()
        if held is not None and self._stopping.is_set():
            claims.release(held)
            db.session.commit()
            return None
        return held

    def _try(self, held: Lease, way_out: Deliverer) -> Failed | Ending | None:
        try:
            made = handler_of(held.facts.kind)(held.payload, held.facts)
            db.session.rollback()  # what a handler read must not stay open while the network is slow
            if not isinstance(made, bytes):
                return made
            way_out.deliver(made, held.facts)
        except Failed as failure:
            return failure
        except OF_THE_DATA as error:
            log.exception("outbox.bad-item", item=held.facts.id, kind=held.facts.kind)
            return Permanent(f"The message could not be made ({type(error).__name__}).")
        except Exception as error:
            log.exception("outbox.surprise", item=held.facts.id, kind=held.facts.kind)
            return Temporary(f"Something unexpected happened ({type(error).__name__}).")
        return None

    def _report(self, held: Lease, outcome: Failed | Ending | None, but: Sequence[str]) -> Lease | None:
        """Writes down what became of the item and, with the same commit, claims the next.

        Insists, as a mail sent but not noted is sent again.
        """
        failure = outcome if isinstance(outcome, Failed) else None
        for wait in (0.5, 2.0, 0.0):
            try:
                db.session.rollback()
                now = self._clock()
                noted = claims.finish(held, now) if failure is None else claims.fail(held, failure, now)
                if noted and callable(outcome):
                    outcome(now)
                following = None if self._stopping.is_set() else claims.claim(now, self._lease, but)
                db.session.commit()
            except SQLAlchemyError:
                db.session.rollback()
                if not wait:
                    raise
                time.sleep(wait)
            else:
                self._tell(held, failure, noted)
                return following
        return None

    def _tell(self, held: Lease, failure: Failed | None, noted: bool) -> None:
        facts = {"item": held.facts.id, "kind": held.facts.kind, "attempt": held.facts.attempt}
        if not noted:
            log.warning("outbox.lease-lost", **facts)
        elif failure is None:
            # A tick each minute would drown what the log is read for.
            (log.debug if held.facts.kind == ticks.KIND else log.info)("outbox.sent", **facts)
        else:
            log.warning(
                "outbox.failed", permanent=isinstance(failure, Permanent), reason=str(failure), **facts
            )

    def _listen(self) -> None:
        """Rings when PostgreSQL says that something was queued; the poll remains if this cannot be had."""
        with self._app.app_context():
            engine = db.engine
        if engine.dialect.name != "postgresql":
            return
        import psycopg  # only here: a start with SQLite need not wait for it

        url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        while not self._stopping.is_set():
            try:
                with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    while not self._stopping.is_set():
                        for _notice in connection.notifies(timeout=self._poll, stop_after=1):
                            with self._bell:
                                self._bell.notify_all()
            except psycopg.Error:
                self._stopping.wait(5)
