"""`gemba backup` and `gemba restore`: nothing overwritten, nothing lost, no old mail sent again."""

import shutil
import stat
import tarfile
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text

from gemba.cli import cli
from gemba.db import db
from gemba.migrate import current_revision, readiness
from gemba.outbox import service as outbox
from gemba.outbox.models import OutboxItem
from gemba.people.models import Person
from gemba.upkeep import backup
from gemba.upkeep.errors import (
    CannotWrite,
    FileThere,
    NoBackup,
    NotEmpty,
    NotMigrated,
    NoTool,
    OtherDatabase,
    UnknownRevision,
)
from tests.cast import make_cast
from tests.conftest import MONDAY
from tests.outbox.conftest import queued
from tests.upkeep.conftest import Maker

pytestmark = pytest.mark.usefixtures("tools")

LATER = MONDAY + timedelta(hours=1)


def put(name: str, **more: object) -> OutboxItem:
    outbox.queue(
        "mail",
        dedup_key=name,
        group_key="",
        recipient="vera@gemba.example",
        payload={"context": {"secret": "123456"}},
        now=MONDAY,
    )
    item = queued(name)
    for key, value in more.items():
        setattr(item, key, value)
    return item


def states() -> dict[str, str]:
    return dict(db.session.execute(select(OutboxItem.dedup_key, OutboxItem.state)).tuples().all())


def names() -> list[str]:
    return list(db.session.scalars(select(Person.name).order_by(Person.name)))


def test_there_and_back(make: Maker, tmp_path: Path) -> None:
    make("before")
    make_cast(MONDAY)
    put("due")
    put("held", state="leased", lease_token="t", lease_until=LATER)
    put("tried", attempts=3, run_at=LATER + timedelta(hours=5))
    put("reminder", run_at=LATER + timedelta(days=3))
    put("sent", state="done")
    put("calendar", kind="busy-fetch")
    put("calendar held", kind="busy-fetch", state="leased", lease_token="t", lease_until=LATER)
    db.session.commit()
    saved = names()
    file = tmp_path / "gemba.backup"
    assert backup.back_up(file) == file.stat().st_size > 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each for each in tmp_path.iterdir() if each.name.endswith(".part")] == []

    make("after")
    assert backup.restore(file, replace=False, now=LATER) == 3
    db.session.commit()
    assert names() == saved
    assert readiness() == ""
    assert states() == {
        "due": "dropped",
        "held": "dropped",
        "tried": "dropped",
        "reminder": "ready",
        "sent": "done",
        "calendar": "ready",
        "calendar held": "leased",
    }
    dropped = db.session.scalars(select(OutboxItem).where(OutboxItem.state == "dropped")).all()
    assert {item.done_at for item in dropped} == {LATER}
    assert {item.payload["context"]["secret"] for item in dropped} == {None}
    assert {item.lease_token for item in dropped} == {None}


def test_a_backup_never_overwrites(make: Maker, tmp_path: Path) -> None:
    make("here")
    file = tmp_path / "mine.txt"
    file.write_text("precious")
    with pytest.raises(FileThere):
        backup.back_up(file)
    assert file.read_text() == "precious"


def test_a_folder_that_is_not_there_is_a_sentence(make: Maker, tmp_path: Path) -> None:
    make("here")
    with pytest.raises(CannotWrite, match="No such file"):
        backup.back_up(tmp_path / "nowhere" / "file")


def test_people_are_replaced_only_when_told(make: Maker, tmp_path: Path) -> None:
    make("here")
    make_cast(MONDAY)
    file = tmp_path / "gemba.backup"
    backup.back_up(file)
    vera = db.session.scalars(select(Person).where(Person.email == "vera@gemba.example")).one()
    vera.name = "Somebody else"
    db.session.commit()
    with pytest.raises(NotEmpty):
        backup.restore(file, replace=False, now=LATER)
    assert "Somebody else" in names()
    backup.restore(file, replace=True, now=LATER)
    db.session.commit()
    assert "Somebody else" not in names()
    assert "Vera Visitor" in names()


def test_a_newer_revision_is_refused(make: Maker, tmp_path: Path) -> None:
    make("newer")
    db.session.execute(text("UPDATE alembic_version SET version_num = 'from-tomorrow'"))
    db.session.commit()
    file = tmp_path / "newer.backup"
    backup.back_up(file)
    make("here")
    with pytest.raises(UnknownRevision, match="from-tomorrow"):
        backup.restore(file, replace=True, now=LATER)
    assert readiness() == ""


