"""How instants, spans and zones are shown; the only place that formats dates for pages and mails."""

from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_timedelta
from flask import Flask
from flask_babel import get_locale
from flask_babel import gettext as _

from gemba.web.access import reader_or_none

_FORMATS = {"en": Locale("en", "GB"), "ru": Locale("ru")}


def _locale() -> Locale:
    current = get_locale()
    return _FORMATS.get(current.language if current else "en", _FORMATS["en"])


def viewer_zone() -> str:
    """The IANA zone of the person looking, UTC when nobody is known."""
    person = reader_or_none()
    return person.timezone if person else "UTC"


def local(instant: datetime, zone: str | None = None) -> datetime:
    """An instant as wall time in `zone` (default: the viewer's)."""
    return instant.astimezone(ZoneInfo(zone or viewer_zone()))


def day(value: datetime | date, zone: str | None = None, *, inside: bool = False) -> str:
    """Thursday 26 November; Четверг, 26 ноября; with `inside` a sentence четверг, 26 ноября."""
    shown = local(value, zone).date() if isinstance(value, datetime) else value
    return _pattern(shown, "EEEE{} d MMMM", inside=inside)


def short_day(value: datetime | date, zone: str | None = None, *, inside: bool = False) -> str:
    """Thu 26 Nov."""
    shown = local(value, zone).date() if isinstance(value, datetime) else value
    return _pattern(shown, "EEE{} d MMM", inside=inside)


def day_month(value: date) -> str:
    """26 Nov."""
    return format_date(value, "d MMM", locale=_locale())


def full_date(value: datetime | date, zone: str | None = None) -> str:
    """26 November 2026."""
    shown = local(value, zone).date() if isinstance(value, datetime) else value
    return format_date(shown, "d MMMM y", locale=_locale())


def month(value: date) -> str:
    """November 2026."""
    return _pattern(value, "LLLL y")


def weekday(value: date, width: str = "abbreviated") -> str:
    """Thu; or Thursday with width `wide`."""
    name: str = _locale().days["stand-alone"][width][value.weekday()]
    return name


def hour(instant: datetime, zone: str | None = None) -> str:
    """11:30."""
    return local(instant, zone).strftime("%H:%M")


def span(start: datetime, end: datetime, zone: str | None = None) -> str:
    """11:30–12:30."""
    return f"{hour(start, zone)}–{hour(end, zone)}"


def moment(instant: datetime, zone: str | None = None, *, inside: bool = False) -> str:
    """Thursday 26 November, 11:30."""
    return f"{day(instant, zone, inside=inside)}, {hour(instant, zone)}"


def zone_label(zone: str | None = None, at: datetime | None = None) -> str:
    """Europe/Berlin (UTC+1), with the offset in force at `at`."""
    name = zone or viewer_zone()
    if name == "UTC" or at is None:
        return name
    offset = at.astimezone(ZoneInfo(name)).utcoffset() or timedelta()
    minutes = int(offset.total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    tail = f":{rest:02}" if rest else ""
    return f"{name} (UTC{'-' if minutes < 0 else '+'}{hours}{tail})"


def minutes_words(minutes: int) -> str:
    """4 hours; 90 minutes; 2 days."""
    whole = timedelta(minutes=minutes)
    granularity: Literal["day", "hour", "minute"] = "minute"
    if minutes % 60 == 0:
        granularity = "day" if minutes % 1440 == 0 else "hour"
    return format_timedelta(whole, granularity=granularity, threshold=1000, locale=_locale())


def relative(instant: datetime, now: datetime) -> str:
    """in 3 days; 2 hours ago."""
    return format_timedelta(instant - now, add_direction=True, locale=_locale())


def language_name(code: str) -> str:
    """English, Русский."""
    return {"en": "English", "ru": "Русский"}.get(code, code)


def country_name(code: str) -> str:
    """Germany for DE; the code itself where the language has no name for it."""
    name: str = _locale().territories.get(code, code)
    return name


def role_name(role: Any) -> str:
    """The word for a role."""
    names = {
        "visitor": _("visitor"),
        "agent": _("agent"),
        "lead": _("lead"),
        "mentor": _("mentor"),
        "owner": _("owner"),
        "admin": _("admin"),
    }
    return str(names[str(role)])


def _pattern(shown: date, pattern: str, *, inside: bool = False) -> str:
    """A date by a pattern, a comma after the weekday where the language has one.

    It opens with a capital, but not `inside` a sentence where the language writes weekdays small.
    """
    locale = _locale()
    text = format_date(shown, pattern.format("," if locale.language == "ru" else ""), locale=locale)
    return text if inside else text[:1].upper() + text[1:]


def init_app(app: Flask) -> None:
    """Offers the functions above to templates, as filters and as globals."""
    offered = (
        day,
        day_month,
        short_day,
        full_date,
        month,
        weekday,
        hour,
        span,
        moment,
        zone_label,
        minutes_words,
        relative,
        language_name,
        country_name,
        role_name,
        local,
    )
    for function in offered:
        app.jinja_env.filters[function.__name__] = function
        app.jinja_env.globals[function.__name__] = function
