"""What visitors would like to see, in their words."""

from gemba.errors import Invalid
from gemba.people.rules import N_, clean_text
from gemba.visits.rules import NOTE_MAX


def wish(*texts: str) -> str:
    """The words, cleaned, each beneath the one before; empty ones left out. Raises Invalid at `note`."""
    words = "\n".join(filter(None, map(clean_text, texts)))
    if len(words) > NOTE_MAX:
        raise Invalid({"note": [N_("Use at most 500 characters.")]})
    return words
