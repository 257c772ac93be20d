"""The backlog: what is listed, in which order, and how evidence is counted."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from gemba.db import db
from gemba.errors import Forbidden, Invalid, Stale
from gemba.insights import service
from gemba.insights.errors import (
    AlreadyMerged,
    InsightNotFound,
    MergeIntoItself,
    NoSuchTarget,
    NothingToSplit,
    NotMerged,
    NotSplit,
)
from gemba.insights.models import Insight, InsightTerm
from gemba.insights.rules.filters import InsightFilter, Order
from gemba.insights.rules.kinds import Kind, Status
from gemba.insights.rules.terms import insight_terms, query_terms, rank
from gemba.insights.service import Item
from gemba.outbox.models import OutboxItem
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.insights.stage import make_visit, note

TITLES = [
    "Поиск заказа требует полный номер",
    "Order search needs the full number",
    "Refund rules change without notice to the line",
    "Photo upload fails on weak networks",
    "Статус «В пути» показан клиенту дважды",
    "Тормозит список заказов по понедельникам ещё с лета",
]


def fill(cast: Cast, now: datetime) -> list[int]:
    """One insight per title, each seen in one visit with Alice."""
    visit = make_visit(cast, now - timedelta(hours=1), status="held")
    made = [note(visit, cast.vera, title, now, severity=2) for title in TITLES]
    return [one.insight_id or 0 for one in made]


def titles(found: list[Item]) -> list[str]:
    return [item.insight.title for item in found]


def listed(cast: Cast, now: datetime, filters: InsightFilter) -> list[str]:
    return titles(service.list_insights(filters, cast.eve, now=now).items)


@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("номера заказов", TITLES[0]),
        ("ЗАКАЗЫ тормозят", TITLES[5]),
        ("еще летом", TITLES[5]),
        ("searching orders", TITLES[1]),
        ("networking photos", TITLES[3]),
        ("статусы", TITLES[4]),
        ("refu", TITLES[2]),
    ],
)
def test_search_finds_any_form_of_a_word(cast: Cast, clock: StandingClock, q: str, first: str) -> None:
    fill(cast, clock())
    assert listed(cast, clock(), InsightFilter(q=q, order=Order.RELEVANCE))[0] == first


def test_search_for_nothing_that_is_there_is_empty(cast: Cast, clock: StandingClock) -> None:
    fill(cast, clock())
    for q in ("zebra", "не", "%_'\"", "🙂"):
        assert listed(cast, clock(), InsightFilter(q=q, order=Order.RELEVANCE)) == []


def test_the_database_ranks_as_the_rule_does(cast: Cast, clock: StandingClock) -> None:
    ids = fill(cast, clock())
    held = {id_: insight_terms(title, "", [title]) for id_, title in zip(ids, TITLES, strict=True)}
    frequencies: dict[str, int] = {}
    for terms in held.values():
        for term in terms:
            frequencies[term] = frequencies.get(term, 0) + 1
    for q in ("поиск заказов по номеру", "order search full refund", "статус клиента"):
        expected = [match.id for match in rank(query_terms(q), held, frequencies, len(held))]
        page = service.list_insights(InsightFilter(q=q, order=Order.RELEVANCE), cast.vera, now=clock())
        assert [item.insight.id for item in page.items] == expected


def test_evidence_is_counted_distinct(cast: Cast, clock: StandingClock) -> None:
    visits = [
        make_visit(cast, clock() - timedelta(days=n), agent=agent, status="held")
        for n, agent in enumerate([cast.alice, cast.alice, cast.anton, cast.ada])
    ]
    first = note(visits[0], cast.vera, "slow search", visits[0].starts_at, severity=4)
    for visit in (visits[0], visits[1], visits[2], visits[3]):
        note(visit, cast.vera, "slow search again", visit.starts_at, insight=first.insight_id, severity=3)
    item = service.get(first.insight_id or 0, cast.vera, now=clock()).item
    assert (item.counts.visits, item.counts.agents, item.counts.lines) == (4, 3, 2)
    assert (item.counts.observations, item.counts.severity) == (5, 3.2)
    assert item.counts.last_seen == visits[0].starts_at
    assert item.watched == 4
    assert item.score is not None
    assert item.score.score == 72


def test_visits_on_the_product_are_the_measure(cast: Cast, clock: StandingClock) -> None:
    visit = make_visit(cast, clock() - timedelta(days=1), product=cast.checkout, status="held")
    for status, product in (("held", cast.courier), ("cancelled", cast.checkout), ("booked", cast.checkout)):
        make_visit(cast, clock() - timedelta(days=2), status=status, product=product)
    made = note(visit, cast.vera, "slow", clock(), product_id=cast.checkout.id)
    assert service.get(made.insight_id or 0, cast.vera, now=clock()).item.watched == 2


def test_filters_and_orders(cast: Cast, clock: StandingClock) -> None:
    ids = fill(cast, clock())
    service.patch(ids[0], cast.olga, {"status": "done", "kind": "works-well"}, now=clock())
    service.patch(ids[1], cast.olga, {"product_id": cast.checkout.id}, now=clock())
    service.vote(ids[4], cast.eve, now=clock())
    service.vote(ids[4], cast.vera, now=clock())
    service.vote(ids[3], cast.vera, now=clock())
    clock.forward(hours=1)
    other = make_visit(cast, clock(), agent=cast.anton)
    note(other, cast.vera, "again", clock(), insight=ids[2], severity=4)
    newest = note(other, cast.vera, "brand new", clock())

    def ask(**given: object) -> list[str]:
        return listed(cast, clock(), InsightFilter(**given))  # type: ignore[arg-type]

    assert ask(statuses=(Status.DONE,)) == [TITLES[0]]
    assert TITLES[0] not in ask(statuses=(Status.NEW, Status.PLANNED))
    assert ask(kinds=(Kind.WORKS_WELL,)) == [TITLES[0]]
    assert ask(product="Checkout") == ask(product=str(cast.checkout.id)) == [TITLES[1]]
    assert ask(product="no such") == []
    assert ask()[0] == TITLES[2]
    assert ask()[-1] == TITLES[0]
    assert ask(order=Order.SEEN)[0] == TITLES[2]
    assert ask(order=Order.VOTES)[:2] == [TITLES[4], TITLES[3]]
    assert ask(order=Order.RECENT)[0] == newest.text


def test_parts_of_the_list_join_to_the_whole(cast: Cast, clock: StandingClock) -> None:
    fill(cast, clock())
    for order in Order:
        filters = InsightFilter(q="заказ order photo rules статус", order=order)
        whole = listed(cast, clock(), filters)
        joined, cursor = [], None
        while True:
            page = service.list_insights(filters, cast.vera, cursor=cursor, limit=2, now=clock())
            assert page.total == len(whole)
            joined += titles(page.items)
            if page.next is None:
                break
            cursor = page.next
        assert joined == whole
        assert len(whole) == 6
    for bad in ("x", "1.", ".1", "1.2.x"):
        with pytest.raises(Invalid):
            service.list_insights(InsightFilter(), cast.vera, cursor=bad, now=clock())


def test_similar_shows_rewordings_and_why(cast: Cast, clock: StandingClock) -> None:
    ids = fill(cast, clock())
    visit = make_visit(cast, clock(), agent=cast.anton)
    made = note(visit, cast.vera, "Cannot search an order unless I have its full number", clock())
    found = service.similar(made.insight_id or 0, cast.olga, now=clock())
    assert [one.item.insight.id for one in found] == [ids[1]]
    assert set(found[0].shared) == {"search", "order", "full", "number"}
    service.patch(ids[1], cast.olga, {"status": "declined"}, reason="works as meant", now=clock())
    assert service.similar(made.insight_id or 0, cast.olga, now=clock()) == []


def test_editing_leaves_history_and_asks_for_the_version(cast: Cast, clock: StandingClock) -> None:
    insight_id = fill(cast, clock())[0]
    version = db.session.get_one(Insight, insight_id).version
    changes = {"title": " New  title ", "body": "line\r\ntwo", "owner_id": cast.olga.id, "status": "planned"}
    insight = service.patch(insight_id, cast.olga, changes, version=version, now=clock())
    assert (insight.title, insight.body, insight.version) == ("New title", "line\ntwo", version + 1)
    history = service.get(insight_id, cast.vera, now=clock()).changes
    assert {one.field for one in history} == {"title", "body", "owner_id", "status"}
    with pytest.raises(Stale):
        service.patch(insight_id, cast.olga, {"title": "late"}, version=version, now=clock())
    same = service.patch(insight_id, cast.olga, {"title": "New title"}, now=clock())
    assert same.version == version + 1
    assert "titl" in set(
        db.session.scalars(select(InsightTerm.term).where(InsightTerm.insight_id == insight_id))
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": None}, "title"),
        ({"body": "x" * 10_001}, "body"),
        ({"kind": "no"}, "kind"),
        ({"status": "no"}, "status"),
        ({"status": "declined"}, "reason"),
        ({"product_id": 999}, "product_id"),
        ({"owner_id": 999}, "owner_id"),
        ({"created_at": "now"}, "created_at"),
    ],
)
def test_bad_changes_are_refused_by_field(
    cast: Cast, clock: StandingClock, changes: dict[str, object], field: str
) -> None:
    insight_id = fill(cast, clock())[0]
    with pytest.raises(Invalid) as refused:
        service.patch(insight_id, cast.olga, changes, now=clock())
    assert list(refused.value.errors) == [field]


def test_only_owners_and_admins_edit(cast: Cast, clock: StandingClock) -> None:
    one, other, *_rest = fill(cast, clock())
    for person in (cast.vera, cast.alice, cast.lev, cast.eve):
        with pytest.raises(Forbidden):
            service.patch(one, person, {"title": "mine"}, now=clock())
        with pytest.raises(Forbidden):
            service.merge(one, person, other, now=clock())
        with pytest.raises(Forbidden):
            service.split(one, person, [1], now=clock())
    service.patch(one, cast.adam, {"title": "ours"}, now=clock())


def test_what_is_missing_is_not_found(cast: Cast, clock: StandingClock) -> None:
    for act in (
        lambda: service.get(9, cast.olga, now=clock()),
        lambda: service.patch(9, cast.olga, {}, now=clock()),
        lambda: service.merge(9, cast.olga, 8, now=clock()),
        lambda: service.vote(9, cast.olga, now=clock()),
        lambda: service.similar(9, cast.olga, now=clock()),
    ):
        with pytest.raises(InsightNotFound):
            act()


def test_a_vote_counts_once_and_can_be_taken_back(cast: Cast, clock: StandingClock) -> None:
    insight_id = fill(cast, clock())[0]
    before = service.get(insight_id, cast.eve, now=clock()).item
    for _again in range(2):
        service.vote(insight_id, cast.eve, now=clock())
    item = service.get(insight_id, cast.eve, now=clock()).item
    assert (item.votes, item.voted, item.score) == (1, True, before.score)
    assert not service.get(insight_id, cast.vera, now=clock()).item.voted
    service.vote(insight_id, cast.eve, on=False, now=clock())
    assert service.get(insight_id, cast.eve, now=clock()).item.votes == 0


def state(cast: Cast, ids: list[int], now: datetime) -> list[object]:
    """All that is counted and found for these insights."""
    found: list[object] = []
    for id_ in ids:
        detail = service.get(id_, cast.eve, now=now)
        terms = select(InsightTerm.term, InsightTerm.weight).where(InsightTerm.insight_id == id_)
        found.append(
            (
                detail.item.counts,
                detail.item.votes,
                detail.item.insight.merged_into_id,
                [one.id for one in detail.evidence],
                sorted(db.session.execute(terms).tuples().all()),
            )
        )
    return found


def test_merging_counts_the_family_once_and_unmerging_restores_all(cast: Cast, clock: StandingClock) -> None:
    one, two, three, *_rest = fill(cast, clock())
    other = make_visit(cast, clock(), agent=cast.ada)
    note(other, cast.vera, "again", clock(), insight=two)
    service.vote(one, cast.eve, now=clock())
    service.vote(two, cast.eve, now=clock())
    service.vote(two, cast.vera, now=clock())
    start = state(cast, [one, two, three], clock())

    assert service.merge(two, cast.olga, one, now=clock()).id == one
    detail = service.get(one, cast.eve, now=clock())
    assert (detail.item.counts.visits, detail.item.counts.agents, detail.item.votes) == (2, 2, 2)
    assert ([part.id for part in detail.parts], len(detail.evidence)) == ([two], 3)
    assert TITLES[1] not in listed(cast, clock(), InsightFilter())
    assert listed(cast, clock(), InsightFilter(q="full number", order=Order.RELEVANCE)) == [TITLES[0]]
    merged = state(cast, [one, two, three], clock())

    service.merge(one, cast.olga, three, now=clock())
    assert {part.id for part in service.get(three, cast.eve, now=clock()).parts} == {one, two}
    service.unmerge(one, cast.olga, now=clock())
    assert state(cast, [one, two, three], clock()) == merged
    service.unmerge(two, cast.olga, now=clock())
    assert state(cast, [one, two, three], clock()) == start


def test_circles_chains_and_strangers_are_refused(cast: Cast, clock: StandingClock) -> None:
    one, two, three, *_rest = fill(cast, clock())
    service.merge(two, cast.olga, one, now=clock())
    for insight, into, error in (
        (one, one, MergeIntoItself),
        (one, two, MergeIntoItself),
        (two, three, AlreadyMerged),
        (three, 999, NoSuchTarget),
    ):
        with pytest.raises(error):
            service.merge(insight, cast.olga, into, now=clock())
    with pytest.raises(NotMerged):
        service.unmerge(one, cast.olga, now=clock())
    assert service.merge(three, cast.olga, two, now=clock()).id == one


def test_evidence_for_a_merged_insight_goes_to_its_survivor(cast: Cast, clock: StandingClock) -> None:
    one, two, *_rest = fill(cast, clock())
    service.merge(two, cast.olga, one, now=clock())
    made = note(make_visit(cast, clock(), agent=cast.anton), cast.vera, "again", clock(), insight=two)
    assert made.insight_id == one
    assert service.vote(two, cast.eve, now=clock()).id == one


def test_splitting_out_moves_evidence_and_merging_brings_it_back(cast: Cast, clock: StandingClock) -> None:
    one, *_rest = fill(cast, clock())
    made = note(
        make_visit(cast, clock(), agent=cast.anton), cast.vera, "paging is slow", clock(), insight=one
    )
    new = service.split(one, cast.olga, [made.id, 999], now=clock())
    assert (new.title, made.insight_id) == ("paging is slow", new.id)
    assert service.get(one, cast.vera, now=clock()).item.counts.visits == 1
    for chosen in ([], [made.id]):
        with pytest.raises(NothingToSplit):
            service.split(new.id, cast.olga, chosen, now=clock())
    mails = select(func.count()).select_from(OutboxItem)
    before = db.session.scalar(mails)
    assert service.put_back(new.id, cast.olga, now=clock()).id == one
    assert service.get(one, cast.vera, now=clock()).item.counts.visits == 2
    assert db.session.scalar(mails) == before
    with pytest.raises(NotSplit):
        service.put_back(one, cast.olga, now=clock())
    with pytest.raises(Forbidden):
        service.put_back(new.id, cast.vera, now=clock())


def test_a_board_counts_what_its_filters_ask_for(cast: Cast, clock: StandingClock) -> None:
    _one, two, *_rest = fill(cast, clock())
    service.patch(two, cast.olga, {"status": "planned", "kind": Kind.PROCESS_PAIN}, now=clock())
    for filters in (InsightFilter(), InsightFilter(q="searching"), InsightFilter(kinds=(Kind.TOOL_PAIN,))):
        shown, counts = service.board(filters, cast.vera, now=clock())
        assert counts == {status: len(items) for status, items in shown.items()}
        assert 0 < sum(counts.values()) == service.list_insights(filters, cast.vera, now=clock()).total


def test_a_merge_taken_back_at_once_says_nothing(cast: Cast, clock: StandingClock) -> None:
    one, two, *_rest = fill(cast, clock())
    waiting = select(func.count()).where(OutboxItem.state == "ready")
    before = db.session.scalar(waiting) or 0
    service.merge(two, cast.olga, one, now=clock())
    assert (db.session.scalar(waiting) or 0) > before
    service.unmerge(two, cast.olga, now=clock())
    assert db.session.scalar(waiting) == before


def test_an_export_holds_exactly_what_the_filters_show(cast: Cast, clock: StandingClock) -> None:
    one, two, *_rest = fill(cast, clock())
    service.merge(two, cast.olga, one, now=clock())
    filters = InsightFilter(q="заказ номер", order=Order.RELEVANCE)
    rows = service.export_rows(filters, cast.eve, url_of=lambda id_: f"https://x/{id_}", now=clock())
    assert [row.title for row in rows] == listed(cast, clock(), filters)
    assert (rows[0].url, rows[0].lines, rows[0].visits) == (f"https://x/{rows[0].id}", ("Checkout line",), 1)
    family = next(row for row in rows if row.id == one)
    assert [sighting.text for sighting in family.evidence] == TITLES[:2]
    assert "Alice" not in repr(rows)


def test_the_summary_counts_what_is_not_merged_away(cast: Cast, clock: StandingClock) -> None:
    one, two, *_rest = fill(cast, clock())
    service.merge(two, cast.olga, one, now=clock())
    found = service.summary(cast.eve, clock())
    assert (found.total, found.by_status[Status.NEW], found.visits) == (5, 5, 1)
