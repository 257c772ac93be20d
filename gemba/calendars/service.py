"""Busy calendars of agents: who may see and change them, and what becomes of what was read.

For the agent, the lead of their line and admins; for everyone else there is nothing. The address of a
calendar is a secret of the agent: everybody else is shown its host. Nothing here opens a connection.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Select, func, select

from gemba.calendars.copies import Copy, Order, is_stale, keep, note, order_for, sentence_of, wait_after
from gemba.calendars.errors import AlreadyThere, NothingToRead, TooManySources
from gemba.calendars.rules import LONGEST_WAIT, MOST_SOURCES, NAME_MAX, coming
from gemba.db import db
from gemba.errors import Invalid, NotFound
from gemba.fetch import BadAddress, NotPublic, clean_address
from gemba.openings import hours_opened
from gemba.outbox import service as outbox
from gemba.people import service as people
from gemba.people.models import Person
from gemba.people.rules import N_, clean_line
from gemba.schedule.models import Availability, BusySource
from gemba.schedule.service import agent_in_sight, touch

KIND = "busy-fetch"
WEEKS_SHOWN = 4


@dataclass(frozen=True)
class Listed:
    """A source as it may be shown to someone. `address` is whole for its owner and ends after the host for
    others; both it and `host` are "" for a file. `coming` counts busy times of the next four weeks.
    `error` is an English sentence, "" where the last try was good; `stale`: what is known may be old.
    """

    id: int
    name: str
    host: str
    address: str
    events: int
    coming: int
    created_at: datetime
    tried_at: datetime | None
    fetched_at: datetime | None
    known_until: datetime | None
    error: str
    stale: bool

    @property
    def is_file(self) -> bool:
        """Whether it was uploaded, and so will never change."""
        return not self.host


def sources_of(viewer: Person, agent_id: int, now: datetime) -> list[Listed]:
    """An agent's busy calendars, oldest first. Raises NotFound."""
    agent = agent_in_sight(viewer, agent_id)
    query = select(BusySource).where(BusySource.person_id == agent.id).order_by(BusySource.id)
    return [listed(viewer, row, now) for row in db.session.scalars(query)]


def listed(viewer: Person, row: BusySource, now: datetime) -> Listed:
    """A source as `viewer`, who is known to have it in sight, may see it."""
    parts = urlsplit(row.url)
    masked = f"{parts.scheme}://{parts.netloc}/…" if row.url else ""
    return Listed(
        id=row.id,
        name=row.name,
        host=parts.hostname or "",
        address=row.url if viewer.id == row.person_id else masked,
        events=row.events,
        coming=len(coming(row.spans, now, days=7 * WEEKS_SHOWN)),
        created_at=row.created_at,
        tried_at=row.tried_at,
        fetched_at=row.fetched_at,
        known_until=row.known_until,
        error=sentence_of(row.error),
        stale=is_stale(row, now),
    )


def add_address(viewer: Person, agent_id: int, *, url: str, name: str = "", now: datetime) -> BusySource:
    """Adds a calendar at an address; a worker reads it in a moment.

    Raises NotFound, Invalid at `url` or `name`, AlreadyThere, TooManySources.
    """
    agent = _locked_agent(viewer, agent_id)
    try:
        address = clean_address(url)
    except (BadAddress, NotPublic) as bad:
        raise Invalid({"url": [bad.sentence]}) from None
    if db.session.scalar(_of(agent).where(BusySource.url == address)) is not None:
        raise AlreadyThere
    row = _add(agent, name or (urlsplit(address).hostname or ""), now, url=address)
    _queue(row, now, now)
    _audit(viewer, agent, "calendar.add", row, now)
    return row


def add_file(
    viewer: Person, agent_id: int, *, copy: Copy, name: str = "", file_name: str = "", now: datetime
) -> BusySource:
    """Keeps what was read of an uploaded file (gemba.calendars.uploads).

    Raises NotFound, Invalid at `file` where it could not be read, TooManySources.
    """
    agent = _locked_agent(viewer, agent_id)
    if copy.spans is None:
        raise Invalid({"file": [sentence_of(copy.error)]})
    row = _add(agent, name or clean_line(file_name)[:NAME_MAX] or "calendar.ics", now)
    if keep(row, copy, now):
        _changed(row, now)
    _audit(viewer, agent, "calendar.add", row, now)
    return row


def remove(viewer: Person, agent_id: int, source_id: int, now: datetime) -> Listed:
    """Removes a calendar and its busy times; answers what it was. Raises NotFound."""
    agent = _locked_agent(viewer, agent_id)
    # The source before what hangs on it, as a worker does: neither waits for the other in a circle.
    row = _source(agent, source_id, lock=True)
    was = listed(viewer, row, now)
    outbox.drop_superseded(_chain(row), {""}, now)
    outbox.forget(_chain(row))
    _audit(viewer, agent, "calendar.remove", row, now)
    if row.spans:
        touch([agent.id])
    db.session.delete(row)
    db.session.flush()
    hours_opened(now=now)
    return was


