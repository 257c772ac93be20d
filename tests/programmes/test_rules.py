"""A programme's JSON shape: what is taken, and what is refused with which sentence."""

from typing import Any

import pytest

from gemba.programmes.rules import LIMITS, NUMBERS, BadProgramme, Problem, parse_programme

WHOLE: dict[str, Any] = {
    "slug": "free-till",
    "name": "Free till",
    "name_ru": "Свободная касса",
    "purpose": "Answer customers yourself.",
    "purpose_ru": "",
    "guide": "What do they ask?\nWhat hurts?",
    "guide_ru": "",
    "format": "hands-on",
    "duration_minutes": 240,
    "slot_step_minutes": 60,
    "min_notice_minutes": 10080,
    "move_notice_minutes": 1440,
    "cancel_notice_minutes": 0,
    "horizon_days": 90,
    "seats": 2,
    "return_after_months": 6,
    "approval": True,
    "approval_hours": 24,
    "offer_hours": 6,
    "slot_offset_minutes": 15,
    "visitor_per_day": 1,
    "visitor_per_week": 2,
    "visitor_per_month": None,
    "active": True,
}


def test_whole_shape_is_taken_as_it_is() -> None:
    assert parse_programme(WHOLE, whole=True) == WHOLE


def test_part_of_the_shape_is_taken_as_that_part() -> None:
    assert parse_programme({"seats": 3}, whole=False) == {"seats": 3}


def test_texts_are_cleaned() -> None:
    parsed = parse_programme({"name": "  Free \u0000 till ", "guide": "one\r\n\r\n  two  "}, whole=False)
    assert parsed == {"name": "Free till", "guide": "one\ntwo"}


def test_new_programme_needs_address_and_name() -> None:
    with pytest.raises(BadProgramme) as bad:
        parse_programme({}, whole=True)
    assert bad.value.errors == {"slug": [Problem.SLUG], "name": [Problem.NAME]}


@pytest.mark.parametrize("document", [None, [], "shadow", 3])
def test_shape_is_an_object(document: object) -> None:
    with pytest.raises(BadProgramme):
        parse_programme(document, whole=False)


@pytest.mark.parametrize("name", list(NUMBERS))
def test_numbers_have_two_ends_and_are_whole(name: str) -> None:
    bounds, problem = NUMBERS[name]
    for good in (bounds.low, bounds.high):
        assert parse_programme({name: good}, whole=False) == {name: good}
    wrongs: list[object] = [bounds.low - 1, bounds.high + 1, 60.0, "60", None, True, []]
    for wrong in wrongs:
        with pytest.raises(BadProgramme) as bad:
            parse_programme({name: wrong}, whole=False)
        assert bad.value.errors == {name: [problem]}


@pytest.mark.parametrize("name", LIMITS)
def test_limits_of_a_visitor_are_numbers_or_none(name: str) -> None:
    for good in (None, 1, 50):
        assert parse_programme({name: good}, whole=False) == {name: good}
    wrongs: list[object] = [0, 51, -1, 1.0, "1", "", True, []]
    for wrong in wrongs:
        with pytest.raises(BadProgramme) as bad:
            parse_programme({name: wrong}, whole=False)
        assert bad.value.errors == {name: [Problem.LIMIT]}


@pytest.mark.parametrize(
    ("name", "wrong", "problem"),
    [
        ("duration_minutes", 61, Problem.DURATION),
        ("slot_step_minutes", 7, Problem.STEP),
        ("slot_offset_minutes", 7, Problem.OFFSET),
        ("slug", "Free-Till", Problem.SLUG),
        ("slug", "free--till", Problem.SLUG),
        ("slug", "free-till\n", Problem.SLUG),
        ("slug", "касса", Problem.SLUG),
        ("slug", "x" * 41, Problem.SLUG),
        ("slug", None, Problem.SLUG),
        ("slug", "new", Problem.SLUG_RESERVED),
        ("name", "   ", Problem.NAME),
        ("name", "x" * 121, Problem.NAME),
        ("name_ru", 5, Problem.NAME_RU),
        ("purpose", "x" * 601, Problem.PURPOSE),
        ("guide", "\n".join("x" * 41), Problem.GUIDE),
        ("guide", "x" * 201, Problem.GUIDE),
        ("guide", ["one"], Problem.GUIDE),
        ("format", "talk", Problem.FORMAT),
        ("format", [], Problem.FORMAT),
        ("approval", 1, Problem.YES_NO),
        ("active", "yes", Problem.YES_NO),
        ("colour", "green", Problem.UNKNOWN),
    ],
)
def test_wrong_value_is_refused_at_its_field(name: str, wrong: object, problem: Problem) -> None:
    with pytest.raises(BadProgramme) as bad:
        parse_programme({name: wrong}, whole=False)
    assert bad.value.errors == {name: [problem]}


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(BadProgramme) as bad:
        parse_programme({"seats": 0, "name": "", "extra": 1}, whole=False)
    assert set(bad.value.errors) == {"seats", "name", "extra"}
