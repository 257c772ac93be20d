"""Second step: visits, each through the one booking path, at the moment it would have been booked."""

from contextlib import suppress
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import update

from gemba.db import db
from gemba.demo.content import ComingVisit, Company, Outcome, PastVisit
from gemba.demo.loading.company import DAY, MINUTE, Loaded, running_start
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import State
from gemba.people.models import Person
from gemba.schedule.rules import Span
from gemba.visits import service as visits
from gemba.visits.errors import NotOffered
from gemba.visits.facts import Ask
from gemba.visits.models import Visit
from gemba.visits.rules import TookPlace

REACH = timedelta(days=5)
"""So far from the wished day a visit may lie, where that day is none of the agent's."""
NOT_TODAY = timedelta(hours=6)
CANCELLED_BEFORE = timedelta(hours=26)

Planned = PastVisit | ComingVisit


def load_visits(company: Company, loaded: Loaded, now: datetime) -> None:
    """The past, whose mail counts as sent; the visit that is running; and those to come, whose mail waits."""
    for past in sorted(company.past, key=lambda visit: -visit.days_ago):
        loaded.visits[past.key] = _past_visit(past, loaded, now)
    _running_visit(company, loaded, now)
    _count_as_sent()
    for coming in sorted(company.coming, key=lambda visit: visit.days_ahead):
        loaded.visits[coming.key] = _coming_visit(coming, loaded, now)


def _past_visit(past: PastVisit, loaded: Loaded, now: datetime) -> Visit:
    wished = _wished(past.minute, loaded.people[past.agent], now - DAY * past.days_ago)
    booked_at = wished - REACH - DAY * loaded.random.randint(1, 7)
    start = _nearest_start(past, loaded, wished, Span(wished - REACH, wished + REACH), booked_at)
    visit = _book(past, loaded, start, booked_at)
    if past.outcome is Outcome.CANCELLED:
        by = loaded.people[past.cancelled_by]
        return visits.cancel(visit, by, reason=past.reason, now=start - CANCELLED_BEFORE)
    took_place = TookPlace.YES if past.outcome is Outcome.HELD else TookPlace.NO
    for minutes, side in ((4, past.visitor), (25, past.agent)):
        visits.tell_outcome(visit, loaded.people[side], took_place, now=visit.ends_at + MINUTE * minutes)
    return visit


def _running_visit(company: Company, loaded: Loaded, now: datetime) -> None:
    running = company.running
    start = running_start(company, loaded.people[running.agent].timezone, now)
    # The hour that comes twice in autumn is never offered: then nothing is running.
    with suppress(NotOffered):
        loaded.visits[running.key] = visits.book(
            programme=loaded.programme,
            visitor=loaded.people[running.visitor],
            start=start,
            ask=Ask(loaded.people[running.agent].id, loaded.products[running.product].id),
            now=start - DAY * 4,
        )


def _coming_visit(coming: ComingVisit, loaded: Loaded, now: datetime) -> Visit:
    wished = _wished(coming.minute, loaded.people[coming.agent], now + DAY * coming.days_ahead)
    booked_at = now - MINUTE * loaded.random.randint(60, 6 * 24 * 60)
    window = Span(max(wished - REACH, now + NOT_TODAY), wished + REACH)
    return _book(coming, loaded, _nearest_start(coming, loaded, wished, window, booked_at), booked_at)


def _wished(minute: int, agent: Person, day: datetime) -> datetime:
    """The instant of a wall time on the agent's date of `day`."""
    wall = day.astimezone(ZoneInfo(agent.timezone))
    return wall.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0).astimezone(day.tzinfo)


def _ask(planned: Planned, loaded: Loaded) -> Ask:
    return Ask(loaded.people[planned.agent].id, loaded.products[planned.product].id)


def _nearest_start(
    planned: Planned, loaded: Loaded, wished: datetime, window: Span, booked_at: datetime
) -> datetime:
    """The open start nearest to the wish, better at the same hour of another day than the other way round."""
    offer = visits.open_slots(
        loaded.programme,
        loaded.people[planned.visitor],
        ask=_ask(planned, loaded),
        window=window,
        now=booked_at,
    )

    def distance(start: datetime) -> tuple[float, timedelta]:
        apart = abs(start - wished)
        hours_apart = apart % DAY
        return min(hours_apart, DAY - hours_apart) / MINUTE, apart

    return min(offer.starts, key=distance)


def _book(planned: Planned, loaded: Loaded, start: datetime, booked_at: datetime) -> Visit:
    return visits.book(
        programme=loaded.programme,
        visitor=loaded.people[planned.visitor],
        start=start,
        ask=_ask(planned, loaded),
        now=booked_at,
    )


def _count_as_sent() -> None:
    """What the past wanted to mail is sent in the story: no mail leaves for it now."""
    db.session.flush()
    db.session.execute(
        update(OutboxItem)
        .where(OutboxItem.state == State.READY)
        .values(state=State.DONE, attempts=1, done_at=OutboxItem.created_at)
        .execution_options(synchronize_session=False)
    )
    db.session.expire_all()
