"""Repair of a published round: an agent fell ill, a visit was called off; as few others as possible move."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.outbox.models import OutboxItem
from gemba.people.models import AuditEntry, Person
from gemba.programmes.rules import Format
from gemba.rounds import service
from gemba.rounds.errors import ChangedMeanwhile
from gemba.rounds.models import Round, RoundPair, RoundSignUp
from gemba.rounds.pairing.repair import Repaired, repair
from gemba.rounds.pairing.values import Pair
from gemba.rounds.rules import Outcome
from gemba.rounds.service import proposing, publishing, repairing, wishing
from gemba.rounds.service.repairing import Fell
from gemba.rounds.service.wishing import Wish
from gemba.schedule import service as schedule
from gemba.schedule.models import Availability
from gemba.visits import service as visits
from gemba.visits.models import Tick, Visit
from gemba.visits.rules import Status
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.rounds.test_round import add_people, make_round, mentors, work
from tests.visits.test_mentor import mentor

DAYS = {0: ("mon",), 1: ("mon", "tue"), 2: ("wed",), 3: ("wed", "thu"), 4: ("fri",)}
"""By guest, the days on which they can come."""


def _publish(app: Flask, cast: Cast, clock: StandingClock) -> tuple[int, list[int]]:
    """A published round: guests 0, 2 and 4 visit Alice, guests 1 and 3 Anton, who takes one a day."""
    guests = [person.id for person in add_people(cast, len(DAYS), clock)]
    chosen = make_round(cast, clock)
    db.session.get_one(Availability, cast.anton.id).per_day = 1
    wishing.set_capacity(cast.ada, chosen, 0, now=clock())
    for number, days in DAYS.items():
        week = [{"weekday": day, "start": "09:00", "end": "18:00"} for day in days]
        guest = db.session.get_one(Person, guests[number])
        service.sign_up(guest, chosen, wish=Wish(weekly=week, timezone="Europe/Berlin"), now=clock())
    hours = ((cast.alice, 30), (cast.anton, 30), (cast.alice, 2), (cast.anton, 2), (cast.alice, 4))
    for who, (agent, day) in zip(guests, hours, strict=True):
        start = datetime(2026, 11 if day == 30 else 12, day, 9, tzinfo=UTC)
        proposing.change(cast.adam, chosen, who, agent.id, start, now=clock())
    publishing.start(cast.adam, chosen, now=clock())
    round_id = chosen.id
    work(app, clock)
    return round_id, guests


def _off(agent_id: int, *days: str) -> None:
    row = db.session.get_one(Availability, agent_id)
    row.time_off = [[day, day] for day in days]
    schedule.touch([agent_id])
    db.session.commit()


def _held(round_id: int) -> dict[int, tuple[int, str]]:
    """By guest, their agent and day; each visit is where its pair says."""
    found = {}
    for pair in db.session.scalars(select(RoundPair).where(RoundPair.round_id == round_id)):
        assert pair.visit is not None
        assert pair.visit.status == Status.BOOKED
        assert (pair.visit.agent_id, int(pair.visit.starts_at.timestamp()) // 300) == (
            pair.agent_id,
            pair.tick,
        )
        found[pair.person_id] = (pair.agent_id, f"{pair.visit.starts_at:%a}")
    return found


def _invites() -> Counter[str]:
    rows = db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "invite"))
    return Counter(row.recipient for row in rows)


def test_an_illness_and_a_visit_called_off(app: Flask, cast: Cast, clock: StandingClock) -> None:
    alice, anton, adam_id = cast.alice.id, cast.anton.id, cast.adam.id
    round_id, guests = _publish(app, cast, clock)
    before, sent = _held(round_id), _invites()
    uids = {pair.person_id: pair.visit.uid for pair in db.session.scalars(select(RoundPair)) if pair.visit}
    adam = db.session.get_one(Person, adam_id)
    chosen = service.get_round(round_id)
    assert repairing.look(chosen, now=clock()).steps == ()
    _off(alice, "2026-11-30", "2026-12-01")

    plan = repairing.look(chosen, now=clock())
    assert [(step.person, step.fell) for step in plan.steps] == [(guests[0], Fell.AWAY), (guests[1], None)]
    assert plan == repairing.look(chosen, now=clock())
    with pytest.raises(ChangedMeanwhile):
        repairing.carry_out(adam, chosen, "an older look", now=clock())
    repairing.carry_out(adam, chosen, plan.mark, now=clock())
    work(app, clock)
    after = _held(round_id)
    assert after == before | {guests[0]: (anton, "Mon"), guests[1]: (anton, "Tue")}
    there = {pair.person_id: pair.visit.uid for pair in db.session.scalars(select(RoundPair)) if pair.visit}
    assert there == uids
    told = _invites() - sent
    assert {who for who in told if who.startswith("guest")} == {f"guest{one}@gemba.example" for one in (0, 1)}

    chosen, adam = service.get_round(round_id), db.session.get_one(Person, adam_id)
    with pytest.raises(ChangedMeanwhile):
        repairing.carry_out(adam, chosen, plan.mark, now=clock())
    mine = db.session.get_one(RoundPair, (round_id, guests[2])).visit
    assert mine is not None
    visits.cancel(mine, db.session.get_one(Person, alice), reason="", now=clock())
    _off(alice, "2026-11-30", "2026-12-01", "2026-12-02", "2026-12-03")
    publishing.watch(clock())
    work(app, clock)
    chosen, adam = service.get_round(round_id), db.session.get_one(Person, adam_id)
    assert db.session.get_one(RoundSignUp, (round_id, guests[2])).outcome == Outcome.LEFT_OUT
    plan = repairing.look(chosen, now=clock())
    assert [(s.person, s.fell) for s in plan.steps] == [(guests[2], Fell.CALLED_OFF), (guests[3], None)]
    repairing.carry_out(adam, chosen, plan.mark, now=clock())
    work(app, clock)
    assert _held(round_id) == after | {guests[2]: (anton, "Wed"), guests[3]: (anton, "Thu")}
    assert db.session.get_one(RoundSignUp, (round_id, guests[2])).outcome == Outcome.SERVED
    assert repairing.look(service.get_round(round_id), now=clock()).steps == ()
    seats = Counter((tick.person_id, tick.tick) for tick in db.session.scalars(select(Tick)))
    assert max(seats.values()) == 1
    assert len(db.session.scalars(select(AuditEntry).where(AuditEntry.action == "round.repair")).all()) == 2


def test_who_change_places_do_so(
    app: Flask, cast: Cast, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is found is carried out, also where nobody could be the first to go."""
    adam_id, alice, anton = cast.adam.id, cast.alice.id, cast.anton.id
    round_id, guests = _publish(app, cast, clock)
    _off(alice, "2026-11-30")
    pairs = db.session.scalars(select(RoundPair)).all()
    before = {pair.person_id: (pair.agent_id, pair.tick) for pair in pairs}
    circle = [guests[1], guests[2], guests[4]]
    after = {who: before[other] for who, other in zip(circle, [*circle[1:], circle[0]], strict=True)}
    after[guests[0]] = anton, before[guests[3]][1] + 24

    def turned(*_args: object) -> Repaired:
        first, *moved = [Pair(who, *after[who], 5, ()) for who in (guests[0], *circle)]
        return Repaired((first,), tuple(moved), ())

    monkeypatch.setattr(repairing, "repair", turned)
    chosen, adam = service.get_round(round_id), db.session.get_one(Person, adam_id)
    db.session.get_one(Availability, anton).per_day = 3
    db.session.commit()
    plan = repairing.look(chosen, now=clock())
    assert repairing.carry_out(adam, chosen, plan.mark, now=clock()).helped == 1
    db.session.commit()
    _held(round_id)
    pairs = db.session.scalars(select(RoundPair)).all()
    assert {pair.person_id: (pair.agent_id, pair.tick) for pair in pairs} == before | after
    seats = Counter((tick.person_id, tick.tick) for tick in db.session.scalars(select(Tick)))
    assert max(seats.values()) == 1


