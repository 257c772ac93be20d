"""Runs the benchmarks and prints each figure as it is measured; `--json FILE` writes the figures as well.

`make bench ARGS="slots feed"` runs only those parts.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from tests.bench import backlog, booking, exports, feed, notes, pages, pairing, rules, served, slots
from tests.bench.measure import Goal, Row, heading, line

ALSO = {"rounds": "pairing"}
"""Other names of parts."""
PARTS: dict[str, Callable[[Path], Iterable[Row | Goal]]] = {
    "rules": lambda _place: rules.measure(),
    "pairing": lambda _place: pairing.measure(),
    "pages": pages.measure,
    "slots": slots.measure,
    "booking": booking.measure,
    "served": served.measure,
    "feed": feed.measure,
    "notes": notes.measure,
    "exports": exports.measure,
    "backlog": backlog.measure,
}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all without one")
    parser.add_argument("--json", type=Path, help="also write the figures into this file")
    asked = parser.parse_args()
    asked.parts = [ALSO.get(name, name) for name in asked.parts]
    if unknown := [name for name in asked.parts if name not in PARTS]:
        parser.error(f"there is no part {', '.join(unknown)}")
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    rows: list[Row | Goal] = []
    for name in asked.parts or PARTS:
        began = time.monotonic()
        print(heading(), flush=True)
        with tempfile.TemporaryDirectory() as folder:
            for row in PARTS[name](Path(folder)):
                # At once: whoever stops a long run keeps what was measured.
                print(line(row), flush=True)
                rows.append(row)
        load = os.getloadavg()[0]
        took = time.monotonic() - began
        print(f"{name}: {took:.0f} s, load {load:.1f}, {os.cpu_count()} processors", end="\n\n", flush=True)
    print("CPU is this process's; on PostgreSQL the server's own comes on top.")
    if asked.json:
        asked.json.write_text(json.dumps([row.plain() for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
