"""Visits: find an hour, book, wait, approve, move, swap, cancel, tell how it went, see what one may see."""

from gemba.visits.replies import Said, Taken
from gemba.visits.service.answering import (
    accept_proposal,
    decline_proposal,
    may_answer_proposal,
    take_answer,
    take_proposal,
    visit_by_uid,
)
from gemba.visits.service.approving import approve, deciders, decline, may_decide, run_by
from gemba.visits.service.awaiting import open_proposals, unanswered_invites
from gemba.visits.service.booking import book
from gemba.visits.service.editing import (
    add_note,
    edit_words,
    hand_on,
    may_edit_link,
    may_edit_note,
    may_hand_on,
)
from gemba.visits.service.ending import cancel, lapse, only_leaves, tell_outcome
from gemba.visits.service.errands import EXPIRY, WAITLIST, offer_soon
from gemba.visits.service.guiding import free_mentors, swap_mentor
from gemba.visits.service.moving import StandIns, move, stand_ins, swap
from gemba.visits.service.offering import make_offers, plan_offers
from gemba.visits.service.proposing import Decided, participants, proposals_of
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
from gemba.visits.service.waiting import Place, places_of, refuse_offer, stop_waiting, take_offer, wait

__all__ = [
    "EXPIRY",
    "WAITLIST",
    "Decided",
    "Place",
    "Said",
    "StandIns",
    "Taken",
    "accept_proposal",
    "add_note",
    "answers_of",
    "approve",
    "book",
    "cancel",
    "deciders",
    "decline",
    "decline_proposal",
    "edit_words",
    "free_mentors",
    "get_visit",
    "hand_on",
    "is_participant",
    "lapse",
    "list_visits",
    "make_offers",
    "may_answer_proposal",
    "may_decide",
    "may_edit_link",
    "may_edit_note",
    "may_hand_on",
    "move",
    "offer_soon",
    "only_leaves",
    "open_proposals",
    "open_slots",
    "participants",
    "places_of",
    "plan_offers",
    "proposals_of",
    "refuse_offer",
    "run_by",
    "stand_ins",
    "stop_waiting",
    "swap",
    "swap_mentor",
    "take_answer",
    "take_offer",
    "take_proposal",
    "tell_outcome",
    "unanswered_invites",
    "visible_visits",
    "visit_by_uid",
    "visits_of",
    "wait",
    "why_not",
]
