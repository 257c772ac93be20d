"""The cast: the same seven people in every test.

Alice and Anton are agents of the Checkout line that Lev leads, Vera is a visitor, Olga owns the
backlog, Adam is the admin, Eve is a visitor who has nothing to do with any of it. Ada is an agent of
another line, which Lena leads.
"""

from dataclasses import dataclass
from datetime import datetime

from gemba.db import db
from gemba.people.models import Line, Person, PersonLanguage, PersonRole, Product
from gemba.people.rules import Role
from gemba.programmes.models import Consent, Programme
from gemba.schedule.models import Availability

WORKDAYS = {str(day): [[9 * 60, 13 * 60], [14 * 60, 18 * 60]] for day in range(5)}


@dataclass
class Cast:
    """Everyone, and what they share."""

    alice: Person
    anton: Person
    ada: Person
    vera: Person
    lev: Person
    lena: Person
    olga: Person
    adam: Person
    eve: Person
    checkout: Product
    courier: Product
    line: Line
    other_line: Line
    programme: Programme


def _person(name: str, role: Role, now: datetime, zone: str = "Europe/Berlin", **more: object) -> Person:
    person = Person(
        email=f"{name.split()[0].lower()}@gemba.example",
        name=name,
        timezone=zone,
        timezone_confirmed=True,
        locale="en",
        created_at=now,
        **more,
    )
    person.role_rows = [PersonRole(role=role)]
    db.session.add(person)
    return person


def make_cast(now: datetime) -> Cast:
    """Writes the cast and commits. Agents work Monday to Friday, 9 to 13 and 14 to 18, in their zones.

    All have confirmed what the programme asks of visitors, and it publishes notes at once.
    """
    checkout, courier = Product(name="Checkout"), Product(name="Courier app")
    line, other_line = Line(name="Checkout line"), Line(name="Courier line")
    db.session.add_all([checkout, courier, line, other_line])
    alice = _person("Alice Agent", Role.AGENT, now, line=line, products=[checkout])
    anton = _person("Anton Agent", Role.AGENT, now, "Europe/Moscow", line=line, products=[checkout, courier])
    ada = _person("Ada Other", Role.AGENT, now, line=other_line, products=[courier])
    lev = _person("Lev Lead", Role.LEAD, now, line=line)
    lena = _person("Lena Lead", Role.LEAD, now, line=other_line)
    vera = _person("Vera Visitor", Role.VISITOR, now, department="Product")
    olga = _person("Olga Owner", Role.OWNER, now)
    adam = _person("Adam Admin", Role.ADMIN, now)
    eve = _person("Eve Elsewhere", Role.VISITOR, now, "America/New_York")
    anton.locale = "ru"
    alice.language_rows = [PersonLanguage(language="en")]
    anton.language_rows = [PersonLanguage(language="en"), PersonLanguage(language="ru")]
    ada.language_rows = [PersonLanguage(language="en")]
    db.session.flush()
    line.lead_id, other_line.lead_id = lev.id, lena.id
    for agent in (alice, anton, ada):
        db.session.add(
            Availability(person_id=agent.id, timezone=agent.timezone, weekly=WORKDAYS, overrides={})
        )
    programme = Programme(
        slug="shadow", name="Side by side", name_ru="Рядом", created_at=now, review_hours=0, smallest_group=1
    )
    db.session.add(programme)
    db.session.flush()
    everyone = (alice, anton, ada, vera, lev, lena, olga, adam, eve)
    db.session.add_all(Consent(programme_id=programme.id, person_id=one.id, at=now) for one in everyone)
    db.session.commit()
    return Cast(
        alice, anton, ada, vera, lev, lena, olga, adam, eve, checkout, courier, line, other_line, programme
    )


def let_go(cast: Cast) -> Cast:
    """The cast with its ids, names, roles and other plain values loaded, apart from any session."""
    for each in vars(cast).values():
        db.session.refresh(each)
        if isinstance(each, Person):
            _loaded = each.roles
    db.session.expunge_all()
    return cast
