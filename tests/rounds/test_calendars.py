"""A calendar at an address that somebody gave with their wish: read, kept as busy times only, forgotten."""

from collections.abc import Callable
from datetime import UTC, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.errors import Invalid
from gemba.outbox.models import OutboxItem
from gemba.people.models import Person
from gemba.personal.taking import archive_of
from gemba.rounds import service
from gemba.rounds.models import Round, RoundCalendar, RoundSignUp
from gemba.rounds.service import calendars, inputs, wishing
from gemba.rounds.service.wishing import Wish
from tests.calendars.conftest import reading, server, work
from tests.cast import Cast, make_cast
from tests.conftest import StandingClock
from tests.fakes.calendars import Server, event, ics
from tests.rounds.test_round import make_round

__all__ = ["reading", "server", "work"]
TUESDAY = event("20261201T080000Z", "20261201T170000Z", "SUMMARY:Dentist")
KIND = OutboxItem.kind == calendars.KIND


@pytest.fixture
def there(reading: Flask, clock: StandingClock, monkeypatch: pytest.MonkeyPatch) -> Cast:
    """The cast; what is typed may lead to this machine here."""
    monkeypatch.setattr(calendars, "clean_address", lambda url: url)
    return make_cast(clock())


def free_on(chosen: Round, person: Person, clock: StandingClock) -> set[int]:
    """The days of December on which somebody could come, as the engine hears it."""
    frame = inputs.frame_of(chosen, clock())
    sign = db.session.get_one(RoundSignUp, (chosen.id, person.id))
    (one,) = inputs.people_of(chosen, [sign], frame)
    ticks = (tick for tick in range(frame.grid.count) if one.free >> tick & 1)
    return {frame.grid.instant(frame.grid.first + tick).astimezone(UTC).day for tick in ticks}


def test_a_calendar_is_read_until_the_pairs_are_published_and_then_forgotten(
    there: Cast, server: Server, work: Callable[..., int], clock: StandingClock
) -> None:
    chosen, vera = make_round(there, clock), there.vera
    server.put("/v.ics", ics(TUESDAY))
    service.sign_up(vera, chosen, wish=Wish(calendar=server.url("/v.ics")), now=clock())
    assert server.asked == []
    sign = wishing.sign_up_of(chosen, vera)
    assert sign is not None
    told = calendars.of(sign, clock())
    assert told is not None
    assert (told.fetched_at, told.error, told.stale) == (None, "", False)
    assert free_on(chosen, vera, clock) == {30, 1, 2, 3, 4}
    assert calendars.read_of(chosen, clock()) == calendars.Read(1, 1)

    assert work() == 1
    row = db.session.scalars(select(RoundCalendar)).one()
    assert (row.events, row.fetched_at) == (1, clock())
    assert "Dentist" not in str(vars(row))
    assert free_on(chosen, vera, clock) == {30, 2, 3, 4}
    assert calendars.read_of(chosen, clock()) == calendars.Read(1, 0)
    (item,) = db.session.scalars(select(OutboxItem).where(KIND))
    assert (item.run_at, server.url("") in str(item.payload)) == (clock() + calendars.EVERY, False)
    # Another wish says nothing of it: it stays. Its owner alone has the address, in their archive too.
    service.sign_up(vera, chosen, wish=Wish(note="x"), now=clock())
    assert b"round_calendar.json" in archive_of(vera)
    assert b"round_calendar.json" not in archive_of(there.eve)

    server.answers["/v.ics"] = (503, {}, b"")
    work(7 * 60)
    told = calendars.of(sign, clock())
    assert told is not None
    assert (told.error, told.stale, told.coming) == (
        "The server that holds the calendar has trouble.",
        True,
        1,
    )
    assert free_on(chosen, vera, clock) == {30, 2, 3, 4}
    assert calendars.read_of(chosen, clock()) == calendars.Read(1, 1)
    # The same address again: tried once more at once.
    server.answers.clear()
    server.put("/v.ics", ics())
    service.sign_up(vera, chosen, wish=Wish(calendar=row.url), now=clock())
    assert work() == 1
    assert free_on(chosen, vera, clock) == {30, 1, 2, 3, 4}
    # Sign-up ends before the next reading would be due: it is read then.
    clock.at = chosen.closes_at - timedelta(hours=1)
    work()
    (item,) = db.session.scalars(select(OutboxItem).where(KIND))
    assert item.run_at == chosen.closes_at

    chosen.published_at = chosen.closes_at
    asked = len(server.asked)
    work(24 * 60)
    assert len(server.asked) == asked
    assert db.session.scalar(select(OutboxItem).where(KIND, OutboxItem.state == "ready")) is None
    sign.busy = [[1, 2]]
    calendars.forget_old(chosen.window[1] - timedelta(minutes=1))
    assert db.session.scalars(select(RoundCalendar)).all()
    calendars.forget_old(chosen.window[1])
    db.session.expire_all()
    assert (db.session.scalars(select(RoundCalendar)).all(), sign.busy) == ([], [])


def test_another_address_no_address_and_going_leave_nothing_behind(
    there: Cast, server: Server, work: Callable[..., int], clock: StandingClock
) -> None:
    chosen, vera = make_round(there, clock), there.vera
    for path in ("/a.ics", "/b.ics"):
        server.put(path, ics(TUESDAY))
    for path in ("/a.ics", "/b.ics"):
        service.sign_up(vera, chosen, wish=Wish(calendar=server.url(path)), now=clock())
    assert work() == 1
    assert [each.path for each in server.asked] == ["/b.ics"]
    for leave in (
        lambda: service.sign_up(vera, chosen, wish=Wish(calendar=""), now=clock()),
        lambda: service.withdraw(vera, chosen, now=clock()),
    ):
        leave()
        work()
        assert db.session.scalars(select(RoundCalendar)).all() == []
        service.sign_up(vera, chosen, wish=Wish(calendar=server.url("/a.ics")), now=clock())
    work(3 * 24 * 60)
    assert {each.path for each in server.asked[1:]} == {"/a.ics"}


def test_an_address_inside_the_house_is_refused(app: Flask, cast: Cast, clock: StandingClock) -> None:
    chosen = make_round(cast, clock)
    for url in ("http://127.0.0.1/x.ics", "file:///etc/passwd", "nonsense"):
        with pytest.raises(Invalid) as refused:
            service.sign_up(cast.vera, chosen, wish=Wish(calendar=url), now=clock())
        assert refused.value.errors.keys() == {"calendar_url"}
