"""Training before hands-on visits: the checklist, questions, files, sign-off, and no booking before."""

import io
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from gemba.db import db
from gemba.errors import Forbidden, Invalid, NotFound
from gemba.people.models import AuditEntry, Person, PersonRole
from gemba.people.rules import Role
from gemba.programmes.models import Programme
from gemba.programmes.training import service
from gemba.programmes.training.errors import (
    MentorsStep,
    NotQuite,
    NotYourself,
    StepsOpen,
    TrainingMissing,
)
from gemba.programmes.training.models import TrainingDone, TrainingStep
from gemba.programmes.training.rules import BadStep, StepKind, StepText, choices_of, is_right, read_step
from gemba.programmes.training.service import Upload
from gemba.visits import service as visits
from gemba.visits.facts import ANY, Ask
from tests.cast import Cast
from tests.conftest import MONDAY, Browser, StandingClock

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"
QUESTION = StepText(
    "Who sends the answer?",
    "Кто отправляет ответ?",
    answers="*The mentor says when\nI send at once\n*I ask first",
    answers_ru="*Наставник говорит, когда\nЯ отправляю сразу\n*Сначала спрашиваю",
)
HOUR = MONDAY + timedelta(days=3, hours=1)


def hands_on(cast: Cast) -> Programme:
    """Free till, with Anton as its mentor."""
    programme = Programme(
        slug="free-till", name="Free till", name_ru="Свободная касса", format="hands-on", created_at=MONDAY
    )
    db.session.add(programme)
    anton = db.session.get_one(Person, cast.anton.id)
    anton.role_rows = [*anton.role_rows, PersonRole(role=Role.MENTOR)]
    db.session.flush()
    return programme


def steps_for(cast: Cast) -> list[int]:
    """One step of each kind: ids in their order."""
    adam = db.session.get_one(Person, cast.adam.id)
    pdf = Upload("rules.pdf", PDF)
    made = [
        service.add_step(adam, "free-till", kind, text, upload, now=MONDAY)
        for kind, text, upload in (
            (StepKind.READ, StepText("The desk", link="https://wiki.example/desk"), None),
            (StepKind.FILE, StepText("Rules of the house"), pdf),
            (StepKind.QUESTION, QUESTION, None),
            (StepKind.SIGN_OFF, StepText("A call with the mentor"), None),
        )
    ]
    return [step.id for step in made]


def all_done(cast: Cast, person: Person, *, but: int = 0) -> None:
    """Does everything that is one's own, but the last so many."""
    own = [state.step for state in service.training_of(free_till(), person).steps][:3]
    for step in own[: 3 - but]:
        service.take_step(person, "free-till", step.id, [0, 2], now=MONDAY)


def free_till() -> Programme:
    return db.session.scalars(select(Programme).where(Programme.slug == "free-till")).one()


def test_a_training_from_the_first_step_to_the_first_visit(cast: Cast) -> None:
    programme = hands_on(cast)
    read, file, question, sign = steps_for(cast)
    with pytest.raises(TrainingMissing):
        visits.book(programme=programme, visitor=cast.vera, start=HOUR, ask=Ask(cast.alice.id), now=MONDAY)
    with pytest.raises(TrainingMissing):
        visits.wait(programme, cast.vera, ANY, now=MONDAY)
    for step in (read, read, file):
        service.take_step(cast.vera, "free-till", step, now=MONDAY)
    for wrong in ([], [1], [0], [0, 1, 2], [99]):
        with pytest.raises(NotQuite):
            service.take_step(cast.vera, "free-till", question, wrong, now=MONDAY)
    with pytest.raises(MentorsStep):
        service.take_step(cast.vera, "free-till", sign, now=MONDAY)
    with pytest.raises(StepsOpen):
        service.sign_off(cast.anton, sign, cast.vera.id, now=MONDAY)
    service.take_step(cast.vera, "free-till", question, [2, 0], now=MONDAY)
    training = service.training_of(programme, cast.vera)
    assert (training.done, training.waits_for_mentor, training.is_complete) == (3, True, False)
    service.sign_off(cast.anton, sign, cast.vera.id, now=MONDAY)
    service.sign_off(cast.anton, sign, cast.vera.id, now=MONDAY)
    states = service.training_of(programme, cast.vera).steps
    assert [state.signed_by.name if state.signed_by else "" for state in states] == [
        "",
        "",
        "",
        "Anton Agent",
    ]
    assert service.people_trained(programme) == 1
    visit = visits.book(
        programme=programme, visitor=cast.vera, start=HOUR, ask=Ask(cast.alice.id), now=MONDAY
    )
    assert visit.status == "booked"
    with pytest.raises(Invalid) as refused:
        visits.hand_on(visit, cast.vera, leaving=cast.vera, email=cast.eve.email, now=MONDAY)
    assert list(refused.value.errors) == ["email"]
    all_done(cast, cast.eve)
    service.sign_off(cast.anton, sign, cast.eve.id, now=MONDAY)
    visits.hand_on(visit, cast.vera, leaving=cast.vera, email=cast.eve.email, now=MONDAY)


