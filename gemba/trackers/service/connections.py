"""Connections to trackers: add, change, check, map, pause, remove. Admins manage, owners use them."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from gemba.config import current_settings
from gemba.db import db
from gemba.errors import Forbidden, Invalid
from gemba.fetch import BadAddress, NotPublic
from gemba.fetch.addresses import parse
from gemba.insights.rules.kinds import _n
from gemba.people import service as people
from gemba.people.models import Person
from gemba.people.rules import Role, clean_line
from gemba.sealing import KeyChanged, reseal, seal, unseal
from gemba.trackers import adapters
from gemba.trackers.adapters.errors import TrackerError, Unavailable
from gemba.trackers.errors import TrackerNotFound
from gemba.trackers.models import Claim, Connection
from gemba.trackers.rules.drafts import Checked, Field
from gemba.trackers.rules.kinds import TRAITS, Right, TrackerKind
from gemba.trackers.rules.mapping import Plan, read, unfilled
from gemba.trackers.service.chain import wake
from gemba.trackers.talk import UNREADABLE

NAME_MAX = 80
TEXT_MAX = 200
CREDENTIAL_MAX = 2000
MOST_TRACKERS = 50
SOON_DAYS = 14
TOKEN = "token"  # noqa: S105 (a code, not a token)
KEY = "key"


def may_manage(viewer: Person) -> bool:
    """Whether this person may connect and change trackers."""
    return viewer.has(Role.ADMIN)


def may_export(viewer: Person) -> bool:
    """Whether this person may export insights."""
    return viewer.has(Role.OWNER, Role.ADMIN)


def all_trackers(viewer: Person) -> list[Connection]:
    """All connections by name. Raises Forbidden."""
    if not may_export(viewer):
        raise Forbidden
    return every()


def get(tracker_id: int, viewer: Person, *, manage: bool = False, lock: bool = False) -> Connection:
    """A connection, for who may export or, with `manage`, change it. Raises TrackerNotFound, Forbidden."""
    if not (may_manage(viewer) if manage else may_export(viewer)):
        raise Forbidden
    query = select(Connection).where(Connection.id == tracker_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    row = db.session.scalar(query)
    if row is None:
        raise TrackerNotFound
    return row


def every() -> list[Connection]:
    """All connections by name, for who looks after the machine."""
    return list(db.session.scalars(select(Connection).order_by(Connection.name, Connection.id)))


def choices() -> list[tuple[int, str]]:
    """Trackers that can be exported to, by name."""
    query = select(Connection.id, Connection.name).order_by(Connection.name, Connection.id)
    return list(db.session.execute(query).tuples())


def token_refused(tracker_id: int, *, now: datetime) -> None:
    """The tracker does not take the token: nothing is sent until it has another one."""
    row = db.session.get(Connection, tracker_id)
    if row is not None:
        row.trouble = row.trouble or TOKEN
        row.checked_at = now
        db.session.flush()


def for_hook(tracker_id: int) -> Connection | None:
    """A connection for a webhook, whose signature is checked next."""
    return db.session.get(Connection, tracker_id)


def add(viewer: Person, values: Mapping[str, Any], *, now: datetime) -> Connection:
    """Connects a tracker; nothing is sent yet. Raises Forbidden, Invalid by field.

    `values`: kind, name, base_url, project, item_type, credentials {name: text}, mapping.
    """
    if not may_manage(viewer):
        raise Forbidden
    if values.get("kind") not in list(TrackerKind):
        raise Invalid({"kind": [_n("Choose one of the trackers.")]})
    kind = TrackerKind(values["kind"])
    cleaned = _cleaned(kind, values)
    given = _credentials(kind, values.get("credentials") or {}, {})
    plan = _plan(values.get("mapping") or {})
    row = Connection(
        kind=kind.value,
        **cleaned,
        credentials=seal(current_settings(), given),
        hook_secret=seal(current_settings(), {"secret": secrets.token_urlsafe(32)}),
        mapping=plan.plain(),
        fields=[],
        checked={},
        seen_until=now,
        created_by_id=viewer.id,
        created_at=now,
    )
    db.session.add(row)
    db.session.flush()
    _audit(viewer, "tracker.connect", row, cleaned, now)
    return row


def change(tracker_id: int, viewer: Person, values: Mapping[str, Any], *, now: datetime) -> Connection:
    """Changes some of a connection; credentials that are left out stay. Raises as `add` and `get` do."""
    row = get(tracker_id, viewer, manage=True, lock=True)
    kind = TrackerKind(row.kind)
    kept = {name: getattr(row, name) for name in ("name", "base_url", "project", "item_type")}
    cleaned = _cleaned(kind, {**kept, **values})
    for name, value in cleaned.items():
        setattr(row, name, value)
    given = {name: text for name, text in (values.get("credentials") or {}).items() if text}
    elsewhere = cleaned["base_url"] != kept["base_url"]
    if given or elsewhere:
        # A token goes to no other address than the one it was given for.
        before = {} if elsewhere else _readable(row)
        row.credentials = seal(current_settings(), _credentials(kind, given, before))
        row.trouble, row.wait_until, row.failures = "", None, 0
        wake(row.id, now)
    if values.get("mapping") is not None:
        row.mapping = _plan(values["mapping"]).plain()
    if "rule_score" in values:
        row.rule_score = values["rule_score"]
    db.session.flush()
    changed = [name for name in cleaned if cleaned[name] != kept[name]]
    _audit(viewer, "tracker.change", row, {"changed": changed, "token": bool(given)}, now)
    return row


def remove(tracker_id: int, viewer: Person, *, now: datetime) -> None:
    """Forgets a connection, its token and what we know of its tickets; the tickets stay where they are."""
    row = get(tracker_id, viewer, manage=True, lock=True)
    _audit(viewer, "tracker.remove", row, {"project": row.project}, now)
    db.session.delete(row)
    db.session.flush()


def adapter_of(row: Connection) -> adapters.Tracker:
    """The way to a tracker; speaking through it needs no database. Raises KeyChanged."""
    settings = current_settings()
    return adapters.connect(
        TrackerKind(row.kind),
        row.base_url,
        row.project,
        row.item_type,
        unseal(settings, row.credentials),
        allowed=(*settings.fetch_allowed, *settings.tracker_networks),
    )


def look(adapter: adapters.Tracker) -> tuple[Checked, list[Field]]:
    """What the tracker says of the token and its fields. Speaks to the tracker; raises TrackerError."""
    try:
        return adapter.check(), adapter.fields()
    except UNREADABLE:
        raise Unavailable("Its answer cannot be read. Is this the right address?") from None


def complaint(row: Connection, today: date) -> str:
    """What is wrong with a connection in one English sentence, "" where it works. Speaks to the tracker."""
    try:
        adapter_of(row).check()
    except (KeyChanged, TrackerError) as refused:
        ended = expires_of(row)
        when = f" The token ended on {ended.isoformat()}." if ended and ended < today else ""
        return f"{refused.sentence}{when}"
    except UNREADABLE:
        return "Its answer cannot be read. Is its address right?"
    if row.trouble:
        return "It answers, but is paused: check it on its page."
    names = unfilled(plan_of(row), fields_of(row))
    if names:
        return f"It requires fields that nothing fills: {', '.join(names)}."
    ends = expires_of(row)
    return f"Its token ends on {ends.isoformat()}." if ends and (ends - today).days <= SOON_DAYS else ""


def keep_look(
    tracker_id: int, viewer: Person, found: tuple[Checked, Sequence[Field]], *, now: datetime
) -> Connection:
    """Writes down what `look` found; a good look ends a pause."""
    row = get(tracker_id, viewer, manage=True, lock=True)
    checked, fields = found
    row.checked = {
        "account": checked.account,
        "project": checked.project,
        "rights": {right.value: may for right, may in checked.rights.items()},
        "expires": checked.expires.isoformat() if checked.expires else None,
        "types": list(checked.types[:100]),
    }
    row.fields = [asdict(each) for each in fields[:200]]
    wake(row.id, now)
    row.checked_at, row.trouble, row.wait_until, row.wait_why, row.failures = now, "", None, "", 0
    db.session.flush()
    return row


def fields_of(row: Connection) -> list[Field]:
    """The tracker's fields as they were read last."""
    return [
        Field(**{**each, "options": tuple((value, name) for value, name in each["options"])})
        for each in row.fields
    ]


