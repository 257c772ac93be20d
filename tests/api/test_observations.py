"""Notes of a visit by the API."""

import json
import uuid
from typing import Any

import pytest

from tests.api.conftest import Callers, problem_of
from tests.cast import Cast
from tests.conftest import StandingClock

NOTE = {
    "client_id": "3f0e8a2c-6a0d-4c0b-9d4e-2f1a7c5b8e90",
    "text": "Three systems to find one order",
    "kind": "tool-pain",
    "severity": 3,
    "frequency": "often",
    "verbatim": "I copy it by hand",
    "workaround": "A note on the screen",
    "product": "Checkout",
    "tool": "Admin panel",
    "tags": ["order search", "copy"],
    "at": "2026-11-26T09:05:00Z",
}


def _path(visit_id: int) -> str:
    return f"/visits/{visit_id}/observations"


def _note(**changes: Any) -> dict[str, Any]:
    return {"client_id": str(uuid.uuid4()), "text": "Slow", "kind": "tool-pain", **changes}


def test_a_note_is_taken_once(as_: Callers, site_cast: Cast, sitting: int) -> None:
    vera = as_("vera")
    answer = vera.post(_path(sitting), NOTE)
    assert answer.status_code == 201
    note = answer.get_json()
    assert {**NOTE, "tags": ["order-search", "copy"]}.items() <= note.items()
    assert (note["visit"], note["author"], note["minute"]) == (sitting, site_cast.vera.id, 5)
    again = vera.post(_path(sitting), {**NOTE, "text": "Other words"})
    assert (again.status_code, again.get_json()) == (200, note)
    assert vera.post(_path(sitting), {**NOTE, "client_id": NOTE["client_id"].upper()}).status_code == 200  # type: ignore[attr-defined]
    assert as_("alice").get(_path(sitting)).get_json() == {"items": [note], "next": None}
    assert vera.get(f"/insights/{note['insight']}").get_json()["title"] == NOTE["text"]


def test_notes_support_an_insight_that_is_there(as_: Callers, sitting: int) -> None:
    vera = as_("vera")
    first = vera.post(_path(sitting), _note()).get_json()
    second = vera.post(_path(sitting), _note(insight=first["insight"])).get_json()
    assert second["insight"] == first["insight"]
    question = vera.post(_path(sitting), _note(is_question=True)).get_json()
    assert question["insight"] is None
    errors = problem_of(vera.post(_path(sitting), _note(insight=999)), 422, "invalid")["errors"]
    assert list(errors) == ["insight"]


def test_notes_are_listed_in_parts(as_: Callers, sitting: int, clock: StandingClock) -> None:
    vera = as_("vera")
    for number in range(5):
        vera.post(_path(sitting), _note(text=f"Note {number}"))
        clock.forward(seconds=number % 2)
    found, path = [], f"{_path(sitting)}?limit=2"
    while path:
        part = vera.get(path).get_json()
        found += [note["text"] for note in part["items"]]
        path = (part["next"] or "").removeprefix("http://localhost")
    assert found == [f"Note {number}" for number in range(5)]


def test_only_who_sits_there_reads_and_writes(as_: Callers, sitting: int) -> None:
    for name in ("eve", "olga", "adam", "lena", "anton"):
        problem_of(as_(name).post(_path(sitting), NOTE), 404, "not-found")
        problem_of(as_(name).get(_path(sitting)), 404, "not-found")
    for name in ("vera", "alice", "lev"):
        assert as_(name).post(_path(sitting), _note()).status_code == 201


def test_another_persons_client_id_is_nobodys(as_: Callers, sitting: int) -> None:
    as_("vera").post(_path(sitting), NOTE)
    problem_of(as_("alice").post(_path(sitting), NOTE), 404, "not-found")


def test_notes_have_their_time(as_: Callers, visit_id: int, clock: StandingClock) -> None:
    vera = as_("vera")
    problem_of(vera.post(_path(visit_id), NOTE), 409, "too-early")
    clock.forward(days=30)
    problem_of(vera.post(_path(visit_id), NOTE), 409, "too-late")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("client_id", "7"),
        ("client_id", None),
        ("client_id", 7),
        ("client_id", "z" * 36),
        ("text", ""),
        ("text", " \n "),
        ("text", "x" * 2001),
        ("text", "x" * 1_000_000),
        ("text", ["x"]),
        ("kind", "pain"),
        ("kind", None),
        ("severity", 5),
        ("severity", -1),
        ("severity", "3"),
        ("severity", 2.5),
        ("severity", True),
        ("frequency", "daily"),
        ("verbatim", "x" * 1001),
        ("verbatim", {}),
        ("workaround", "x" * 1001),
        ("product", "Nothing"),
        ("product", 999),
        ("tool", "x" * 81),
        ("tags", "a b"),
        ("tags", ["x"] * 11),
        ("tags", [""]),
        ("tags", [["x"]]),
        ("is_question", "no"),
        ("insight", 0),
        ("insight", 2**64),
        ("at", "now"),
        ("at", 5),
    ],
)
def test_bad_fields_of_a_note(field: str, value: object, as_: Callers, sitting: int) -> None:
    vera = as_("vera")
    errors = problem_of(vera.post(_path(sitting), _note(**{field: value})), 422, "invalid")["errors"]
    assert [path.partition(".")[0] for path in errors] == [field]
    assert vera.get(_path(sitting)).get_json()["items"] == []


def test_private_words_are_named_and_masked_where_asked(as_: Callers, sitting: int) -> None:
    vera, words = as_("vera"), "she calls +7 916 123-45-67"
    kept = vera.post(_path(sitting), _note(text=words, workaround="vera@shop.example")).get_json()
    assert kept["text"] == words
    assert [(one["field"], one["code"]) for one in kept["warnings"]] == [
        ("text", "phone"),
        ("workaround", "email"),
    ]
    assert kept["warnings"][0]["detail"].startswith("This looks like a phone number.")
    masked = vera.post(_path(sitting), _note(text=words, mask=True)).get_json()
    assert (masked["text"], masked["warnings"]) == ("she calls [phone]", [])


def test_an_ask_is_marked(as_: Callers, sitting: int) -> None:
    assert as_("alice").post(_path(sitting), _note(is_ask=True)).get_json()["is_ask"] is True
    assert as_("alice").post(_path(sitting), _note()).get_json()["is_ask"] is False


def test_odd_text_is_cleaned(as_: Callers, sitting: int) -> None:
    body = json.dumps(_note(text="a\x00b\ud800c 😀")).encode()
    answer = as_("vera").post(_path(sitting), data=body, content_type="application/json")
    assert (answer.status_code, answer.get_json()["text"]) == (201, "abc 😀")