def test_shadow_asks_for_no_training_and_has_none(cast: Cast) -> None:
    assert service.is_trained(cast.programme, cast.vera.id)
    with pytest.raises(NotFound):
        service.visible_programme(cast.adam, "shadow")
    with pytest.raises(NotFound):
        service.add_step(cast.adam, "shadow", StepKind.READ, StepText("x"), None, now=MONDAY)


def test_a_later_step_or_a_second_round_closes_booking_again(cast: Cast) -> None:
    programme = hands_on(cast)
    _read, _file, question, sign = steps_for(cast)
    all_done(cast, cast.vera)
    service.sign_off(cast.anton, sign, cast.vera.id, now=MONDAY)
    assert service.is_trained(programme, cast.vera.id)
    service.change_step(cast.adam, "free-till", question, QUESTION, None, now=MONDAY)
    assert service.is_trained(programme, cast.vera.id)
    service.change_step(cast.adam, "free-till", question, QUESTION, None, again=True, now=MONDAY)
    assert not service.is_trained(programme, cast.vera.id)
    service.take_step(cast.vera, "free-till", question, [0, 2], now=MONDAY)
    assert service.is_trained(programme, cast.vera.id)
    extra = service.add_step(cast.adam, "free-till", StepKind.READ, StepText("News"), None, now=MONDAY)
    assert not service.is_trained(programme, cast.vera.id)
    service.remove_step(cast.adam, "free-till", extra.id, now=MONDAY)
    assert service.is_trained(programme, cast.vera.id)
    service.take_back(cast.anton, sign, cast.vera.id, now=MONDAY)
    assert not service.is_trained(programme, cast.vera.id)


def test_who_signs_off(cast: Cast) -> None:
    hands_on(cast)
    sign = steps_for(cast)[-1]
    all_done(cast, cast.anton)
    with pytest.raises(NotYourself):
        service.sign_off(cast.anton, sign, cast.anton.id, now=MONDAY)
    for person in (cast.vera, cast.alice, cast.lev):
        with pytest.raises(Forbidden):
            service.sign_off(person, sign, cast.anton.id, now=MONDAY)
        with pytest.raises(Forbidden):
            service.trainees(person)
    with pytest.raises(NotFound):
        service.sign_off(cast.anton, 999, cast.vera.id, now=MONDAY)
    with pytest.raises(NotFound):
        service.sign_off(cast.anton, sign, 999, now=MONDAY)
    with pytest.raises(NotFound):
        service.sign_off(cast.anton, sign - 1, cast.vera.id, now=MONDAY)  # a question
    service.sign_off(cast.adam, sign, cast.anton.id, now=MONDAY)
    actions = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["training.add"] * 4 + ["training.sign-off"]


def test_mentors_see_who_waits_for_them_first(cast: Cast) -> None:
    hands_on(cast)
    sign = steps_for(cast)[-1]
    all_done(cast, cast.eve, but=1)
    all_done(cast, cast.vera)
    all_done(cast, cast.lev)
    service.sign_off(cast.anton, sign, cast.lev.id, now=MONDAY)
    found = [(each.person.name, each.training.done) for each in service.trainees(cast.anton)]
    assert found == [("Vera Visitor", 3), ("Eve Elsewhere", 2), ("Lev Lead", 4)]


def test_steps_change_places(cast: Cast) -> None:
    hands_on(cast)
    ids = steps_for(cast)
    service.move_step(cast.adam, "free-till", ids[0], 1, now=MONDAY)
    service.move_step(cast.adam, "free-till", ids[3], 1, now=MONDAY)
    ordered = [step.id for step in service.steps_of(cast.adam, "free-till")[1]]
    assert ordered == [ids[1], ids[0], ids[2], ids[3]]
    with pytest.raises(NotFound):
        service.move_step(cast.adam, "free-till", 999, 1, now=MONDAY)


@pytest.mark.parametrize("typed", ["", "*a", "a\nb", "*a\n*b", "*a\nb\nb", "*a\n" + "b" * 201])
def test_a_question_without_a_choice_is_refused(typed: str) -> None:
    with pytest.raises(BadStep) as refused:
        read_step(StepKind.QUESTION, StepText("Which?", answers=typed))
    assert list(refused.value.errors) == ["answers"]


def test_rules_of_steps() -> None:
    assert is_right(choices_of("*a\nb\n\n * c"), {0, 2})
    with pytest.raises(BadStep) as refused:
        read_step(StepKind.READ, StepText("", "ж" * 121, "t" * 2001, link="javascript:alert(1)"))
    assert list(refused.value.errors) == ["title", "title_ru", "text", "link"]
    with pytest.raises(BadStep):
        read_step(StepKind.QUESTION, StepText("Which?", answers="*a\nb", answers_ru="б\n*а"))


