"""The process in which a round is worked out: a task on stdin, JSON objects on stdout, one on a line.

    python -m gemba.rounds.pairing.child < task.jsonl

`{"preview": plan}` as soon as it is known who is served, then `{"plan": plan}`, or `{"pin": [person, agent,
start]}` where a pin does not stand. It knows neither the app nor its database nor its secrets.
"""

import gc
import json
import os
import resource
import sys
import time
from typing import Any

from gemba.rounds.pairing.guiding import propose_guided
from gemba.rounds.pairing.propose import NoSuchPin, propose
from gemba.rounds.pairing.values import Plan
from gemba.rounds.pairing.wire import load_task, plan_document

MEMORY_BYTES = 1024 * 1024 * 1024
CPU_SECONDS = 600


def _tell(name: str, value: object) -> None:
    sys.stdout.write(json.dumps({name: value}, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Reads the task, and tells what comes of it."""
    gc.disable()  # nothing here refers to itself; to look for that costs a third
    task = load_task(sys.stdin.buffer)
    end = time.monotonic() + task.seconds

    def preview(plan: Plan) -> None:
        _tell("preview", plan_document(plan))

    def expired() -> bool:
        return time.monotonic() > end

    kept: dict[str, Any] = {"pins": task.pins, "expired": expired, "preview": preview}
    try:
        if task.mentors is None:
            plan = propose(task.agents, task.people, task.grid, **kept)
        else:
            plan = propose_guided(task.agents, task.mentors, task.people, task.grid, **kept)
    except NoSuchPin as bad:
        _tell("pin", [bad.pin.person, bad.pin.agent, bad.pin.start])
    else:
        _tell("plan", plan_document(plan))


if __name__ == "__main__":
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
