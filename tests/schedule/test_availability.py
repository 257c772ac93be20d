"""Who may read and change an agent's hours, and what is kept of them; on both databases."""

from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from gemba.db import db
from gemba.errors import Invalid, NotFound, Stale
from gemba.people.models import AuditEntry
from gemba.schedule import rules, service
from gemba.schedule.models import Availability
from gemba.schedule.sides import agent_sides, parts_of
from tests.cast import Cast
from tests.conftest import MONDAY

pytestmark = pytest.mark.usefixtures("app")

DOCUMENT: dict[str, Any] = {
    "timezone": "Europe/Berlin",
    "weekly": [{"weekday": "tue", "start": "09:00", "end": "13:00"}],
    "overrides": [{"date": "2026-12-31", "intervals": []}],
    "buffer_before": 5,
    "buffer_after": 10,
    "limits": {"per_day": 1, "per_week": 3, "per_month": None},
    "time_off": [{"first": "2026-12-24", "last": "2027-01-03"}],
    "holidays": "DE",
    "zone_changes": [{"date": "2026-12-01", "timezone": "Asia/Tbilisi"}],
    "rest_between": True,
}


def test_agent_lead_and_admin_see_the_hours(cast: Cast) -> None:
    for viewer in (cast.alice, cast.lev, cast.adam):
        assert service.availability(viewer, cast.alice.id).timezone == "Europe/Berlin"


def test_everyone_else_is_told_there_is_nothing(cast: Cast) -> None:
    for viewer in (cast.anton, cast.lena, cast.vera, cast.olga, cast.eve):
        with pytest.raises(NotFound):
            service.availability(viewer, cast.alice.id)


def test_only_active_agents_have_hours(cast: Cast) -> None:
    cast.anton.active = False
    db.session.flush()
    for person_id in (cast.vera.id, cast.adam.id, cast.anton.id, 999_999):
        with pytest.raises(NotFound):
            service.availability(cast.adam, person_id)


def test_hours_never_saved_are_an_empty_row_outside_the_database(cast: Cast) -> None:
    db.session.delete(db.session.get_one(Availability, cast.anton.id))
    db.session.flush()
    row = service.availability(cast.anton, cast.anton.id)
    assert (row.version, row.timezone, row.weekly) == (0, "Europe/Moscow", {})
    db.session.flush()
    assert db.session.get(Availability, cast.anton.id) is None


def test_whole_document_replaces_the_hours_and_comes_back_the_same(app: Flask, cast: Cast) -> None:
    service.set_availability(cast.alice, cast.alice.id, DOCUMENT, version=1, now=MONDAY)
    db.session.commit()
    row = service.availability(cast.alice, cast.alice.id)
    assert service.availability_document(row) == DOCUMENT
    assert row.version == 2


def test_first_save_makes_the_row(cast: Cast) -> None:
    db.session.delete(db.session.get_one(Availability, cast.alice.id))
    db.session.flush()
    row = service.set_availability(cast.alice, cast.alice.id, DOCUMENT, version=0, now=MONDAY)
    assert (row.version, db.session.get(Availability, cast.alice.id)) == (1, row)


def test_bad_hours_change_nothing_and_say_where(cast: Cast) -> None:
    bad = {**DOCUMENT, "weekly": [{"weekday": "tue", "start": "13:00", "end": "09:00"}]}
    with pytest.raises(Invalid) as refused:
        service.set_availability(cast.alice, cast.alice.id, bad, now=MONDAY)
    assert list(refused.value.errors) == ["weekly.0.end"]
    assert service.availability(cast.alice, cast.alice.id).version == 1


def test_older_version_is_stale(cast: Cast) -> None:
    service.set_availability(cast.alice, cast.alice.id, DOCUMENT, version=1, now=MONDAY)
    with pytest.raises(Stale):
        service.set_availability(cast.alice, cast.alice.id, DOCUMENT, version=1, now=MONDAY)


def test_change_by_someone_else_is_written_down_and_ones_own_is_not(cast: Cast) -> None:
    service.set_availability(cast.alice, cast.alice.id, DOCUMENT, now=MONDAY)
    service.pause(cast.alice, cast.alice.id, True, MONDAY)
    assert db.session.scalars(select(AuditEntry)).all() == []
    service.set_availability(cast.lev, cast.alice.id, {**DOCUMENT, "overrides": []}, now=MONDAY)
    entry = db.session.scalars(select(AuditEntry)).one()
    assert (entry.person_id, entry.action) == (cast.lev.id, "availability.set")
    assert entry.detail["before"] == DOCUMENT


def test_not_now_closes_every_hour_and_leaves_them_as_they_are(cast: Cast) -> None:
    row = service.pause(cast.alice, cast.alice.id, True, MONDAY)
    assert (row.paused, row.version) == (True, 1)
    assert service.open_minutes(row, now=MONDAY) == 0
    row = service.pause(cast.alice, cast.alice.id, False, MONDAY)
    # Four weeks from Monday 9:00 in Berlin: 20 days of eight hours.
    assert service.open_minutes(row, now=MONDAY) == 20 * 8 * 60


def test_stranger_can_neither_write_nor_pause(cast: Cast) -> None:
    with pytest.raises(NotFound):
        service.set_availability(cast.lena, cast.alice.id, DOCUMENT, now=MONDAY)
    with pytest.raises(NotFound):
        service.pause(cast.vera, cast.alice.id, True, MONDAY)
    assert not db.session.get_one(Availability, cast.alice.id).paused


def test_row_becomes_the_rules_values(cast: Cast) -> None:
    service.set_availability(cast.alice, cast.alice.id, DOCUMENT, now=MONDAY)
    [side] = agent_sides([cast.alice.id])
    facts = side.facts
    assert not side.has_calendars
    assert facts.agent == cast.alice.id
    assert facts.hours.weekly == {1: (rules.Interval(540, 780),)}
    assert facts.hours.overrides == {date(2026, 12, 31): ()}
    assert facts.hours.time_off == ((date(2026, 12, 24), date(2027, 1, 3)),)
    assert (facts.hours.holidays, facts.rest_between) == ("DE", True)
    assert facts.hours.zone_changes == ((date(2026, 12, 1), "Asia/Tbilisi"),)
    assert (facts.buffer_before, facts.buffer_after, facts.limits) == (5, 10, rules.Limits(1, 3, None))


def test_facts_of_many_agents_cost_one_statement(cast: Cast) -> None:
    ids = [cast.alice.id, cast.anton.id, cast.ada.id, cast.vera.id]
    sent: list[str] = []

    def note(_c: Any, _cur: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    parts = parts_of(ids)
    event.remove(db.engine, "before_cursor_execute", note)
    assert sorted(part.agent for part in parts) == sorted(ids[:3])
    assert len(sent) == 1


def test_programme_becomes_rules_of_booking(cast: Cast) -> None:
    booking = service.booking_rules(cast.programme)
    assert (booking.duration_minutes, booking.slot_step_minutes) == (60, 30)
    assert (booking.min_notice_minutes, booking.horizon_days) == (240, 28)
