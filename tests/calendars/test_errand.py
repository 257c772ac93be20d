"""The worker reads calendars: what it keeps, when it comes again, and what it does about the bad ones."""

import resource
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from gemba.calendars import reading as child
from gemba.calendars import service
from gemba.calendars.copies import Copy, sentence_of
from gemba.calendars.rules import Trouble, Unreadable
from gemba.db import db
from gemba.fetch import Fetcher
from gemba.outbox.models import OutboxItem
from gemba.outbox.worker import Worker
from gemba.schedule.models import Availability, BusySource
from tests.calendars.conftest import the_source, waiting
from tests.cast import Cast, make_cast
from tests.conftest import StandingClock
from tests.fakes.calendars import MISCHIEF, Server, event, ics

Work = Callable[..., int]
TUESDAY = event("20261124T090000Z", "20261124T100000Z", "SUMMARY:Dentist")


@pytest.fixture
def cast(reading: Flask, clock: StandingClock) -> Cast:
    return make_cast(clock())


@pytest.fixture
def add(
    cast: Cast, server: Server, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], int]:
    """Adds a calendar of the server to Alice's; what is typed by a person may not lead to this machine."""
    monkeypatch.setattr(service, "clean_address", lambda url: url)

    def make(path: str) -> int:
        row = service.add_address(cast.alice, cast.alice.id, url=server.url(path), now=clock())
        source_id = row.id
        db.session.commit()
        return source_id

    return make


def minutes(*instants: datetime) -> list[int]:
    return [int(each.timestamp()) // 60 for each in instants]


def test_a_calendar_is_read_right_after_it_was_added(
    add: Callable[[str], int], server: Server, work: Work, clock: StandingClock, cast: Cast
) -> None:
    stamp = db.session.get_one(Availability, cast.alice.id).stamp
    server.put("/a.ics", ics(TUESDAY))
    add("/a.ics")
    assert server.asked == []
    assert work() == 1
    row = the_source()
    assert row.spans == [
        minutes(datetime(2026, 11, 24, 9, tzinfo=UTC), datetime(2026, 11, 24, 10, tzinfo=UTC))
    ]
    assert (row.events, row.error, row.fetched_at, row.tried_at) == (1, "", clock(), clock())
    assert row.known_until == datetime(2027, 3, 23, tzinfo=UTC)
    assert "Dentist" not in str(vars(row))
    assert db.session.get_one(Availability, cast.alice.id).stamp != stamp
    (item,) = waiting()
    assert item.run_at == clock() + timedelta(minutes=30)
    assert db.session.scalar(select(func.count()).select_from(OutboxItem)) == 1
    assert server.url("") not in str(item.payload)


def test_it_is_asked_again_every_half_an_hour_and_says_so_when_nothing_changed(
    add: Callable[[str], int], server: Server, work: Work, clock: StandingClock, cast: Cast
) -> None:
    server.put("/a.ics", ics(TUESDAY))
    add("/a.ics")
    work()
    tag, stamp = the_source().etag, db.session.get_one(Availability, cast.alice.id).stamp
    assert tag
    assert work(29) == 0
    assert work(1) == 1
    assert server.asked[-1].headers["if-none-match"] == tag
    assert the_source().fetched_at == clock()
    assert len(the_source().spans) == 1
    assert db.session.get_one(Availability, cast.alice.id).stamp == stamp
    server.put("/a.ics", ics())
    work(30)
    assert the_source().spans == []
    assert db.session.get_one(Availability, cast.alice.id).stamp != stamp


def test_once_a_day_it_is_read_whole_for_new_days_come_into_view(
    add: Callable[[str], int], server: Server, work: Work
) -> None:
    server.put("/a.ics", ics(TUESDAY))
    add("/a.ics")
    work()
    before = the_source().known_until
    for _n in range(50):
        work(30)
    after = the_source().known_until
    assert before is not None
    assert after == before + timedelta(days=1)
    assert len(server.asked) == 51
    assert sum("if-none-match" not in asked.headers for asked in server.asked) == 2


def test_the_last_good_copy_stays_and_is_called_old(
    add: Callable[[str], int], server: Server, work: Work, clock: StandingClock, cast: Cast
) -> None:
    server.put("/a.ics", ics(TUESDAY))
    add("/a.ics")
    work()
    read_at, spans = clock(), the_source().spans
    server.answers["/a.ics"] = (500, {}, b"")
    work(30)
    (shown,) = service.sources_of(cast.alice, cast.alice.id, clock())
    assert shown.stale
    assert shown.fetched_at == read_at
    assert shown.error == "The server that holds the calendar has trouble."
    assert (shown.coming, the_source().spans) == (1, spans)
    waits = []
    for _n in range(7):
        (item,) = waiting()
        waits.append(int((item.run_at - clock()).total_seconds() // 60))
        work(waits[-1])
    assert waits == [30, 60, 120, 240, 360, 360, 360]
    assert db.session.scalars(select(OutboxItem.state).distinct()).all() == ["ready"]
    assert [name for name, _row in service.stale_sources(clock())] == ["Alice Agent"]
    server.answers.clear()
    work(360)
    (shown,) = service.sources_of(cast.alice, cast.alice.id, clock())
    assert (shown.stale, shown.error) == (False, "")
    assert waiting()[0].run_at == clock() + timedelta(minutes=30)
    assert service.stale_sources(clock()) == []


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "let us in"), (403, "let us in"), (404, "any more"), (410, "any more"), (503, "trouble")],
)
def test_the_servers_answer_is_told_in_words(
    add: Callable[[str], int],
    server: Server,
    work: Work,
    clock: StandingClock,
    cast: Cast,
    status: int,
    words: str,
) -> None:
    server.answers["/a.ics"] = (status, {}, ics(TUESDAY).encode())
    add("/a.ics")
    work()
    (shown,) = service.sources_of(cast.alice, cast.alice.id, clock())
    assert words in shown.error
    assert shown.fetched_at is None


