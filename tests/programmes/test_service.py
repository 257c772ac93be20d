"""Who makes, changes and reads programmes; on both databases."""

from typing import Any

import pytest
from sqlalchemy import select

from gemba.db import db
from gemba.errors import Forbidden, Invalid, NotFound
from gemba.people.models import AuditEntry
from gemba.programmes import service
from gemba.programmes.rules import Problem
from tests.cast import Cast
from tests.conftest import MONDAY

pytestmark = pytest.mark.usefixtures("app")

NEW: dict[str, Any] = {"slug": "free-till", "name": "Free till", "format": "hands-on", "seats": 2}


def test_admin_makes_a_programme_with_the_usual_rest(cast: Cast) -> None:
    made = service.create(cast.adam, NEW, now=MONDAY)
    db.session.commit()
    shown = service.programme_document(service.get_programme("free-till"))
    assert {name: shown[name] for name in NEW} == NEW
    assert (shown["duration_minutes"], shown["horizon_days"], shown["active"]) == (60, 28, True)
    assert made.created_at == MONDAY


def test_document_can_be_given_back_as_it_is(cast: Cast) -> None:
    cast.programme.smallest_group = 2  # the cast is smaller than any company may ask for
    document = service.programme_document(cast.programme)
    changed = service.update(cast.adam, "shadow", document, now=MONDAY)
    assert service.programme_document(changed) == document
    assert db.session.scalars(select(AuditEntry)).all() == []


def test_change_touches_only_what_is_named_and_is_written_down(cast: Cast) -> None:
    before = service.programme_document(cast.programme)
    changed = service.update(cast.adam, "shadow", {"seats": 3, "name": "Side by side"}, now=MONDAY)
    assert service.programme_document(changed) == {**before, "seats": 3}
    entry = db.session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.person_id, entry.detail) == ("programme.update", cast.adam.id, {"seats": 3})


def test_only_admins_write(cast: Cast) -> None:
    for person in (cast.vera, cast.alice, cast.lev, cast.olga):
        with pytest.raises(Forbidden):
            service.create(person, NEW, now=MONDAY)
        with pytest.raises(Forbidden):
            service.update(person, "shadow", {"seats": 3}, now=MONDAY)


def test_address_is_taken_once_and_stays(cast: Cast) -> None:
    with pytest.raises(Invalid) as taken:
        service.create(cast.adam, {**NEW, "slug": "shadow"}, now=MONDAY)
    assert taken.value.errors == {"slug": [Problem.SLUG_TAKEN]}
    with pytest.raises(Invalid) as fixed:
        service.update(cast.adam, "shadow", {"slug": "other"}, now=MONDAY)
    assert fixed.value.errors == {"slug": [Problem.SLUG_FIXED]}
    assert service.get_programme("shadow").id == cast.programme.id


def test_missing_programme_is_not_found(cast: Cast) -> None:
    with pytest.raises(NotFound):
        service.get_programme("nothing")
    with pytest.raises(NotFound):
        service.update(cast.adam, "nothing", {}, now=MONDAY)


def test_resting_programmes_are_for_admins_and_never_the_default(cast: Cast) -> None:
    service.create(cast.adam, NEW, now=MONDAY)
    service.update(cast.adam, "shadow", {"active": False}, now=MONDAY)
    assert [each.slug for each in service.list_programmes(cast.adam)] == ["shadow", "free-till"]
    assert [each.slug for each in service.list_programmes(cast.vera)] == ["free-till"]
    assert service.default_programme().slug == "free-till"
    service.update(cast.adam, "free-till", {"active": False}, now=MONDAY)
    with pytest.raises(NotFound):
        service.default_programme()
