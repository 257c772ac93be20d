"""How often one may ask: the counters of one process."""

import threading

import pytest
from limits import RateLimitItemPerMinute
from limits.strategies import FixedWindowRateLimiter

from gemba.web.limits import SWEEP_SECONDS, ProcessMemory


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The second it is, in a list."""
    now = [1_000_000.0]
    monkeypatch.setattr("gemba.web.limits.time.time", lambda: now[0])
    return now


def test_a_window_counts_and_ends(at: list[float]) -> None:
    memory = ProcessMemory()
    assert [memory.incr("a", 60), memory.incr("a", 60, 2), memory.incr("b", 60)] == [1, 3, 1]
    assert (memory.get("a"), memory.get_expiry("a"), memory.get("c")) == (3, at[0] + 60, 0)
    at[0] += 60
    assert (memory.get("a"), memory.get_expiry("a"), memory.incr("a", 60)) == (0, at[0], 1)


def test_what_has_ended_is_swept(at: list[float]) -> None:
    memory = ProcessMemory()
    for number in range(1000):
        memory.incr(f"address {number}", 1)
    at[0] += SWEEP_SECONDS
    memory.incr("new", 60)
    assert memory.reset() == 1
    assert memory.get("new") == 0


def test_clearing_one_leaves_the_others(at: list[float]) -> None:
    memory = ProcessMemory()
    memory.incr("a", 60)
    memory.incr("b", 60)
    memory.clear("a")
    assert (memory.get("a"), memory.get("b")) == (0, 1)
    assert memory.check()


def test_threads_lose_no_count() -> None:
    memory = ProcessMemory()

    def hit() -> None:
        for _ in range(2000):
            memory.incr("a", 600)

    threads = [threading.Thread(target=hit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert memory.get("a") == 8000


def test_the_library_counts_with_it(at: list[float]) -> None:
    limiter, three = FixedWindowRateLimiter(ProcessMemory()), RateLimitItemPerMinute(3)
    assert [limiter.hit(three, "x") for _ in range(4)] == [True, True, True, False]
    assert limiter.get_window_stats(three, "x").remaining == 0
    at[0] += 61
    assert limiter.hit(three, "x")
