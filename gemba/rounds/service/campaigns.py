"""Rounds themselves: made and listed by admins, seen by everyone signed in, signed up to by whoever wants."""

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from gemba.db import db
from gemba.errors import Forbidden, Invalid, NotFound
from gemba.people import service as people
from gemba.people.models import Person
from gemba.people.rules import N_, Role, clean_line
from gemba.programmes import doors
from gemba.programmes.models import Programme
from gemba.rounds.errors import RoundClosed
from gemba.rounds.models import Round, RoundAgent, RoundInvitee, RoundPair, RoundSignUp
from gemba.rounds.pairing.values import TICK_SECONDS
from gemba.rounds.rules import FIRST_IN_DAYS, LONGEST_DAYS, NAME_MAX, Outcome, PairState


@dataclass(frozen=True)
class Plan:
    """A round as an admin types it: the last day of sign-up and the days of visits, both ends included,
    in the zone of whoever makes it."""

    name: str
    name_ru: str
    closes_on: date
    first_day: date
    last_day: date


@dataclass(frozen=True)
class Counts:
    """How a round stands: how many were invited, signed up, are paired, booked and left out; of the agents
    how many were asked and confirmed."""

    invited: int
    signed_up: int
    proposed: int
    booked: int
    left_out: int
    asked: int
    confirmed: int


def get_round(round_id: int) -> Round:
    """A round. Raises NotFound."""
    found = db.session.scalar(select(Round).where(Round.id == round_id).options(joinedload(Round.programme)))
    if found is None:
        raise NotFound
    return found


def managed(viewer: Person, round_id: int, *, lock: bool = False) -> Round:
    """A round for whoever runs it, locked for a change. Raises NotFound for everybody but admins."""
    if not viewer.has(Role.ADMIN):
        raise NotFound
    chosen = get_round(round_id)
    if lock:
        reread(chosen)
    return chosen


def reread(chosen: Round) -> None:
    """Reads a round as it is now, locked for a change."""
    db.session.refresh(chosen, ["closes_at", "published_at", "reminded_at"], with_for_update=True)


def list_rounds(viewer: Person, programme: Programme | None = None, *, limit: int = 200) -> list[Round]:
    """All rounds for admins, for everyone else those whose sign-up has begun; newest first."""
    query = (
        select(Round).options(joinedload(Round.programme)).order_by(Round.opens_at.desc(), Round.id.desc())
    )
    if programme is not None:
        query = query.where(Round.programme_id == programme.id)
    if not viewer.has(Role.ADMIN):
        query = query.join(Programme, Programme.id == Round.programme_id).where(Programme.active)
    return list(db.session.scalars(query.limit(limit)))


def open_round(programme: Programme, now: datetime) -> doors.Coming | None:
    """The round of a programme one can sign up to now, the first to close."""
    query = select(Round.id, Round.closes_at).where(
        Round.programme_id == programme.id, Round.opens_at <= now, Round.closes_at > now
    )
    found = db.session.execute(query.order_by(Round.closes_at, Round.id).limit(1)).one_or_none()
    return doors.Coming(found[0], found[1] - timedelta(minutes=1)) if found is not None else None


def newest_round(programme: Programme) -> Round:
    """The round of a programme that is to be paired: the newest. Raises NotFound."""
    found = db.session.scalar(
        select(Round).where(Round.programme_id == programme.id).order_by(Round.closes_at.desc()).limit(1)
    )
    if found is None:
        raise NotFound
    return found


def make(viewer: Person, programme: Programme, plan: Plan, *, now: datetime) -> Round:
    """A new round, open for sign-up at once. Raises Forbidden or Invalid by field."""
    if not viewer.has(Role.ADMIN):
        raise Forbidden
    if not doors.by_rounds(programme):
        raise Invalid({"programme": [N_("This programme is open all year and holds no rounds.")]})
    zone = ZoneInfo(viewer.timezone)
    _check(plan, now.astimezone(zone).date(), None)
    made = Round(
        programme_id=programme.id,
        name=clean_line(plan.name),
        name_ru=clean_line(plan.name_ru),
        opens_at=now,
        closes_at=_midnight(plan.closes_on + timedelta(days=1), zone),
        visits_from=_midnight(plan.first_day, zone),
        visits_until=_midnight(plan.last_day + timedelta(days=1), zone),
        seed=secrets.randbelow(2**31 - 1) + 1,
    )
    db.session.add(made)
    db.session.flush()
    people.audit(viewer, "round.create", f"round:{made.id}", {"programme": programme.slug}, now)
    return made


def plan_of(chosen: Round, viewer: Person) -> Plan:
    """A round as it could be typed, its days in the zone of whoever reads them."""
    zone = ZoneInfo(viewer.timezone)
    days = (chosen.last_minute, chosen.window[0], chosen.last_moment)
    return Plan(chosen.name, chosen.name_ru, *(each.astimezone(zone).date() for each in days))


