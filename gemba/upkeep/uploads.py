"""Uploaded pictures in a backup: one archive with the database beside them, and the way back."""

import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from gemba.insights.service.pictures import NAME
from gemba.upkeep.errors import NoBackup

DATABASE = "database"
PICTURES = "uploads/"


def has_any(folder: Path) -> bool:
    """Whether there is anything to pack beside the database."""
    return folder.is_dir() and any(folder.glob("*/*"))


def pack(database: Path, folder: Path, file: Path) -> None:
    """Writes the saved database and all pictures into one archive. Raises OSError.

    A picture that goes meanwhile is left out; its row went before it.
    """
    with tarfile.open(file, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.add(database, DATABASE)
        for path in sorted(folder.glob("*/*")):
            name = path.relative_to(folder).as_posix()
            if NAME.fullmatch(name) and path.is_file():
                archive.add(path, PICTURES + name, recursive=False)


@contextmanager
def unpacked(file: Path) -> Iterator[tuple[Path, Path | None]]:
    """The file that holds the database, and the folder of pictures where the backup has one.

    Raises NoBackup. Names in an archive are not believed: only those of pictures are read.
    """
    try:
        is_archive = tarfile.is_tarfile(file)
    except OSError as error:
        raise NoBackup(file=file, reason=error.strerror or "it cannot be read") from error
    if not is_archive:
        yield file, None
        return
    with TemporaryDirectory(prefix="gemba-restore-") as name:
        folder = Path(name)
        try:
            _unpack(file, folder)
        except (tarfile.TarError, OSError, EOFError) as error:
            raise NoBackup(file=file, reason="it is damaged") from error
        if not (folder / DATABASE).is_file():
            raise NoBackup(file=file, reason="it holds no database")
        yield folder / DATABASE, folder / PICTURES


def _unpack(file: Path, folder: Path) -> None:
    with tarfile.open(file, "r:") as archive:
        for member in archive:
            wanted = member.name == DATABASE or (
                member.name.startswith(PICTURES) and NAME.fullmatch(member.name.removeprefix(PICTURES))
            )
            if wanted and member.isfile():
                archive.extract(member, folder, filter="data")


def bring_back(pictures: Path, folder: Path) -> None:
    """Puts the pictures of a backup among those that are there; a name never stands for two pictures."""
    for path in sorted(pictures.glob("*/*")):
        target = folder / path.relative_to(pictures)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copyfile(path, target)
            target.chmod(0o600)
