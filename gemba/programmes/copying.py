"""A programme made like another: its rules and texts, who may take part, its goals, and its training."""

from datetime import datetime

from sqlalchemy import insert, literal, select

from gemba.db import db, table_of
from gemba.people.models import Person
from gemba.programmes import service
from gemba.programmes.models import Programme, ProgrammePerson
from gemba.programmes.rules import NAME_MAX, Values
from gemba.programmes.training.models import TrainingFile, TrainingStep

OWN = ("id", "programme_id", "created_at")
"""What is not copied of a step: it is another one of another programme."""


def copy(viewer: Person, slug: str, *, now: datetime) -> Programme:
    """A draft like another programme, to be named anew. Raises NotFound, Forbidden."""
    source = service.get_programme(slug)
    names = {name: _named_anew(getattr(source, name)) for name in ("name", "name_ru")}
    own: Values = {**names, "slug": service.free_slug(source.name)}
    told: Values = {name: getattr(source, name) for name in service.SHAPE}
    made = service.add(viewer, told | own, draft=True, now=now)
    listed = select(literal(made.id), ProgrammePerson.person_id).where(
        ProgrammePerson.programme_id == source.id
    )
    db.session.execute(insert(table_of(ProgrammePerson)).from_select(["programme_id", "person_id"], listed))
    _copy_training(source, made, now)
    return made


def _named_anew(name: str) -> str:
    return f"{name[: NAME_MAX - 2]} 2" if name else ""


def _copy_training(source: Programme, made: Programme, now: datetime) -> None:
    """The steps in their order with their files; nobody has done any of them."""
    ordered = select(TrainingStep).where(TrainingStep.programme_id == source.id)
    told = [column.name for column in table_of(TrainingStep).columns if column.name not in OWN]
    copies = {
        step.id: TrainingStep(
            programme_id=made.id, created_at=now, **{name: getattr(step, name) for name in told}
        )
        for step in db.session.scalars(ordered.order_by(TrainingStep.position, TrainingStep.id))
    }
    db.session.add_all(copies.values())
    db.session.flush()
    for file in db.session.scalars(select(TrainingFile).where(TrainingFile.step_id.in_(copies))).all():
        db.session.add(TrainingFile(step_id=copies[file.step_id].id, content=file.content))
    db.session.flush()
