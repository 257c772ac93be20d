"""A round from invitation to published visits, on both databases."""

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from flask import Flask
from sqlalchemy import func, select

from gemba.db import db
from gemba.errors import Forbidden, Invalid, NotFound
from gemba.invites.rules import Answer
from gemba.outbox.mail import render
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import thaw
from gemba.outbox.worker import Worker
from gemba.people.models import Person, PersonRole
from gemba.people.rules import Role
from gemba.programmes.models import Programme
from gemba.programmes.rules import Format
from gemba.programmes.training.models import TrainingDone, TrainingStep
from gemba.programmes.training.rules import StepKind
from gemba.rounds import service
from gemba.rounds.errors import NobodySignedUp, NothingProposed, NotPossible, TooManyMails, UnderWay
from gemba.rounds.models import Round, RoundPair, RoundSignUp
from gemba.rounds.pairing.values import TICK_SECONDS
from gemba.rounds.rules import Outcome, PairState, RunState
from gemba.rounds.service import inviting, looking, proposing, publishing, wishing
from gemba.rounds.service.wishing import Wish
from gemba.schedule.models import Availability
from gemba.visits import service as visits
from gemba.visits.facts import Ask
from gemba.visits.models import Visit, VisitVisitor
from gemba.visits.rules import Status
from tests.cast import WORKDAYS, Cast
from tests.conftest import StandingClock

FREE = [{"weekday": day, "start": "09:00", "end": "18:00"} for day in ("mon", "tue", "wed", "thu", "fri")]


def make_round(cast: Cast, clock: StandingClock) -> Round:
    """A round of the cast's programme: sign-up this week, visits in the next."""
    plan = service.Plan("Winter", "Зима", date(2026, 11, 27), date(2026, 11, 30), date(2026, 12, 4))
    made = service.make(cast.adam, cast.programme, plan, now=clock())
    db.session.commit()
    return made


def add_people(cast: Cast, count: int, clock: StandingClock) -> list[Person]:
    """So many more visitors in one department."""
    people = [
        Person(
            email=f"guest{number}@gemba.example",
            name=f"Guest {number}",
            timezone="Europe/Berlin",
            timezone_confirmed=True,
            locale="ru" if number % 2 else "en",
            department="Guests",
            role_rows=[PersonRole(role=Role.VISITOR)],
            created_at=clock(),
        )
        for number in range(count)
    ]
    db.session.add_all(people)
    db.session.commit()
    return people


def work(app: Flask, clock: StandingClock) -> None:
    """Everything that waits in the outbox, until nothing does."""
    db.session.commit()
    db.session.remove()
    Worker(app, clock=clock).drain()
    db.session.remove()


def mails(template: str) -> list[tuple[str, str]]:
    rows = db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "mail"))
    return sorted(
        (row.recipient, row.payload["locale"]) for row in rows if row.payload["template"] == template
    )


