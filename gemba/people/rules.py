"""Plain rules about people: roles, e-mail addresses, names, zones, languages, and lists of people."""

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email

LOCALES = ("en", "ru")
LANGUAGES = {"en": "English", "ru": "Русский"}
NAME_MAX = 120
DEPARTMENT_MAX = 120


def N_(sentence: str) -> str:  # noqa: N802 (the name by which Babel finds sentences to translate)
    """Marks a sentence for translation; it is translated where it is shown."""
    return sentence


class Role(StrEnum):
    """What a person may be; one person can hold several."""

    VISITOR = "visitor"
    AGENT = "agent"
    LEAD = "lead"
    MENTOR = "mentor"
    OWNER = "owner"
    ADMIN = "admin"


class MailKind(StrEnum):
    """Mails that people may decline; invites and sign-in mails always come."""

    REMINDER_DAY = "reminder-day"
    REMINDER_HOUR = "reminder-hour"
    OUTCOME = "outcome"
    REVIEW = "review"
    INSIGHT = "insight"
    ROUND = "round"


class Scope(StrEnum):
    """What an API token may do."""

    READ = "read"
    WRITE = "write"


class PersonFields(TypedDict, total=False):
    """What can be said about a person; what is absent stays as it is."""

    email: str
    name: str
    timezone: str
    locale: str
    department: str
    line_id: int | None
    roles: Collection[str]
    languages: Collection[str]
    product_ids: Collection[int]
    active: bool


def clean_email(text: str) -> str | None:
    """The address as it is stored (normalised, casefolded), or None where it is none."""
    try:
        return validate_email(
            text.strip(), check_deliverability=False, test_environment=True, allow_smtputf8=False
        ).normalized.casefold()
    except EmailNotValidError:
        return None


def masked_email(email: str) -> str:
    """An address to be recognised by its owner only: v•••@gemba.example."""
    name, _at, host = email.rpartition("@")
    return f"{name[:1]}•••@{host}"


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


def folded(text: str) -> str:
    """Text as it is compared in a search: no case, ё as е (databases fold only Latin letters)."""
    return clean_line(text).casefold().replace("ё", "е")


def is_timezone(name: str) -> bool:
    """Whether `name` is an IANA time zone of this machine's tzdata."""
    return name in _ZONES


