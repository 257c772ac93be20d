"""Kept numbers equal what is counted; lists, search and board agree with a plain count, page by page."""

from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import event, select, update

from gemba.db import db
from gemba.errors import GembaError
from gemba.insights import service
from gemba.insights.models import Insight, Observation
from gemba.insights.rules.filters import InsightFilter, Order
from gemba.insights.rules.kinds import Kind, Standing, Status
from gemba.insights.service import numbers
from gemba.people.models import Person
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.insights.many import TWINS, complaints, fill
from tests.insights.stage import make_visit, note

KEPT = (*numbers.NAMES, "votes", "watched", "score")


def kept() -> dict[int, tuple[object, ...]]:
    """What the table holds."""
    db.session.expire_all()
    rows = db.session.execute(select(Insight.id, *(getattr(Insight, name) for name in KEPT)))
    return {row.id: tuple(row)[1:] for row in rows}


@pytest.mark.parametrize("seed", range(3))
def test_kept_numbers_are_those_counted_from_scratch(cast: Cast, clock: StandingClock, seed: int) -> None:
    """After random notes, removals, reviews, merges, splits, votes and edits."""
    random = Random(seed)
    agents = (cast.alice, cast.anton, cast.ada)
    visits = [
        make_visit(cast, clock() - timedelta(minutes=20, seconds=n), agent=agents[n % 3]) for n in range(6)
    ]
    for number, visit in enumerate(visits):
        note(visit, cast.vera, f"complaint {number}", clock())
    people = [cast.olga, cast.eve, cast.vera]

    def insight() -> int:
        return random.choice(list(db.session.scalars(select(Insight.id).order_by(Insight.id))))

    def some_note() -> Observation:
        return random.choice(list(db.session.scalars(select(Observation).order_by(Observation.id))))

    def review() -> None:
        one = some_note()
        one.standing = random.choice([Standing.PUBLISHED, Standing.FRESH, Standing.PRIVATE])
        db.session.flush()
        if one.insight_id:
            service.reindex(one.insight.root_id if one.insight else 0)

    acts = [
        lambda: note(random.choice(visits), cast.vera, "again", clock(), severity=random.randrange(5)),
        lambda: note(random.choice(visits), cast.vera, "more", clock(), insight=insight(), severity=3),
        lambda: service.merge(insight(), cast.olga, insight(), now=clock()),
        lambda: service.unmerge(insight(), cast.olga, now=clock()),
        lambda: service.split(insight(), cast.olga, [some_note().id], now=clock()),
        lambda: service.vote(insight(), random.choice(people), on=random.random() < 0.7, now=clock()),
        lambda: service.remove_note(cast.vera, some_note().id, now=clock()),
        lambda: service.patch(insight(), cast.olga, {"kind": random.choice(list(Kind))}, now=clock()),
        review,
    ]
    for _step in range(40):
        clock.forward(seconds=7)
        try:
            random.choice(acts)()
        except GembaError:
            continue
    before = kept()
    assert any(row[0] for row in before.values())
    numbers.keep_all(clock())
    after = kept()
    assert before == after


@pytest.mark.parametrize("order", [order for order in Order if order is not Order.RELEVANCE])
def test_pages_put_together_are_the_whole_in_order(cast: Cast, clock: StandingClock, order: Order) -> None:
    visits = [make_visit(cast, clock() - timedelta(days=n), status="held").id for n in range(1, 4)]
    fill(cast, visits, list(complaints(60)), clock())
    columns = {
        Order.SCORE: Insight.score,
        Order.SEEN: Insight.visits,
        Order.VOTES: Insight.votes,
        Order.RECENT: Insight.created_at,
        Order.HAND: Insight.place,
    }
    for given in (
        {},
        {"statuses": (Status.NEW, Status.DONE)},
        {"kinds": (Kind.WORKAROUND,)},
        {"q": "заказ чек"},
    ):
        filters = InsightFilter(order=order, **given)
        found: list[int] = []
        cursor, total = None, 0
        for _page in range(20):
            page = service.list_insights(filters, cast.eve, cursor=cursor, limit=7, now=clock())
            found += [item.insight.id for item in page.items]
            total, cursor = page.total, page.next
            if cursor is None:
                break
        query = select(Insight).order_by(columns[order].desc(), Insight.id.desc())
        every = [
            one
            for one in db.session.scalars(query)
            if (not filters.statuses or one.status in filters.statuses)
            and (not filters.kinds or one.kind in filters.kinds)
        ]
        if filters.q:
            assert set(found) <= {one.id for one in every}
            assert found == [one.id for one in every if one.id in set(found)]
        else:
            assert found == [one.id for one in every]
        assert total == len(found) > 0
        assert [one.insight.id for one in service.every_matching(filters, cast.eve, now=clock())] == found


