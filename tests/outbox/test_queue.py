"""What goes in, in which order it comes out, and who may take it."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from flask import Flask

from gemba.db import db
from gemba.errors import NotFound
from gemba.outbox import claims, room
from gemba.outbox import service as outbox
from gemba.outbox.claims import Lease
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import TRIES, Permanent, State, Temporary
from tests.conftest import MONDAY, StandingClock
from tests.outbox.conftest import hello

LEASE = timedelta(seconds=60)


def put(number: int, *, group: str = "", to: str = "vera@gemba.example") -> int:
    """Queues and commits."""
    item_id = hello(MONDAY, number, group_key=group, to=to).id
    db.session.commit()
    return item_id


def take(seconds: float = 0) -> Lease | None:
    """Claims and commits, as a worker does."""
    held = claims.claim(MONDAY + timedelta(seconds=seconds), LEASE)
    db.session.commit()
    return held


def row(item_id: int) -> OutboxItem:
    """The item as it is stored now."""
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(OutboxItem, item_id)


def test_same_dedup_key_is_one_item(app: Flask) -> None:
    first, again = hello(MONDAY, 1), hello(MONDAY, 1)
    db.session.commit()
    assert first is again
    assert len(room.find().items) == 1


def test_two_transactions_with_one_dedup_key_leave_one_item(app: Flask) -> None:
    ids: list[int] = []
    gate = threading.Barrier(8)

    def cause() -> None:
        with app.app_context():
            gate.wait()
            ids.append(hello(MONDAY, 1).id)
            db.session.commit()

    threads = [threading.Thread(target=cause) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8
    assert len(set(ids)) == 1


def test_a_repeat_keeps_what_the_cause_did_before(app: Flask) -> None:
    put(1)
    hello(MONDAY, 2)
    hello(MONDAY, 1)
    db.session.commit()
    assert len(room.find().items) == 2


def test_a_rolled_back_cause_leaves_nothing(app: Flask) -> None:
    hello(MONDAY, 1)
    db.session.rollback()
    assert take() is None
    assert room.find().items == []


def test_a_claim_counts_the_try_before_it_is_made(app: Flask) -> None:
    item_id = put(1)
    held = take()
    assert held is not None
    assert (held.facts.id, held.facts.attempt) == (item_id, 1)
    found = row(item_id)
    assert (found.state, found.attempts) == (State.LEASED, 1)
    assert take() is None


def test_nothing_leaves_before_its_time(app: Flask) -> None:
    hello(MONDAY, 1, run_at=MONDAY + timedelta(hours=1))
    db.session.commit()
    assert take(3599) is None
    assert take(3600) is not None


def test_one_pair_leaves_in_order_and_others_do_not_wait(app: Flask) -> None:
    first = put(1, group="visit:1")
    second = put(2, group="visit:1")
    other_person = put(3, group="visit:1", to="alice@gemba.example")
    other_visit = put(4, group="visit:2")
    alone = [put(5), put(6)]
    taken = [take() for _ in range(6)]
    assert [held.facts.id for held in taken if held] == [first, other_person, other_visit, *alone]
    assert taken[0] is not None
    claims.finish(taken[0], MONDAY)
    db.session.commit()
    held = take()
    assert held is not None
    assert held.facts.id == second


@pytest.mark.parametrize("failure", [Permanent("no such mailbox"), Temporary("busy")])
def test_the_next_of_a_pair_leaves_only_once_the_first_is_final(
    app: Flask, failure: Permanent | Temporary
) -> None:
    put(1, group="visit:1")
    second = put(2, group="visit:1")
    held = take()
    assert held is not None
    claims.fail(held, failure, MONDAY)
    db.session.commit()
    after = take()
    if isinstance(failure, Permanent):
        assert after is not None
        assert after.facts.id == second
    else:
        assert after is None


def test_an_expired_lease_is_claimed_again_and_the_zombie_changes_nothing(app: Flask) -> None:
    item_id = put(1)
    zombie = take()
    assert take(59) is None
    heir = take(60)
    assert zombie is not None
    assert heir is not None
    assert (heir.facts.id, heir.facts.attempt) == (item_id, 2)
    assert not claims.finish(zombie, MONDAY)
    assert not claims.fail(zombie, Permanent("late"), MONDAY)
    assert not claims.release(zombie)
    db.session.commit()
    found = row(item_id)
    assert (found.state, found.lease_token, found.last_error) == (State.LEASED, heir.token, "")
    assert claims.finish(heir, MONDAY)
    db.session.commit()
    assert row(item_id).state == State.DONE


def test_a_worker_that_dies_at_every_try_gives_up_in_the_end(app: Flask) -> None:
    item_id = put(1)
    for number in range(TRIES):
        assert take(number * 60) is not None
    assert take(TRIES * 60) is None
    found = row(item_id)
    assert (found.state, found.last_error) == (State.DEAD, claims.STOPPED_EACH_TIME)


def test_tries_wait_longer_and_end_after_twelve(app: Flask) -> None:
    item_id = put(1)
    now, waits = MONDAY, []
    for _ in range(TRIES):
        held = claims.claim(now, LEASE)
        assert held is not None
        claims.fail(held, Temporary("451 busy"), now)
        db.session.commit()
        found = row(item_id)
        waits.append(found.run_at - now)
        now = found.run_at
    assert found.state == State.DEAD
    assert found.last_error == "451 busy"
    assert timedelta(seconds=15) <= waits[0] <= timedelta(seconds=45)
    assert waits[-2] >= timedelta(minutes=30)


def test_a_lease_given_back_does_not_count(app: Flask) -> None:
    item_id = put(1)
    held = take()
    assert held is not None
    assert claims.release(held)
    db.session.commit()
    found = row(item_id)
    assert (found.state, found.attempts, found.lease_token) == (State.READY, 0, None)
    assert take() is not None


def test_threads_share_without_taking_one_twice(app: Flask) -> None:
    ids = {put(number) for number in range(40)}
    taken: list[int] = []

    def work() -> None:
        with app.app_context():
            while held := take():
                taken.append(held.facts.id)
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(ids)


def test_superseded_words_are_dropped_if_never_tried(app: Flask) -> None:
    tried, fresh = put(1, group="visit:1"), put(2, group="visit:1")
    other = put(3, group="visit:1", to="alice@gemba.example")
    held = take()
    assert held is not None
    claims.fail(held, Temporary("busy"), MONDAY)
    heard = outbox.drop_superseded("visit:1", {"vera@gemba.example"}, MONDAY)
    assert heard == {"vera@gemba.example", "alice@gemba.example"}
    db.session.commit()
    states = {item.id: item.state for item in outbox.items_of("visit:1")}
    assert states == {tried: State.READY, fresh: State.DROPPED, other: State.READY}


@pytest.mark.parametrize("end", ["done", "dead", "dropped", "gave out"])
def test_secrets_do_not_outlive_the_message(app: Flask, end: str) -> None:
    item = hello(MONDAY, 1, template="code", context={"secret": "123456"}, group_key="sign-in:1")
    db.session.commit()
    if end == "dropped":
        outbox.drop_superseded("sign-in:1", {item.recipient}, MONDAY)
    elif end == "gave out":
        for number in range(TRIES + 1):
            take(number * 60)
    else:
        held = take()
        assert held is not None
        assert held.payload["context"]["secret"] == "123456"
        if end == "done":
            claims.finish(held, MONDAY)
        else:
            claims.fail(held, Permanent("no"), MONDAY)
    db.session.commit()
    found = row(item.id)
    assert found.state != State.READY
    assert found.payload["context"]["secret"] is None
    if found.state == State.DEAD:
        with pytest.raises(outbox.WordsGone):
            outbox.retry(item.id, now=MONDAY)


def dead(number: int, group: str = "") -> int:
    """An item that failed for good."""
    item_id = put(number, group=group)
    held = take()
    assert held is not None
    claims.fail(held, Permanent("550 no"), MONDAY)
    db.session.commit()
    return item_id


def test_what_failed_can_be_sent_again_from_its_first_try(app: Flask) -> None:
    item_id = dead(1)
    assert outbox.waiting(MONDAY).dead == 1
    outbox.retry(item_id, now=MONDAY)
    db.session.commit()
    held = take()
    assert held is not None
    assert held.facts.attempt == 1


def test_what_a_newer_message_overtook_is_not_sent_again(app: Flask) -> None:
    item_id = dead(1, "visit:1")
    put(2, group="visit:1")
    held = take()
    assert held is not None
    claims.finish(held, MONDAY)
    db.session.commit()
    with pytest.raises(outbox.Overtaken):
        outbox.retry(item_id, now=MONDAY)
    assert outbox.retry_failed(now=MONDAY) == 0


def test_what_is_being_sent_or_was_sent_is_left_alone(app: Flask) -> None:
    item_id = put(1)
    held = take()
    assert held is not None
    for act in (outbox.retry, outbox.discard):
        with pytest.raises(outbox.BeingSent):
            act(item_id, now=MONDAY)
    db.session.rollback()
    claims.finish(held, MONDAY)
    db.session.commit()
    for act in (outbox.retry, outbox.discard):
        with pytest.raises(outbox.AlreadySent):
            act(item_id, now=MONDAY)
        with pytest.raises(NotFound):
            act(item_id + 1, now=MONDAY)


def test_what_is_given_up_never_leaves_unless_taken_back(app: Flask) -> None:
    item_id = put(1)
    outbox.discard(item_id, now=MONDAY)
    db.session.commit()
    assert take() is None
    assert row(item_id).state == State.DROPPED
    outbox.retry(item_id, now=MONDAY)
    db.session.commit()
    assert take() is not None


def test_what_newer_words_replaced_cannot_be_taken_back(app: Flask) -> None:
    item_id = put(1, group="visit:1")
    outbox.drop_superseded("visit:1", {"vera@gemba.example"}, MONDAY)
    put(2, group="visit:1")
    with pytest.raises(outbox.Overtaken):
        outbox.retry(item_id, now=MONDAY)


def test_pages_of_items(app: Flask) -> None:
    ids = [put(number) for number in range(5)]
    page = room.find(limit=2)
    assert [item.id for item in page.items] == ids[:2:-1]
    page = room.find(cursor=page.next_cursor, limit=2)
    assert [item.id for item in page.items] == [ids[2], ids[1]]
    page = room.find(cursor=page.next_cursor, limit=2)
    assert ([item.id for item in page.items], page.next_cursor) == ([ids[0]], None)
    assert room.find(frozenset({State.DONE})).items == []


def test_figures(app: Flask, clock: StandingClock) -> None:
    figures = outbox.waiting(MONDAY)
    assert (figures.waiting, figures.oldest, figures.silent, figures.worker_is_silent) == (
        0,
        None,
        None,
        True,
    )
    put(1)
    claims.heartbeat("one", MONDAY)
    db.session.commit()
    figures = outbox.waiting(MONDAY + timedelta(minutes=6))
    assert (figures.waiting, figures.oldest, figures.overdue) == (1, timedelta(minutes=6), True)
    assert (figures.silent, figures.worker_is_silent) == (timedelta(minutes=6), True)
    claims.heartbeat("one", MONDAY + timedelta(minutes=6))
    db.session.commit()
    assert not outbox.waiting(MONDAY + timedelta(minutes=7)).worker_is_silent
    assert outbox.waiting(MONDAY + timedelta(minutes=7, seconds=1)).worker_is_silent


def test_a_try_that_failed_does_not_hide_how_long_a_message_waits(app: Flask) -> None:
    put(1)
    held = take()
    assert held is not None
    claims.fail(held, Temporary("451 later", timedelta(minutes=2)), MONDAY)
    db.session.commit()
    figures = outbox.waiting(MONDAY + timedelta(minutes=1))
    assert (figures.oldest, figures.overdue) == (timedelta(minutes=1), False)
    assert outbox.waiting(MONDAY + timedelta(minutes=6)).overdue
    assert room.alarm(MONDAY + timedelta(minutes=6)).late == timedelta(minutes=6)
    assert room.alarm(MONDAY + timedelta(minutes=5)).late is None


def test_what_is_to_leave_later_is_not_late(app: Flask) -> None:
    hello(MONDAY, 1, run_at=MONDAY + timedelta(days=1))
    claims.heartbeat("one", MONDAY + timedelta(hours=2))
    db.session.commit()
    assert not room.alarm(MONDAY + timedelta(hours=2))


def test_the_alarm_hears_of_a_silent_worker(app: Flask) -> None:
    assert room.alarm(MONDAY).never
    claims.heartbeat("one", MONDAY)
    db.session.commit()
    assert not room.alarm(MONDAY + timedelta(minutes=1))
    assert room.alarm(MONDAY + timedelta(minutes=1, seconds=1)).silent == timedelta(minutes=1, seconds=1)


def done(number: int, group: str, to: str, state: State, days: int) -> int:
    item_id = put(number, group=group, to=to)
    item = db.session.get_one(OutboxItem, item_id)
    item.state, item.done_at = state.value, MONDAY - timedelta(days=days)
    db.session.commit()
    return item_id


def test_what_left_long_ago_goes_but_the_last_to_each_about_each(app: Flask) -> None:
    vera, alice = "vera@gemba.example", "alice@gemba.example"
    plan = [
        ("", vera, State.DONE, 91, False),
        ("", vera, State.DONE, 89, True),
        ("", vera, State.DEAD, 200, True),
        ("visit:1", vera, State.DONE, 300, False),
        ("visit:1", vera, State.DROPPED, 250, True),
        ("visit:1", vera, State.DONE, 200, True),
        ("visit:1", alice, State.DONE, 300, True),
        ("visit:2", vera, State.DROPPED, 300, False),
        ("visit:2", vera, State.DROPPED, 299, True),
    ]
    ids = [done(number, *row[:4]) for number, row in enumerate(plan)]
    room.prune(MONDAY)
    db.session.commit()
    left = {item.id for item in db.session.query(OutboxItem)}
    assert left == {item_id for item_id, row in zip(ids, plan, strict=True) if row[4]}
