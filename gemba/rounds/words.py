"""What would have helped somebody who was left out, in the reader's language: for pages, mails and calls."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from gemba.rounds.pairing.values import Helps
from gemba.web.filters import language_name, viewer_zone

Named = Mapping[tuple[str, int], str]
"""The names of products and lines, by kind of help and id; in mails each help has its own `name`."""


def help_words(
    helps: Iterable[Mapping[str, Any]], names: Named, *, minutes: int, zone: str | None = None
) -> list[str]:
    """A sentence for each; a visit takes so many `minutes`. Hours not in `zone` are named with theirs."""
    said = [_sentence(each, names, minutes, zone or viewer_zone()) for each in helps]
    return list(dict.fromkeys(filter(None, said)))


def _sentence(told: Mapping[str, Any], names: Named, minutes: int, zone: str) -> str:
    kind, value = str(told["kind"]), told.get("value")
    if kind == Helps.HOURS:
        return _hours(told["value"], minutes, told.get("zone") or zone, zone)
    if kind == Helps.LANGUAGE and value:
        said: str = _("In this language there would be a place: %(language)s.", language=language_name(value))
        return said
    said, name = "", names.get((kind, value or 0)) or told.get("name")
    if kind == Helps.PRODUCT and name:
        said = _("There would be a place if %(product)s were welcome too.", product=name)
    elif kind == Helps.LINE and name:
        said = _("There would be a place in this line: %(line)s.", line=name)
    elif kind == Helps.REFUSES:
        said = _("There would be a place with one of the agents who were ruled out.")
    return said


def _hours(value: tuple[int, int], minutes: int, theirs: str, zone: str) -> str:
    weekday, minute = value
    days = (
        _("on Mondays"),
        _("on Tuesdays"),
        _("on Wednesdays"),
        _("on Thursdays"),
        _("on Fridays"),
        _("on Saturdays"),
        _("on Sundays"),
    )
    count = -(-minutes // 60)
    until = (minute + count * 60) % 1440
    sentence: str = ngettext(
        "%(num)d free hour %(on_days)s would do: from %(start)s to %(end)s.",
        "%(num)d free hours %(on_days)s would do: from %(start)s to %(end)s.",
        count,
        on_days=days[weekday],
        start=_clock(minute),
        end=_clock(until) + (f" ({theirs})" if theirs != zone else ""),
    )
    return sentence


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def turn_words(turn: int) -> str:
    """In which of the three groups somebody drew their lot."""
    words: list[str] = [
        _("You went first, because you were left out last time."),
        _("You drew among those who never came, before everyone who did."),
        _("You drew among those who have come before, after everyone else."),
    ]
    return words[turn]
