"""What the agent has not reviewed, what was struck or taken back, and what is not yours appears nowhere."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from gemba.db import db
from gemba.errors import NotFound
from gemba.insights import service
from gemba.insights.errors import NoSuchTarget, UnderReview
from gemba.insights.models import Insight, Observation, Picture
from gemba.insights.models_backlog import InsightLink
from gemba.insights.rules.export import FileFormat
from gemba.insights.rules.filters import InsightFilter
from gemba.insights.rules.kinds import CommentKind, Standing
from gemba.insights.service import files, pictures, saved, talk
from gemba.insights.service.vote_links import vote_path
from gemba.outbox.models import OutboxItem
from gemba.people import service as people
from gemba.people.models import Person
from gemba.visits.models import Visit
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.insights.stage import make_visit, note

SECRET = "zanzibar"
SEATED = ("vera", "alice", "lev")
OTHERS = ("anton", "ada", "lena", "olga", "adam", "eve")
INSIDE = "quokka"
"""Said between owners, admins and leads."""
INSIDERS = ("olga", "adam", "lena")
ROLES = ("anton", *INSIDERS, "eve")
"""One of each sort of the others: an agent, an owner, an admin, a lead and a visitor."""
LISTS = ("/backlog", "/backlog/board", "/backlog/asks", "/backlog/triage", "/backlog/top", "/api/v1/insights")
FILES = ("/backlog/export", "/api/v1/insights/export")
QUERIES = (f"?q={SECRET}", "?status=all&kind=tool-pain", "?state=open&order=recent")
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


def test_only_the_visit_sees_what_waits_for_review(
    cast: Cast, clock: StandingClock, scene: tuple[Insight, Insight, Visit]
) -> None:
    for who in (*SEATED, *OTHERS):
        _reads(getattr(cast, who), who in SEATED, scene, clock)


def _reads(viewer: Person, sees: bool, scene: tuple[Insight, Insight, Visit], clock: StandingClock) -> None:
    public, hidden, _visit = scene
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


def _fill(cast: Cast, clock: StandingClock) -> tuple[int, int, int]:
    """All that may hold words: returns the public insight, the one that waits for review, and the visit."""
    visit = make_visit(cast, clock() - timedelta(minutes=30))
    public = note(visit, cast.vera, "Order search needs the full number", clock()).insight_id or 0
    waiting = note(visit, cast.vera, f"Order search {SECRET}", clock(), is_ask=True)
    waiting.standing = Standing.FRESH
    assert waiting.insight is not None
    waiting.insight.review_visit_id = visit.id
    hidden = waiting.insight.id
    for how in STANDINGS:
        hide(note(visit, cast.vera, SECRET, clock(), insight=public, is_ask=True), how, clock)
    service.reindex(hidden)
    # Said where only the visit reads it, taken back where everyone does, and said between those inside.
    called = "@alice @olga @eve @anton"
    for kind in (CommentKind.COMMENT, CommentKind.ASK):
        talk.say(hidden, cast.lev, f"{SECRET} {called}", kind, now=clock())
        talk.take_back(talk.say(public, cast.lev, SECRET, kind, now=clock()).id, cast.lev, now=clock())
    talk.say(public, cast.lev, f"{INSIDE} {called}", CommentKind.NOTE, now=clock())
    for one, other in ((public, hidden), (hidden, public)):
        row = {"from_id": one, "to_id": other, "kind": "related", "person_id": cast.vera.id, "at": clock()}
        db.session.add(InsightLink(**row))
    # A file of what waits, and one of what everyone reads, removed.
    for each in (hidden, public):
        made = files.read(SECRET.encode(), "a.txt")
        kept = pictures.keep(made, cast.vera, clock(), insight_id=each, name=f"{SECRET}.txt")
        if each == public:
            kept.removed_at = clock()
    saved.keep(cast.vera, f"My {SECRET}", f"q={SECRET}", shared=False, now=clock())
    service.vote(hidden, cast.vera, now=clock())
    talk.follow(public, cast.eve, now=clock())
    service.patch(public, cast.olga, {"status": "planned"}, now=clock())
    db.session.flush()
    return public, hidden, visit.id


def _mails() -> list[tuple[str, str]]:
    """What waits to leave: to whom, with all that it says."""
    mails = db.session.scalars(select(OutboxItem))
    return [(mail.recipient.split("@")[0], str(mail.payload)) for mail in mails]


def test_no_page_call_file_or_mail_shows_it(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    """Every address of the site, searches and files too, read by everyone it is not for; then every mail."""
    with site.app_context():
        public, hidden, visit_id = _fill(site_cast, clock)
        viewers = (*ROLES, "vera")
        tokens = {
            name: people.make_token(getattr(site_cast, name), name, "write", clock()) for name in viewers
        }
        links = {name: vote_path(hidden, getattr(site_cast, name).id, clock()) for name in viewers}
        line_id = site_cast.line.id
        kept = {row.insight_id: row.id for row in db.session.scalars(select(Picture))}
        db.session.commit()
        mails = _mails()
    known = {
        "visit_id": visit_id,
        "slug": site_cast.programme.slug,
        "agent_id": site_cast.anton.id,
        "person_id": site_cast.vera.id,
        "line_id": line_id,
    }
    paths = {
        path
        for each in (public, hidden)
        for path in _pages(
            site, {**known, "insight_id": each, "file_id": kept[each], "picture_id": kept[each]}
        )
    }

    clients = {name: browser.as_(getattr(site_cast, name).id) for name in viewers}

    def read(name: str, path: str, query: str = "") -> TestResponse:
        headers = {"Authorization": f"Bearer {tokens[name]}"} if path.startswith("/api") else None
        return clients[name].get(path + query, headers=headers)

    seen = 0
    for name in ROLES:
        forbidden = {SECRET, *(() if name in INSIDERS else (INSIDE,))}
        asked = [(path, "") for path in sorted(paths)] + [(links[name], "")]
        asked += [(path, query) for path in LISTS for query in QUERIES]
        asked += [(path, f"?format={one}") for path in FILES for one in (*FileFormat, "shown")]
        for path, query in asked:
            answer = read(name, path, query)
            body = _words_of(answer).replace(f'="{SECRET}"', "").replace(f"={SECRET}", "")
            shown = [body[max(body.find(word) - 80, 0) :][:160] for word in forbidden if word in body]
            assert not shown, (name, path, query)
            seen += answer.status_code == 200
    assert seen > 150
    # Who may read it finds it in each of these: the words are there to be found.
    for path in (
        f"/insights/{hidden}",
        f"/insights/{public}",
        links["vera"],
        "/backlog",
        "/backlog/board",
        "/backlog/asks",
        "/backlog/asks/export",
        "/backlog/export",
        "/contributions",
        "/api/v1/insights",
        "/api/v1/insights/export",
        f"/pictures/{kept[hidden]}",
        f"/api/v1/insights/{hidden}/files",
        f"/api/v1/insights/{hidden}/files/{kept[hidden]}",
        f"/api/v1/insights/{hidden}/comments",
        f"/api/v1/insights/{public}/links",
        f"/api/v1/insights/{public}/similar",
    ):
        assert SECRET in _words_of(read("vera", path)), path
    assert INSIDE in read("olga", f"/insights/{public}").text
    assert INSIDE in read("olga", f"/api/v1/insights/{public}/comments").text
    assert {who for who, words in mails if SECRET in words} == {"alice"}
    assert {who for who, words in mails if INSIDE in words} == {"olga"}
    assert "eve" in {who for who, _words in mails}
