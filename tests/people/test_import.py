"""People from the command line and from CSV files: all of it or nothing, every bad line named."""

from pathlib import Path

import pytest
from flask import Flask

from gemba.cli import cli
from gemba.db import db
from gemba.errors import Invalid
from gemba.people import service
from gemba.people.models import Person
from tests.cast import Cast
from tests.conftest import MONDAY

GOOD = "email,name,roles,timezone,locale,department,line\n"


def _import(text: str, encoding: str = "utf-8") -> list[service.Imported]:
    return service.import_people(text.encode(encoding), by=None, now=MONDAY)


def _errors(content: bytes) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as caught:
        service.import_people(content, by=None, now=MONDAY)
    db.session.rollback()
    return caught.value.errors


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_list_is_taken(cast: Cast, encoding: str, separator: str, line_end: str) -> None:
    rows = [
        ["Email", "Name", "Roles", "Timezone", "Locale", "Department", "Line"],
        ["nina@gemba.example", "Нина", '"agent;Lead"', "Europe/Moscow", "RU", "", "checkout LINE"],
        ["", "", "", "", "", "", ""],
        ["Vera@gemba.example", "", "", "", "", "Research", ""],
    ]
    done = _import(line_end.join(separator.join(row) for row in rows), encoding)
    db.session.commit()
    assert [(row.added, row.changed) for row in done] == [(True, []), (False, ["department"])]
    nina = service.find_person("nina@gemba.example")
    assert nina is not None
    assert (nina.name, nina.timezone, nina.locale, nina.line_id) == (
        "Нина",
        "Europe/Moscow",
        "ru",
        cast.line.id,
    )
    assert {str(role) for role in nina.roles} == {"agent", "lead"}
    assert (cast.vera.name, cast.vera.department) == ("Vera Visitor", "Research")


def test_every_bad_line_is_named_and_nobody_is_added(cast: Cast) -> None:
    text = GOOD + (
        "good@gemba.example,Good,visitor,UTC,en,,\n"
        "bad,,king,Berlin,de,,Nowhere\n"
        "twice@gemba.example,A,,,,,\n"
        "TWICE@gemba.example,B,,,,,\n"
        "long@gemba.example,C,visitor,UTC,en,,,,more\n"
    )
    errors = _errors(text.encode())
    assert list(errors) == ["line 3", "line 4", "line 5", "line 6"]
    words = " ".join(errors["line 3"])
    for said in (
        "email “bad”",
        "name is empty",
        "“king”",
        "Did you mean Europe/Berlin?",
        "en or ru",
        "Checkout line, Courier line",
    ):
        assert said in words
    assert "more than one line" in errors["line 4"][0]
    assert service.find_person("good@gemba.example") is None


@pytest.mark.parametrize(
    ("content", "where", "said"),
    [
        (b"", "line 1", "email is a must"),
        (b"name\nx\n", "line 1", "email is a must"),
        (b"email,salary\n", "line 1", "salary"),
        (b"email,email\n", "line 1", "each once"),
        ("email,name\nn@gemba.example,Нина\n".encode("cp1251"), "file", "UTF-8"),
        (b'email,name\n"n@gemba.example,' + b"x" * 200_000, "line 2", "CSV"),
        (b"email,name\nn@gemba.example,a\x00b\n", "", ""),
    ],
)
def test_files_of_another_kind_are_refused(cast: Cast, content: bytes, where: str, said: str) -> None:
    if not where:
        service.import_people(content, by=None, now=MONDAY)
        person = service.find_person("n@gemba.example")
        assert person is not None
        assert person.name == "ab"
        return
    assert said in _errors(content)[where][0]


def test_the_last_admin_is_safe_from_lists(cast: Cast) -> None:
    errors = _errors(b"email,roles\nadam@gemba.example,visitor\n")
    assert "only admin" in errors["line 2"][0]


def _run(app: Flask, *words: str) -> tuple[int, str, str]:
    """What the command says: exit status, standard output, standard error."""
    from click.testing import CliRunner
    from flask.cli import ScriptInfo

    result = CliRunner().invoke(cli, list(words), obj=ScriptInfo(create_app=lambda: app))
    return result.exit_code, result.stdout, result.stderr


def test_a_person_is_added_twice_without_harm(site: Flask, site_cast: Cast) -> None:
    words = ["person", "add", "Nina@gemba.example", "--name", "Nina", "--role", "agent", "--role", "lead"]
    assert _run(site, *words) == (0, "Added Nina <nina@gemba.example>.\n", "")
    assert _run(site, *words)[1] == "Nothing to change about Nina <nina@gemba.example>.\n"
    assert _run(
        site, "person", "add", "nina@gemba.example", "--timezone", "Asia/Tokyo", "--locale", "ru"
    ) == (
        0,
        "Changed timezone, locale of Nina <nina@gemba.example>.\n",
        "",
    )
    with site.app_context():
        nina = db.session.query(Person).filter_by(email="nina@gemba.example").one()
        assert (nina.name, nina.timezone, nina.locale) == ("Nina", "Asia/Tokyo", "ru")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["person", "add", "x", "--name", "N"], "email: Write an e-mail address"),
        (["person", "add", "n@gemba.example"], "name: Write a name"),
        (["person", "add", "vera@gemba.example", "--role", "king"], "roles: Choose"),
        (["person", "add", "vera@gemba.example", "--timezone", "Berlin"], "timezone: Choose"),
        (["people", "import", "/does/not/exist"], "cannot be read"),
        (["token", "nobody@gemba.example", "--name", "x"], "Nobody has the address"),
        (["token", "vera@gemba.example", "--name", "x", "--scope", "all"], "scope: Choose"),
    ],
)
def test_refusals_are_a_sentence_and_status_one(
    site: Flask, site_cast: Cast, words: list[str], said: str
) -> None:
    status, out, error = _run(site, *words)
    assert (status, out) == (1, "")
    assert said in error
    assert error.count("\n") == 1


def test_a_file_is_imported(site: Flask, site_cast: Cast, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(GOOD + "n@gemba.example,Nina,visitor,UTC,en,QA,\nbad,,,,,,\n")
    status, out, error = _run(site, "people", "import", str(file))
    assert (status, out) == (1, "")
    assert error.startswith("line 3: ")
    file.write_text(GOOD + "n@gemba.example,Nina,visitor,UTC,en,QA,\n")
    assert _run(site, "people", "import", str(file)) == (0, "Added Nina <n@gemba.example>.\n1 people.\n", "")


def test_a_token_is_all_that_is_printed(site: Flask, site_cast: Cast) -> None:
    status, out, error = _run(site, "token", "vera@gemba.example", "--name", "script", "--scope", "write")
    assert (status, error) == (0, "")
    with site.app_context():
        found = service.use_of_token(out.removesuffix("\n"), MONDAY)
        assert found is not None
        assert (found.person.name, found.scope) == ("Vera Visitor", "write")
