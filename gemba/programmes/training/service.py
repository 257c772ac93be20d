"""Who has done what of a training, and what mentors and admins do about it.

Only hands-on programmes have one: their visitors answer customers. A step that is added later is open for
everyone again; visits that are booked stay booked.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import joinedload

from gemba.db import db, insert_new, table_of
from gemba.errors import Forbidden, Invalid, NotFound
from gemba.people import service as people
from gemba.people.models import Person
from gemba.people.rules import Role
from gemba.programmes.models import Programme
from gemba.programmes.rules import Format
from gemba.programmes.service import get_programme
from gemba.programmes.training.errors import MentorsStep, NotQuite, NotYourself, StepsOpen, TrainingMissing
from gemba.programmes.training.models import TrainingDone, TrainingFile, TrainingStep
from gemba.programmes.training.rules import (
    STEPS_MOST,
    TITLE_MAX,
    BadStep,
    Problem,
    StepKind,
    StepText,
    is_pdf,
    is_right,
    read_step,
)


@dataclass(frozen=True)
class StepState:
    """A step, and when one person did it; `signed_by` is the mentor of a sign-off."""

    step: TrainingStep
    done_at: datetime | None
    signed_by: Person | None


@dataclass(frozen=True)
class Training:
    """A programme's training as one person sees it."""

    programme: Programme
    steps: list[StepState]

    @property
    def done(self) -> int:
        """How many steps are done."""
        return sum(state.done_at is not None for state in self.steps)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to do."""
        return self.done == len(self.steps)

    @property
    def waits_for_mentor(self) -> bool:
        """Whether only a sign-off is missing."""
        return not self.is_complete and all(
            state.done_at is not None for state in self.steps if not state.step.is_signed_off
        )


@dataclass(frozen=True)
class Trainee:
    """Somebody on the way through a training, as mentors see it."""

    person: Person
    training: Training


def has_training(programme: Programme) -> bool:
    """Whether visitors of this programme are trained first."""
    return programme.format == Format.HANDS_ON


def training_of(programme: Programme, person: Person) -> Training:
    """The training of one person, in one statement."""
    query = (
        select(TrainingStep, TrainingDone)
        .outerjoin(
            TrainingDone,
            (TrainingDone.step_id == TrainingStep.id) & (TrainingDone.person_id == person.id),
        )
        .where(TrainingStep.programme_id == programme.id)
        .order_by(TrainingStep.position, TrainingStep.id)
        .options(joinedload(TrainingDone.signed_by))
    )
    states = [
        StepState(step, done.at if done else None, done.signed_by if done else None)
        for step, done in db.session.execute(query).tuples()
    ]
    return Training(programme, states)


def visible_programme(viewer: Person, slug: str) -> Programme:
    """A hands-on programme that runs; admins see resting ones too. Raises NotFound."""
    programme = get_programme(slug)
    if not has_training(programme) or not (programme.active or viewer.has(Role.ADMIN)):
        raise NotFound
    return programme


def is_trained(programme: Programme, person_id: int) -> bool:
    """Whether somebody may book in this programme, as far as its training goes."""
    if not has_training(programme):
        return True
    done = exists().where(TrainingDone.step_id == TrainingStep.id, TrainingDone.person_id == person_id)
    missing = select(TrainingStep.id).where(TrainingStep.programme_id == programme.id, ~done).limit(1)
    return db.session.scalar(missing) is None


def require(programme: Programme, person: Person) -> None:
    """Raises TrainingMissing unless the person is trained for this programme."""
    if not is_trained(programme, person.id):
        raise TrainingMissing


def take_step(
    viewer: Person, slug: str, step_id: int, chosen: Collection[int] = (), *, now: datetime
) -> None:
    """One's own step is done: read, or answered with the answers at these places.

    Again changes nothing. Raises NotFound, MentorsStep or NotQuite.
    """
    step = _step(visible_programme(viewer, slug), step_id)
    if step.is_signed_off:
        raise MentorsStep
    if step.kind == StepKind.QUESTION and not is_right(step.choices_in("en"), chosen):
        raise NotQuite
    _note(step, viewer.id, None, now)


def open_step(viewer: Person, slug: str, step_id: int) -> None:
    """Takes back that one's own step is done. Raises NotFound, MentorsStep."""
    step = _step(visible_programme(viewer, slug), step_id)
    if step.is_signed_off:
        raise MentorsStep
    _forget(step, viewer.id)


