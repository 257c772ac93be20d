"""What the agent has not reviewed, what was struck or taken back, and what is not yours appears nowhere."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from gemba.db import db
from gemba.errors import NotFound
from gemba.insights import service
from gemba.insights.errors import NoSuchTarget, UnderReview
from gemba.insights.models import Insight, Observation
from gemba.insights.rules.filters import InsightFilter
from gemba.insights.rules.kinds import Standing
from gemba.people import service as people
from gemba.visits.models import Visit
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.insights.stage import make_visit, note

SECRET = "zanzibar"
SEATED = ("vera", "alice", "lev")
OTHERS = ("anton", "ada", "lena", "olga", "adam", "eve")
STANDINGS = (*(standing for standing in Standing if standing is not Standing.PUBLISHED), "removed")


def hide(made: Observation, how: str, clock: StandingClock) -> None:
    """Makes a note what others must not read."""
    if how == "removed":
        made.removed_at = clock()
    else:
        made.standing = how
    db.session.flush()
    service.reindex(made.insight_id or 0)


@pytest.fixture
def scene(cast: Cast, clock: StandingClock) -> tuple[Insight, Insight, Visit]:
    """A public insight, and one that waits for Alice's review, with the visit of both."""
    visit = make_visit(cast, clock() - timedelta(hours=1), status="held")
    seen = note(visit, cast.vera, "Order search needs the full number", clock(), severity=3)
    fresh = note(visit, cast.vera, f"Order search needs the full {SECRET} number", clock())
    fresh.standing = Standing.FRESH
    public, hidden = seen.insight, fresh.insight
    assert public is not None
    assert hidden is not None
    hidden.review_visit_id = visit.id
    db.session.flush()
    service.reindex(hidden.id)
    return public, hidden, visit


@pytest.mark.parametrize("who", [*SEATED, *OTHERS])
def test_only_the_visit_sees_what_waits_for_review(
    cast: Cast, clock: StandingClock, scene: tuple[Insight, Insight, Visit], who: str
) -> None:
    public, hidden, _visit = scene
    viewer, sees = getattr(cast, who), who in SEATED
    for filters in (InsightFilter(), InsightFilter(q=SECRET), InsightFilter(q="order search")):
        items = service.list_insights(filters, viewer, now=clock()).items
        found = {item.insight.id: item for item in items}
        assert (hidden.id in found) is sees
        if sees:
            assert found[hidden.id].counts.visits == 1
    assert service.summary(viewer, clock()).total == 1 + sees
    assert [near.item.insight.id for near in service.similar(public.id, viewer, now=clock())] == (
        [hidden.id] if sees else []
    )
    assert (
        bool(service.similar_to(f"order search {SECRET} number", viewer, but=[public.id], now=clock()))
        is sees
    )
    rows = service.export_rows(InsightFilter(), viewer, url_of=str, now=clock())
    assert (hidden.id in {row.id for row in rows}) is sees
    for act in (
        lambda: service.get(hidden.id, viewer, now=clock()),
        lambda: service.similar(hidden.id, viewer, now=clock()),
        lambda: service.vote(hidden.id, viewer, now=clock()),
    ):
        if sees:
            act()
        else:
            with pytest.raises(NotFound):
                act()


@pytest.mark.parametrize("how", STANDINGS)
def test_what_does_not_count_is_no_evidence_and_no_search_term(
    cast: Cast, clock: StandingClock, how: str
) -> None:
    visit = make_visit(cast, clock() - timedelta(hours=1), status="held")
    seen = note(visit, cast.vera, "Order search needs the full number", clock(), severity=1)
    other = make_visit(cast, clock() - timedelta(days=1), agent=cast.anton, status="held")
    hidden = note(
        other, cast.vera, SECRET, clock(), insight=seen.insight_id, severity=4, tool=SECRET, verbatim=SECRET
    )
    hide(hidden, how, clock)
    for viewer in (cast.vera, cast.alice, cast.olga):
        detail = service.get(seen.insight_id or 0, viewer, now=clock())
        assert [one.id for one in detail.evidence] == [seen.id]
        counts = detail.item.counts
        assert (counts.visits, counts.agents, counts.observations, counts.severity) == (1, 1, 1, 1.0)
        assert service.list_insights(InsightFilter(q=SECRET), viewer, now=clock()).items == []
        (row,) = service.export_rows(InsightFilter(), viewer, url_of=str, now=clock())
        assert SECRET not in str(row)


