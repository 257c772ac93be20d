"""What the worker does for notes: asks agents to look at them, and publishes what nobody objected to."""

from datetime import datetime, timedelta

from gemba.insights import encoders
from gemba.insights.service import keeping, meaning, pictures, reviewing, standing
from gemba.outbox import service as outbox
from gemba.outbox import ticks
from gemba.people.models import Person
from gemba.people.rules import MailKind
from gemba.visits.models import Visit

PERIOD = timedelta(minutes=5)
SWEEP = timedelta(hours=1)
ENCODE = timedelta(minutes=2)


def tick(now: datetime) -> None:
    """Every few minutes: publishes what is due, then asks for what is not."""
    standing.publish_due(now)
    outbox.queue_all([_mail(visit, count, until, now) for visit, count, until in reviewing.ask(now)])


def retention(now: datetime) -> None:
    """Every hour: drops words and pictures that were kept long enough."""
    keeping.drop_old(now)


def _mail(visit: Visit, count: int, until: datetime, now: datetime) -> outbox.Row:
    """Says how many notes wait and until when, and never what they say."""
    agent: Person = visit.agent
    return outbox.mail_row(
        **outbox.addressed(agent),
        template="review",
        context={
            "first_name": agent.first_name,
            "count": count,
            "until": until,
            "start": visit.starts_at,
            "zone": agent.timezone,
            "visitors": [visitor.name for visitor in visit.visitors],
            "programme": visit.programme.name_in(agent.locale),
            "path": f"/visits/{visit.id}/review",
        },
        dedup_key=f"review:{visit.id}:{now:%Y-%m-%d}",
        group_key=f"review:{visit.id}",
        extra={"choice": {"person": agent.id, "kind": MailKind.REVIEW.value}},
        now=now,
    )


def init_app() -> None:
    """Says what is done every few minutes."""
    ticks.every("notes", PERIOD, tick)
    ticks.every("retention", SWEEP, retention)
    ticks.every("uploads", SWEEP, pictures.sweep)
    if encoders.available():
        ticks.every_planned("vectors", ENCODE, meaning.plan)
