"""When to look again, when to give up, and how fast to go. Pure; seconds throughout."""

from dataclasses import dataclass
from datetime import datetime, timedelta

LOOKS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
"""When a ticket whose answer was lost is looked for again, in parts of the tracker's lag."""
MOST_TRIES = 6
"""How often one ticket is sent before a person is asked."""
OPENS_AFTER = 5
"""So many failures in a row open the breaker."""
FIRST_PAUSE = 15
LONGEST_PAUSE = 3600
UPDATE_AGAIN = 30
LEASE = timedelta(seconds=90)
"""How long a ticket is one worker's: longer than looking and sending may take, with the wait for a thread."""
SLICE = 25.0
"""How long a run goes on before it hands over to the next, well within the outbox's lease."""
OVERLAP = timedelta(minutes=10)
"""How far back polling looks beyond the last time, for clocks that differ."""


def next_look(tried_at: datetime, looks: int, lag: int) -> datetime | None:
    """When to look after `looks` empty ones; None when the tracker had all its time."""
    return tried_at + timedelta(seconds=lag * LOOKS[looks]) if looks < len(LOOKS) else None


def breaker(failures: int) -> int:
    """For how long nothing is sent after so many failures in a row; 0 while the breaker is closed."""
    if failures < OPENS_AFTER:
        return 0
    return int(min(FIRST_PAUSE * 2 ** (failures - OPENS_AFTER), LONGEST_PAUSE))


@dataclass
class Allowance:
    """How many tickets may be made now, where a tracker takes `per_minute` of them (0: any number).

    `burst` at once at most. `at` is in seconds of a clock that only goes forward.
    """

    per_minute: int
    burst: int
    at: float
    left: float = 1.0

    def take(self, most: int, at: float) -> int:
        """So many of `most`, which are then used up."""
        if not self.per_minute:
            return max(most, 0)
        self.left = min(self.left + (at - self.at) * self.per_minute / 60, float(self.burst))
        self.at = at
        taken = max(min(most, int(self.left)), 0)
        self.left -= taken
        return taken
