"""The rules of availability, pure: which hours are open, which slots are offered, and why one is not.

`hours` lays wall-clock hours on the UTC line, `explaining` says of one start what stands against it, `maps`
and `offering` answer for many agents and starts, `availability` reads and writes the JSON shape of an
agent's hours. Import the names from here.
"""

from gemba.schedule.rules.availability import (
    BadAvailability,
    ParsedAvailability,
    Problem,
    dump_availability,
    parse_availability,
)
from gemba.schedule.rules.explaining import explain, guides_at
from gemba.schedule.rules.facts import (
    REST,
    AgentFacts,
    BookingRules,
    Limits,
    Load,
    Seconds,
    Slot,
    VisitorFacts,
)
from gemba.schedule.rules.holidays import holiday_countries, holiday_parts, public_holidays
from gemba.schedule.rules.hours import Hours, Interval, Span, Timeline, known_zones, open_minutes, open_times
from gemba.schedule.rules.maps import StartMap, guide_map, start_map, visitor_mask
from gemba.schedule.rules.offering import Offer, guided, offer, open_slots, union_of
from gemba.schedule.rules.reasons import (
    DYNAMIC_REASONS,
    PRIVATE_REASONS,
    REASON_SENTENCES,
    Reason,
    ReasonCode,
    discreet,
)

__all__ = [
    "DYNAMIC_REASONS",
    "PRIVATE_REASONS",
    "REASON_SENTENCES",
    "REST",
    "AgentFacts",
    "BadAvailability",
    "BookingRules",
    "Hours",
    "Interval",
    "Limits",
    "Load",
    "Offer",
    "ParsedAvailability",
    "Problem",
    "Reason",
    "ReasonCode",
    "Seconds",
    "Slot",
    "Span",
    "StartMap",
    "Timeline",
    "VisitorFacts",
    "discreet",
    "dump_availability",
    "explain",
    "guide_map",
    "guided",
    "guides_at",
    "holiday_countries",
    "holiday_parts",
    "known_zones",
    "offer",
    "open_minutes",
    "open_slots",
    "open_times",
    "parse_availability",
    "public_holidays",
    "start_map",
    "union_of",
    "visitor_mask",
]
