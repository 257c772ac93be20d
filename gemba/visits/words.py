"""Reasons against an hour in the reader's language and zone; only pages use it."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from gemba.schedule.rules import REASON_SENTENCES, Reason, ReasonCode
from gemba.web.filters import day, moment

YOURS: Mapping[ReasonCode, str] = {
    ReasonCode.VISITOR_BUSY: _l("You have another visit then."),
    ReasonCode.VISITOR_LIMIT_PER_DAY: _l(
        "Your limit for that day is reached: %(count)d of %(limit)d visits."
    ),
    ReasonCode.VISITOR_LIMIT_PER_WEEK: _l(
        "Your limit for that week is reached: %(count)d of %(limit)d visits."
    ),
    ReasonCode.VISITOR_LIMIT_PER_MONTH: _l(
        "Your limit for that month is reached: %(count)d of %(limit)d visits."
    ),
}
"""How the visitor themselves hears it."""


def sentence(reason: Reason, *, zone: str | None = None, own: bool = False) -> str:
    """A reason in words; instants in `zone` (default: the reader's), `own` where that is the visitor."""
    words = YOURS.get(reason.code) if own else None
    return str(words or _(REASON_SENTENCES[reason.code])) % {
        name: _shown(value, zone) for name, value in reason.params.items()
    }


def sentences(reasons: Iterable[Reason], *, zone: str | None = None, own: bool = False) -> list[str]:
    """Several reasons in words."""
    return [sentence(reason, zone=zone, own=own) for reason in reasons]


def _shown(value: object, zone: str | None) -> object:
    if isinstance(value, datetime):
        return moment(value, zone, inside=True)
    return day(value, inside=True) if isinstance(value, date) else value
