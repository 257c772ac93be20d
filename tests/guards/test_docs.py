"""What can be set or called is written down."""

import re

from click import Command, Group

from gemba.cli import cli
from gemba.commands import commands
from gemba.config import ROOT

INNER = {"db", "limiter"}


def test_every_setting_is_documented() -> None:
    code = (ROOT / "gemba" / "config.py").read_text() + (ROOT / "gunicorn.conf.py").read_text()
    names = set(re.findall(r'"(GEMBA_[A-Z_]+[A-Z]|DATABASE_URL|PORT|HOST|WEB_CONCURRENCY)"', code))
    documented = (ROOT / "docs" / "settings.md").read_text()
    assert [name for name in sorted(names) if f"`{name}`" not in documented] == []


def _commands(group: Group, prefix: str) -> list[str]:
    found = []
    for name, command in group.commands.items():
        if isinstance(command, Group) and name not in INNER:
            found += _commands(command, f"{prefix} {name}")
        elif isinstance(command, Command) and name not in INNER and not command.hidden:
            found.append(f"{prefix} {name}")
    return found


def test_every_command_is_documented() -> None:
    documented = (ROOT / "docs" / "commands.md").read_text()
    assert [
        name
        for group in (cli, commands)
        for name in _commands(group, "gemba")
        if f"`{name}" not in documented
    ] == []