def refresh(viewer: Person, agent_id: int, source_id: int, now: datetime) -> None:
    """Has a calendar read again in a moment. Raises NotFound, NothingToRead for a file."""
    row = _source(agent_in_sight(viewer, agent_id), source_id)
    if not row.url:
        raise NothingToRead
    if not outbox.hasten(_chain(row), now):
        _queue(row, now, now)


def zone_of(viewer: Person, agent_id: int) -> str:
    """The zone in which whole days of an agent's calendars are meant. Raises NotFound."""
    agent = agent_in_sight(viewer, agent_id)
    row = db.session.get(Availability, agent.id)
    return row.timezone if row else agent.timezone


def order_of(source_id: int, made: str, now: datetime) -> Order | None:
    """What is to be read for a source, None where it is gone. `made` tells it from one with its number."""
    row = db.session.get(BusySource, source_id)
    if row is None or row.created_at.isoformat() != made or not row.url:
        return None
    person = db.session.get_one(Person, row.person_id)
    hours = db.session.get(Availability, person.id)
    zone = hours.timezone if hours else person.timezone
    return order_for(row.id, row, zone=zone, active=person.active, now=now)


def take(order: Order, copy: Copy | None, now: datetime) -> None:
    """Writes down what came of an order and queues the next reading; None where its person is not here."""
    row = db.session.get(BusySource, order.source_id, with_for_update=True, populate_existing=True)
    if row is None or (row.created_at, row.url) != (order.made, order.url):
        return
    wait = LONGEST_WAIT
    if copy is not None:
        if note(row, copy, now):
            _changed(row, now)
        wait = wait_after(row, now)
    outbox.forget(_chain(row))
    if not outbox.is_waiting(_chain(row)):
        _queue(row, now + wait, now)
    db.session.flush()


def stale_sources(now: datetime) -> list[tuple[str, BusySource]]:
    """Calendars of active people that brought nothing for longer than a try may wait, with their names."""
    last_good = func.coalesce(BusySource.fetched_at, BusySource.created_at)
    rows = db.session.execute(
        select(Person.name, BusySource)
        .join(Person, Person.id == BusySource.person_id)
        .where(Person.active, BusySource.url != "", last_good < now - LONGEST_WAIT)
        .order_by(last_good)
    )
    return [(name, row) for name, row in rows]


def _changed(row: BusySource, now: datetime) -> None:
    """The busy times to come are others: what the agent offers is worked out anew."""
    touch([row.person_id])
    db.session.flush()
    hours_opened(now=now)


def _add(agent: Person, name: str, now: datetime, url: str = "") -> BusySource:
    name = clean_line(name)
    if len(name) > NAME_MAX:
        raise Invalid({"name": [N_("Use at most 80 characters.")]})
    count = db.session.scalar(
        select(func.count()).select_from(BusySource).where(BusySource.person_id == agent.id)
    )
    if (count or 0) >= MOST_SOURCES:
        raise TooManySources
    row = BusySource(
        person_id=agent.id, name=name, url=url, created_at=now, etag="", last_modified="", spans=[]
    )
    db.session.add(row)
    db.session.flush()
    return row


def _queue(row: BusySource, run_at: datetime, now: datetime) -> None:
    outbox.queue(
        KIND,
        dedup_key=f"{_chain(row)}:{run_at.isoformat()}",
        group_key=_chain(row),
        recipient="",
        payload={"source": row.id, "made": row.created_at.isoformat()},
        now=now,
        run_at=run_at,
    )


def _chain(row: BusySource) -> str:
    """The outbox's group of a source. SQLite gives numbers again, so the moment it was made is part of it."""
    return f"{KIND}:{row.id}:{row.created_at.isoformat()}"


def _of(agent: Person) -> Select[BusySource]:
    return select(BusySource).where(BusySource.person_id == agent.id)


def _source(agent: Person, source_id: int, *, lock: bool = False) -> BusySource:
    query = _of(agent).where(BusySource.id == source_id)
    row = db.session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotFound
    return row


def _locked_agent(viewer: Person, agent_id: int) -> Person:
    """The agent, with their row locked as for every change of what they offer."""
    agent = agent_in_sight(viewer, agent_id)
    db.session.execute(select(Person.id).where(Person.id == agent.id).with_for_update())
    return agent


def _audit(viewer: Person, agent: Person, action: str, row: BusySource, now: datetime) -> None:
    """Writes down what someone else did; one's own calendars are nobody's business."""
    if viewer.id != agent.id:
        detail = {"name": row.name, "host": urlsplit(row.url).hostname or ""}
        people.audit(viewer, action, f"person:{agent.id}", detail, now)