def plan_of(row: Connection) -> Plan:
    """What was chosen on the mapping page."""
    return read(row.mapping)


def expires_of(row: Connection) -> date | None:
    """When the token ends, as far as the tracker told."""
    text = row.checked.get("expires")
    return date.fromisoformat(text) if text else None


def rights_of(row: Connection) -> dict[Right, bool]:
    """What the token may do, as far as the tracker told."""
    return {Right(name): bool(may) for name, may in row.checked.get("rights", {}).items()}


def hook_secret_of(row: Connection) -> str:
    """What the tracker signs its webhooks with; shown to admins, as they have to type it there."""
    return unseal(current_settings(), row.hook_secret)["secret"]


def rotate_keys() -> int:
    """Encrypts all credentials anew under the newest key; says how many. Raises KeyChanged."""
    rows = db.session.scalars(select(Connection).with_for_update()).all()
    for row in rows:
        row.credentials = reseal(current_settings(), row.credentials)
        row.hook_secret = reseal(current_settings(), row.hook_secret)
    db.session.flush()
    return len(rows)


def tickets_of(insight_ids: Sequence[int]) -> dict[int, list[Claim]]:
    """The tickets of insights that have one or are about to, by insight."""
    if not insight_ids:
        return {}
    query = (
        select(Claim)
        .where(Claim.insight_id.in_(insight_ids))
        .options(joinedload(Claim.tracker))
        .order_by(Claim.id)
    )
    found: dict[int, list[Claim]] = {}
    for claim in db.session.scalars(query):
        found.setdefault(claim.insight_id, []).append(claim)
    return found


