"""Visits: find an hour, book, wait, approve, move, swap, cancel, tell how it went, see what one may see."""

from gemba.visits.service.answering import take_answer, take_proposal, visit_by_uid
from gemba.visits.service.approving import approve, deciders, decline, may_decide, run_by
from gemba.visits.service.booking import book
from gemba.visits.service.ending import cancel, lapse, only_leaves, tell_outcome
from gemba.visits.service.errands import EXPIRY, WAITLIST, offer_soon
from gemba.visits.service.moving import StandIns, move, stand_ins, swap
from gemba.visits.service.offering import make_offers, plan_offers
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
from gemba.visits.service.replies import Said, Taken
from gemba.visits.service.waiting import Place, places_of, refuse_offer, stop_waiting, take_offer, wait

__all__ = [
    "EXPIRY",
    "WAITLIST",
    "Place",
    "Said",
    "StandIns",
    "Taken",
    "answers_of",
    "approve",
    "book",
    "cancel",
    "deciders",
    "decline",
    "get_visit",
    "is_participant",
    "lapse",
    "list_visits",
    "make_offers",
    "may_decide",
    "move",
    "offer_soon",
    "only_leaves",
    "open_slots",
    "places_of",
    "plan_offers",
    "refuse_offer",
    "run_by",
    "stand_ins",
    "stop_waiting",
    "swap",
    "take_answer",
    "take_offer",
    "take_proposal",
    "tell_outcome",
    "visible_visits",
    "visit_by_uid",
    "visits_of",
    "wait",
    "why_not",
]