def test_what_waits_for_review_is_neither_merged_nor_split(
    cast: Cast, clock: StandingClock, scene: tuple[Insight, Insight, Visit]
) -> None:
    public, hidden, visit = scene
    visit.visitors.append(cast.olga)  # an owner who may see it
    db.session.flush()
    for one, other in ((public, hidden), (hidden, public)):
        with pytest.raises(UnderReview):
            service.merge(one.id, cast.olga, other.id, now=clock())
    with pytest.raises(UnderReview):
        service.split(hidden.id, cast.olga, [1], now=clock())
    with pytest.raises(NoSuchTarget):
        service.merge(public.id, cast.adam, hidden.id, now=clock())
    elsewhere = make_visit(cast, clock(), agent=cast.ada, visitor=cast.eve)
    with pytest.raises(NoSuchTarget):
        note(elsewhere, cast.eve, "the same", clock(), insight=hidden.id)


def _pages(site: Flask, values: Mapping[str, object]) -> Iterator[str]:
    """Every address that can be read, with the scene's ids where it takes some."""
    adapter = site.url_map.bind("localhost")
    for rule in site.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and set(rule.arguments) <= set(values):
            yield adapter.build(rule.endpoint, {name: values[name] for name in rule.arguments})


def _words_of(answer: TestResponse) -> str:
    """What an answer says, with what lies in it if it is an archive."""
    data = answer.get_data()
    if answer.mimetype != "application/zip":
        return data.decode()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return "".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


def test_no_page_call_or_file_shows_it(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    """Every address of the site, also with the secret as the search, read by everyone it is not for."""
    with site.app_context():
        visit = make_visit(site_cast, clock() - timedelta(minutes=30))
        public = note(visit, site_cast.vera, "Order search needs the full number", clock())
        waiting = note(visit, site_cast.vera, f"Order search {SECRET}", clock())
        waiting.standing = Standing.FRESH
        assert waiting.insight is not None
        waiting.insight.review_visit_id = visit.id
        ids = [waiting.insight_id, public.insight_id]
        for how in STANDINGS:
            hide(note(visit, site_cast.vera, SECRET, clock(), insight=public.insight_id), how, clock)
        service.reindex(waiting.insight.id)
        tokens = {
            name: people.make_token(getattr(site_cast, name), name, "write", clock())
            for name in (*OTHERS, "vera")
        }
        visit_id = visit.id
        db.session.commit()
    seen = 0
    for name in OTHERS:
        client = browser.as_(getattr(site_cast, name).id)
        headers = {"Authorization": f"Bearer {tokens[name]}"}
        known = {
            "visit_id": visit_id,
            "slug": site_cast.programme.slug,
            "agent_id": site_cast.anton.id,
            "person_id": site_cast.vera.id,
        }
        paths = {path for each in ids for path in _pages(site, {**known, "insight_id": each})}
        for path in sorted(paths):
            for query in ("", f"?q={SECRET}", "?status=all&kind=tool-pain&format=json"):
                answer = client.get(path + query, headers=headers if path.startswith("/api") else None)
                body = _words_of(answer).replace(f'value="{SECRET}"', "").replace(f"q={SECRET}", "")
                assert SECRET not in body, (name, path, query)
                seen += answer.status_code == 200
    assert seen > 100
    vera = browser.as_(site_cast.vera.id)
    assert SECRET in vera.get(f"/insights/{ids[0]}").text
    found = vera.get("/api/v1/insights", headers={"Authorization": f"Bearer {tokens['vera']}"}).text
    assert SECRET in found