def sign_off(mentor: Person, step_id: int, person_id: int, *, now: datetime) -> TrainingStep:
    """A mentor says that somebody is ready. Raises NotFound, NotYourself or StepsOpen."""
    step, person = _sign_off_step(mentor, step_id), db.session.get(Person, person_id)
    if person is None or not person.active:
        raise NotFound
    if person.id == mentor.id:
        raise NotYourself
    states = training_of(step.programme, person).steps
    if any(state.done_at is None for state in states if not state.step.is_signed_off):
        raise StepsOpen
    _note(step, person.id, mentor.id, now)
    people.audit(mentor, "training.sign-off", f"person:{person.id}", {"step": step.id}, now)
    return step


def take_back(mentor: Person, step_id: int, person_id: int, *, now: datetime) -> TrainingStep:
    """Takes a sign-off back: until the next one the person cannot book. Raises NotFound."""
    step = _sign_off_step(mentor, step_id)
    if _forget(step, person_id):
        people.audit(mentor, "training.take-back", f"person:{person_id}", {"step": step.id}, now)
    return step


def _sign_off_step(mentor: Person, step_id: int) -> TrainingStep:
    if not mentor.has(Role.MENTOR, Role.ADMIN):
        raise Forbidden
    step = db.session.get(TrainingStep, step_id)
    if step is None or not step.is_signed_off or not step.programme.active:
        raise NotFound
    return step


def trainees(mentor: Person) -> list[Trainee]:
    """Everyone who has begun a training of a programme that runs: who waits for a mentor first.

    Three statements, however many there are. Raises Forbidden.
    """
    if not mentor.has(Role.MENTOR, Role.ADMIN):
        raise Forbidden
    running = (
        select(TrainingStep)
        .join(TrainingStep.programme)
        .where(Programme.active, Programme.format == Format.HANDS_ON)
    )
    steps: dict[int, list[TrainingStep]] = {}
    ordered = running.order_by(Programme.id, TrainingStep.position, TrainingStep.id)
    for step in db.session.scalars(ordered.options(joinedload(TrainingStep.programme))):
        steps.setdefault(step.programme_id, []).append(step)
    done: dict[tuple[int, int], dict[int, TrainingDone]] = {}
    rows = db.session.scalars(
        select(TrainingDone)
        .join(TrainingDone.step)
        .join(Programme, Programme.id == TrainingStep.programme_id)
        .where(Programme.active, Programme.format == Format.HANDS_ON)
        .options(joinedload(TrainingDone.signed_by))
    )
    owner = {step.id: step.programme_id for part in steps.values() for step in part}
    for row in rows:
        done.setdefault((owner[row.step_id], row.person_id), {})[row.step_id] = row
    everyone = select(Person).where(Person.id.in_({person for _programme, person in done}), Person.active)
    known = {person.id: person for person in db.session.scalars(everyone)}
    found = [
        Trainee(known[person_id], _training(steps[programme_id], rows_of))
        for (programme_id, person_id), rows_of in done.items()
        if person_id in known
    ]
    return sorted(found, key=_turn)


def _training(steps: Sequence[TrainingStep], done: dict[int, TrainingDone]) -> Training:
    states = [
        StepState(step, done[step.id].at, done[step.id].signed_by)
        if step.id in done
        else StepState(step, None, None)
        for step in steps
    ]
    return Training(steps[0].programme, states)


def _turn(trainee: Trainee) -> tuple[bool, bool, str, int]:
    training = trainee.training
    return (not training.waits_for_mentor, training.is_complete, trainee.person.name, training.programme.id)


# What admins do.


def steps_of(viewer: Person, slug: str) -> tuple[Programme, list[TrainingStep]]:
    """A programme's checklist, to be changed. Raises Forbidden, NotFound."""
    programme = _changed_programme(viewer, slug)
    query = select(TrainingStep).where(TrainingStep.programme_id == programme.id)
    return programme, list(db.session.scalars(query.order_by(TrainingStep.position, TrainingStep.id)))


def get_step(viewer: Person, slug: str, step_id: int) -> TrainingStep:
    """One step, to be changed. Raises Forbidden, NotFound."""
    return _step(_changed_programme(viewer, slug), step_id)


@dataclass(frozen=True)
class Upload:
    """A file as it was sent."""

    name: str
    content: bytes


def add_step(
    viewer: Person, slug: str, kind: StepKind, typed: StepText, upload: Upload | None, *, now: datetime
) -> TrainingStep:
    """A new step at the end. Raises Forbidden, NotFound or Invalid by field."""
    programme, others = steps_of(viewer, slug)
    if len(others) >= STEPS_MOST:
        raise Invalid({"title": [Problem.STEPS.value]})
    text = _read(kind, typed)
    if kind is StepKind.FILE:
        _check(upload)
    position = max((step.position for step in others), default=0) + 1
    step = TrainingStep(
        programme_id=programme.id, position=position, kind=kind.value, created_at=now, **_values(text)
    )
    db.session.add(step)
    db.session.flush()
    _keep(step, upload)
    people.audit(viewer, "training.add", f"programme:{programme.id}", {"step": step.id, "kind": kind}, now)
    return step


