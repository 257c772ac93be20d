"""Which agents take a programme's visits: those of its lines who speak one of its languages.

No line and no language named means every agent. It is asked wherever a new hour is found; a visit that is
booked stays with its agent.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, func, select

from gemba.db import db
from gemba.people.models import Person, PersonLanguage, PersonRole
from gemba.people.rules import LANGUAGES, Role
from gemba.programmes.models import Programme


def is_limited(programme: Programme) -> bool:
    """Whether some agents take no visits of a programme."""
    return bool(programme.lines or programme.languages)


def within(lines: Collection[int], languages: Collection[str]) -> list[ColumnElement[bool]]:
    """The conditions on Person of agents of these lines who speak one of these languages; empty is any."""
    found: list[ColumnElement[bool]] = []
    if lines:
        found.append(Person.line_id.in_(sorted(lines)))
    if languages:
        speaking = select(PersonLanguage.person_id).where(PersonLanguage.language.in_(sorted(languages)))
        found.append(Person.id.in_(speaking))
    return found


def hosting(programme: Programme) -> list[ColumnElement[bool]]:
    """The conditions on Person of whoever takes visits of a programme, an agent given."""
    return within(programme.lines, programme.languages)


def outside(programme: Programme, agents: Collection[int]) -> frozenset[int]:
    """Those of these agents who take no visits of a programme; a statement only where it is limited."""
    if not is_limited(programme) or not agents:
        return frozenset()
    query = select(Person.id).where(Person.id.in_(list(agents)), *hosting(programme))
    return frozenset(agents) - set(db.session.scalars(query))


def count(programme: Programme) -> int:
    """How many active agents take visits of a programme, whether they saved hours or not."""
    agents = select(PersonRole.person_id).where(PersonRole.role == Role.AGENT)
    query = select(func.count()).where(Person.active, Person.id.in_(agents), *hosting(programme))
    return db.session.scalar(query) or 0


def languages_of(programme: Programme) -> list[str]:
    """The names of a programme's languages, [] for any."""
    return [name for code, name in LANGUAGES.items() if code in programme.languages]