def test_an_older_revision_is_migrated(make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until there is a second revision, a made-up one stands for the first."""
    make("older")
    db.session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    db.session.commit()
    file = tmp_path / "older.backup"
    backup.back_up(file)
    make("here")
    monkeypatch.setattr(backup, "known_revisions", lambda: {"0000"})
    migrated: list[str | None] = []
    monkeypatch.setattr(backup, "ensure_schema", lambda: migrated.append(current_revision()))
    assert backup.restore(file, replace=True, now=LATER) == 0
    assert migrated == ["0000"]


@pytest.mark.parametrize("words", [b"", b"SQLite format 3\0 but no more", b"PGDMP but no more", b"hello"])
def test_other_files_are_refused(make: Maker, tmp_path: Path, words: bytes) -> None:
    make("here")
    make_cast(MONDAY)
    file = tmp_path / "file"
    file.write_bytes(words)
    with pytest.raises((NoBackup, OtherDatabase)):
        backup.restore(file, replace=True, now=LATER)
    assert "Vera Visitor" in names()


def test_a_file_that_is_not_there_is_a_sentence(make: Maker, tmp_path: Path) -> None:
    make("here")
    with pytest.raises(NoBackup, match="No such file"):
        backup.restore(tmp_path / "nowhere", replace=True, now=LATER)


def test_a_damaged_backup_changes_nothing(make: Maker, tmp_path: Path) -> None:
    make("here")
    make_cast(MONDAY)
    file = tmp_path / "gemba.backup"
    backup.back_up(file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(NoBackup):
        backup.restore(file, replace=True, now=LATER)
    assert "Vera Visitor" in names()


def test_without_tables_there_is_nothing_to_save(sqlite_app_without_tables: Flask, tmp_path: Path) -> None:
    with pytest.raises(NotMigrated):
        backup.back_up(tmp_path / "file")
    assert not (tmp_path / "file").exists()


def test_without_its_programs_postgresql_says_what_to_install(
    make: Maker, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "sqlite":
        return
    make("here")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("pg_dump") is None
    with pytest.raises(NoTool, match="postgresql-client"):
        backup.back_up(tmp_path / "file")
    assert not (tmp_path / "file").exists()


def test_the_commands_say_what_they_did(make: Maker, tmp_path: Path) -> None:
    app = make("here")
    make_cast(MONDAY)
    runner = app.test_cli_runner()
    file = str(tmp_path / "gemba.backup")
    done = runner.invoke(cli, ["backup", file])
    assert (done.exit_code, "Saved" in done.output) == (0, True)
    assert runner.invoke(cli, ["backup", file]).exit_code == 1
    assert runner.invoke(cli, ["restore", file]).exit_code == 1
    done = runner.invoke(cli, ["restore", file, "--replace"])
    assert (done.exit_code, "Restored" in done.output) == (0, True)


def test_pictures_go_there_and_back(make: Maker, tmp_path: Path) -> None:
    app = make("before")
    make_cast(MONDAY)
    name = f"ab/{'0' * 32}.png"
    folder = app.extensions["gemba_settings"].uploads
    (folder / "ab").mkdir(parents=True)
    (folder / name).write_bytes(b"pixels")
    (folder / "ab" / "stray.txt").write_bytes(b"not ours")
    file = tmp_path / "gemba.backup"
    assert backup.back_up(file) == file.stat().st_size > 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each for each in tmp_path.iterdir() if each.name.startswith(".gemba")] == []

    app = make("after")
    backup.restore(file, replace=False, now=LATER)
    folder = app.extensions["gemba_settings"].uploads
    there = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    assert there == [name]
    assert (folder / name).read_bytes() == b"pixels"
    assert "Vera Visitor" in names()


def test_an_archive_of_something_else_is_refused(make: Maker, tmp_path: Path) -> None:
    make("here")
    file = tmp_path / "other.tar"
    with tarfile.open(file, "w") as archive:
        archive.add(Path(__file__), "../../escaped")
    with pytest.raises(NoBackup, match="no database"):
        backup.restore(file, replace=True, now=LATER)