REASONS = {
    "/secondly": "too-often",
    "/minutely": "too-often",
    "/interval": "bad-rule",
    "/rdates": "too-many-dates",
    "/hourly": "too-many-times",
    "/drip": "too-slow",
    "/drip-headers": "too-slow",
    "/silence": "too-slow",
    "/huge": "too-large",
    "/huge-and-says-so": "too-large",
    "/bomb": "too-large",
    "/breaks-off": "broken-answer",
    "/cut": "cut-short",
    "/html": "not-a-calendar",
    "/endless": "too-many-redirects",
    "/strange-packing": "broken-answer",
}


def test_every_mischief_has_its_reason() -> None:
    assert set(REASONS) == set(MISCHIEF)
    known = sentence_of("no such code")
    assert all(sentence_of(code) != known for code in REASONS.values())


@pytest.mark.parametrize("path", REASONS)
def test_mischief_is_refused_in_time_with_a_reason_and_the_worker_goes_on(
    add: Callable[[str], int], server: Server, work: Work, clock: StandingClock, cast: Cast, path: str
) -> None:
    add(path)
    begun = time.monotonic()
    assert work() == 1
    assert time.monotonic() - begun < 15
    assert the_source().error == REASONS[path]
    assert the_source().spans == []
    server.put("/good.ics", ics(TUESDAY))
    service.remove(cast.alice, cast.alice.id, the_source().id, clock())
    clock.forward(seconds=1)
    add("/good.ics")
    assert work() == 1
    assert the_source().error == ""


