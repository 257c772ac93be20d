"""The chain of errands by which a tracker gets its exports: one at a time, each queueing the next."""

from datetime import datetime

from gemba.outbox import service as outbox

RUN = "tracker-run"
LOOK = "tracker-look"


def group_of(tracker_id: int) -> str:
    """The outbox's group of a tracker's exports."""
    return f"{RUN}:{tracker_id}"


def wake(tracker_id: int, now: datetime) -> None:
    """Has a worker go on with what a tracker still has to get."""
    if not outbox.hasten(group_of(tracker_id), now):
        outbox.queue_soon(RUN, group_key=group_of(tracker_id), payload={"tracker": tracker_id}, now=now)


def look_soon(tracker_id: int, refs: list[str], now: datetime) -> None:
    """Has a worker read from a tracker what changed, and these tickets in any case."""
    refs = sorted(set(refs))[:20]
    key = f"{LOOK}:{tracker_id}:{','.join(refs)[:200]}:{now:%Y%m%d%H%M%S}"
    payload = {"tracker": tracker_id, "refs": refs}
    outbox.queue(LOOK, dedup_key=key, group_key="", recipient="", payload=payload, now=now)