def test_a_round_from_invitation_to_visits(app: Flask, cast: Cast, clock: StandingClock) -> None:
    people = add_people(cast, 14, clock)
    chosen = make_round(cast, clock)
    asked = inviting.invite(
        cast.adam,
        chosen,
        addresses=["vera@gemba.example", "who@gemba.example"],
        department="Guests",
        now=clock(),
    )
    assert (asked.new, asked.before, asked.unknown) == (15, 0, ("who@gemba.example",))
    assert inviting.invite(cast.adam, chosen, department="Guests", now=clock()).new == 0
    assert len(mails("round_invitation")) == 15
    for person in people[:12]:
        service.sign_up(person, chosen, wish=Wish(weekly=FREE, timezone="Europe/Berlin"), now=clock())
    narrow = Wish(weekly=[{"weekday": "sun", "start": "03:00", "end": "05:00"}])
    service.sign_up(people[12], chosen, wish=narrow, now=clock())
    picky = Wish(language="ru", line_id=cast.other_line.id)
    service.sign_up(people[13], chosen, wish=picky, now=clock())
    assert [each.email for each in inviting.silent(chosen)] == ["vera@gemba.example"]
    assert inviting.remind(cast.adam, chosen, now=clock()) == 1
    with pytest.raises(TooManyMails):
        inviting.remind(cast.adam, chosen, now=clock())
    assert inviting.ask_agents(cast.adam, chosen, now=clock()) == 3
    assert inviting.ask_agents(cast.adam, chosen, now=clock()) == 0
    wishing.set_capacity(cast.alice, chosen, 2, now=clock())
    wishing.set_capacity(cast.ada, chosen, 0, now=clock())
    inviting.ask_agents_again(clock())
    assert len(mails("round_capacity")) == 3
    with pytest.raises(NotFound):
        wishing.set_capacity(cast.vera, chosen, 2, now=clock())
    clock.forward(days=5)
    inviting.ask_agents_again(clock())
    inviting.ask_agents_again(clock())
    (reminded,) = [
        " ".join(render("round_capacity", "en", thaw(row.payload["context"])).text.split())
        for row in db.session.scalars(select(OutboxItem).where(OutboxItem.recipient == cast.anton.email))
        if row.payload.get("context", {}).get("again")
    ]
    assert "You were asked some days ago and have not answered yet. Please say how many" in reminded
    assert len(mails("round_capacity")) == 4
    run = proposing.start(cast.adam, chosen, now=clock())
    with pytest.raises(UnderWay):
        proposing.start(cast.adam, chosen, now=clock())
    proposing.queue(run, now=clock())
    ids, round_id, run_id = [person.id for person in people], chosen.id, run.id
    alice, anton, adam = cast.alice.id, cast.anton.id, cast.adam.id
    work(app, clock)

    run = db.session.get_one(type(run), run_id)
    assert run.state == RunState.DONE
    pairs = db.session.scalars(select(RoundPair)).all()
    assert len(pairs) == run.figures["served"] == run.figures["bound"] == 12
    assert {pair.agent_id for pair in pairs} == {alice, anton}
    assert 1 <= sum(pair.agent_id == alice for pair in pairs) <= 2
    why = {each["person"]: each for each in run.left_out}
    assert why[ids[12]]["code"] == "no-time"
    assert why[ids[12]]["would_work"]
    assert why[ids[13]]["code"] == "no-agent"

    chosen = service.get_round(round_id)
    admin = db.session.get_one(Person, adam)
    by_hand = pairs[0]
    start = datetime.fromtimestamp(by_hand.tick * TICK_SECONDS, UTC)
    visits.book(
        programme=chosen.programme,
        visitor=db.session.scalars(select(Person).where(Person.email == "vera@gemba.example")).one(),
        start=start,
        ask=Ask(agent_id=by_hand.agent_id),
        now=clock(),
    )
    assert publishing.start(admin, chosen, only=ids[:3], now=clock()) == 3
    work(app, clock)
    chosen = service.get_round(round_id)
    assert chosen.published_at is None
    admin = db.session.get_one(Person, adam)
    assert publishing.start(admin, chosen, now=clock()) == 9
    work(app, clock)

    chosen = service.get_round(round_id)
    assert chosen.published_at == clock()
    outcomes = dict(db.session.execute(select(RoundSignUp.person_id, RoundSignUp.outcome)).tuples().all())
    served = [who for who, outcome in outcomes.items() if outcome == Outcome.SERVED]
    assert len(served) == 12
    seats = db.session.execute(
        select(VisitVisitor.person_id, func.count()).group_by(VisitVisitor.person_id)
    ).all()
    assert all(count == 1 for _who, count in seats)
    assert {who for who, _count in seats} >= set(served)
    assert len(mails("round_served")) == 12
    assert [who for who, _locale in mails("round_left_out")] == [
        "guest12@gemba.example",
        "guest13@gemba.example",
    ]
    with pytest.raises(NothingProposed):
        publishing.start(db.session.get_one(Person, adam), chosen, now=clock())

    pair = db.session.scalars(select(RoundPair).where(RoundPair.agent_id == anton)).first()
    assert pair is not None
    who, visit_id = pair.person_id, pair.visit_id
    visit = db.session.get_one(Visit, visit_id)
    visits.cancel(visit, db.session.get_one(Person, anton), reason="ill", now=clock())
    quitter = next(pair for pair in db.session.scalars(select(RoundPair)) if pair.person_id != who)
    visits.cancel(
        db.session.get_one(Visit, quitter.visit_id),
        db.session.get_one(Person, quitter.person_id),
        reason="",
        now=clock(),
    )
    gone = quitter.person_id
    others = {pair.person_id: pair.visit_id for pair in db.session.scalars(select(RoundPair))}
    unsuited = next(one for one in others if one not in (who, gone))
    first = _decline(others[unsuited] or 0, unsuited, clock)
    publishing.watch(clock())
    work(app, clock)
    second = db.session.get_one(RoundPair, (round_id, unsuited)).visit
    assert second is not None
    assert (second.status, second.starts_at != first) == (Status.BOOKED, True)
    now_there = {pair.person_id: pair.visit_id for pair in db.session.scalars(select(RoundPair))}
    moved = {one for one in others if now_there.get(one) != others[one]}
    assert moved == {who, gone, unsuited}
    again = db.session.get_one(RoundPair, (round_id, who))
    assert again.state == PairState.BOOKED
    assert again.visit_id != visit_id
    assert db.session.get_one(Visit, again.visit_id).status == Status.BOOKED
    assert db.session.get_one(RoundSignUp, (round_id, gone)).outcome == Outcome.WITHDREW
    assert db.session.get(RoundPair, (round_id, gone)) is None
    _decline(second.id, unsuited, clock)
    publishing.watch(clock())
    work(app, clock)
    assert db.session.get_one(RoundSignUp, (round_id, unsuited)).outcome == Outcome.WITHDREW


