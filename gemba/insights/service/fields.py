"""The fields of an insight that people write: cleaned, checked, refused in sentences."""

from collections.abc import Mapping
from datetime import date

from gemba.db import db
from gemba.errors import Invalid
from gemba.insights.models_backlog import ProgrammeStatus
from gemba.insights.rules.kinds import (
    BODY_MAX,
    MINUTES_MAX,
    REASON_MAX,
    STEP_MAX,
    TAG_MAX,
    TAGS_MAX,
    TITLE_MAX,
    TOOL_MAX,
    WORKAROUND_MAX,
    Hurts,
    Kind,
    Status,
    _n,
)
from gemba.people.models import Person, Product
from gemba.people.rules import Role, clean_line, clean_text

FIELDS = (
    "title",
    "body",
    "kind",
    "status",
    "own_status_id",
    "product_id",
    "owner_id",
    "hurts",
    "minutes_lost",
    "workaround",
    "tool",
    "step",
    "due",
    "tags",
)
SEARCHED = frozenset({"title", "body", "workaround", "tool", "step", "tags"})
"""What the search finds it by."""
COUNTED = frozenset({"kind", "product_id", "hurts", "minutes_lost"})
"""What the score depends on."""
_LINES = ("title", "tool", "step")
_TEXTS: dict[str, tuple[int, str]] = {
    "body": (BODY_MAX, _n("This description is too long: use at most 10,000 characters.")),
    "workaround": (WORKAROUND_MAX, _n("This is too long: use at most 1,000 characters.")),
    "tool": (TOOL_MAX, _n("This is too long: use at most 80 characters.")),
    "step": (STEP_MAX, _n("This is too long: use at most 120 characters.")),
}


def clean(changes: Mapping[str, object]) -> dict[str, object]:
    """The changes with texts cleaned and tags in order. Raises Invalid for a field that cannot be changed."""
    unknown = {name: [_n("This field cannot be changed.")] for name in changes if name not in FIELDS}
    if unknown:
        raise Invalid(unknown)
    cleaned = dict(changes)
    for name, value in changes.items():
        if isinstance(value, str) and name in _LINES:
            cleaned[name] = clean_line(value)
        elif isinstance(value, str) and name in ("body", "workaround"):
            cleaned[name] = clean_text(value)
        elif isinstance(value, str) and name == "tags":
            cleaned[name] = tags_of(value)
    return cleaned


def tags_of(text: str) -> str:
    """Tags as they are kept: small letters, without #, each once, in order, parted by spaces."""
    words = (word.strip("#,;").casefold() for word in clean_line(text).replace(",", " ").split())
    return " ".join(sorted({word for word in words if word}))


def check(wanted: Mapping[str, object], reason: str, programme_id: int | None = None) -> None:
    """Raises Invalid with a sentence for each field that will not do; declining needs a reason.

    An own status is one of the insight's programme.
    """
    errors = _check_words(wanted) | _check_choices(wanted) | _check_rows(wanted)
    if "own_status_id" not in errors and (own := wanted.get("own_status_id")) is not None:
        row = db.session.get_one(ProgrammeStatus, own)
        if row.programme_id != programme_id:
            errors["own_status_id"] = [_n("This status belongs to another programme.")]
    if wanted.get("status") == Status.DECLINED and not reason:
        errors["reason"] = [_n("Say why: the people who saw it will read this.")]
    if len(reason) > REASON_MAX:
        errors["reason"] = [_n("This reason is too long: use at most 500 characters.")]
    if errors:
        raise Invalid(errors)


def _check_words(wanted: Mapping[str, object]) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    title = wanted.get("title", "-")
    if not isinstance(title, str) or not title or len(title) > TITLE_MAX:
        errors["title"] = [_n("Give a title of at most 200 characters.")]
    for name, (most, sentence) in _TEXTS.items():
        text = wanted.get(name, "")
        if not isinstance(text, str) or len(text) > most:
            errors[name] = [sentence]
    tags = wanted.get("tags", "")
    words = tags.split() if isinstance(tags, str) else [""]
    if len(words) > TAGS_MAX or any(not 0 < len(word) <= TAG_MAX for word in words):
        errors["tags"] = [_n("Use at most ten tags of at most 40 characters each.")]
    return errors


def _check_choices(wanted: Mapping[str, object]) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if "kind" in wanted and wanted["kind"] not in list(Kind):
        errors["kind"] = [_n("Choose one of the kinds.")]
    if "status" in wanted and wanted["status"] not in list(Status):
        errors["status"] = [_n("Choose one of the statuses.")]
    if wanted.get("hurts", "") not in ("", *Hurts):
        errors["hurts"] = [_n("Choose the agent, the customer or both.")]
    minutes = wanted.get("minutes_lost")
    if minutes is not None and (type(minutes) is not int or not 0 <= minutes <= MINUTES_MAX):
        errors["minutes_lost"] = [_n("Give whole minutes from 0 to 480.")]
    if not isinstance(wanted.get("due"), date | None):
        errors["due"] = [_n("Give a day.")]
    return errors


def _check_rows(wanted: Mapping[str, object]) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    product, owner, own = (wanted.get(name) for name in ("product_id", "owner_id", "own_status_id"))
    if product is not None and (not isinstance(product, int) or db.session.get(Product, product) is None):
        errors["product_id"] = [_n("There is no such product.")]
    if owner is not None:
        person = db.session.get(Person, owner) if isinstance(owner, int) else None
        if person is None or not person.active or not person.has(Role.OWNER, Role.ADMIN):
            errors["owner_id"] = [_n("Choose an active owner or admin.")]
    if own is not None and (not isinstance(own, int) or db.session.get(ProgrammeStatus, own) is None):
        errors["own_status_id"] = [_n("There is no such status.")]
    return errors
