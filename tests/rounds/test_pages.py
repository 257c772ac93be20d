"""The pages of a round: made, asked, signed up to, proposed, published."""

import io
import re
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.outbox.mail import render
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import thaw
from gemba.outbox.worker import Worker
from gemba.people.models import Person
from gemba.rounds import service
from gemba.rounds.models import Round, RoundAgent, RoundInvitee, RoundPair, RoundSignUp
from gemba.rounds.service import proposing, publishing
from gemba.rounds.service.wishing import Wish
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.rounds.test_round import add_people, make_round, work

DAYS = {"closes_on": "2026-11-27", "first_day": "2026-11-30", "last_day": "2026-12-04"}
WEEK = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00–18:00")
ICS = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20261101T000000Z\r\n"
    + (b"DTSTART:20261201T080000Z\r\nDTEND:20261201T170000Z\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
)


def test_a_round_on_pages(site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock) -> None:
    adam, vera, eve = (browser.as_(one.id) for one in (site_cast.adam, site_cast.vera, site_cast.eve))
    assert "No round yet" in adam.get("/rounds").text
    assert "Last day of sign-up" in adam.get("/rounds/new").text
    refused = adam.post(
        "/rounds/new", data={"programme": "shadow", "name": "Winter", **DAYS, "last_day": "x"}
    )
    assert refused.status_code == 422
    assert 'value="Winter"' in refused.text
    made = adam.post("/rounds/new", data={"programme": site_cast.programme.slug, "name": "Winter", **DAYS})
    assert made.status_code == 303, made.text
    path = made.location.removesuffix("/manage")
    nobody = adam.post(f"{path}/invite", data={})
    assert nobody.status_code == 422
    file = io.BytesIO(b"email,name\neve@gemba.example,Eve\n")
    form = {"addresses": "vera@gemba.example, no@gemba.example", "file": (file, "people.csv")}
    adam.post(f"{path}/invite", data=form, content_type="multipart/form-data")
    page = adam.get(f"{path}/manage").text
    assert "no@gemba.example" in page
    assert "Vera Visitor" in page
    assert "Eve Elsewhere" in page
    adam.post(f"{path}/remind")
    again = adam.post(f"{path}/remind")
    assert again.status_code == 409
    assert f'href="{path}/manage">Back to the round' in again.text
    adam.post(f"{path}/ask-agents")
    alice = browser.as_(site_cast.alice.id)
    assert alice.post(f"{path}/capacity", data={"capacity": "many"}).status_code == 422
    assert alice.post(f"{path}/capacity", data={"capacity": "3"}).status_code == 303
    assert 'value="3"' in alice.get(f"{path}/capacity").text
    assert vera.get(f"{path}/capacity").status_code == 404

    wish = {**WEEK, "timezone": "Europe/Berlin", "language": "en", "first": "0", "second": "0", "line": "0"}
    bad = vera.post(path, data={**wish, "refuses": "Nobody Known", "mon": "from nine"})
    assert bad.status_code == 422
    assert "from nine" in bad.text
    assert vera.post(path, data={**wish, "refuses": "Nobody Known"}).status_code == 422
    product = str(site_cast.courier.id)
    sent = {**wish, "first": product, "refuses": "Ada Other", "calendar": (io.BytesIO(ICS), "mine.ics")}
    assert vera.post(path, data=sent, content_type="multipart/form-data").status_code == 303
    assert "Ada Other" in vera.get(path).text
    assert eve.post(path, data={**wish, "mon": "", "timezone": "America/New_York"}).status_code == 303
    with site.app_context():
        row = db.session.scalars(select(RoundSignUp).where(RoundSignUp.person_id == site_cast.vera.id)).one()
        assert (row.products, row.refuses) == ([site_cast.courier.id], [site_cast.ada.id])
        assert len(row.busy) == 1
        assert (
            db.session.scalars(select(RoundAgent.capacity).where(RoundAgent.confirmed_at.is_not(None))).one()
            == 3
        )

    adam.post(f"{path}/close")
    late = eve.post(path, data=wish)  # the form was open while sign-up ended
    assert late.status_code == 409
    assert "Sign-up to this round is not open now." in late.text
    assert f'href="{path}">Back to the round' in late.text
    clock.forward(days=4)
    assert adam.post(f"{path}/propose").status_code == 303
    waiting = adam.get(f"{path}/proposal").text
    assert "Waiting for a worker" in waiting
    assert adam.get(f"{path}/progress").get_json()["mark"].split(":")[1] == "waiting"
    with site.app_context():
        Worker(site, clock=clock).drain()
    page = adam.get(f"{path}/proposal").text
    assert "Anton Agent" in page  # the only one of the product whom Vera does not refuse
    assert "2 of 2" in page
    with site.app_context():
        tuesday = [
            pair.tick * 300
            for pair in db.session.scalars(select(RoundPair))
            if pair.person_id == site_cast.vera.id
        ]
        assert tuesday
    person = f"{path}/people/{site_cast.vera.id}"
    assert adam.post(f"{person}/pin", data={"on": "yes", "back": "person"}).status_code == 303
    options = adam.get(person).text
    assert "pinned" in options
    choice = options.split('name="choice" value="')[2].split('"')[0]
    assert adam.post(person, data={"choice": choice}).status_code == 303
    assert adam.post(person, data={"choice": "x"}).status_code == 404
    assert adam.post(f"{person}/drop").status_code == 303
    assert adam.post(f"{person}/drop").status_code == 404
    assert vera.get(f"{path}/proposal").status_code == 403
    adam.post(person, data={"choice": choice})
    some = adam.post(f"{path}/publish", data={"which": "some", "person": [str(site_cast.vera.id)]})
    assert some.status_code == 303
    with site.app_context():
        Worker(site, clock=clock).drain()
    assert "booked" in adam.get(f"{path}/proposal").text
    assert "You have a visit" in vera.get(path).text
    adam.post(f"{path}/publish")
    with site.app_context():
        Worker(site, clock=clock).drain()
        assert db.session.scalars(select(Round.published_at)).one() == clock()
    assert "Published:" in adam.get(f"{path}/proposal").text
    twice = adam.post(f"{path}/publish")
    assert twice.status_code == 409
    assert f'href="{path}/proposal">Back to the proposal' in twice.text
    query = urlencode({"q": "vera"})
    found = adam.get(f"{path}/proposal?{query}").text.split("<tbody>")[1]
    assert "Vera" in found
    assert "Eve" not in found
    assert adam.get(f"{path}/proposal?view=left").status_code == 200