def _decline(visit_id: int, person_id: int, clock: StandingClock) -> datetime:
    """Says no to the hour of a visit; when that was."""
    said = visits.Said(Answer.DECLINED, "", "mail")
    assert visits.take_answer(visit_id, person_id, said, now=clock()) == visits.Taken.COUNTED
    db.session.commit()
    return db.session.get_one(Visit, visit_id).starts_at


def test_pins_changes_and_stopping(app: Flask, cast: Cast, clock: StandingClock) -> None:
    people = add_people(cast, 3, clock)
    chosen = make_round(cast, clock)
    with pytest.raises(NobodySignedUp):
        proposing.start(cast.adam, chosen, now=clock())
    for person in people:
        service.sign_up(person, chosen, now=clock())
    run = proposing.start(cast.adam, chosen, now=clock())
    assert proposing.stop(cast.adam, chosen, now=clock())
    assert not proposing.stop(cast.adam, chosen, now=clock())
    assert proposing.begin(run.id, now=clock()) is None
    run = proposing.start(cast.adam, chosen, now=clock())
    token = proposing.begin(run.id, now=clock())
    assert token is not None
    assert proposing.goes_on(run.id, token)
    proposing.stop(cast.adam, chosen, now=clock())
    assert not proposing.goes_on(run.id, token)
    start = datetime(2026, 12, 1, 9, tzinfo=UTC)
    pair = proposing.change(cast.adam, chosen, people[1].id, cast.ada.id, start, now=clock())
    assert pair.pinned
    with pytest.raises(NotPossible):
        proposing.change(cast.adam, chosen, people[2].id, cast.ada.id, start, now=clock())
    with pytest.raises(NotPossible):
        proposing.change(
            cast.adam, chosen, people[2].id, cast.ada.id, datetime(2026, 12, 1, 3, tzinfo=UTC), now=clock()
        )
    run = proposing.start(cast.adam, chosen, now=clock())
    proposing.queue(run, now=clock())
    pinned, ada, round_id = people[1].id, cast.ada.id, chosen.id
    work(app, clock)
    pair = db.session.get_one(RoundPair, (round_id, pinned))
    assert (pair.agent_id, pair.tick, pair.pinned) == (ada, int(start.timestamp()) // TICK_SECONDS, True)
    assert db.session.scalar(select(func.count()).select_from(RoundPair)) == 3
    chosen = service.get_round(round_id)
    adam = db.session.scalars(select(Person).where(Person.email == "adam@gemba.example")).one()
    assert proposing.pin(adam, chosen, pinned, pinned=False, now=clock()).pinned is False
    proposing.drop(adam, chosen, pinned, now=clock())
    with pytest.raises(NotFound):
        proposing.pin(adam, chosen, pinned, pinned=True, now=clock())


def test_only_admins_make_rounds_and_days_are_checked(app: Flask, cast: Cast, clock: StandingClock) -> None:
    plan = service.Plan(" ", "", date(2026, 11, 1), date(2026, 11, 2), date(2027, 11, 2))
    with pytest.raises(Forbidden):
        service.make(cast.lev, cast.programme, plan, now=clock())
    with pytest.raises(Invalid) as refused:
        service.make(cast.adam, cast.programme, plan, now=clock())
    assert set(refused.value.errors) == {"name", "closes_on", "first_day", "last_day"}
    chosen = make_round(cast, clock)
    with pytest.raises(NotFound):
        service.managed(cast.vera, chosen.id)
    with pytest.raises(Invalid):
        service.sign_up(
            cast.vera, chosen, wish=Wish(products=(999,), language="xx", timezone="?"), now=clock()
        )


def test_who_was_left_out_goes_first_next_time(app: Flask, cast: Cast, clock: StandingClock) -> None:
    """One place, three people: the lot decides, and next time between the two who had none."""
    people = add_people(cast, 3, clock)
    first = make_round(cast, clock)
    for agent, capacity in ((cast.alice, 1), (cast.anton, 0), (cast.ada, 0)):
        wishing.set_capacity(agent, first, capacity, now=clock())
    for person in people:
        service.sign_up(person, first, now=clock())
    adam, ids = cast.adam.id, [person.id for person in people]
    agents = [cast.alice.id, cast.anton.id, cast.ada.id]
    served = []
    round_id = first.id
    for number in range(2):
        chosen = service.get_round(round_id)
        admin = db.session.get_one(Person, adam)
        proposing.queue(proposing.start(admin, chosen, now=clock()), now=clock())
        work(app, clock)
        publishing.start(db.session.get_one(Person, adam), service.get_round(round_id), now=clock())
        work(app, clock)
        rows = db.session.scalars(select(RoundSignUp).where(RoundSignUp.round_id == round_id)).all()
        served += [row.person_id for row in rows if row.outcome == Outcome.SERVED]
        left = [row for row in rows if row.outcome == Outcome.LEFT_OUT]
        assert len(left) == 2
        assert all(row.reason["code"] == "all-taken" for row in left)
        assert len(served) == number + 1
        clock.forward(days=1)
        admin = db.session.get_one(Person, adam)
        plan = service.Plan("Next", "", date(2026, 11, 27), date(2026, 12, 7), date(2026, 12, 11))
        chosen = service.make(admin, db.session.scalars(select(Programme)).one(), plan, now=clock())
        for agent_id, capacity in zip(agents, (1, 0, 0), strict=True):
            wishing.set_capacity(db.session.get_one(Person, agent_id), chosen, capacity, now=clock())
        for one in ids:
            service.sign_up(db.session.get_one(Person, one), chosen, now=clock())
        db.session.commit()
        round_id = chosen.id
    assert len(set(served)) == 2
    told = [row.payload for row in db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "mail"))]
    words = [
        " ".join(render("round_left_out", "en", thaw(each["context"])).text.split())
        for each in told
        if each["template"] == "round_left_out"
    ]
    assert all("You go first next time." in text for text in words)
    assert sum("You went first, because you were left out last time." in text for text in words) == 1


