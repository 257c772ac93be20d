"""How a tracker is: whether it answers, wants to be left alone, or takes our token no more."""

from datetime import datetime, timedelta

from gemba.db import db
from gemba.outbox import service as outbox
from gemba.people.models import Person
from gemba.trackers.models import Connection
from gemba.trackers.rules import pace
from gemba.trackers.service import connections
from gemba.trackers.talk import Outcome, What

GOOD = (What.FOUND, What.EMPTY, What.MADE, What.UPDATED)


def note(tracker: Connection, outcome: Outcome, now: datetime) -> None:
    """The circuit breaker, the tracker's own wish to wait, and a token that is not taken any more."""
    if outcome.what in GOOD:
        well(tracker, now)
    elif outcome.what is What.BUSY or (outcome.wait and outcome.what is What.UNCERTAIN):
        until = now + timedelta(seconds=max(outcome.wait, 1))
        tracker.wait_until, tracker.wait_why = max(until, tracker.wait_until or until), "busy"
    elif outcome.what is What.TOKEN:
        pause(tracker, now)
    elif outcome.what in (What.AWAY, What.UNCERTAIN):
        tracker.failures += 1
        asked = tracker.wait_why == "busy" and tracker.wait_until is not None and tracker.wait_until > now
        # What it asked for itself counts, also where it then did not answer.
        if (seconds := pace.breaker(tracker.failures)) and not asked:
            tracker.wait_until, tracker.wait_why = now + timedelta(seconds=seconds), "away"


def well(tracker: Connection, now: datetime) -> None:
    """It answers: the breaker closes, and a wait that is over is forgotten."""
    tracker.failures = 0
    if tracker.wait_why == "away" or (tracker.wait_until is not None and tracker.wait_until <= now):
        tracker.wait_until, tracker.wait_why = None, ""


def pause(tracker: Connection, now: datetime) -> None:
    """Stops sending until the token was mended, and tells the person who connected the tracker."""
    if tracker.trouble:
        return
    tracker.trouble = connections.TOKEN
    owner = db.session.get_one(Person, tracker.created_by_id)
    if owner.active:
        path = f"/trackers/{tracker.id}"
        outbox.queue_mail(
            **outbox.addressed(owner),
            template="tracker_paused",
            context={"tracker": tracker.name, "path": path},
            dedup_key=f"tracker-paused:{tracker.id}:{now.isoformat()}",
            now=now,
        )
