"""Many processes that act at random at once."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from gemba.config import ROOT

PATIENCE = 600
"""Seconds that a storm may last on a machine with other work."""


def storm(module: str, database_url: str, folder: Path, *, processes: int, acts: int) -> Counter[str]:
    """Runs `module` so many times at once, each with a seed of its own; how often what became of an act.

    Whatever happens, none of the processes is left behind: the next test empties the database.
    """
    command = [sys.executable, "-m", module, database_url, str(folder)]
    running: list[subprocess.Popen[str]] = []
    outcomes: Counter[str] = Counter()
    try:
        for seed in range(processes):
            each = [*command, str(seed), str(acts)]
            running.append(
                subprocess.Popen(each, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            )
        for process in running:
            said, complaint = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0, complaint
            outcomes.update(json.loads(said))
    finally:
        for process in running:
            process.kill()
            process.wait()
    assert outcomes.total() == processes * acts
    return outcomes
