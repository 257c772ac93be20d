"""What in a note looks like private data of a customer, and the note without it.

Phone numbers, e-mail addresses, payment cards (Luhn), Russian passports, SNILS and INN (check digits). It
warns and never forbids: a look-alike passes with one click, and so does "mask it". The browser asks the
same questions before anything is sent (gemba/web/static/js/notes/private.js): change both or neither.

Sources: ISO/IEC 7812-1 annex B (Luhn), order of the Russian tax service MMV-7-6/435 (INN), resolution of the
Russian pension fund 192p (SNILS), government resolution 828 of 1997 (series and number of a passport).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gemba.insights.rules.kinds import _n


class Private(StrEnum):
    """What sort of private data."""

    EMAIL = "email"
    CARD = "card"
    SNILS = "snils"
    INN = "inn"
    PASSPORT = "passport"
    PHONE = "phone"

    @property
    def label(self) -> str:
        """The msgid of its name in a sentence."""
        return PRIVATE_LABELS[self]

    @property
    def mask(self) -> str:
        """The msgid of the word that takes its place."""
        return PRIVATE_MASKS[self]


PRIVATE_LABELS: dict[Private, str] = {
    Private.EMAIL: _n("an e-mail address"),
    Private.CARD: _n("a card number"),
    Private.SNILS: _n("a SNILS number"),
    Private.INN: _n("a tax number (INN)"),
    Private.PASSPORT: _n("a passport number"),
    Private.PHONE: _n("a phone number"),
}
PRIVATE_MASKS: dict[Private, str] = {
    Private.EMAIL: _n("[e-mail]"),
    Private.CARD: _n("[card]"),
    Private.SNILS: _n("[SNILS]"),
    Private.INN: _n("[INN]"),
    Private.PASSPORT: _n("[passport]"),
    Private.PHONE: _n("[phone]"),
}


PRIVATE_FIELDS = ("text", "verbatim", "workaround", "tool")
"""The fields of a note in which somebody's data may stand."""


@dataclass(frozen=True)
class Finding:
    """A stretch [start, end) of the text that looks like private data."""

    start: int
    end: int
    sort: Private


def luhn(digits: str) -> bool:
    """Whether the last digit checks the others as on payment cards."""
    doubled = (int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits)))
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def is_inn(digits: str) -> bool:
    """Whether ten digits (a company's) or twelve (a person's) are a Russian tax number."""
    if len(digits) == 10:
        return _inn_digit(digits[:9]) == digits[9]
    return _inn_digit(digits[:10]) == digits[10] and _inn_digit(digits[:11]) == digits[11]


def _inn_digit(digits: str) -> str:
    weights = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)[-len(digits) :]
    return str(sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=True)) % 11 % 10)


SNILS_CHECKED_FROM = 1_001_998
"""Numbers up to this one carry no check digits."""


def is_snils(digits: str) -> bool:
    """Whether eleven digits are a Russian insurance number."""
    if int(digits[:9]) <= SNILS_CHECKED_FROM:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(range(9, 0, -1), digits, strict=False))
    return total % 101 % 100 == int(digits[9:])


def is_card(digits: str) -> bool:
    """Whether the digits begin as a payment system's cards do, and check."""
    return digits[0] in "23456" and luhn(digits)


def _any(_digits: str) -> bool:
    return True


_GAP = "[ \u00a0\u2009\u202f-]"
_DASH = "[-\u2010-\u2013]"
_LOOSE = "[ \u00a0\u2009\u202f().\u2010-\u2013-]"
# Not inside a word or a longer number; a dash or a point glues digits together too.
_BEFORE = r"(?<![^\W_])(?<![0-9][-.])(?<!\+)"
_AFTER = r"(?![^\W_])(?![-.][0-9])"
_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"

