"""What a training refuses."""

from gemba.errors import Refused


class TrainingMissing(Refused):
    """First comes the training of this programme: some of its steps are not done yet."""

    code = "training-missing"


class NotQuite(Refused):
    """Not quite. Look at the answers once more: exactly the right ones are wanted."""


class MentorsStep(Refused):
    """A mentor signs this step off, once you have done the others."""


class StepsOpen(Refused):
    """Some steps before the sign-off are not done yet."""


class NotYourself(Refused):
    """Nobody signs off their own training. Ask another mentor."""
