"""How a booking, a move or a cancellation is refused."""

from collections.abc import Sequence
from datetime import datetime

from gemba.errors import Forbidden, Invalid, NotFound, Refused
from gemba.schedule.rules import Reason


class VisitNotFound(NotFound):
    """This visit does not exist, or it is not yours to see."""


class SlotTaken(Refused):
    """Someone took this hour a moment ago."""

    code = "slot-taken"

    def __init__(self, *, alternatives: Sequence[datetime]) -> None:
        super().__init__()
        self.alternatives = list(alternatives)


class NotOffered(Refused):
    """This hour is not offered."""

    status = 422
    code = "not-offered"

    def __init__(self, *, reasons: Sequence[Reason]) -> None:
        super().__init__()
        self.reasons = list(reasons)


class AlreadyCancelled(Refused):
    """This visit was cancelled already."""

    code = "already-cancelled"


class AlreadyOver(Refused):
    """This visit has begun or is over, so it can no longer be changed."""

    code = "already-over"


class MoveTooLate(Refused):
    """It is too late to move this visit. Ask the agent or the head of the line."""

    code = "too-late"


class CancelTooLate(Refused):
    """It is too late to cancel this visit here. Tell the agent or the head of the line."""

    code = "too-late"


class NotYoursToDecide(Forbidden):
    """The head of the agent's line or an admin answers this request."""


class AlreadyDecided(Refused):
    """This request was answered already."""

    code = "already-decided"


class RequestLapsed(Refused):
    """The time to answer this request is over, and the hour is free again."""

    code = "lapsed"


class OfferOver(Refused):
    """This hour is not held for you any more."""

    code = "offer-over"


class TakeItFirst(Refused):
    """This hour is only held so far. Whoever it is held for takes it first."""

    code = "not-booked"


class NotBooked(Refused):
    """This visit was never booked."""

    code = "not-booked"


class NeedsNewYes(Refused):
    """Another agent needs a new yes. Cancel this visit and ask for the other hour."""

    code = "needs-yes"


class OthersCome(Refused):
    """Others come to this visit too. Leave it, and book another hour for yourself."""

    code = "others-come"


class NotYoursToSwap(Forbidden):
    """The head of the agent's line or an admin finds a stand-in."""


class NobodyFree(Refused):
    """No other agent is free at this hour."""

    code = "nobody-free"


class NoMentorFree(Refused):
    """No other mentor is free at this hour."""


class DebriefTooEarly(Refused):
    """The debrief is written when the visit is over."""


class NotOverYet(Refused):
    """Whether the visit took place is asked once it has begun."""

    code = "not-over-yet"


class ProposalDecided(Refused):
    """This proposal was answered already, or the visit has changed since."""

    code = "already-decided"


class NotYoursToEdit(Forbidden):
    """Those who take part change these words."""


class NotYourSeat(Forbidden):
    """A visitor gives their own seat away, the head of the line or an admin anybody's."""


class NotOpenToEdit(Refused):
    """Only a visit that is booked and not over can be changed here."""

    code = "not-booked"


class CannotCome(Refused):
    """This person cannot come to this visit."""

    status = 422
    code = "not-offered"

    def __init__(self, *, reasons: Sequence[Reason]) -> None:
        super().__init__()
        self.reasons = list(reasons)


class ReasonTooLong(Invalid):
    """Some fields need another look."""

    def __init__(self, *, max: int) -> None:  # noqa: A002
        super().__init__({"reason": [f"Use at most {max} characters."]})