_ZONES = frozenset(available_timezones()) - {"localtime", "posixrules", "Factory"}
_LEGACY = ("Etc/", "SystemV/", "US/", "posix/", "right/")
COMMON_ZONES = (*sorted(zone for zone in _ZONES if "/" in zone and not zone.startswith(_LEGACY)), "UTC")

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("YaBrowser", "Yandex Browser"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def browser_name(user_agent: str) -> tuple[str, str]:
    """Browser and system behind a User-Agent header, in words people know; empty where unknown."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    return browser, next((name for mark, name in _SYSTEMS if mark in user_agent), "")


def clean_person(fields: PersonFields) -> tuple[PersonFields, dict[str, list[str]]]:
    """The fields as they are stored, and what is wrong with them, by field."""
    cleaned: PersonFields = {**fields}
    errors: dict[str, list[str]] = {}
    _clean_words(cleaned, errors)
    if "timezone" in cleaned and not is_timezone(cleaned["timezone"]):
        errors["timezone"] = [N_("Choose a time zone such as Europe/Berlin.")]
    if "locale" in cleaned and cleaned["locale"] not in LOCALES:
        errors["locale"] = [N_("Choose en or ru.")]
    if "roles" in cleaned:
        cleaned["roles"] = _in_order(cleaned["roles"], Role)
        if set(cleaned["roles"]) - set(Role) or not cleaned["roles"]:
            errors["roles"] = [N_("Choose at least one of visitor, agent, lead, mentor, owner and admin.")]
    if "languages" in cleaned:
        cleaned["languages"] = _in_order(cleaned["languages"], LANGUAGES)
        if set(cleaned["languages"]) - set(LANGUAGES):
            errors["languages"] = [N_("Choose from en and ru.")]
    return cleaned, errors


def _clean_words(cleaned: PersonFields, errors: dict[str, list[str]]) -> None:
    if "email" in cleaned:
        email = clean_email(cleaned["email"])
        cleaned["email"] = email or cleaned["email"]
        if email is None:
            errors["email"] = [N_("Write an e-mail address such as vera@example.com.")]
    if "name" in cleaned:
        cleaned["name"] = clean_line(cleaned["name"])
        if not 0 < len(cleaned["name"]) <= NAME_MAX:
            errors["name"] = [N_("Write a name of at most 120 characters.")]
    if "department" in cleaned:
        cleaned["department"] = clean_line(cleaned["department"])
        if len(cleaned["department"]) > DEPARTMENT_MAX:
            errors["department"] = [N_("Use at most 120 characters.")]


def _in_order(chosen: Iterable[str], known: Iterable[str]) -> list[str]:
    order = [str(value) for value in known]
    return sorted({str(value) for value in chosen}, key=lambda v: (order.index(v) if v in order else 99, v))


@dataclass(frozen=True)
class Row:
    """A row of a list of people: where it stands in the file, and what it says (no empty cells)."""

    number: int
    cells: Mapping[str, str]


COLUMNS = ("email", "name", "roles", "timezone", "locale", "department", "line")


def read_people(content: bytes) -> tuple[list[Row], dict[str, list[str]]]:
    """Rows of a CSV file (UTF-8, comma or semicolon), and what is wrong with its form, by line."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [], {"file": ["Save the file as UTF-8 and try again."]}
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") else ",")
    try:
        table = [(reader.line_num, [clean_line(cell) for cell in cells]) for cells in reader]
    except csv.Error as error:
        return [], {f"line {reader.line_num}": [f"This is not a CSV file: {error}."]}
    return _rows([(number, cells) for number, cells in table if any(cells)])


def _rows(table: list[tuple[int, list[str]]]) -> tuple[list[Row], dict[str, list[str]]]:
    header = [cell.casefold() for cell in table[0][1]] if table else []
    unknown = [cell for cell in header if cell not in COLUMNS]
    if "email" not in header or unknown or len(set(header)) != len(header):
        said = f"It has {', '.join(unknown)}. " if unknown else ""
        return [], {
            "line 1": [
                f"{said}The first line names the columns, each once: {', '.join(COLUMNS)}; email is a must."
            ]
        }
    errors: dict[str, list[str]] = {}
    rows = []
    for number, cells in table[1:]:
        if len(cells) > len(header) and any(cells[len(header) :]):
            errors[f"line {number}"] = [f"There are {len(cells)} cells, but {len(header)} columns."]
        else:
            rows.append(Row(number, {k: v for k, v in zip(header, cells, strict=False) if v}))
    return rows, {**errors, **_repeated(rows)}


def _repeated(rows: list[Row]) -> dict[str, list[str]]:
    emails = [row.cells.get("email", "").casefold() for row in rows]
    often = {email for email, times in Counter(emails).items() if times > 1 and email}
    return {
        f"line {row.number}": ["This address stands in more than one line. Keep one of them."]
        for row, email in zip(rows, emails, strict=True)
        if email in often
    }


def row_fields(row: Row) -> PersonFields:
    """What a row says about a person; the line is named, not numbered, so it is not among the fields."""
    fields: PersonFields = {"email": row.cells.get("email", "")}
    if "name" in row.cells:
        fields["name"] = row.cells["name"]
    if "roles" in row.cells:
        fields["roles"] = [word.casefold() for word in re.split(r"[;,\s]+", row.cells["roles"]) if word]
    if "timezone" in row.cells:
        fields["timezone"] = row.cells["timezone"]
    if "locale" in row.cells:
        fields["locale"] = row.cells["locale"].casefold()
    if "department" in row.cells:
        fields["department"] = row.cells["department"]
    return fields
