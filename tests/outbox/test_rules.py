"""Waits, verdicts, snapshots."""

import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemba.outbox.rules import (
    LONGEST_WAIT,
    QUICK,
    SLOW,
    TRIES,
    Permanent,
    Stage,
    Temporary,
    backoff,
    freeze,
    lost_its_secret,
    sentence_of,
    thaw,
    verdict,
    without_secrets,
)


@given(st.integers(1, 10**9), st.integers(1, 100))
def test_wait_doubles_from_half_a_minute_to_an_hour_give_or_take_half(item: int, attempt: int) -> None:
    middle = min(QUICK * 2 ** min(attempt - 1, 20), LONGEST_WAIT)
    assert middle * 0.5 <= backoff(item, attempt) <= middle * 1.5
    assert backoff(item, attempt) == backoff(item, attempt)


def test_waits_scatter() -> None:
    assert len({backoff(item, 1) for item in range(100)}) > 50


def test_all_tries_outlast_an_evening_without_mail_server() -> None:
    total = sum((backoff(7, attempt) for attempt in range(1, TRIES)), timedelta())
    assert timedelta(hours=3) < total < timedelta(hours=10)


@pytest.mark.parametrize("code", [500, 550, 552, 554])
@pytest.mark.parametrize("stage", list(Stage))
def test_five_hundreds_are_final(stage: Stage, code: int) -> None:
    assert isinstance(verdict(stage, code, "no"), Permanent)


@pytest.mark.parametrize(
    ("stage", "code", "wait"),
    [
        (Stage.RECIPIENT, 450, SLOW),
        (Stage.RECIPIENT, 451, SLOW),
        (Stage.MESSAGE, 451, QUICK),
        (Stage.MESSAGE, 421, QUICK),
        (Stage.MESSAGE, 432, SLOW),
        (Stage.MESSAGE, -1, QUICK),
    ],
)
def test_the_rest_is_tried_again(stage: Stage, code: int, wait: timedelta) -> None:
    failure = verdict(stage, code, "later")
    assert isinstance(failure, Temporary)
    assert failure.wait == wait


_names = st.from_regex(r"[^$].{0,4}", fullmatch=True)
_plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.dates() | st.datetimes(timezones=st.just(UTC)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=8,
)


@given(_plain)
def test_frozen_context_thaws_to_itself_through_json(value: object) -> None:
    assert thaw(json.loads(json.dumps(freeze(value)))) == value


def test_instants_are_kept_in_utc() -> None:
    berlin = datetime(2026, 11, 23, 10, tzinfo=timezone(timedelta(hours=1)))
    assert freeze({"at": berlin, "day": date(2026, 11, 23)}) == {
        "at": {"$instant": "2026-11-23T09:00:00+00:00"},
        "day": {"$day": "2026-11-23"},
    }


def test_what_json_does_not_know_is_refused_at_once() -> None:
    with pytest.raises(TypeError):
        freeze({"person": object()})
    with pytest.raises(ValueError, match="time zone"):
        freeze(datetime(2026, 11, 23))


def test_secrets_are_taken_out() -> None:
    payload = {"template": "code", "context": {"secret": "123456", "who": "Vera"}}
    blank = without_secrets(payload)
    assert blank == {"template": "code", "context": {"secret": None, "who": "Vera"}}
    assert lost_its_secret(blank)
    assert not lost_its_secret(payload)
    assert without_secrets({"x": 1}) == {"x": 1}


def test_a_reason_is_one_bounded_line() -> None:
    assert sentence_of("550 no\r\n such\x00 user ") == "550 no such user"
    assert len(sentence_of("x" * 1000)) == 300
