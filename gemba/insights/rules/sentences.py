"""Notes as sentences, so that one of them can be struck out."""

import re
from collections.abc import Collection

_ENDS = re.compile(r"(?<=[.!?…])[\"»”’)]*\s+|\n+")


def sentences(text: str) -> list[str]:
    """The sentences of a text in order; a line break ends one too."""
    found, start = [], 0
    for end in _ENDS.finditer(text):
        found.append(text[start : end.start()] + end.group().strip())
        start = end.end()
    return [one for one in (*found, text[start:]) if one.strip()]


def without(text: str, numbers: Collection[int]) -> str:
    """The text without the sentences of these numbers, counted from 0."""
    if not numbers:
        return text
    return " ".join(one for number, one in enumerate(sentences(text)) if number not in numbers)


def scrubbed(text: str, gone: Collection[str]) -> str:
    """A text of somebody else's from which these words are taken out wherever they stand."""
    for words in sorted(filter(None, gone), key=len, reverse=True):
        if words in text:
            text = " ".join(text.replace(words, " ").split())
    return text
