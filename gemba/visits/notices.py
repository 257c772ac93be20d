"""Who hears what when a visit changes."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

from gemba.invites.rules import Method
from gemba.invites.service import Snapshot, Who, queue_invites, words
from gemba.outbox import service as outbox
from gemba.people.models import Person
from gemba.visits.models import Visit


def snapshot(visit: Visit) -> Snapshot:
    """The visit as an invite tells of it now."""
    return Snapshot(
        visit_id=visit.id,
        uid=visit.uid,
        sequence=visit.sequence,
        start=_stamp(visit.starts_at),
        end=_stamp(visit.ends_at),
        changed_at=_stamp(visit.changed_at),
        meeting_url=visit.meeting_url,
        programme=visit.programme.name,
        programme_ru=visit.programme.name_in("ru"),
        product=visit.product.name if visit.product else "",
        people=_people(visit),
    )


def booked(visit: Visit, *, now: datetime) -> None:
    """Everyone gets a REQUEST."""
    now_known = snapshot(visit)
    queue_invites(now_known, Method.REQUEST, now_known.people, word="booked", now=now)


def moved(visit: Visit, before: Snapshot, by: Person, *, now: datetime) -> None:
    """Who stays or comes gets a REQUEST, who was replaced a CANCEL, under the same UID (RFC 5546 3.2.5)."""
    after = replace(
        snapshot(visit),
        previous_start=before.start if before.start != _stamp(visit.starts_at) else "",
        by=by.name,
    )
    stay = {who.id for who in before.people}
    known = {who.id for who in after.people}
    newcomers = [who for who in after.people if who.id not in stay]
    stayers = [who for who in after.people if who.id in stay]
    gone = [who for who in before.people if who.id not in known]
    queue_invites(after, Method.REQUEST, stayers, word="moved", now=now)
    queue_invites(after, Method.REQUEST, newcomers, word="booked", now=now)
    removal = replace(before, sequence=after.sequence, changed_at=after.changed_at, by=by.name)
    left = [who for who in gone if who.part == "visitor"]
    queue_invites(removal, Method.CANCEL, left, word="left", now=now)
    replaced = [who for who in gone if who.part != "visitor"]
    queue_invites(removal, Method.CANCEL, replaced, word="replaced", now=now)


def cancelled(visit: Visit, by: Person, *, now: datetime) -> None:
    """Everyone gets a CANCEL with the reason."""
    facts = replace(snapshot(visit), reason=visit.cancel_reason, by=by.name)
    queue_invites(facts, Method.CANCEL, facts.people, word="cancelled", now=now)


def requested(visit: Visit, asked: Collection[Person], *, now: datetime) -> None:
    """The visitor hears by when, whoever decides that they are asked; nothing is in a calendar yet."""
    names = ", ".join(person.name for person in asked)
    _tell(visit, visit.visitors, "requested", by=names, now=now)
    _tell(visit, asked, "decide", now=now)


def declined(visit: Visit, by: Person, *, now: datetime) -> None:
    """The visitor reads the reason."""
    _tell(visit, visit.visitors, "declined", by=by.name, now=now)


def lapsed(visit: Visit, asked: Collection[Person], *, now: datetime) -> None:
    """Nobody answered a request in time: the visitor and those who were asked hear of it."""
    _tell(visit, visit.visitors, "lapsed", now=now)
    _tell(visit, asked, "unanswered", now=now)


def withdrawn(visit: Visit, people: Collection[Person], by: Person, *, now: datetime) -> None:
    """A request was taken back: whoever heard of it, apart from who did it."""
    _tell(visit, [person for person in people if person.id != by.id], "withdrawn", by=by.name, now=now)


def offered(visit: Visit, *, now: datetime) -> None:
    """An hour is held for somebody on the waitlist."""
    _tell(visit, visit.visitors, "offered", now=now)


def passed_on(visit: Visit, people: Collection[Person], *, now: datetime) -> None:
    """An hour was held in vain."""
    _tell(visit, people, "passed-on", now=now)


def _tell(visit: Visit, people: Collection[Person], word: str, *, by: str = "", now: datetime) -> None:
    """A plain mail to each; what waits for the same person about the same visit says less and is dropped."""
    facts = replace(snapshot(visit), reason=visit.cancel_reason, by=by)
    group = f"notice:{visit.id}"
    for person in people:
        part = next((who.part for who in facts.people if who.id == person.id), "lead")
        who = Who(person.id, person.email, person.name, person.locale, person.timezone, part)
        outbox.drop_superseded(group, {who.email}, now)
        outbox.queue_mail(
            to=who.email,
            name=who.name,
            locale=who.locale,
            template="visit_notice",
            context={**words(facts, who, word), "until": visit.expires_at},
            dedup_key=f"{group}:{word}:{facts.start}:{now.isoformat()}:{who.id}",
            group_key=group,
            now=now,
        )


def _people(visit: Visit) -> tuple[Who, ...]:
    visitors: Collection[Person] = visit.visitors
    everyone = [(visitor, "visitor") for visitor in visitors] + [(visit.agent, "agent")]
    if visit.lead is not None:
        everyone.append((visit.lead, "lead"))
    return tuple(
        Who(person.id, person.email, person.name, person.locale, person.timezone, part)
        for person, part in everyone
    )


def _stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
