"""When people are reminded of a visit, and when they are asked how it went. Pure.

- A day before, until 3 hours before: who has known of this hour for at least 6 hours by then.
- An hour before, until the start: who has known of it for at least an hour by then.
- The question: a quarter of an hour after the end, until 3 days after it.
- The nudge: two days after the question, until 6 days after the end.

A mail that could not leave in its time is not sent. Known is an hour since the visit was last changed: such a
change was a mail of its own, with the hour and the link, so whoever books at the last minute is not reminded.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from gemba.people.rules import MailKind


class Occasion(StrEnum):
    """What a mail about the hour itself is for."""

    DAY = "reminder-day"
    HOUR = "reminder-hour"
    QUESTION = "outcome"
    NUDGE = "outcome-nudge"

    @property
    def kind(self) -> MailKind:
        """The kind of mail people know it as."""
        return MailKind.OUTCOME if self is Occasion.NUDGE else MailKind(self.value)

    @property
    def is_reminder(self) -> bool:
        """Whether it comes before the visit."""
        return self in (Occasion.DAY, Occasion.HOUR)


@dataclass(frozen=True)
class Window:
    """From when until when a mail may leave, from its anchor: a reminder's start, a question's end."""

    opens: timedelta
    closes: timedelta


WINDOWS = {
    Occasion.DAY: Window(-timedelta(hours=24), -timedelta(hours=3)),
    Occasion.HOUR: Window(-timedelta(hours=1), timedelta()),
    Occasion.QUESTION: Window(timedelta(minutes=15), timedelta(days=3)),
    Occasion.NUDGE: Window(timedelta(days=2, minutes=15), timedelta(days=6)),
}
KNOWN_BEFORE = {Occasion.DAY: timedelta(hours=6), Occasion.HOUR: timedelta(hours=1)}
NUDGE_AFTER = timedelta(days=2)


def is_open(occasion: Occasion, anchor: datetime, now: datetime) -> bool:
    """Whether a mail may leave now, for a visit with this start (reminders) or end (questions)."""
    window = WINDOWS[occasion]
    return anchor + window.opens <= now < anchor + window.closes


def is_known(occasion: Occasion, start: datetime, changed_at: datetime) -> bool:
    """Whether a reminder says something that has not just been said."""
    return changed_at <= start + WINDOWS[occasion].opens - KNOWN_BEFORE[occasion]


def anchors(occasion: Occasion, now: datetime) -> tuple[datetime, datetime]:
    """The anchors for which a mail may leave now: after the first, up to and including the second."""
    window = WINDOWS[occasion]
    return now - window.closes, now - window.opens


def key(occasion: Occasion, anchor: datetime, visit_id: int, person_id: int) -> str:
    """The dedup key: one mail per person, occasion and hour, so that a moved visit has mails of its own.

    It begins with the instant, so that the keys of a stretch of time are found by their order.
    """
    return f"{key_start(occasion, anchor)}:{visit_id}:{person_id}"


def key_start(occasion: Occasion, anchor: datetime) -> str:
    """How all keys of an anchor begin."""
    return f"{occasion}:{anchor.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