def change(viewer: Person, chosen: Round, plan: Plan, *, now: datetime) -> int:
    """Gives a round other names or days; a later last day of sign-up opens it again. Days left as they were
    keep their instants. Proposed pairs that lie outside the new days are given up: says how many.

    Raises RoundClosed once all is published, Invalid by field.
    """
    reread(chosen)
    if chosen.published_at is not None:
        raise RoundClosed
    zone, was = ZoneInfo(viewer.timezone), plan_of(chosen, viewer)
    _check(plan, now.astimezone(zone).date(), was)
    chosen.name, chosen.name_ru = clean_line(plan.name), clean_line(plan.name_ru)
    start, end = chosen.window
    if plan.closes_on != was.closes_on:
        chosen.closes_at = _midnight(plan.closes_on + timedelta(days=1), zone)
    if plan.first_day != was.first_day:
        start = _midnight(plan.first_day, zone)
    if plan.last_day != was.last_day:
        end = _midnight(plan.last_day + timedelta(days=1), zone)
    chosen.visits_from, chosen.visits_until = start, end
    low, high = (int(each.timestamp()) // TICK_SECONDS for each in (start, end))
    here = (RoundPair.round_id == chosen.id) & (RoundPair.state == PairState.PROPOSED)
    outside = db.session.scalars(
        select(RoundPair).where(here, or_(RoundPair.tick < low, RoundPair.tick >= high))
    ).all()
    for pair in outside:
        db.session.delete(pair)
    detail = {"closes_at": chosen.closes_at.isoformat(), "from": start.isoformat(), "until": end.isoformat()}
    people.audit(viewer, "round.edit", f"round:{chosen.id}", detail, now)
    db.session.flush()
    return len(outside)


def _check(plan: Plan, today: date, was: Plan | None) -> None:
    """Raises Invalid; a day that stays as it `was` may be past."""
    errors: dict[str, list[str]] = {}
    if not 0 < len(clean_line(plan.name)) <= NAME_MAX:
        errors["name"] = [N_("Give a name of 1 to 80 characters.")]
    if len(clean_line(plan.name_ru)) > NAME_MAX:
        errors["name_ru"] = [N_("Use at most 80 characters.")]
    if plan.closes_on < today and (was is None or plan.closes_on != was.closes_on):
        errors["closes_on"] = [N_("Choose today or a later day.")]
    stays = was is not None and plan.first_day == was.first_day
    if not stays and not today <= plan.first_day <= today + timedelta(days=FIRST_IN_DAYS):
        errors["first_day"] = [N_("Choose a day from today on, at most 120 days ahead.")]
    elif plan.first_day <= plan.closes_on:
        errors["first_day"] = [N_("Visits begin after sign-up ends: choose a later day.")]
    if not plan.first_day <= plan.last_day < plan.first_day + timedelta(days=LONGEST_DAYS):
        errors["last_day"] = [N_("Choose a day not before the first, at most 60 days in all.")]
    if errors:
        raise Invalid(errors)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def close_sign_up(viewer: Person, chosen: Round, *, now: datetime) -> None:
    """Ends sign-up now; nothing happens where it has ended."""
    if chosen.opens_at <= now < chosen.closes_at:
        chosen.close(now)
        people.audit(viewer, "round.close", f"round:{chosen.id}", {}, now)
        db.session.flush()


def is_open(chosen: Round, now: datetime) -> bool:
    """Whether one can sign up now."""
    return chosen.opens_at <= now < chosen.closes_at


def counts(chosen: Round) -> Counts:
    """How a round stands, in five statements."""
    invited = _count(select(func.count()).where(RoundInvitee.round_id == chosen.id))
    signs = dict(
        db.session.execute(
            select(RoundSignUp.outcome, func.count())
            .where(RoundSignUp.round_id == chosen.id)
            .group_by(RoundSignUp.outcome)
        )
        .tuples()
        .all()
    )
    pairs = dict(
        db.session.execute(
            select(RoundPair.state, func.count())
            .where(RoundPair.round_id == chosen.id)
            .group_by(RoundPair.state)
        )
        .tuples()
        .all()
    )
    asked, confirmed = db.session.execute(
        select(func.count(RoundAgent.asked_at), func.count(RoundAgent.confirmed_at)).where(
            RoundAgent.round_id == chosen.id
        )
    ).one()
    return Counts(
        invited=invited,
        signed_up=sum(signs.values()),
        proposed=pairs.get(PairState.PROPOSED, 0) + pairs.get(PairState.PUBLISHING, 0),
        booked=pairs.get(PairState.BOOKED, 0),
        left_out=signs.get(Outcome.LEFT_OUT, 0),
        asked=asked,
        confirmed=confirmed,
    )


def _count(query: object) -> int:
    return int(db.session.scalar(query) or 0)  # type: ignore[call-overload]
