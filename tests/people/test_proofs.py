"""Codes, links and tokens as services: simultaneous use, expiry, whose they are; on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.errors import Invalid, NotFound
from gemba.people import service
from gemba.people.errors import ProofGone, TooManyMails, WrongCode
from gemba.people.models import ApiToken, SignInRequest
from tests.cast import Cast
from tests.conftest import MONDAY
from tests.people.stage import another

VERA = "vera@gemba.example"


def _order(browser: str = "b") -> service.MailOrder:
    order = service.request_sign_in(VERA, browser, now=MONDAY)
    assert order is not None
    db.session.commit()
    return order


def test_simultaneous_guesses_share_no_try(app: Flask, cast: Cast) -> None:
    code = _order().code

    def guess(_number: int) -> str:
        with app.app_context():
            try:
                service.check_code("b", another(code), now=MONDAY)
            except (WrongCode, ProofGone) as error:
                db.session.commit()
                return error.code
            return "in"

    with ThreadPoolExecutor(8) as threads:
        answers = sorted(threads.map(guess, range(24)))
    assert answers == ["proof-gone"] * 19 + ["wrong-code"] * 5


def test_a_link_used_at_once_by_many_lets_one_in(app: Flask, cast: Cast) -> None:
    link = _order().link_token

    def use(_number: int) -> bool:
        with app.app_context():
            try:
                service.use_link(link, now=MONDAY)
            except ProofGone:
                db.session.rollback()
                return False
            db.session.commit()
            return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(use, range(16))) == 1


def test_simultaneous_wishes_stay_within_five_mails(app: Flask, cast: Cast) -> None:
    def ask(number: int) -> bool:
        with app.app_context():
            try:
                service.request_sign_in(VERA, f"browser-{number}", now=MONDAY)
            except TooManyMails:
                db.session.rollback()
                return False
            db.session.commit()
            return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(ask, range(20))) == 5


def test_unknown_addresses_are_asked_for_like_known_ones(cast: Cast) -> None:
    assert service.request_sign_in("nobody@gemba.example", "b", now=MONDAY) is None
    with pytest.raises(WrongCode):
        service.check_code("b", "000000", now=MONDAY)


def test_a_changed_address_makes_proofs_worthless(cast: Cast) -> None:
    order = _order()
    service.update_person(cast.vera, by=cast.adam, now=MONDAY, email="v2@gemba.example")
    with pytest.raises(ProofGone):
        service.look_at_link(order.link_token, now=MONDAY)
    with pytest.raises(ProofGone):
        service.check_code("b", order.code, now=MONDAY)


def test_old_requests_are_forgotten(cast: Cast) -> None:
    _order()
    service.request_sign_in("nobody@gemba.example", "c", now=MONDAY + timedelta(days=2))
    assert db.session.scalars(select(SignInRequest.email)).all() == ["nobody@gemba.example"]


def test_sign_ins_are_ended_by_their_person_only(cast: Cast) -> None:
    here = service.begin_sign_in(cast.vera.id, method="test", browser="a", now=MONDAY)
    there = service.begin_sign_in(cast.vera.id, method="test", browser="b", now=MONDAY)
    db.session.flush()
    row = service.find_sign_in(there, now=MONDAY)
    assert row is not None
    with pytest.raises(NotFound):
        service.end_sign_in(cast.eve, row.id, now=MONDAY)
    service.end_sign_in(cast.vera, row.id, now=MONDAY)
    assert service.find_sign_in(there, now=MONDAY) is None
    assert service.find_sign_in(here, now=MONDAY) is not None
    assert len(service.sign_ins_of(cast.vera, now=MONDAY)) == 1
    service.end_sign_ins(cast.vera, now=MONDAY, by=cast.vera)
    assert service.find_sign_in(here, now=MONDAY) is None


def test_a_token_is_its_person(cast: Cast) -> None:
    token = service.make_token(cast.vera, " my\treport ", "write", MONDAY)
    db.session.commit()
    [row] = service.tokens_of(cast.vera)
    assert (row.name, row.last_used_at) == ("my report", None)
    assert token not in row.token_hash
    found = service.use_of_token(token, MONDAY)
    assert found is not None
    assert (found.person.id, found.scope) == (cast.vera.id, "write")
    assert service.use_of_token(token + "x", MONDAY) is None
    with pytest.raises(NotFound):
        service.revoke_token(cast.eve, row.id, MONDAY)
    service.revoke_token(cast.vera, row.id, MONDAY)
    assert service.use_of_token(token, MONDAY) is None
    assert service.tokens_of(cast.vera) == []


def test_a_note_of_use_is_due_once_an_hour(cast: Cast) -> None:
    token = service.make_token(cast.vera, "t", "read", MONDAY)
    db.session.commit()

    def due(after: timedelta) -> bool:
        use = service.use_of_token(token, MONDAY + after)
        assert use is not None
        if not use.is_noted:
            service.note_use(use, MONDAY + after)
        return not use.is_noted

    hour = timedelta(hours=1)
    assert [due(after) for after in (0 * hour, 0.9 * hour, hour, 1.9 * hour, 2 * hour)] == [
        True,
        False,
        True,
        False,
        True,
    ]
    assert db.session.scalar(select(ApiToken.last_used_at)) == MONDAY + 2 * hour


@pytest.mark.parametrize(
    ("name", "scope", "field"), [("", "read", "name"), ("n" * 61, "read", "name"), ("n", "admin", "scope")]
)
def test_bad_tokens_are_refused(cast: Cast, name: str, scope: str, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        service.make_token(cast.vera, name, scope, MONDAY)
    assert list(caught.value.errors) == [field]


def test_twenty_tokens_are_enough(cast: Cast) -> None:
    for number in range(20):
        service.make_token(cast.vera, f"t{number}", "read", MONDAY)
    with pytest.raises(Invalid):
        service.make_token(cast.vera, "one more", "read", MONDAY)