def test_a_mentor_falls_ill(app: Flask, cast: Cast, clock: StandingClock) -> None:
    """Where another mentor is free then, everything else stays; else the visit moves to an hour with one."""
    cast.programme.format = Format.HANDS_ON
    mentors(cast)
    mia, adam_id = mentor("Mia").id, cast.adam.id
    round_id, guests = _publish(app, cast, clock)
    before = _held(round_id)
    visit_of = {pair.person_id: pair.visit_id for pair in db.session.scalars(select(RoundPair))}
    guide_of = {who: db.session.get_one(Visit, visit_of[who]).mentor_id for who in guests}
    ill = guide_of[guests[4]]
    assert {guide_of[who] for who in guests[:2]} == {ill, cast.lena.id if ill == mia else mia}
    first = next(who for who in guests[:2] if guide_of[who] == ill)
    _off(ill or 0, "2026-11-30", "2026-12-04")
    chosen, adam = service.get_round(round_id), db.session.get_one(Person, adam_id)
    plan = repairing.look(chosen, now=clock())
    told = [(step.person, step.fell, step.to is not None, step.mentor) for step in plan.steps]
    well = next(guide for guide in guide_of.values() if guide != ill)
    assert told == [(first, Fell.NO_MENTOR, True, None), (guests[4], Fell.NO_MENTOR, False, well)]
    starts = {who: db.session.get_one(Visit, visit_of[who]).starts_at for who in guests}
    assert repairing.carry_out(adam, chosen, plan.mark, now=clock()).helped == 2
    db.session.commit()
    after = _held(round_id)
    assert {who: day for who, day in after.items() if who != first} == {
        who: day for who, day in before.items() if who != first
    }
    again = {who: db.session.get_one(Visit, visit_of[who]) for who in guests}
    assert {who for who in guests if again[who].starts_at != starts[who]} == {first}
    assert [again[who].mentor_id for who in (first, guests[4])] == [well, well]
    assert {who for who in guests if again[who].sequence} == {first, guests[4]}
    seats = Counter((tick.person_id, tick.tick) for tick in db.session.scalars(select(Tick)))
    assert max(seats.values()) == 1
    assert repairing.look(service.get_round(round_id), now=clock()).steps == ()


