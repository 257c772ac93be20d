"""How rounds refuse."""

from gemba.errors import Refused


class RoundClosed(Refused):
    """Sign-up to this round is not open now."""

    code = "round-closed"


class StillOpen(Refused):
    """Sign-up to this round has not begun yet."""

    code = "round-closed"


class HasVisit(Refused):
    """This round has given you an hour already. Move or cancel that visit on its own page."""

    code = "round-closed"


class UnderWay(Refused):
    """Pairs are being looked for. Wait until that is done, or stop it."""

    code = "proposal-under-way"


class NothingProposed(Refused):
    """There are no proposed pairs to publish. Propose some first."""

    code = "nothing-proposed"


class NobodySignedUp(Refused):
    """Nobody who signed up waits for a visit."""

    code = "nobody-signed-up"


class NotPossible(Refused):
    """This pair is not possible: the agent does not offer this hour, or the visitor is not free."""

    status = 422
    code = "not-offered"


class TooManyMails(Refused):
    """They were reminded within the last day. Wait a day, so that nobody gets two mails about the same."""

    code = "reminded-today"


class ChangedMeanwhile(Refused):
    """Something changed since this was worked out. Look at it again before you repair."""
