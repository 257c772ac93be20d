"""A lead's yes: the hour is held, answered, or free again; on both databases, by page and by call."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from gemba.db import db
from gemba.errors import Forbidden
from gemba.invites.service import invites_of
from gemba.outbox.models import OutboxItem
from gemba.people.models import Person
from gemba.programmes.models import Programme
from gemba.visits import service
from gemba.visits.errors import (
    AlreadyCancelled,
    AlreadyDecided,
    NeedsNewYes,
    NotBooked,
    NotYoursToDecide,
    RequestLapsed,
    SlotTaken,
)
from gemba.visits.facts import Ask
from gemba.visits.models import Tick, Visit
from gemba.visits.rules import AT_LEAST, Status, TookPlace, decide_until
from tests.api.conftest import Callers, as_, problem_of  # noqa: F401
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.visits.errands import run_errands, texts, told

THURSDAY_TEN = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _ask(cast: Cast, clock: StandingClock, who: Person, start: datetime = THURSDAY_TEN) -> Visit:
    programme = db.session.get_one(Programme, cast.programme.id)
    programme.approval = True
    visit = service.book(
        programme=programme, visitor=who, start=start, ask=Ask(agent_id=cast.alice.id), now=clock()
    )
    db.session.commit()
    return visit


@pytest.fixture
def visit(app: Flask, cast: Cast, clock: StandingClock) -> Visit:
    return _ask(cast, clock, cast.vera)


def test_a_request_holds_the_hour_and_tells_who_must_know(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    assert (visit.status, visit.sequence) == (Status.REQUESTED, 0)
    assert visit.expires_at == clock() + timedelta(hours=48)
    assert invites_of(visit.id) == []
    assert told("requested") == [cast.vera.email]
    assert told("decide") == [cast.lev.email]
    with pytest.raises(SlotTaken):
        service.book(
            programme=cast.programme,
            visitor=cast.eve,
            start=THURSDAY_TEN,
            ask=Ask(agent_id=cast.alice.id),
            now=clock(),
        )


def test_mails_are_written_in_words(visit: Visit) -> None:
    found = texts()
    assert found["requested"].startswith("Asked for: visit on Thu")
    assert "Lev Lead answers by Wednesday 25 November, 09:00" in found["requested"]
    assert "please say yes or no" in found["decide"]
    for text in found.values():
        assert "Thursday 26 November, 10:00–11:00" in text
        assert f"/visits/{visit.id}" in text
        assert visit.meeting_url not in text


def test_yes_books_it_with_the_first_invites(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    service.approve(visit, cast.lev, now=clock())
    db.session.commit()
    assert (visit.status, visit.sequence, visit.expires_at) == (Status.BOOKED, 0, None)
    sent = {(row.to, row.method, row.sequence) for row in invites_of(visit.id)}
    assert sent == {(each.email, "REQUEST", 0) for each in (cast.vera, cast.alice, cast.lev)}
    with pytest.raises(AlreadyDecided):
        service.approve(visit, cast.lev, now=clock())
    with pytest.raises(AlreadyDecided):
        service.decline(visit, cast.adam, reason="", now=clock())


def test_no_frees_the_hour_and_says_why(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    service.decline(visit, cast.lev, reason=" peak week ", now=clock())
    db.session.commit()
    assert (visit.status, visit.cancel_reason) == (Status.DECLINED, "peak week")
    assert db.session.scalar(select(func.count()).select_from(Tick)) == 0
    assert told("declined") == [cast.vera.email]
    with pytest.raises(AlreadyDecided):
        service.approve(visit, cast.lev, now=clock())
    assert _ask(cast, clock, cast.eve).status == Status.REQUESTED


def test_only_the_lead_and_admins_answer(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    for person in (cast.vera, cast.alice, cast.lena, cast.olga):
        with pytest.raises(NotYoursToDecide):
            service.approve(visit, person, now=clock())
    service.approve(visit, cast.adam, now=clock())


def test_time_that_runs_out_frees_the_hour_once(
    app: Flask, visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    until = visit.expires_at
    assert until is not None
    run_errands(app, clock)
    assert visit.status == Status.REQUESTED
    clock.at = until
    with pytest.raises(RequestLapsed):
        service.approve(visit, cast.lev, now=clock())
    run_errands(app, clock)
    assert visit.status == Status.LAPSED
    assert db.session.scalar(select(func.count()).select_from(Tick)) == 0
    before = db.session.scalar(select(func.count()).select_from(OutboxItem))
    service.lapse(visit.id, until, now=clock())
    assert db.session.scalar(select(func.count()).select_from(OutboxItem)) == before
    assert (told("lapsed"), told("unanswered")) == ([cast.vera.email], [cast.lev.email])
    with pytest.raises(RequestLapsed):
        service.approve(visit, cast.lev, now=clock())


def test_an_answered_request_never_lapses(app: Flask, visit: Visit, cast: Cast, clock: StandingClock) -> None:
    service.approve(visit, cast.lev, now=clock())
    db.session.commit()
    clock.forward(hours=49)
    run_errands(app, clock)
    assert visit.status == Status.BOOKED


def test_an_errand_sent_early_is_done_in_time(
    app: Flask, visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    clock.forward(hours=1)
    assert visit.expires_at is not None
    service.lapse(visit.id, visit.expires_at, now=clock())
    db.session.commit()
    assert visit.status == Status.REQUESTED
    clock.at = visit.expires_at
    run_errands(app, clock)
    assert visit.status == Status.LAPSED


def test_who_could_say_yes_need_not_ask(app: Flask, cast: Cast, clock: StandingClock) -> None:
    assert _ask(cast, clock, cast.lev).status == Status.BOOKED
    assert _ask(cast, clock, cast.lena, THURSDAY_TEN + HOUR).status == Status.REQUESTED


def test_without_a_lead_any_admin_decides(app: Flask, cast: Cast, clock: StandingClock) -> None:
    cast.line.lead_id = None
    visit = _ask(cast, clock, cast.vera)
    assert told("decide") == [cast.adam.email]
    with pytest.raises(NotYoursToDecide):
        service.approve(visit, cast.lev, now=clock())
    assert service.approve(visit, cast.adam, now=clock()).status == Status.BOOKED


def test_a_moved_request_stays_one_and_its_time_begins_anew(
    app: Flask, visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    first = visit.expires_at
    clock.forward(hours=2)
    service.move(visit, cast.vera, start=THURSDAY_TEN + HOUR, now=clock())
    db.session.commit()
    assert (visit.status, visit.sequence, visit.starts_at) == (Status.REQUESTED, 0, THURSDAY_TEN + HOUR)
    assert first is not None
    assert visit.expires_at == first + timedelta(hours=2)
    assert invites_of(visit.id) == []
    clock.at = first
    run_errands(app, clock)
    assert visit.status == Status.REQUESTED
    service.approve(visit, cast.lev, now=clock())
    assert {row.sequence for row in invites_of(visit.id)} == {0}


def test_a_request_is_taken_back_without_invites(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    service.cancel(visit, cast.vera, reason="", now=clock())
    db.session.commit()
    assert (visit.status, invites_of(visit.id)) == (Status.CANCELLED, [])
    assert told("withdrawn") == [cast.lev.email]
    with pytest.raises(AlreadyCancelled):
        service.approve(visit, cast.lev, now=clock())


def test_a_request_has_no_outcome(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    clock.at = THURSDAY_TEN + HOUR
    with pytest.raises(NotBooked):
        service.tell_outcome(visit, cast.vera, TookPlace.YES, now=clock())


@pytest.mark.parametrize(("ahead", "hours"), [(72.0, 48.0), (24.0, 23.0), (1.0, 0.25), (0.1, 0.25)])
def test_there_is_time_to_answer_but_never_after_the_visit(ahead: float, hours: float) -> None:
    now = THURSDAY_TEN
    until = decide_until(now + timedelta(hours=ahead), timedelta(hours=48), now=now)
    assert until == now + timedelta(hours=hours)
    assert until - now >= AT_LEAST


@pytest.fixture
def requested(site: Flask, site_cast: Cast, clock: StandingClock) -> int:
    with site.app_context():
        cast = site_cast
        programme = db.session.merge(cast.programme)
        programme.approval = True
        visit = service.book(
            programme=programme,
            visitor=db.session.merge(cast.vera),
            start=THURSDAY_TEN,
            ask=Ask(agent_id=cast.alice.id),
            now=clock(),
        )
        db.session.commit()
        return visit.id


def _status(site: Flask, visit_id: int) -> str:
    with site.app_context():
        return db.session.get_one(Visit, visit_id).status


def test_the_page_asks_who_may_answer(site_cast: Cast, browser: Browser, requested: int) -> None:
    path = f"/visits/{requested}"
    assert "Is this visit all right with you?" in browser.as_(site_cast.lev.id).get(path).text
    assert "Is this visit all right with you?" in browser.as_(site_cast.adam.id).get(path).text
    for person in (site_cast.vera, site_cast.alice):
        page = browser.as_(person.id).get(path).text
        assert "Lev Lead answers by" in page
        assert f"{path}/approve" not in page
        assert browser.as_(person.id).post(f"{path}/approve").status_code == 403
        assert browser.as_(person.id).get(f"{path}/decline").status_code == 403
    assert browser.as_(site_cast.eve.id).post(f"{path}/approve").status_code == 404
    assert "A visit waits for your yes" in browser.as_(site_cast.lev.id).get("/").text
    assert "Your request waits for a yes" in browser.as_(site_cast.vera.id).get("/").text
    assert "waits for a yes" in browser.as_(site_cast.vera.id).get("/visits").text
    assert browser.as_(site_cast.vera.id).get(f"{path}/invite.ics").status_code == 409


def test_two_clicks_and_two_tabs(site: Flask, site_cast: Cast, browser: Browser, requested: int) -> None:
    lev, path = browser.as_(site_cast.lev.id), f"/visits/{requested}"
    assert lev.get(f"{path}/approve").status_code == 405
    first, second = (lev.post(f"{path}/approve") for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert "This request was answered already." in lev.get(path).text
    assert lev.post(f"{path}/decline", data={"reason": "no"}).status_code == 303
    assert _status(site, requested) == "booked"


def test_declining_by_page(site: Flask, site_cast: Cast, browser: Browser, requested: int) -> None:
    lev, path = browser.as_(site_cast.lev.id), f"/visits/{requested}"
    assert "Why not" in lev.get(f"{path}/decline").text
    assert lev.post(f"{path}/decline", data={"reason": "x" * 501}).status_code == 422
    lev.post(f"{path}/decline", data={"reason": "peak week"})
    assert _status(site, requested) == "declined"
    page = browser.as_(site_cast.vera.id).get(path).text
    assert "Declined." in page
    assert "peak week" in page


def test_booking_by_page_says_that_it_is_asked(site: Flask, site_cast: Cast, browser: Browser) -> None:
    with site.app_context():
        db.session.merge(site_cast.programme).approval = True
        db.session.commit()
    vera = browser.as_(site_cast.vera.id)
    done = [vera.post("/visits/book", data={"start": "2026-11-26T09:00:00Z"}) for _ in range(2)]
    assert done[0].location == done[1].location
    assert "Asked. You hear by" in vera.get(done[0].location).text


def test_by_call(site: Flask, site_cast: Cast, as_: Callers) -> None:  # noqa: F811
    with site.app_context():
        db.session.merge(site_cast.programme).approval = True
        db.session.commit()
    body = {"programme": "shadow", "start": "2026-11-26T09:00:00Z", "agent": site_cast.alice.id}
    answer = as_("vera").post("/visits", body)
    assert answer.status_code == 201
    visit = answer.get_json()
    assert (visit["status"], visit["expires_at"]) == ("requested", "2026-11-25T08:00:00Z")
    path = f"/visits/{visit['id']}"
    problem_of(as_("vera").post(f"{path}/approve", {}), 403, "forbidden")
    assert as_("lev").post(f"{path}/approve", {}).get_json()["status"] == "booked"
    problem_of(as_("lev").post(f"{path}/decline", {"reason": "late"}), 409, "already-decided")
    second = as_("vera").post("/visits", {**body, "start": "2026-11-27T09:00:00Z"}).get_json()
    declined = as_("adam").post(f"/visits/{second['id']}/decline", {"reason": "no"}).get_json()
    assert (declined["status"], declined["cancel_reason"]) == ("declined", "no")


def test_of_many_answers_at_once_one_counts(
    app: Flask, visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    visit_id, until, lev = visit.id, visit.expires_at, cast.lev.id
    assert until is not None
    db.session.remove()

    def answer(number: int) -> str:
        with app.app_context():
            row, by = db.session.get_one(Visit, visit_id), db.session.get_one(Person, lev)
            try:
                if number % 3 == 0:
                    service.approve(row, by, now=clock())
                elif number % 3 == 1:
                    service.decline(row, by, reason="", now=clock())
                else:
                    service.lapse(visit_id, until, now=until)
                    db.session.commit()
                    return "lapse"
                db.session.commit()
            except (AlreadyDecided, RequestLapsed):
                db.session.rollback()
                return "refused"
            return "answered"

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(answer, range(12)))
    row = db.session.get_one(Visit, visit_id)
    assert row.status in (Status.BOOKED, Status.DECLINED, Status.LAPSED)
    assert said.count("answered") == (0 if row.status == Status.LAPSED else 1)
    taken = db.session.scalar(select(func.count()).select_from(Tick))
    assert taken == (24 if row.status == Status.BOOKED else 0)


def test_a_visitors_new_hour_needs_a_new_yes(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    service.approve(visit, cast.lev, now=clock())
    new = THURSDAY_TEN + HOUR
    assert service.move(visit, cast.vera, start=new, now=clock()).starts_at == THURSDAY_TEN
    db.session.commit()
    assert (visit.status, visit.sequence) == (Status.BOOKED, 0)
    assert told("proposed") == [cast.lev.email]
    (proposal,) = service.proposals_of(visit.id)
    assert not service.may_answer_proposal(visit, proposal, cast.alice)
    with pytest.raises(Forbidden):
        service.accept_proposal(visit, proposal.id, cast.alice, now=clock())
    service.accept_proposal(visit, proposal.id, cast.lev, now=clock())
    assert (visit.starts_at, visit.sequence) == (new, 1)


def test_a_visitors_new_hour_that_is_taken_is_refused_at_once(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    service.approve(visit, cast.lev, now=clock())
    _ask(cast, clock, cast.eve, THURSDAY_TEN + HOUR)
    with pytest.raises(SlotTaken):
        service.move(visit, cast.vera, start=THURSDAY_TEN + HOUR, now=clock())
    with pytest.raises(NeedsNewYes):
        service.move(visit, cast.vera, start=THURSDAY_TEN + HOUR, agent_id=cast.anton.id, now=clock())
    assert service.proposals_of(visit.id) == []


def test_who_decides_and_the_agent_move_it_at_once(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    service.approve(visit, cast.lev, now=clock())
    for number, by in enumerate((cast.lev, cast.alice), start=1):
        start = THURSDAY_TEN + number * HOUR
        assert service.move(visit, by, start=start, now=clock()).starts_at == start


def test_a_new_hour_by_page_and_call(
    site: Flask,
    site_cast: Cast,
    browser: Browser,
    clock: StandingClock,
    as_: Callers,  # noqa: F811
) -> None:
    with site.app_context():
        visit = _ask(site_cast, clock, db.session.get_one(Person, site_cast.vera.id))
        service.approve(visit, db.session.get_one(Person, site_cast.lev.id), now=clock())
        db.session.commit()
        visit_id = visit.id
    vera, lev, alice = (browser.as_(person.id) for person in (site_cast.vera, site_cast.lev, site_cast.alice))
    body = {"start": "2026-11-26T10:00:00Z"}
    answer = as_("vera").post(f"/visits/{visit_id}/move", body)
    assert (answer.status_code, answer.get_json()["start"]) == (200, "2026-11-26T09:00:00Z")
    clock.forward(minutes=1)
    body = {"start": "2026-11-26T13:00:00Z"}
    assert vera.post(f"/visits/{visit_id}/move", data=body).status_code == 303
    page = vera.get(f"/visits/{visit_id}").text
    assert "The visit stays where it is until the new hour is agreed to." in page
    assert "Another hour is proposed" in lev.get("/").text
    assert "Move it there" in lev.get(f"/visits/{visit_id}").text
    assert "Another hour is proposed" not in alice.get("/").text
    assert "Move it there" not in alice.get(f"/visits/{visit_id}").text


def test_what_came_to_nothing_is_listed(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    with site.app_context():
        visit = _ask(site_cast, clock, db.session.get_one(Person, site_cast.vera.id))
        service.decline(visit, db.session.get_one(Person, site_cast.lev.id), reason="no", now=clock())
        db.session.commit()
        visit_id = visit.id
    vera = browser.as_(site_cast.vera.id)
    page = vera.get("/visits").text
    assert "Came to nothing" in page
    assert f"/visits/{visit_id}" in page
    clock.forward(days=5)
    page = vera.get("/visits").text
    assert "Came to nothing" not in page
    assert f"/visits/{visit_id}" in page
