"""Fourth step: peak hours of a line, busy calendars, a programme that wants a yes, somebody who waits."""

from datetime import datetime, timedelta

from gemba.calendars import service as calendars
from gemba.calendars.copies import Copy
from gemba.calendars.rules import DAYS_AHEAD
from gemba.db import db
from gemba.demo.loading.company import DAY, MINUTE, Loaded
from gemba.demo.loading.hands_on import load_hands_on
from gemba.demo.loading.training import load_training, save_mentors_hours
from gemba.people.models import Person
from gemba.programmes.models import Programme
from gemba.schedule import quiet
from gemba.schedule.rules import Span
from gemba.visits import service as visits
from gemba.visits.facts import Ask

PEAK = ("buyers", [{"weekday": "mon", "start": "09:00", "end": "10:30"}])
BUSY = {"anna-kessler": "Team meetings", "ekaterina-rogova": "Планёрки"}
MEETING = 45
"""Minutes of a meeting each working day at noon UTC."""
ASKED_AFTER = timedelta(days=3)


def load_calendar(loaded: Loaded, now: datetime) -> None:
    """What stands against hours, and what waits for an answer."""
    _peak(loaded, now)
    for key, name in BUSY.items():
        agent = loaded.people[key]
        copy = Copy(spans=_meetings(now), events=1, known_until=now + DAY * DAYS_AHEAD)
        calendars.add_file(agent, agent.id, copy=copy, name=name, now=now - DAY)
    till = _free_till(now)
    save_mentors_hours(loaded, now)
    load_training(till, loaded, now)
    load_hands_on(till, loaded, now)
    _request(till, loaded.people["charlotte-meyer"], loaded.people["marcus-delgado"], now)
    visits.wait(till, loaded.people["rahul-deshpande"], Ask(loaded.people["arjun-bhatt"].id), now=now)


def _peak(loaded: Loaded, now: datetime) -> None:
    key, weekly = PEAK
    anna = loaded.people["anna-kessler"]
    if anna.line is None or anna.line.lead is None:
        raise ValueError(f"the line {key} has a lead")
    lead = anna.line.lead
    quiet.set_quiet_hours(lead, anna.line.id, {"timezone": lead.timezone, "weekly": weekly}, now=now)


def _meetings(now: datetime) -> list[list[int]]:
    """A stand-up each working day of the coming weeks, in whole minutes since 1970."""
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0)
    days = (noon + DAY * number for number in range(1, 60))
    minutes = [int(day.timestamp()) // 60 for day in days if day.weekday() < 5]
    return [[minute, minute + MEETING] for minute in minutes]


def _free_till(now: datetime) -> Programme:
    """Several hours on the line: the head of the line says yes to each."""
    programme = Programme(
        slug="free-till",
        name="Free till",
        name_ru="Свободная касса",
        purpose="Two hours on the line beside a mentor. The head of the line says yes to each visit.",
        purpose_ru="Два часа на линии рядом с наставником. Руководитель линии подтверждает каждый визит.",
        format="hands-on",
        duration_minutes=120,
        approval=True,
        created_at=now - DAY * 30,
    )
    db.session.add(programme)
    db.session.flush()
    return programme


def _request(programme: Programme, visitor: Person, agent: Person, now: datetime) -> None:
    asked_at, ask = now - MINUTE * 95, Ask(agent.id)
    window = Span(now + ASKED_AFTER, now + DAY * programme.horizon_days)
    starts = visits.open_slots(programme, visitor, ask=ask, window=window, now=asked_at).starts
    visits.book(programme=programme, visitor=visitor, start=starts[0], ask=ask, now=asked_at)
