"""How widely an insight was seen, of which visits, and when."""

import re
from datetime import date, timedelta

from flask import Flask

from gemba.db import db
from gemba.insights import service
from gemba.insights.models import Insight
from gemba.insights.rules.kinds import Answered
from gemba.insights.rules.months import curve, trend
from gemba.insights.service import Ground, Reach, asked
from gemba.people.models import Person
from gemba.programmes.models import Programme
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.insights.stage import make_visit, note


def reach(insight: int, viewer: Person, clock: StandingClock) -> Reach:
    db.session.flush()
    db.session.expire_all()
    return service.reach_of(service.get(insight, viewer, now=clock()), viewer, now=clock())


def test_seen_in_so_many_of_the_visits_on_its_tool(cast: Cast, clock: StandingClock) -> None:
    days = {
        name: make_visit(cast, clock() - timedelta(days=back), agent=agent, status="held")
        for name, back, agent in (
            ("first", 70, cast.alice),
            ("second", 40, cast.anton),
            ("third", 2, cast.ada),
            ("same tool", 30, cast.alice),
            ("other tool", 20, cast.alice),
            ("looked", 10, cast.anton),
            ("glanced", 9, cast.anton),
        )
    }

    def noted(name: str, text: str, insight: int | None = None, **fields: object) -> int:
        visit = days[name]
        return note(visit, cast.vera, text, visit.starts_at, insight, **fields).insight_id or 0

    slow = noted("first", "search is slow", tool="CRM")
    noted("first", "and slow once more", slow, tool="CRM")
    part = noted("second", "slow search", tool="crm")
    noted("third", "search took a minute", slow)
    noted("same tool", "macros work well", tool="crm", kind="works-well")
    noted("other tool", "the map is slow", tool="map")
    for name, said in (("looked", Answered.GONE), ("glanced", Answered.NOT_SEEN)):
        asked.answer(cast.vera, days[name].id, slow, said, "", now=days[name].starts_at)
    make_visit(cast, clock() + timedelta(days=3))
    found = reach(slow, cast.eve, clock)
    assert found == Reach(2, 5, Ground.TOOL, "CRM", agents=2, lines=2)
    service.merge(part, cast.olga, slow, now=clock())
    assert reach(slow, cast.eve, clock) == Reach(3, 5, Ground.TOOL, "CRM", agents=3, lines=2)
    months = service.months_of(service.get(slow, cast.eve, now=clock()), "UTC", now=clock())
    assert [each.visits for each in months] == [0] * 9 + [1, 1, 1]
    # What an agent has not reviewed yet tells only those who sat there that the tool was in use.
    db.session.get_one(Programme, cast.programme.id).review_hours = 48
    fresh = make_visit(cast, clock() - timedelta(hours=2), agent=cast.ada, status="held")
    note(fresh, cast.vera, "hidden yet", clock(), tool="CRM")
    assert (reach(slow, cast.eve, clock).among, reach(slow, cast.vera, clock).among) == (5, 6)
    # Three agents are behind it: where the smallest group is four, nobody counts them aloud.
    db.session.get_one(Programme, cast.programme.id).smallest_group = 4
    assert reach(slow, cast.eve, clock) == Reach(3, 5, Ground.TOOL, "CRM", agents=None, lines=None)


def test_without_a_tool_it_is_the_product_the_line_or_all(cast: Cast, clock: StandingClock) -> None:
    ago = [clock() - timedelta(days=back) for back in range(5)]
    first = make_visit(cast, ago[1], status="held", product=cast.checkout)
    for at, agent in ((ago[2], cast.anton), (ago[3], cast.ada), (ago[4], cast.ada)):
        make_visit(cast, at, agent=agent, status="held", product=cast.courier)
    make_visit(cast, ago[2], status="cancelled", product=cast.checkout)
    one = note(first, cast.vera, "no tool at all", clock()).insight_id or 0
    assert reach(one, cast.eve, clock) == Reach(1, 2, Ground.LINE, "Checkout line", agents=1, lines=1)
    db.session.get_one(Insight, one).product_id = cast.checkout.id
    assert reach(one, cast.eve, clock) == Reach(1, 1, Ground.PRODUCT, "Checkout", agents=1, lines=1)
    db.session.get_one(Insight, one).product_id = None
    db.session.get_one(Programme, cast.programme.id).smallest_group = 3
    assert reach(one, cast.eve, clock) == Reach(1, 4, Ground.ALL, "", agents=None, lines=None)


def test_the_page_says_it_in_both_languages(
    site: Flask, browser: Browser, site_cast: Cast, clock: StandingClock
) -> None:
    with site.app_context():
        made = [
            make_visit(site_cast, clock() - timedelta(days=back), agent=agent, status="held")
            for back, agent in ((1, site_cast.alice), (35, site_cast.anton))
        ]
        slow = note(made[1], site_cast.vera, "search is slow", made[1].starts_at, tool="CRM").insight_id
        note(made[0], site_cast.vera, "slow again", clock(), slow)
        db.session.commit()
    page = browser.as_(site_cast.eve.id).get(f"/insights/{slow}").text
    assert "Seen in 2 of 2 visits on this tool (CRM), by 2 agents in 1 line" in page
    assert "2 visits saw it in the last twelve months." in page
    months = [re.sub("<.*?>", "", each) for each in re.findall("<h3.*?</h3>", page)]
    assert [each for each in months if "2026" in each] == ["November 2026", "October 2026"]
    assert page.index("slow again") < page.index("October 2026</h3>")
    assert "замечено в 2 из 2 визитов с этим инструментом (CRM), у 2 агентов в 1 линии" in (
        browser.as_(site_cast.anton.id).get(f"/insights/{slow}").text.replace("Замечено", "замечено")
    )


def test_months_and_their_curve() -> None:
    days = [date(2026, 11, 23), date(2026, 11, 1), date(2025, 12, 31), date(2025, 11, 30)]
    found = trend(days, date(2026, 11, 23))
    assert [each.visits for each in found] == [1, *[0] * 10, 2]
    assert (found[0].first, found[-1].first) == (date(2025, 12, 1), date(2026, 11, 1))
    assert curve(found, 110, 30)[0] == (0.0, 15.0)
    assert curve(found, 110, 30)[-1] == (110.0, 0.0)
    assert {y for _x, y in curve(trend([], date(2026, 1, 5)), 110, 30)} == {30.0}