def mentors(cast: Cast) -> None:
    """Lena guides hands-on visits, at the hours of the agents."""
    db.session.add(PersonRole(person_id=cast.lena.id, role=Role.MENTOR))
    db.session.add(
        Availability(person_id=cast.lena.id, timezone="Europe/Berlin", weekly=WORKDAYS, overrides={})
    )
    db.session.flush()


def test_a_hands_on_round_gives_each_visit_a_mentor_nobody_shares(
    app: Flask, cast: Cast, clock: StandingClock
) -> None:
    """Three agents are free at the same hours and one mentor: what is proposed can be booked as it is."""
    cast.programme.format, cast.programme.duration_minutes = Format.HANDS_ON, 180
    mentors(cast)
    people = add_people(cast, 4, clock)
    chosen = make_round(cast, clock)
    for person in people:
        service.sign_up(person, chosen, now=clock())
    proposing.queue(proposing.start(cast.adam, chosen, now=clock()), now=clock())
    round_id, adam, lena = chosen.id, cast.adam.id, cast.lena.id
    work(app, clock)
    chosen = service.get_round(round_id)
    proposed = {
        (pair.person_id, pair.agent_id, pair.mentor_id, pair.tick * TICK_SECONDS)
        for pair in db.session.scalars(select(RoundPair))
    }
    assert {mentor for _who, _agent, mentor, _start in proposed} == {lena}
    publishing.start(db.session.get_one(Person, adam), chosen, now=clock())
    work(app, clock)
    visits = db.session.scalars(select(Visit).order_by(Visit.starts_at)).all()
    assert [visit.mentor_id for visit in visits] == [lena] * 4
    assert proposed == {
        (visit.visitors[0].id, visit.agent_id, visit.mentor_id, int(visit.starts_at.timestamp()))
        for visit in visits
    }
    assert all(one.ends_at <= other.starts_at for one, other in pairwise(visits))


