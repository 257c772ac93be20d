"""The pairing engine: its thirteen goals, each on rounds made as `tests.bench.rounds` tells.

The largest rounds are worked out once, in the process of a job: its time and memory are what counts.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from gemba.config import ROOT
from gemba.rounds.pairing.propose import propose
from gemba.rounds.pairing.values import Plan
from gemba.rounds.pairing.wire import Task, dump_task, plan_of
from tests.bench import by_hand, pairing_goals
from tests.bench.measure import Cost, Goal, Row, cost
from tests.bench.rounds import BenchRound, bench_round

SEED = 7


@dataclass(frozen=True)
class Size:
    """A round and what is asked of it: seconds for a preview and a plan, memory of the job in MB."""

    people: int
    agents: int
    days: int
    preview: float
    plan: float
    memory: int

    @property
    def name(self) -> str:
        """How it is called."""
        return f"{self.people} people, {self.agents} agents, {self.days} days"

    @cache  # noqa: B019 - a handful of rounds, each needed several times
    def world(self) -> BenchRound:
        """The round."""
        return bench_round(SEED, self.people, self.agents, self.days)


SIZES = (
    Size(50, 20, 14, 0.01, 0.03, 20),
    Size(500, 200, 14, 0.05, 0.3, 20),
    Size(2000, 800, 14, 0.3, 2.0, 35),
    Size(10000, 3000, 21, 2.0, 20.0, 120),
    Size(10000, 3000, 14, 15.0, 45.0, 120),
)
"""The last has fewer places than people: its preview must take less than the 15 to 24 s it once took."""
ONCE = 10000


@dataclass(frozen=True)
class Job:
    """What a job said and took: CPU seconds until the preview and until the end, and its peak in MB."""

    plan: Plan
    preview: float
    total: float
    memory: float


JOB = """
import sys, time, gemba.rounds.pairing.child as child
tell, began = child._tell, time.process_time()
def timed(name, value):
    sys.stderr.write(f"{name} {time.process_time() - began}\\n")
    tell(name, value)
child._tell = timed
child.main()
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
sys.stderr.write(f"peak {int(peak.split()[1]) / 1024}\\n")
"""


def job(world: BenchRound, seconds: float = 600.0) -> Job:
    """Has a round worked out as the worker does. Time counts from the end of the imports."""
    task = Task(tuple(world.agents), tuple(world.people), world.grid, (), seconds)
    process = subprocess.Popen(
        [sys.executable, "-c", JOB],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    out, said = process.communicate("".join(dump_task(task)).encode())
    told = dict(line.split() for line in said.decode().splitlines())
    plan = next(each["plan"] for each in map(json.loads, out.splitlines()) if "plan" in each)
    return Job(plan_of(plan), float(told["preview"]), float(told["plan"]), float(told["peak"]))


def measure() -> Iterator[Row | Goal]:
    """Time of each size beside first come first served, then the goals."""
    jobs: dict[Size, Job] = {}
    for size in SIZES:
        jobs[size] = job(size.world())
        yield from _rows(size, jobs[size])
    yield from _reached(jobs)
    worlds = {(size.people, size.days): size.world() for size in SIZES}
    plans = {(size.people, size.days): done.plan for size, done in jobs.items()}
    yield from pairing_goals.measure(worlds, plans)


def _rows(size: Size, done: Job) -> Iterator[Row]:
    """CPU time: of the small ones again and again in this process, of the largest in the job."""
    world = size.world()
    floor = Cost(1.0, 1.0) if size.people >= ONCE else cost(lambda: by_hand.WAYS["open"](world))
    for best_match in (False, True):
        took = Cost(*[1000 * (done.total if best_match else done.preview)] * 2)
        if size.people < ONCE:
            took = cost(lambda: propose(world.agents, world.people, world.grid, best_match=best_match))  # noqa: B023
        what = f"{size.name}: {'plan' if best_match else 'preview'}"
        _took[size, best_match] = took.cpu / 1000
        yield Row(what, "none", took, "first come first served" if size.people < ONCE else "1 ms", floor)


_took: dict[tuple[Size, bool], float] = {}


def _reached(jobs: dict[Size, Job]) -> Iterator[Goal]:
    """Goals 1 to 4 of each size."""
    for size, done in jobs.items():
        figures = done.plan.figures
        said = f"{figures.served} of at most {figures.bound}"
        yield Goal("1", f"{size.name}: as many served as possible", said, figures.served == figures.bound)
    yield pairing_goals.several_a_day()
    for number, what, best_match in (("2", "plan", True), ("3", "preview", False)):
        for size in SIZES:
            asked = size.plan if best_match else size.preview
            took = _took[size, best_match]
            yield Goal(number, f"{size.name}: {what} <= {asked} s", f"{took:.3f} s", took <= asked)
    for size, done in jobs.items():
        asked_mb = f"{size.name}: job <= {size.memory} MB"
        yield Goal("4", asked_mb, f"{done.memory:.0f} MB", done.memory <= size.memory)
