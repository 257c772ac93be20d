"""Why this agent, in words."""

import pytest
from flask import Flask

from gemba.visits.because import because_of, speaks_for

TURN = {"done": 3, "share": 4.2, "speaks": True, "same_product": True}


@pytest.mark.parametrize(
    ("code", "facts", "sentence"),
    [
        ("asked", {}, "Anna was asked for by name."),
        ("only-one", {}, "Anna was the only one free at this hour."),
        ("stand-in", TURN, "Anna stands in for an agent who could not."),
        (
            "not-met",
            TURN,
            "It was the turn of Anna: 3 visits so far, a fair share would be 4.2. You have not met yet.",
        ),
        (
            "met-all",
            {**TURN, "done": 1},
            "It was the turn of Anna: 1 visit so far, a fair share would be 4.2. "
            "You have met everyone who was free.",
        ),
        ("not-met", {}, "You have not met yet."),
        ("", {}, ""),
        ("what-is-this", {}, ""),
    ],
)
def test_a_choice_is_one_or_two_sentences(
    site: Flask, code: str, facts: dict[str, object], sentence: str
) -> None:
    with site.test_request_context():
        assert because_of(code, facts, "Anna", own=True) == sentence


def test_what_speaks_for_a_stand_in(site: Flask) -> None:
    with site.test_request_context():
        assert speaks_for(TURN, met=True) == (
            "3 visits so far, a fair share would be 4.2. They have met before."
        )
        assert speaks_for({}, met=False) == ""