def _readable(row: Connection) -> dict[str, str]:
    try:
        return unseal(current_settings(), row.credentials)
    except KeyChanged:
        return {}


def _cleaned(kind: TrackerKind, values: Mapping[str, Any]) -> dict[str, str]:
    """Name, address, project and type. Raises Invalid."""
    traits = TRAITS[kind]
    errors: dict[str, list[str]] = {}
    text = {name: clean_line(str(values.get(name) or "")) for name in ("name", "project", "item_type")}
    text["name"] = text["name"] or traits.name
    text["item_type"] = text["item_type"] or traits.item_type
    for name, value in text.items():
        if len(value) > (NAME_MAX if name == "name" else TEXT_MAX):
            errors[name] = [_n("This is too long.")]
    if not text["project"]:
        errors["project"] = [_n("Say which project the tickets go to.")]
    elif "/" in traits.project and "/" not in text["project"] and not text["project"].isdigit():
        errors["project"] = [_n("Give owner and name, parted by a slash.")]
    try:
        text["base_url"] = _address(str(values.get("base_url") or traits.base_url))
    except (BadAddress, NotPublic) as bad:
        errors["base_url"] = [bad.sentence]
    if errors:
        raise Invalid(errors)
    return text


def _address(url: str) -> str:
    """The tracker's address without a slash at its end. Whether it is private shows when it is dialled."""
    target = parse(url.strip())
    if "?" in target.path:
        raise BadAddress
    return target.url.rstrip("/")


def _credentials(kind: TrackerKind, given: Mapping[str, Any], before: Mapping[str, str]) -> dict[str, str]:
    errors: dict[str, list[str]] = {}
    found: dict[str, str] = {}
    known = {each.name: each for each in TRAITS[kind].credentials}
    for name in given:
        if name not in known:
            errors[name] = [_n("This tracker does not ask for that.")]
    for name, each in known.items():
        text = str(given.get(name) or before.get(name) or "").strip()
        if not text and not each.optional:
            errors[name] = [_n("This is needed to sign in to the tracker.")]
        if len(text) > CREDENTIAL_MAX or not text.isascii() or not all(ch.isprintable() for ch in text):
            errors[name] = [_n("This cannot be right: copy it once more.")]
        found[name] = text
    if errors:
        raise Invalid(errors)
    return found


def _plan(document: Mapping[str, Any]) -> Plan:
    try:
        return read(document)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Invalid({"mapping": [_n("This mapping cannot be read.")]}) from error


def _audit(viewer: Person, action: str, row: Connection, detail: Mapping[str, Any], now: datetime) -> None:
    people.audit(viewer, action, f"tracker:{row.id}", {"name": row.name, **detail}, now)