def test_a_redirect_to_loopback_is_not_followed(
    add: Callable[[str], int], server: Server, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put("/secret.ics", ics(TUESDAY))
    server.answers["/a.ics"] = (302, {"Location": f"http://127.0.0.2:{server.port}/secret.ics"}, b"")
    plain = Fetcher.__init__
    # Only this very address of the machine may be reached, as if it were a public one.
    monkeypatch.setattr(
        Fetcher, "__init__", lambda self, **more: plain(self, **{**more, "allowed": ("127.0.0.1/32",)})
    )
    add("/a.ics")
    work()
    assert the_source().error == "not-public"
    assert [asked.path for asked in server.asked] == ["/a.ics"]


def test_memory_stays_bounded_and_the_web_answers_meanwhile(
    add: Callable[[str], int], server: Server, reading: Flask, clock: StandingClock
) -> None:
    for path in ("/huge", "/rdates", "/hourly", "/drip"):
        add(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    worker = Worker(reading, poll=0.05, clock=clock)
    done = threading.Thread(target=worker.run)
    done.start()
    slowest = 0.0
    try:
        end = time.monotonic() + 14
        while time.monotonic() < end and len(server.asked) < 4:
            begun = time.monotonic()
            assert reading.test_client().get("/healthz").status_code == 200
            slowest = max(slowest, time.monotonic() - begun)
            time.sleep(0.05)
    finally:
        worker.stop()
        done.join(30)
    assert len(server.asked) == 4
    assert slowest < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000


def test_the_child_is_killed_when_it_takes_too_long(clock: StandingClock) -> None:
    many = [event("20000101T000000Z", "20000101T001500Z", "RRULE:FREQ=HOURLY", uid=str(n)) for n in range(6)]
    begun = time.monotonic()
    with pytest.raises(Unreadable) as caught:
        child.work_out(ics(*many).encode(), zone="UTC", now=clock(), seconds=0.5)
    assert caught.value.trouble is Trouble.TOO_MUCH_WORK
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("bound", [("CPU_SECONDS", "1"), ("MEMORY_BYTES", str(60 * 1024 * 1024))])
def test_the_child_bounds_itself(
    clock: StandingClock, monkeypatch: pytest.MonkeyPatch, bound: tuple[str, str]
) -> None:
    script = (
        "import sys; from gemba.calendars import child; "
        f"child.{bound[0]} = {bound[1]}; child._bounds(); "
        "child.main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))"
    )
    run = child._run
    monkeypatch.setattr(
        child,
        "_run",
        lambda command, data, seconds: run([command[0], "-c", script, *command[3:]], data, seconds),
    )
    many = [event("19710101T000000Z", "19710101T001500Z", "RRULE:FREQ=HOURLY", uid=str(n)) for n in range(6)]
    with pytest.raises(Unreadable):
        child.work_out(ics(*many).encode(), zone="UTC", now=clock())


def test_the_child_knows_no_secrets() -> None:
    assert not [name for name in child.ENVIRONMENT if name.startswith(("GEMBA", "DATABASE"))]


def test_removing_ends_the_chain_and_forgets_the_times(
    add: Callable[[str], int], server: Server, work: Work, clock: StandingClock, cast: Cast
) -> None:
    server.put("/a.ics", ics(TUESDAY))
    source_id = add("/a.ics")
    work()
    stamp = db.session.get_one(Availability, cast.alice.id).stamp
    service.remove(cast.alice, cast.alice.id, source_id, clock())
    assert work(30) == 0
    assert db.session.get_one(Availability, cast.alice.id).stamp != stamp
    assert db.session.scalar(select(func.count()).select_from(OutboxItem)) == 0
    assert len(server.asked) == 1


def test_what_was_removed_while_it_was_read_writes_nothing(
    add: Callable[[str], int], server: Server, clock: StandingClock, cast: Cast
) -> None:
    source_id = add("/html")
    made = the_source().created_at
    order = service.order_of(source_id, made.isoformat(), clock())
    assert order is not None
    assert server.url("") not in repr(order)
    service.remove(cast.alice, cast.alice.id, source_id, clock())
    clock.forward(seconds=1)
    # SQLite gives the number again.
    db.session.add(
        BusySource(
            id=source_id, person_id=cast.alice.id, name="new", url="https://a.example/", created_at=clock()
        )
    )
    db.session.flush()
    service.take(order, Copy(spans=[[1, 2]]), clock())
    assert the_source().spans == []
    assert service.order_of(source_id, made.isoformat(), clock()) is None


def test_read_again_comes_forward_and_never_doubles_the_chain(
    add: Callable[[str], int], server: Server, work: Work, clock: StandingClock, cast: Cast
) -> None:
    server.put("/a.ics", ics(TUESDAY))
    source_id = add("/a.ics")
    work()
    for _n in range(3):
        clock.forward(minutes=1)
        service.refresh(cast.alice, cast.alice.id, source_id, clock())
        assert work() == 1
    assert len(waiting()) == 1
    # Asked for while it is being read: both come to their end, one goes on.
    (item,) = waiting()
    item.state = "leased"
    db.session.flush()
    service.refresh(cast.alice, cast.alice.id, source_id, clock())
    item.state = "ready"
    assert work(30) >= 1
    assert work(30) >= 1
    assert len(waiting()) == 1


def test_a_chain_that_broke_is_mended_by_reading_again(
    add: Callable[[str], int], server: Server, work: Work, clock: StandingClock, cast: Cast
) -> None:
    server.put("/a.ics", ics(TUESDAY))
    source_id = add("/a.ics")
    work()
    db.session.delete(waiting()[0])
    clock.forward(minutes=1)
    service.refresh(cast.alice, cast.alice.id, source_id, clock())
    assert work() == 1
    assert len(waiting()) == 1


def test_calendars_of_those_who_left_are_not_read(
    add: Callable[[str], int], server: Server, work: Work, clock: StandingClock, cast: Cast
) -> None:
    add("/html")
    cast.alice.active = False
    assert work() == 1
    assert server.asked == []
    assert waiting()[0].run_at == clock() + timedelta(hours=6)


def test_two_workers_never_read_one_calendar_twice(
    add: Callable[[str], int], server: Server, reading: Flask, clock: StandingClock, cast: Cast
) -> None:
    for number in range(10):
        server.put(f"/{number}.ics", ics(TUESDAY))
        add(f"/{number}.ics")
    workers = [Worker(reading, poll=0.05, clock=clock) for _n in range(2)]
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 60
    while time.monotonic() < end and _unread():
        time.sleep(0.1)
    for worker, thread in zip(workers, threads, strict=True):
        worker.stop()
        thread.join(30)
    assert sorted(asked.path for asked in server.asked) == sorted(f"/{number}.ics" for number in range(10))
    assert len(waiting()) == 10
    assert len({item.group_key for item in waiting()}) == 10


def _unread() -> int:
    count = select(func.count()).select_from(BusySource).where(BusySource.fetched_at.is_(None))
    found = db.session.scalar(count) or 0
    db.session.rollback()
    return found
