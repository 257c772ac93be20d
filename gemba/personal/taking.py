"""Everything the house knows of one person as one archive: JSON by table, and their pictures and files.

Read from the tables themselves, so that what a domain adds tomorrow is in it; secrets and hashes are not.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table, or_, select

from gemba.db import db, table_of
from gemba.insights.models import Observation, Picture
from gemba.insights.service import pictures
from gemba.outbox.models import OutboxItem
from gemba.people.models import Person
from gemba.visits.models import Visit, VisitVisitor

SECRET = ("_hash", "secret")
LEFT_OUT = {"tick", "idempotent_answer", "round_run"}
"""Taken minutes, kept answers of the API, searches for pairs: copies of what stands elsewhere."""

README = """Everything Gemba knows of you, {name} <{email}>.

person.json           you
<table>.json          every row that names you
my_visits.json        visits in which you took part
notes_about_me.json   what was noted in visits to you, as far as it stands
mails.json            mails to you that are still kept, without sign-in codes
pictures/             pictures you added to notes, and files you added to insights

Times are UTC (ISO 8601).

Здесь всё, что Gemba знает о вас: по файлу на таблицу, ваши визиты, заметки из визитов к вам, письма, ваши
картинки и файлы. Время — UTC.
"""


def archive_of(person: Person) -> bytes:
    """The archive, as bytes of a ZIP file."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README.format(name=person.name, email=person.email))
        for name, rows in _files(person):
            archive.writestr(f"{name}.json", json.dumps(rows, ensure_ascii=False, indent=2, default=_plain))
        for picture in db.session.scalars(select(Picture).where(Picture.author_id == person.id)):
            path = pictures.folder() / picture.file
            if path.is_file():
                archive.writestr(f"pictures/{picture.id}.{path.suffix[1:]}", path.read_bytes())
    return written.getvalue()


def _files(person: Person) -> Iterator[tuple[str, Any]]:
    yield "person", _rows(table_of(Person), table_of(Person).c.id == person.id)
    for table in db.metadata.sorted_tables:
        names_them = [
            column
            for column in table.columns
            if any(key.column.table.name == "person" for key in column.foreign_keys)
        ]
        if names_them and table.name not in LEFT_OUT:
            rows = _rows(table, or_(*(column == person.id for column in names_them)))
            if rows:
                yield table.name, rows
    seats = select(VisitVisitor.visit_id).where(VisitVisitor.person_id == person.id)
    yield "my_visits", _rows(table_of(Visit), Visit.id.in_(seats))
    yield "notes_about_me", _notes_about(person)
    yield "mails", _rows(table_of(OutboxItem), OutboxItem.recipient == person.email)


def _notes_about(person: Person) -> list[dict[str, Any]]:
    query = (
        select(Observation)
        .join(Visit, Visit.id == Observation.visit_id)
        .where(Visit.agent_id == person.id, Observation.removed_at.is_(None))
        .order_by(Observation.at, Observation.id)
    )
    names = ("visit_id", "text", "verbatim", "workaround", "kind", "severity", "tool", "at", "standing")
    return [{name: getattr(note, name) for name in names} for note in db.session.scalars(query)]


def _rows(table: Table, condition: Any) -> list[dict[str, Any]]:
    shown = [column for column in table.columns if not column.name.endswith(SECRET)]
    rows = db.session.execute(select(*shown).where(condition)).mappings()
    return [{name: _without_secrets(value) for name, value in row.items()} for row in rows]


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_secrets(one) for key, one in value.items() if key != "secret"}
    return [_without_secrets(one) for one in value] if isinstance(value, list) else value


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