def test_whoever_cannot_be_helped_keeps_nobody_else_from_it(
    app: Flask, cast: Cast, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    adam_id, alice, ada, anton = cast.adam.id, cast.alice.id, cast.ada.id, cast.anton.id
    round_id, guests = _publish(app, cast, clock)
    before = _held(round_id)
    _off(alice, "2026-11-30", "2026-12-04")

    def rash(*args: Any) -> Repaired:
        """Gives the first an hour that Ada does not have."""
        found = repair(*args)
        wrong = [
            replace(pair, agent=ada, start=1) if pair.person == guests[0] else pair for pair in found.placed
        ]
        return replace(found, placed=tuple(wrong))

    monkeypatch.setattr(repairing, "repair", rash)
    chosen, adam = service.get_round(round_id), db.session.get_one(Person, adam_id)
    plan = repairing.look(chosen, now=clock())
    done = repairing.carry_out(adam, chosen, plan.mark, now=clock())
    db.session.commit()
    assert (plan.helped, done.helped) == (2, 1)
    assert _held(round_id) == before | {guests[4]: (anton, "Fri")}
    chosen, adam = service.get_round(round_id), db.session.get_one(Person, adam_id)
    with pytest.raises(ChangedMeanwhile):
        repairing.carry_out(adam, chosen, repairing.look(chosen, now=clock()).mark, now=clock())


def test_the_page_shows_it_first_and_does_it_once(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    with site.app_context():
        cast = site_cast
        for one in (cast.alice, cast.anton, cast.ada, cast.adam):
            db.session.merge(one, load=False)
        round_id, _guests = _publish(site, cast, clock)
    adam = browser.as_(cast.adam.id)
    path = f"/rounds/{round_id}/repair"
    assert "Nothing to repair" in adam.get(path).text
    assert path in adam.get(f"/rounds/{round_id}/proposal").text
    with site.app_context():
        _off(cast.alice.id, "2026-11-30", "2026-12-04")
        when = [visit.changed_at for visit in db.session.scalars(select(Visit).order_by(Visit.id))]
    page = adam.get(path).text
    for words in ("Guest 0", "The agent is away that day.", "Makes room for others.", "Anton Agent"):
        assert words in page
    with site.app_context():
        assert when == [visit.changed_at for visit in db.session.scalars(select(Visit).order_by(Visit.id))]
    mark = page.split('name="mark" value="')[1].split('"')[0]
    assert adam.post(path, data={}).status_code == 409
    done = adam.post(path, data={"mark": mark})
    assert done.status_code == 303, done.text
    assert "2 people have a visit again. 1 other moved." in adam.get(path).text
    assert adam.post(path, data={"mark": mark}).status_code == 409
    with site.app_context():
        chosen = db.session.get_one(Round, round_id)
        assert repairing.look(chosen, now=clock()).steps == ()
        assert len(_held(round_id)) == len(DAYS)
    assert browser.as_(cast.vera.id).get(path).status_code in (403, 404)