_SHAPES: tuple[tuple[Private, str, Callable[[str], bool]], ...] = (
    (Private.EMAIL, rf"(?<![\w.+-])(?P<it>[\w+-]+(?:\.[\w+-]+)*@{_LABEL}(?:\.{_LABEL})+)", _any),
    (
        Private.CARD,
        rf"[0-9]{{4}}(?P<gap>{_GAP})[0-9]{{4}}(?P=gap)[0-9]{{4}}(?P=gap)[0-9]{{4}}(?:(?P=gap)[0-9]{{1,3}})?",
        is_card,
    ),
    (Private.CARD, rf"3[0-9]{{3}}{_GAP}[0-9]{{6}}{_GAP}[0-9]{{4,5}}", is_card),
    (Private.CARD, r"[0-9]{14,19}", is_card),
    (Private.SNILS, rf"[0-9]{{3}}{_DASH}[0-9]{{3}}{_DASH}[0-9]{{3}}(?:{_GAP}|{_DASH})[0-9]{{2}}", is_snils),
    (Private.SNILS, r"[0-9]{11}", is_snils),
    (Private.INN, r"[0-9]{12}", is_inn),
    (Private.INN, r"[0-9]{10}", is_inn),
    # The third and fourth digit are the year in which the form was printed.
    (Private.PASSPORT, r"[0-9]{2} ?(?:9[7-9]|[0-3][0-9])(?: ?(?:№|N|No\.?) ?| )[0-9]{6}", _any),
    (Private.PASSPORT, r"(?:паспорт|Паспорт|passport|Passport)[^0-9\n]{0,20}(?P<it>[0-9]{10})", _any),
    (
        Private.PHONE,
        rf"(?:\+7|[78]){_LOOSE}{{0,2}}[3489][0-9]{{2}}{_LOOSE}{{0,2}}[0-9]{{3}}{_LOOSE}?[0-9]{{2}}{_LOOSE}?[0-9]{{2}}",
        _any,
    ),
    (Private.PHONE, rf"\+[1-9](?:{_LOOSE}{{0,2}}[0-9]){{8,14}}", _any),
    (Private.PHONE, rf"\([0-9]{{3,5}}\) ?[0-9]{{1,3}}{_LOOSE}?[0-9]{{2}}{_LOOSE}?[0-9]{{2}}", _any),
    (Private.PHONE, rf"9[0-9]{{2}}{_GAP}[0-9]{{3}}{_GAP}?[0-9]{{2}}{_GAP}?[0-9]{{2}}", _any),
)
_SEARCHED = tuple(
    (sort, re.compile(shape if "(?P<it>" in shape else f"{_BEFORE}(?P<it>{shape}){_AFTER}"), check)
    for sort, shape, check in _SHAPES
)
_NOT_DIGITS = re.compile(r"[^0-9]+")


def find(text: str) -> list[Finding]:
    """All that looks like private data, from left to right, without overlaps."""
    found = [
        (finding, order)
        for order, (sort, shape, check) in enumerate(_SEARCHED)
        for finding in _of_shape(text, sort, shape, check)
    ]
    found.sort(key=lambda pair: (pair[0].start, pair[1]))
    kept: list[Finding] = []
    for finding, _order in found:
        if not kept or finding.start >= kept[-1].end:
            kept.append(finding)
    return kept


def _of_shape(
    text: str, sort: Private, shape: re.Pattern[str], check: Callable[[str], bool]
) -> Iterator[Finding]:
    at = 0
    while match := shape.search(text, at):
        start, end = match.span("it")
        if check(_NOT_DIGITS.sub("", match["it"])):
            yield Finding(start, end, sort)
            at = end
        else:
            # Another number may begin inside what did not check.
            at = start + 1


def sorts(*texts: str) -> list[Private]:
    """Which sorts of private data these texts seem to hold, each once, in the order of the enumeration."""
    seen = {finding.sort for text in texts for finding in find(text)}
    return [sort for sort in Private if sort in seen]


def mask(text: str, words: Mapping[Private, str]) -> str:
    """The text with a word in the place of each finding; nothing that looks private is left in it."""
    while found := find(text):
        for finding in reversed(found):
            text = text[: finding.start] + words[finding.sort] + text[finding.end :]
    return text
