"""How people point at an insight."""

import pytest

from gemba.insights.rules.reference import insight_number


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("43", 43),
        (" #43 ", 43),
        ("№ 43", 43),
        ("/insights/43", 43),
        ("https://gemba.example/insights/43", 43),
        ("https://gemba.example/under/insights/43/edit?x=1#talk", 43),
        ("", None),
        ("4x", None),
        ("-4", None),
        ("٤٣", None),
        ("1234567890", None),
        ("https://gemba.example/visits/43", None),
        ("see /insights/43", None),
    ],
)
def test_a_number_or_an_address_names_an_insight(words: str, number: int | None) -> None:
    assert insight_number(words) == number
