"""The rules of availability, pure: which hours are open, which slots are offered, and why one is not.

`hours` lays wall-clock hours on the UTC line, `slots` answers for agents and starts, `availability` reads and
writes the JSON shape of an agent's hours. Import the names from here.
"""

from gemba.schedule.rules.availability import (
    BadAvailability,
    ParsedAvailability,
    Problem,
    dump_availability,
    parse_availability,
)
from gemba.schedule.rules.hours import Hours, Interval, Span, Timeline, known_zones, open_minutes, open_times
from gemba.schedule.rules.slots import (
    DYNAMIC_REASONS,
    REASON_SENTENCES,
    AgentFacts,
    BookingRules,
    Limits,
    Reason,
    ReasonCode,
    Slot,
    explain,
    open_slots,
)

__all__ = [
    "DYNAMIC_REASONS",
    "REASON_SENTENCES",
    "AgentFacts",
    "BadAvailability",
    "BookingRules",
    "Hours",
    "Interval",
    "Limits",
    "ParsedAvailability",
    "Problem",
    "Reason",
    "ReasonCode",
    "Slot",
    "Span",
    "Timeline",
    "dump_availability",
    "explain",
    "known_zones",
    "open_minutes",
    "open_slots",
    "open_times",
    "parse_availability",
]
