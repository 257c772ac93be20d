"""Plain rules about people: roles, e-mail addresses, names, zones, languages."""

import unicodedata
from enum import StrEnum
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email

LOCALES = ("en", "ru")
LANGUAGES = {"en": "English", "ru": "Русский"}
NAME_MAX = 120
DEPARTMENT_MAX = 120


class Role(StrEnum):
    """What a person may be; one person can hold several."""

    VISITOR = "visitor"
    AGENT = "agent"
    LEAD = "lead"
    MENTOR = "mentor"
    OWNER = "owner"
    ADMIN = "admin"


def clean_email(text: str) -> str | None:
    """The address as it is stored (normalised, casefolded), or None where it is none."""
    try:
        return validate_email(
            text.strip(), check_deliverability=False, test_environment=True
        ).normalized.casefold()
    except EmailNotValidError:
        return None


def clean_line(text: str) -> str:
    """One line of text: NFC, no control or format characters, single spaces."""
    text = unicodedata.normalize("NFC", text)
    kept = (
        " " if ch.isspace() else ch
        for ch in text
        if ch.isspace() or unicodedata.category(ch) not in ("Cc", "Cs")
    )
    return " ".join("".join(kept).split())


def clean_text(text: str) -> str:
    """Several lines of text: NFC, line feeds only, no other control characters, no blank ends."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(ch for ch in text if ch in "\n\t" or unicodedata.category(ch) not in ("Cc", "Cs")).strip()


def is_timezone(name: str) -> bool:
    """Whether `name` is an IANA time zone of this machine's tzdata."""
    return name in _ZONES


_ZONES = frozenset(available_timezones()) - {"localtime", "posixrules", "Factory"}
_LEGACY = ("Etc/", "SystemV/", "US/", "posix/", "right/")
COMMON_ZONES = (*sorted(zone for zone in _ZONES if "/" in zone and not zone.startswith(_LEGACY)), "UTC")