def test_pages_cost_the_same_for_three_people_and_for_sixty(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock, statements: list[str]
) -> None:
    adam = browser.as_(site_cast.adam.id)
    with site.app_context():
        chosen = make_round(site_cast, clock)
        number, people = chosen.id, [person.id for person in add_people(site_cast, 60, clock)]
    pages = [f"/rounds/{number}{end}" for end in ("", "/manage", "/proposal", "/proposal?view=left")]

    def filled(ids: list[int]) -> list[int]:
        with site.app_context():
            for one in ids:
                service.sign_up(db.session.get_one(Person, one), service.get_round(number), now=clock())
                pair = {"round_id": number, "person_id": one, "agent_id": site_cast.alice.id}
                db.session.add(RoundPair(**pair, tick=5_990_000, state="proposed"))
            db.session.add(RoundInvitee(round_id=number, person_id=ids[0], invited_at=clock()))
            db.session.commit()
        found = []
        for page in pages:
            adam.get(page)
            statements.clear()
            answer = adam.get(page)
            assert answer.status_code == 200
            assert len(answer.data) < 60_000, page
            found.append(len(statements))
        return found

    small = filled(people[:3])
    assert max(small) <= 25
    assert filled(people[3:]) == small


def test_who_is_left_out_reads_what_would_help_on_every_page(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    with site.app_context():
        adam_id, eve_id = site_cast.adam.id, site_cast.eve.id
        adam, vera, eve = (
            db.session.get_one(Person, one.id) for one in (site_cast.adam, site_cast.vera, site_cast.eve)
        )
        chosen = make_round(site_cast, clock)
        night = Wish(weekly=[{"weekday": "sun", "start": "03:00", "end": "05:00"}], timezone="Europe/Berlin")
        service.sign_up(vera, chosen, now=clock())
        service.sign_up(eve, chosen, wish=night, now=clock())
        proposing.queue(proposing.start(adam, chosen, now=clock()), now=clock())
        number = chosen.id
        work(site, clock)
    page_of, words = browser.as_(adam_id), r"1 free hour on \w+ would do: from \d\d:\d\d to \d\d:\d\d"
    for page in ("/proposal?view=left", f"/people/{eve_id}"):
        assert re.search(words, page_of.get(f"/rounds/{number}{page}").text), page
    with site.app_context():
        admin = db.session.get_one(Person, adam_id)
        publishing.start(admin, service.get_round(number), now=clock())
        work(site, clock)
        mail = next(
            row
            for row in db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "mail"))
            if row.payload["template"] == "round_left_out"
        )
        locale, context = mail.payload["locale"], thaw(mail.payload["context"])
        assert re.search(words, render("round_left_out", locale, context).text)
    own = browser.as_(eve_id).get(f"/rounds/{number}").text
    assert "What would help" in own
    assert re.search(words, own)
