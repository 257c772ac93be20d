"""What is refused about mail that came in."""

from gemba.errors import Refused


class NothingHeld(Refused):
    """This answer is not waiting for a decision any more."""

    code = "nothing-held"