def test_the_board_shows_the_first_of_each_status(cast: Cast, clock: StandingClock) -> None:
    visit = make_visit(cast, clock() - timedelta(days=1), status="held")
    fill(cast, [visit.id], list(complaints(200)), clock())
    columns, counts = service.board(InsightFilter(), cast.eve, now=clock())
    assert list(columns) == list(Status)
    for status, items in columns.items():
        page = service.list_insights(InsightFilter(statuses=(status,)), cast.eve, limit=20, now=clock())
        assert [item.insight.id for item in items] == [item.insight.id for item in page.items]
        assert counts[status] == page.total


def test_reworded_twins_are_among_the_first_five_of_ten_thousand(cast: Cast, clock: StandingClock) -> None:
    """The ids are written down: they are the same, in the same order, on both databases."""
    visits = [make_visit(cast, clock() - timedelta(days=n), status="held").id for n in range(1, 9)]
    ids = fill(cast, visits, [old for old, _new in TWINS] + list(complaints(10_000 - len(TWINS))), clock())
    twins = update(Insight).where(Insight.id.in_(ids[: len(TWINS)]))
    db.session.execute(twins.values(status=Status.NEW))  # nobody is offered what was declined
    orders = []
    for place, (_old, new) in enumerate(TWINS):
        page = service.list_insights(
            InsightFilter(q=new, order=Order.RELEVANCE), cast.eve, limit=5, now=clock()
        )
        near = service.similar_to(new, cast.eve, now=clock())
        assert ids[place] in [item.insight.id for item in page.items], new
        assert ids[place] in [one.item.insight.id for one in near], new
        assert near[0].shared
        orders.append([item.insight.id for item in page.items])
    assert orders == KNOWN


def test_lists_cost_the_same_number_of_statements_at_any_size(cast: Cast, clock: StandingClock) -> None:
    visits = [make_visit(cast, clock() - timedelta(days=n), status="held").id for n in range(1, 4)]
    sent: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda _c, _cur, said, *_rest: sent.append(said))
    viewer = db.session.get_one(Person, cast.eve.id)

    def cost() -> list[int]:
        counts = []
        for act in (
            lambda: service.list_insights(InsightFilter(), viewer, limit=30, now=clock()),
            lambda: service.list_insights(InsightFilter(q="заказ чек"), viewer, limit=30, now=clock()),
            lambda: service.board(InsightFilter(), viewer, now=clock()),
            lambda: service.summary(viewer, clock()),
            lambda: service.similar_to("курьер теряет заказ", viewer, now=clock()),
        ):
            sent.clear()
            act()
            counts.append(len(sent))
        return counts

    fill(cast, visits, list(complaints(40)), clock())
    small = cost()
    fill(cast, visits, list(complaints(400, seed=9)), clock())
    assert cost() == small
    assert max(small) <= 8


KNOWN = [
    [1, 3, 32, 47, 61],
    [2, 109, 185, 218, 365],
    [3, 30, 31, 44, 49],
    [4, 144, 342, 592, 801],
    [5],
    [6],
    [7, 46, 60, 79, 82],
    [8, 362, 929, 996, 1068],
    [9, 12, 19, 21, 27],
    [10, 15, 16, 38, 41],
    [11],
]
