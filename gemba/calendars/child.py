"""The process in which a stranger's calendar is worked out: bytes in, busy times out.

    python -m gemba.calendars.child ZONE START END < calendar.ics

START and END are whole minutes since 1970. It knows neither the app nor its database nor its secrets.
"""

import resource
import signal
import sys

CPU_SECONDS = 5
WALL_SECONDS = 10
MEMORY_BYTES = 512 * 1024 * 1024


def _bounds() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # Should whoever started us be gone, nobody else would end us.
    signal.alarm(WALL_SECONDS + 2)


def main(zone: str, start: int, end: int) -> None:
    """Answers `{"spans": …, "events": …}` or `{"trouble": code}` on stdout."""
    import json  # only here and below: what is imported is bounded as well
    from datetime import UTC, datetime

    from gemba.calendars.rules import Trouble, Unreadable
    from gemba.calendars.rules.expand import expand

    first, last = (datetime.fromtimestamp(minute * 60, UTC) for minute in (start, end))
    try:
        busy = expand(sys.stdin.buffer.read(), zone=zone, start=first, end=last)
        answer: dict[str, object] = {"spans": busy.spans, "events": busy.events}
    except Unreadable as unreadable:
        answer = {"trouble": unreadable.trouble.value}
    except (MemoryError, RecursionError):
        answer = {"trouble": Trouble.TOO_MUCH_WORK.value}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    _bounds()
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
