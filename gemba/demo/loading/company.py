"""First step: lines, products, people, agents' hours, the programme and its round."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from random import Random
from zoneinfo import ZoneInfo

from gemba.db import db
from gemba.demo.content import WEEKDAYS, Company, HoursContent, Interval
from gemba.people.models import Line, Person, PersonLanguage, PersonRole, Product
from gemba.programmes.models import Consent, Programme
from gemba.rounds.models import Round, RoundSignUp
from gemba.schedule import service as schedule
from gemba.visits.models import Visit

SEED = 20261123
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
HOURS_SAVED = 30
"""So many days ago agents saved the hours that are in force."""


@dataclass
class Loaded:
    """What is in the database so far, by the keys of the files; `random` gives the same each time."""

    people: dict[str, Person]
    products: dict[str, Product]
    programme: Programme
    visits: dict[str, Visit] = field(default_factory=dict)
    random: Random = field(default_factory=lambda: Random(SEED))  # noqa: S311 - variety, not a secret


def load_company(company: Company, now: datetime) -> Loaded:
    """Everybody and everything that visits need."""
    founded = now - DAY * company.programme.started_days_ago
    products = {product.key: Product(name=product.name) for product in company.products}
    db.session.add_all(products.values())
    people = _people(company, products, founded)
    loaded = Loaded(people, products, _programme(company, people, founded, now))
    for hours in company.hours:
        _save_hours(company, hours, people[hours.agent], now)
    db.session.flush()
    return loaded


def _people(company: Company, products: Mapping[str, Product], founded: datetime) -> dict[str, Person]:
    lines = {line.key: Line(name=line.name) for line in company.lines}
    db.session.add_all(lines.values())
    rows = {}
    for person in company.people:
        rows[person.key] = Person(
            email=person.email,
            name=person.name,
            timezone=person.timezone,
            timezone_confirmed=True,
            locale=person.locale,
            department=person.department,
            line=lines[person.line] if person.line else None,
            products=[products[key] for key in person.products],
            role_rows=[PersonRole(role=role) for role in sorted(person.roles)],
            language_rows=[PersonLanguage(language=language) for language in person.languages],
            created_at=founded,
        )
        db.session.add(rows[person.key])
    db.session.flush()
    for line in company.lines:
        lines[line.key].lead_id = rows[line.lead].id
    db.session.flush()
    return rows


def _programme(company: Company, people: Mapping[str, Person], founded: datetime, now: datetime) -> Programme:
    content, campaign = company.programme, company.programme.round
    programme = Programme(
        slug=content.slug,
        name=content.name.en,
        name_ru=content.name.ru,
        purpose=content.purpose.en,
        purpose_ru=content.purpose.ru,
        guide=content.guide.en,
        guide_ru=content.guide.ru,
        smallest_group=3,
        created_at=founded,
        **content.rules,
    )
    autumn = Round(
        programme=programme,
        name=campaign.name.en,
        name_ru=campaign.name.ru,
        opens_at=now - DAY * campaign.opened_days_ago - MINUTE * 90,
        closes_at=now + DAY * campaign.closes_in_days,
        seed=SEED,
        sign_ups=[
            RoundSignUp(
                person=people[sign_up.person],
                note=sign_up.note,
                created_at=now - DAY * sign_up.days_ago - MINUTE * (70 - 5 * number),
            )
            for number, sign_up in enumerate(campaign.sign_ups)
        ],
    )
    db.session.add_all([programme, autumn])
    db.session.flush()
    db.session.add_all(
        Consent(programme_id=programme.id, person_id=person.id, at=founded) for person in people.values()
    )
    return programme


def _save_hours(company: Company, content: HoursContent, agent: Person, now: datetime) -> None:
    today = now.astimezone(ZoneInfo(agent.timezone)).date()
    days: dict[date, Sequence[Interval]] = {
        today + DAY * other.days_ahead: other.intervals for other in content.overrides
    }
    if content.agent == company.running.agent:
        days |= _opened_for_now(company, content, agent.timezone, now)
    document = {
        "timezone": agent.timezone,
        "weekly": [
            {"weekday": WEEKDAYS[day], **interval}
            for day, intervals in content.weekly.items()
            for interval in _written(intervals)
        ],
        "overrides": [{"date": day.isoformat(), "intervals": _written(days[day])} for day in sorted(days)],
        "buffer_before": content.buffer_before,
        "buffer_after": content.buffer_after,
        "limits": {
            "per_day": content.per_day,
            "per_week": content.per_week,
            "per_month": content.per_month,
        },
    }
    schedule.set_availability(agent, agent.id, document, now=now - DAY * HOURS_SAVED)


def _written(intervals: Sequence[Interval]) -> list[dict[str, str]]:
    return [{"start": _clock(start), "end": _clock(end)} for start, end in intervals]


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def running_start(company: Company, zone: str, now: datetime) -> datetime:
    """When the running visit began: a start of the programme's grid, 10 to 40 minutes ago.

    The grid is the wall clock of the agent's zone.
    """
    step = int(company.programme.rules["slot_step_minutes"])
    wall = (now - MINUTE * (company.running.started_minutes_ago // 2)).astimezone(ZoneInfo(zone))
    past_grid = MINUTE * ((wall.hour * 60 + wall.minute) % step)
    return (wall.replace(second=0, microsecond=0) - past_grid).astimezone(UTC)


def _opened_for_now(
    company: Company, content: HoursContent, zone: str, now: datetime
) -> dict[date, Sequence[Interval]]:
    """The agent opened the hour that is running, whatever hour it is: their usual day and that hour."""
    start = running_start(company, zone, now)
    length = int(company.programme.rules["duration_minutes"])
    walls = [(start + MINUTE * passed).astimezone(ZoneInfo(zone)) for passed in range(0, length, 5)]
    days: dict[date, Sequence[Interval]] = {}
    for day, moments in groupby(walls, key=lambda wall: wall.date()):
        minutes = [wall.hour * 60 + wall.minute for wall in moments]
        usual = content.weekly.get(day.weekday(), ())
        days[day] = joined([*usual, (min(minutes), max(minutes) + 5)])
    return days


def joined(intervals: Sequence[Interval]) -> list[Interval]:
    """Intervals in order, those that touch or overlap made one."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found