def change_step(
    viewer: Person,
    slug: str,
    step_id: int,
    typed: StepText,
    upload: Upload | None,
    *,
    again: bool = False,
    now: datetime,
) -> TrainingStep:
    """Other words for a step, or another file; with `again` everyone does it anew.

    Raises Forbidden, NotFound or Invalid by field.
    """
    step = get_step(viewer, slug, step_id)
    text = _read(StepKind(step.kind), typed)
    if upload is not None and step.kind == StepKind.FILE:
        _check(upload)
        _keep(step, upload)
    for name, value in _values(text).items():
        setattr(step, name, value)
    if again:
        db.session.execute(delete(TrainingDone).where(TrainingDone.step_id == step.id))
    facts = {"step": step.id, "again": again}
    people.audit(viewer, "training.change", f"programme:{step.programme_id}", facts, now)
    db.session.flush()
    return step


def remove_step(viewer: Person, slug: str, step_id: int, *, now: datetime) -> None:
    """Takes a step out, with what people did of it. Raises Forbidden, NotFound."""
    step = get_step(viewer, slug, step_id)
    db.session.delete(step)
    facts = {"step": step_id, "title": step.title}
    people.audit(viewer, "training.remove", f"programme:{step.programme_id}", facts, now)
    db.session.flush()


def move_step(viewer: Person, slug: str, step_id: int, by: int, *, now: datetime) -> None:
    """One place up (-1) or down (1); at the end nothing changes. Raises Forbidden, NotFound."""
    programme, steps = steps_of(viewer, slug)
    place = next((number for number, step in enumerate(steps) if step.id == step_id), None)
    if place is None:
        raise NotFound
    target = place + (1 if by > 0 else -1)
    if 0 <= target < len(steps):
        steps[place], steps[target] = steps[target], steps[place]
        for number, step in enumerate(steps, 1):
            step.position = number
        people.audit(viewer, "training.move", f"programme:{programme.id}", {"step": step_id}, now)
        db.session.flush()


def file_of(viewer: Person, slug: str, step_id: int) -> tuple[str, bytes]:
    """The name and the bytes of a step's PDF. Raises NotFound."""
    step = _step(visible_programme(viewer, slug), step_id)
    row = db.session.get(TrainingFile, step.id)
    if row is None:
        raise NotFound
    return step.file_name, row.content


def _changed_programme(viewer: Person, slug: str) -> Programme:
    if not viewer.has(Role.ADMIN):
        raise Forbidden
    return visible_programme(viewer, slug)


def _step(programme: Programme, step_id: int) -> TrainingStep:
    step = db.session.get(TrainingStep, step_id)
    if step is None or step.programme_id != programme.id:
        raise NotFound
    return step


def _read(kind: StepKind, typed: StepText) -> StepText:
    try:
        return read_step(kind, typed)
    except BadStep as bad:
        raise Invalid(bad.errors) from bad


def _values(text: StepText) -> dict[str, str]:
    return {each.name: getattr(text, each.name) for each in fields(text)}


def _check(upload: Upload | None) -> None:
    if upload is None or not is_pdf(upload.content):
        raise Invalid({"file": [Problem.FILE.value]})


def _keep(step: TrainingStep, upload: Upload | None) -> None:
    if upload is not None and step.kind == StepKind.FILE:
        step.file_name = upload.name[-TITLE_MAX:]
        db.session.merge(TrainingFile(step_id=step.id, content=upload.content))
        db.session.flush()


def _note(step: TrainingStep, person_id: int, signed_by_id: int | None, now: datetime) -> None:
    row = {"step_id": step.id, "person_id": person_id, "signed_by_id": signed_by_id, "at": now}
    db.session.execute(insert_new(table_of(TrainingDone), "step_id", "person_id"), row)


def _forget(step: TrainingStep, person_id: int) -> bool:
    row = db.session.get(TrainingDone, (step.id, person_id))
    if row is not None:
        db.session.delete(row)
        db.session.flush()
    return row is not None


def people_trained(programme: Programme) -> int:
    """How many people have done every step."""
    steps = select(func.count()).where(TrainingStep.programme_id == programme.id).scalar_subquery()
    each = (
        select(TrainingDone.person_id)
        .join(TrainingStep, TrainingStep.id == TrainingDone.step_id)
        .where(TrainingStep.programme_id == programme.id)
        .group_by(TrainingDone.person_id)
        .having(func.count() == steps)
    )
    return db.session.scalar(select(func.count()).select_from(each.subquery())) or 0
