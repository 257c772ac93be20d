"""Runs all benchmarks and prints one table; `--json FILE` writes the figures as well."""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import structlog

from tests.bench import backlog, booking, exports, feed, notes, pages, pairing, rules, served, slots
from tests.bench.measure import table


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures into this file")
    asked = parser.parse_args()
    began = time.monotonic()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        rows = [
            *rules.measure(),
            *pairing.measure(),
            *pages.measure(place),
            *slots.measure(place),
            *booking.measure(place),
            *served.measure(place),
            *feed.measure(place),
            *notes.measure(place),
            *exports.measure(place),
            *backlog.measure(place),
        ]
    print(table(rows))
    print(f"\n{time.monotonic() - began:.0f} s, load {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors.")
    print("CPU is this process's; on PostgreSQL the server's own comes on top.")
    if asked.json:
        asked.json.write_text(json.dumps([row.plain() for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
