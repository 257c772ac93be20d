"""What people write of an insight beside its words: changed, remembered, filtered by, taken away."""

from datetime import date, timedelta

import pytest
from flask import Flask

from gemba.db import db
from gemba.errors import Invalid
from gemba.insights import service
from gemba.insights.models_backlog import ProgrammeStatus, ProgrammeWeights
from gemba.insights.rules import filters
from gemba.insights.rules.export import FileFormat, render
from gemba.insights.rules.filters import InsightFilter
from gemba.insights.service.again import seen_again
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.insights.stage import make_visit, note

SAID: dict[str, object] = {
    "hurts": "both",
    "minutes_lost": 10,
    "workaround": "  She keeps a list ",
    "tool": "CRM",
    "step": "Finding the order",
    "due": date(2026, 11, 25),
    "tags": "#Orders, search search",
}


def seen(cast: Cast, clock: StandingClock, text: str = "Order search needs the full number") -> int:
    visit = make_visit(cast, clock() - timedelta(hours=1), status="held")
    return note(visit, cast.vera, text, clock(), severity=2, tool="Phone").insight_id or 0


def test_fields_are_kept_remembered_found_and_taken_away(cast: Cast, clock: StandingClock) -> None:
    one = seen(cast, clock)
    other = seen(cast, clock, "Something else entirely")
    before = service.get(one, cast.eve, now=clock()).item.score
    service.patch(one, cast.olga, {**SAID, "owner_id": cast.olga.id}, now=clock())
    detail = service.get(one, cast.eve, now=clock())
    insight = detail.item.insight
    assert (insight.workaround, insight.tags, insight.due) == (
        "She keeps a list",
        "orders search",
        SAID["due"],
    )
    assert {"hurts", "minutes_lost", "tool", "step", "due", "tags", "owner_id"} <= {
        change.field for change in detail.changes
    }
    assert before is not None
    assert detail.item.score is not None
    assert detail.item.score.score > before.score
    for asked, found in (
        ({"owner": "me"}, {one}),
        ({"owner": "none"}, {other}),
        ({"owner": str(cast.olga.id)}, {one}),
        ({"tag": "#Orders"}, {one}),
        ({"tag": "order"}, set()),
        ({"tool": "CRM"}, {one}),
        ({"tool": "Phone"}, {one, other}),
        ({"hurts": "both"}, {one}),
        ({"hurts": "agent"}, set()),
        ({"due": "week"}, {one}),
        ({"due": "overdue"}, set()),
        ({"seen": "7", "made": "30"}, {one, other}),
        ({"q": "keeps list"}, {one}),
        ({"q": "finding", "tag": "search", "hurts": "both", "seen": "7"}, {one}),
    ):
        page = service.list_insights(filters.read(asked), cast.olga, now=clock())
        assert {item.insight.id for item in page.items} == found, asked
    clock.forward(days=8)
    for asked, found in (({"seen": "7"}, set()), ({"made": "9"}, {one, other}), ({"due": "overdue"}, {one})):
        page = service.list_insights(filters.read(asked), cast.olga, now=clock())
        assert {item.insight.id for item in page.items} == found, asked
    rows = service.export_rows(InsightFilter(tag="orders"), cast.eve, url_of=str, now=clock())
    for form in (FileFormat.CSV, FileFormat.JSON, FileFormat.MARKDOWN):
        text = render(form, rows).decode()
        assert "She keeps a list" in text
        assert "Finding the order" in text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hurts", "everybody"),
        ("minutes_lost", 481),
        ("minutes_lost", -1),
        ("minutes_lost", "5"),
        ("due", "tomorrow"),
        ("tool", "x" * 81),
        ("step", "x" * 121),
        ("workaround", "x" * 1001),
        ("tags", " ".join(f"t{n}" for n in range(11))),
        ("tags", "x" * 41),
        ("place", 3),
    ],
)
def test_what_will_not_do_is_refused(cast: Cast, clock: StandingClock, field: str, value: object) -> None:
    one = seen(cast, clock)
    with pytest.raises(Invalid) as refused:
        service.patch(one, cast.olga, {field: value}, now=clock())
    assert list(refused.value.errors) == [field]


def test_weights_of_the_programme_and_a_status_of_its_own(cast: Cast, clock: StandingClock) -> None:
    one = seen(cast, clock)
    score = service.get(one, cast.eve, now=clock()).item.score
    db.session.add(ProgrammeWeights(programme_id=cast.programme.id, severity=0))
    own = ProgrammeStatus(programme_id=cast.programme.id, name="In beta", name_ru="В бете", category="doing")
    db.session.add(own)
    db.session.flush()
    service.patch(one, cast.olga, {"own_status_id": own.id, "hurts": "both"}, now=clock())
    item = service.get(one, cast.eve, now=clock()).item
    assert score is not None
    assert item.score is not None
    assert (item.score.severity_factor, item.insight.status) == (1.0, "doing")
    assert item.score.score == item.insight.score > score.score
    service.patch(one, cast.olga, {"status": "planned"}, now=clock())
    assert item.insight.own_status_id is None


def test_what_was_done_and_is_seen_again_is_open(cast: Cast, clock: StandingClock) -> None:
    one = seen(cast, clock)
    assert seen_again(one, cast.eve, now=clock()).status == "new"
    service.patch(one, cast.olga, {"status": "done"}, now=clock())
    clock.forward(days=1)
    assert seen_again(one, cast.vera, now=clock()).status == "new"
    fields = [change.field for change in service.get(one, cast.eve, now=clock()).changes]
    assert fields[:2] == ["reopened", "status"]


def test_the_form_keeps_what_was_typed(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    with site.app_context():
        one = seen(site_cast, clock)
        db.session.commit()
    client = browser.as_(site_cast.olga.id)
    typed = {"title": "Slow", "kind": "tool-pain", "hurts": "agent", "minutes_lost": "999", "step": "Search"}
    answer = client.post(f"/insights/{one}/edit", data=typed)
    assert answer.status_code == 422
    assert 'value="999"' in answer.text
    typed |= {"minutes_lost": "9", "due": "2026-12-24", "tags": "a b"}
    assert client.post(f"/insights/{one}/edit", data=typed).status_code == 303
    page = client.get(f"/insights/{one}").text
    for words in ("Search", "#a", "24 December", "Minutes lost each time"):
        assert words in page
    assert "Slow" in client.get("/backlog?tag=a&hurts=agent&due=set").text
    assert "Slow" not in client.get("/backlog?tag=a&hurts=customer").text
    assert client.get("/backlog?seen=x&hurts=no&due=&owner=9x").status_code == 200