def test_who_is_not_trained_yet_is_left_out_and_told(app: Flask, cast: Cast, clock: StandingClock) -> None:
    """The second loses the training between proposal and publication."""
    cast.programme.format = Format.HANDS_ON
    mentors(cast)
    step = TrainingStep(
        programme_id=cast.programme.id, kind=StepKind.READ, position=1, title="Rules", created_at=clock()
    )
    db.session.add(step)
    people = add_people(cast, 3, clock)
    chosen = make_round(cast, clock)
    for person in people:
        service.sign_up(person, chosen, now=clock())
    with pytest.raises(NobodySignedUp):
        proposing.start(cast.adam, chosen, now=clock())
    db.session.add_all(TrainingDone(step_id=step.id, person_id=one.id, at=clock()) for one in people[:2])
    proposing.queue(proposing.start(cast.adam, chosen, now=clock()), now=clock())
    ids, round_id, adam, number = [one.id for one in people], chosen.id, cast.adam.id, step.id
    work(app, clock)
    chosen = service.get_round(round_id)
    assert set(db.session.scalars(select(RoundPair.person_id))) == set(ids[:2])
    (left,) = looking.left_out(chosen, proposing.newest_run(chosen))
    assert (left["person"], left["code"]) == (ids[2], "not-trained")
    db.session.delete(db.session.get_one(TrainingDone, (number, ids[1])))
    publishing.start(db.session.get_one(Person, adam), chosen, now=clock())
    work(app, clock)
    rows = db.session.scalars(select(RoundSignUp).order_by(RoundSignUp.person_id)).all()
    assert [row.outcome for row in rows] == [Outcome.SERVED, Outcome.LEFT_OUT, Outcome.LEFT_OUT]
    assert [row.reason["code"] for row in rows[1:]] == ["not-trained", "not-trained"]
    assert len(mails("round_left_out")) == 2