def test_only_a_pdf_is_a_file(cast: Cast) -> None:
    hands_on(cast)
    for upload in (None, Upload("x.pdf", b"<html>"), Upload("x.pdf", b"%PDF-" + bytes(10 * 1024 * 1024))):
        with pytest.raises(Invalid) as refused:
            service.add_step(cast.adam, "free-till", StepKind.FILE, StepText("Rules"), upload, now=MONDAY)
        assert list(refused.value.errors) == ["file"]
    assert db.session.scalars(select(TrainingStep)).all() == []


@pytest.fixture
def pages(site: Flask, site_cast: Cast, browser: Browser) -> tuple[FlaskClient, FlaskClient, FlaskClient]:
    """The browsers of Adam, Vera and Anton, a mentor."""
    with site.app_context():
        hands_on(site_cast)
        db.session.commit()
    adam, vera, anton = (browser.as_(each.id) for each in (site_cast.adam, site_cast.vera, site_cast.anton))
    return adam, vera, anton


def test_pages_of_a_training(
    pages: tuple[FlaskClient, FlaskClient, FlaskClient], site: Flask, site_cast: Cast, clock: StandingClock
) -> None:
    adam, vera, anton = pages
    new = "/programmes/free-till/training/steps/new?kind="
    assert "No step yet" in adam.get("/programmes/free-till/training/steps").text
    assert adam.post(f"{new}read", data={"title": "The desk"}).status_code == 303
    sent = {"title": "Rules", "file": (io.BytesIO(PDF), "../../rules of <b>.pdf")}
    assert adam.post(f"{new}file", data=sent).status_code == 303
    refused = adam.post(f"{new}question", data={"title": "Who sends?", "answers": "only one"})
    assert refused.status_code == 422
    assert "only one" in refused.text
    typed = {"title": "Who sends?", "answers": "*The mentor\nI do"}
    assert adam.post(f"{new}question", data=typed).status_code == 303
    assert adam.post(f"{new}sign-off", data={"title": "The first call"}).status_code == 303
    assert "First the training" in vera.get("/visits/book?programme=free-till").text
    start = {"start": HOUR.strftime("%Y-%m-%dT%H:%M:%SZ")}
    assert vera.post("/visits/book?programme=free-till", data=start).status_code == 409
    base = "/programmes/free-till/training"
    for step in (1, 2):
        assert vera.post(f"{base}/{step}").status_code == 303
    wrong = vera.post(f"{base}/3", data={"choice": "1"})
    assert wrong.status_code == 422
    assert "Not quite." in wrong.text
    assert 'value="1" checked' in wrong.text
    assert vera.post(f"{base}/3", data={"choice": "0"}).status_code == 303
    file = vera.get(f"{base}/2/file")
    assert (file.data, file.headers["X-Content-Type-Options"]) == (PDF, "nosniff")
    assert file.headers["Content-Disposition"].startswith("attachment;")
    assert "ждёт наставника" in anton.get("/training").text
    assert vera.post(f"/training/4/people/{site_cast.vera.id}").status_code == 403
    assert anton.post(f"/training/4/people/{site_cast.vera.id}").status_code == 303
    assert "Book a visit" in vera.get(base).text
    assert "hours" in vera.get("/visits/book?programme=free-till").text
    assert anton.post(f"/training/4/people/{site_cast.vera.id}", data={"do": "back"}).status_code == 303
    assert vera.post(f"{base}/1", data={"do": "open"}).status_code == 303
    with site.app_context():
        assert {row.step_id for row in db.session.scalars(select(TrainingDone))} == {2, 3}
    assert adam.post(f"{base}/steps/1/move", data={"to": "down"}).status_code == 303
    assert adam.post(f"{base}/steps/3", data={**typed, "title": "Who?", "again": "y"}).status_code == 303
    assert adam.post(f"{base}/steps/2/remove").status_code == 303
    assert vera.get(f"{base}/2/file").status_code == 404
    for path in ("/programmes/shadow/training", "/programmes/none/training", f"{base}/99/file"):
        assert vera.get(path).status_code == 404


def test_pages_cost_the_same_for_many_trainees(
    pages: tuple[FlaskClient, FlaskClient, FlaskClient],
    site: Flask,
    site_cast: Cast,
    statements: list[str],
) -> None:
    adam, vera, anton = pages
    with site.app_context():
        steps_for(site_cast)
        all_done(site_cast, site_cast.vera)
        db.session.commit()

    def counts() -> list[int]:
        found = []
        for browser, path in (
            (anton, "/training"),
            (vera, "/programmes/free-till/training"),
            (adam, "/programmes/free-till/training/steps"),
        ):
            browser.get(path)
            statements.clear()
            assert browser.get(path).status_code == 200
            found.append(len(statements))
        return found

    before = counts()
    with site.app_context():
        everyone = [
            Person(email=f"t{n}@gemba.example", name=f"Trainee {n}", created_at=MONDAY) for n in range(30)
        ]
        db.session.add_all(everyone)
        db.session.flush()
        for person in everyone:
            all_done(site_cast, person)
        for number in range(10):
            text = StepText(f"More {number}")
            service.add_step(site_cast.adam, "free-till", StepKind.READ, text, None, now=MONDAY)
        db.session.commit()
    assert counts() == before
