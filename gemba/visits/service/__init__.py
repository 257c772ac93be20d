"""Visits: find an hour, book, move, cancel, tell how it went, and see what one may see."""

from gemba.visits.service.changing import book, cancel, move, tell_outcome
from gemba.visits.service.reading import (
    answers_of,
    get_visit,
    is_participant,
    list_visits,
    open_slots,
    visible_visits,
    visits_of,
    why_not,
)

__all__ = [
    "answers_of",
    "book",
    "cancel",
    "get_visit",
    "is_participant",
    "list_visits",
    "move",
    "open_slots",
    "tell_outcome",
    "visible_visits",
    "visits_of",
    "why_not",
]
