"""What a tracker can answer instead of what was hoped for. `said` is the tracker's own words."""

from gemba.errors import GembaError


class TrackerError(GembaError):
    """The tracker does not do this."""

    status = 422
    code = "tracker-refused"

    def __init__(self, said: str = "", *, wait: int = 0) -> None:
        super().__init__()
        self.said, self.wait = said, wait


class Unavailable(TrackerError):
    """The tracker does not answer well. Nothing was sent."""

    code = "tracker-unavailable"


class Uncertain(TrackerError):
    """The tracker gave no clear answer, so it may have been done or not."""

    code = "tracker-uncertain"


class SignInRefused(TrackerError):
    """The tracker does not take the token any more."""

    code = "tracker-token-refused"


class NotAllowed(TrackerError):
    """The token may not do this in the tracker."""

    code = "tracker-forbidden"


class Gone(TrackerError):
    """The tracker has nothing there: it was deleted, or the token may not see it."""

    code = "tracker-gone"


class Conflict(TrackerError):
    """The tracker has this already, or it was changed there at the same moment."""

    code = "tracker-conflict"


class Rejected(TrackerError):
    """The tracker refuses what was sent."""

    code = "tracker-rejected"


class RateLimited(TrackerError):
    """The tracker asks us to wait."""

    code = "tracker-busy"


def keep(code: str, said: str) -> str:
    """A refusal as it is kept in the database: its code and the tracker's own words."""
    return f"{code}|{said}"[:400]


def sentence_of(kept: str) -> tuple[str, str]:
    """The English sentence of what was kept, and the tracker's own words. Other texts are words alone."""
    code, bar, said = kept.partition("|")
    known = {each.code: (each.__doc__ or "").strip() for each in TrackerError.__subclasses__()}
    return (known[code], said) if bar and code in known else ("", kept)
