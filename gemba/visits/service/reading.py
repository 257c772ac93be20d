"""What a person may see of visits, and which hours they could book."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import joinedload, selectinload

from gemba.db import db
from gemba.people.models import Person
from gemba.people.rules import Role
from gemba.programmes.models import Programme
from gemba.schedule.rules import Offer, Reason, Span
from gemba.visits import facts, kept
from gemba.visits.errors import VisitNotFound
from gemba.visits.facts import ANY, Ask
from gemba.visits.models import Visit, VisitOutcome
from gemba.visits.rules import TookPlace
from gemba.visits.service.agents import Wanted, reasons_against
from gemba.visits.service.proposing import participants


def visible_visits(viewer: Person) -> list[ColumnElement[bool]]:
    """SQL conditions that hold for the visits a person may see."""
    if viewer.has(Role.ADMIN):
        return []
    mine = facts.is_participant_of(viewer.id)
    if viewer.has(Role.LEAD):
        mine = mine | Visit.agent.has(Person.line.has(lead_id=viewer.id))
    return [mine]


def visits_of(person: Person) -> Select[Visit]:
    """The visits in which this person takes part, for further conditions."""
    return with_people(select(Visit)).where(facts.is_participant_of(person.id))


def get_visit(viewer: Person, visit_id: int) -> Visit:
    """A visit this person may see. Raises VisitNotFound."""
    visit = db.session.scalar(with_people(select(Visit)).where(Visit.id == visit_id, *visible_visits(viewer)))
    if visit is None:
        raise VisitNotFound
    return visit


def list_visits(
    viewer: Person,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    statuses: Collection[str] = (),
    agent_id: int | None = None,
    mine: bool = False,
    newest_first: bool = False,
    after: tuple[datetime, int] | None = None,
    limit: int = 50,
    offset: int = 0,
) -> list[Visit]:
    """Visits this person may see whose end is at or after `since` and start before `until`.

    `after` is start and id of the visit behind which the list goes on, in order of start.
    """
    query = with_people(select(Visit)).where(*visible_visits(viewer))
    if mine:
        query = query.where(facts.is_participant_of(viewer.id))
    if since is not None:
        query = query.where(Visit.ends_at >= since)
    if until is not None:
        query = query.where(Visit.starts_at < until)
    if statuses:
        query = query.where(Visit.status.in_(statuses))
    if agent_id is not None:
        query = query.where(Visit.agent_id == agent_id)
    if after is not None:
        start, visit_id = after
        query = query.where((Visit.starts_at > start) | ((Visit.starts_at == start) & (Visit.id > visit_id)))
    order = (Visit.starts_at.desc(), Visit.id.desc()) if newest_first else (Visit.starts_at, Visit.id)
    return list(db.session.scalars(query.order_by(*order).limit(limit).offset(offset)))


def is_participant(visit: Visit, person: Person) -> bool:
    """Whether the person is agent, lead, mentor or visitor of the visit."""
    return person.id in participants(visit)


def answers_of(visit: Visit) -> dict[int, TookPlace]:
    """What each side said about whether the visit took place."""
    rows = db.session.execute(
        select(VisitOutcome.person_id, VisitOutcome.took_place).where(VisitOutcome.visit_id == visit.id)
    )
    return {person: TookPlace(value) for person, value in rows}


def open_slots(
    programme: Programme,
    visitor: Person,
    *,
    ask: Ask = ANY,
    window: Span,
    now: datetime,
    moving: Visit | None = None,
) -> Offer:
    """What this person could book in the window; for a visit on the move, what its visitors could."""
    visitors = tuple(person.id for person in moving.visitors) if moving else (visitor.id,)
    return kept.offered(programme, visitors, ask, window, now=now, moving=moving)


def why_not(
    programme: Programme, visitor: Person | None, agent_id: int, *, start: datetime, now: datetime
) -> list[Reason]:
    """Every reason why this agent cannot be booked at this start; empty means offered. Raises NotFound.

    Without a visitor only the agent's and the programme's side is asked.
    """
    agents = facts.agents_for(Ask(agent_id=agent_id))
    if not agents:
        raise VisitNotFound
    visitors = (visitor.id,) if visitor is not None else ()
    wanted = Wanted(programme, visitors, Ask(agent_id=agent_id), start)
    known = wanted.known(agents)
    return reasons_against(wanted, known.agents[0], known, now=now)


def with_people(query: Select[Visit]) -> Select[Visit]:
    """Loads the people and names of each visit along, in a constant number of statements."""
    return query.options(
        joinedload(Visit.programme),
        joinedload(Visit.product),
        joinedload(Visit.agent).joinedload(Person.line),
        joinedload(Visit.lead),
        joinedload(Visit.mentor),
        selectinload(Visit.visitors),
    )
