"""The rules of the house that a reader should be able to rely on (docs/architecture.md)."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gemba.config import ROOT

GEMBA = ROOT / "gemba"
SOURCES = sorted(path for path in GEMBA.rglob("*.py"))
LONGEST_FILE = 400

FORBIDDEN = {
    "rules": ("flask", "sqlalchemy", "wtforms", "gemba.db", "gemba.clock"),
    "models": ("flask", "wtforms"),
    "service": ("flask", "wtforms", "werkzeug", "gemba.clock", "gemba.web."),
    "forms": ("sqlalchemy", "gemba.db"),
    "views": ("sqlalchemy",),
}
"""What a file of each role never imports, directly."""


def _role(path: Path) -> str:
    parts = path.relative_to(GEMBA).with_suffix("").parts
    return next((part for part in parts if part in FORBIDDEN), "")


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("path", [path for path in SOURCES if _role(path)], ids=str)
def test_a_file_imports_only_what_its_role_may(path: Path) -> None:
    never = FORBIDDEN[_role(path)]
    found = {name for name in _imports(path) if name.startswith(never)}
    if _role(path) in ("rules", "models"):
        found |= {name for name in _imports(path) if re.search(r"^gemba\.\w+\.(service|views|forms)\b", name)}
    assert not found


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_only_entry_points_commit(path: Path) -> None:
    name = path.relative_to(GEMBA).as_posix()
    is_entry = any(
        part in name
        for part in (
            "views",
            "api/",
            "cli",
            "commands",
            "outbox/worker",
            "outbox/claims",
            "inbox/receiving",
            "rounds/errand",
            "trackers/errand",
            "trackers/hook",
            "web/access",
            "web/pages",
        )
    )
    assert is_entry or ".commit(" not in path.read_text()


def test_only_the_clock_reads_the_clock() -> None:
    readers = [
        path.name
        for path in SOURCES
        if re.search(r"datetime\.(now|utcnow|today)\(|date\.today\(", path.read_text())
    ]
    assert readers == ["clock.py"]


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_files_stay_readable(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


def test_every_module_and_public_function_says_what_it_is() -> None:
    silent = []
    for path in SOURCES:
        tree = ast.parse(path.read_text())
        if ast.get_docstring(tree) is None:
            silent.append(str(path.relative_to(ROOT)))
        for node in tree.body:
            if (
                isinstance(node, ast.FunctionDef | ast.ClassDef)
                and not node.name.startswith("_")
                and not ast.get_docstring(node)
            ):
                silent.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert silent == []


def test_the_tree_names_no_registry_and_no_machine() -> None:
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\0")
    hosts = re.compile("pypi" + r"\.org|python" + r"hosted|registry\.npm" + "js|deb\\.deb" + "ian")
    named = []
    for name in filter(None, files):
        path = ROOT / name
        if not path.is_file() or path.stat().st_size > 2_000_000:
            continue
        text = path.read_bytes().decode(errors="ignore")
        if hosts.search(text) or f"{ROOT}/" in text:
            named.append(name)
    assert named == []
