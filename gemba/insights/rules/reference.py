"""How people point at an insight: by its number, or by its address as they copied it."""

import re

_NUMBER = re.compile(r"[#№]?\s*([0-9]{1,9})")
_ADDRESS = re.compile(r"(?:https?://\S+)?/insights/([0-9]{1,9})(?:[/?#]\S*)?")


def insight_number(words: str) -> int | None:
    """The number that "43", "#43" or an address like ".../insights/43" names; None where they name none.

    Only the path is read: whose address it is does not matter, the number is looked up here anyway.
    """
    said = words.strip()
    found = _NUMBER.fullmatch(said) or _ADDRESS.fullmatch(said)
    return int(found.group(1)) if found else None
