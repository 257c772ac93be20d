"""Who hears what when a visit changes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gemba.config import current_settings
from gemba.invites.rules import Answer, Method
from gemba.invites.service import InviteState, Snapshot, Who, drop_kept, queue_invites, queue_kept, words
from gemba.outbox import service as outbox
from gemba.outbox.rules import State
from gemba.people.models import Person
from gemba.visits import replies
from gemba.visits.models import Visit, VisitProposal
from gemba.webhooks import service as webhooks
from gemba.webhooks.rules import Event


def snapshot(visit: Visit) -> Snapshot:
    """The visit as an invite tells of it now, with the answers that count."""
    return told(visit, replies.answers_that_count(visit))


def told(visit: Visit, answers: Mapping[int, Answer]) -> Snapshot:
    """The visit as an invite tells of it now, with these answers by person."""
    return Snapshot(
        visit_id=visit.id,
        uid=visit.uid,
        sequence=visit.sequence,
        start=stamp(visit.starts_at),
        end=stamp(visit.ends_at),
        changed_at=stamp(visit.changed_at),
        meeting_url=visit.meeting_url,
        programme=visit.programme.name,
        programme_ru=visit.programme.name_in("ru"),
        product=visit.product.name if visit.product else "",
        people=_people(visit, answers),
        note=visit.note,
    )


def booked(visit: Visit, *, now: datetime) -> None:
    """Everyone gets a REQUEST; nobody can have answered yet."""
    now_known = told(visit, {})
    queue_invites(now_known, Method.REQUEST, now_known.people, word="booked", now=now)
    event(visit, Event.VISIT_BOOKED, now=now)


def just_booked(visit: Visit) -> list[InviteState]:
    """What booked() has put into the outbox, without reading it back."""
    method = Method.REQUEST.value
    return [InviteState(who.email, method, State.READY.value, 0, "", 0) for who in told(visit, {}).people]


def moved(visit: Visit, before: Snapshot, by: Person, *, out: str = "left", now: datetime) -> None:
    """Who stays or comes gets a REQUEST, who was replaced a CANCEL, under the same UID (RFC 5546 3.2.5).

    `out` says how a visitor went: `left`, or `handed-on`.
    """
    after = snapshot(visit)
    stay, known = {who.id for who in before.people}, {who.id for who in after.people}
    newcomers = [who for who in after.people if who.id not in stay]
    stayers = [who for who in after.people if who.id in stay]
    gone = [who for who in before.people if who.id not in known]
    after = replace(
        after,
        previous_start=before.start if before.start != after.start else "",
        by=by.name,
        came=_names(newcomers),
        went=_names(gone),
    )
    queue_invites(after, Method.REQUEST, stayers, word="moved", now=now)
    queue_invites(after, Method.REQUEST, newcomers, word="booked", now=now)
    removal = replace(after, people=before.people, start=before.start, end=before.end)
    left = [who for who in gone if who.part == "visitor"]
    queue_invites(removal, Method.CANCEL, left, word=out, now=now)
    replaced = [who for who in gone if who.part != "visitor"]
    queue_invites(removal, Method.CANCEL, replaced, word="replaced", now=now)
    event(visit, Event.VISIT_MOVED, now=now)


def edited(visit: Visit, what: Collection[str], by: Person, *, now: datetime) -> None:
    """Everyone gets a REQUEST with the same SEQUENCE: answers stay (RFC 5546 2.1.4, 3.2.2.2)."""
    facts = replace(snapshot(visit), by=by.name, edited=" ".join(what))
    queue_invites(facts, Method.REQUEST, facts.people, word="edited", now=now)


def cancelled(visit: Visit, by: Person, *, now: datetime) -> None:
    """Everyone gets a CANCEL with the reason."""
    facts = replace(snapshot(visit), reason=visit.cancel_reason, by=by.name)
    queue_invites(facts, Method.CANCEL, facts.people, word="cancelled", now=now)
    event(visit, Event.VISIT_CANCELLED, now=now)


def agent_declined(visit: Visit, offers: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Everyone gets a CANCEL; the visitors' names other hours they can have."""
    facts = replace(snapshot(visit), reason=visit.cancel_reason, by=visit.agent.name)
    visitors = [who for who in facts.people if who.part == "visitor"]
    others = [who for who in facts.people if who.part != "visitor"]
    more = {"offers": offers}
    queue_invites(facts, Method.CANCEL, visitors, word="agent-declined", more=more, now=now)
    queue_invites(facts, Method.CANCEL, others, word="agent-declined", now=now)
    event(visit, Event.VISIT_CANCELLED, now=now)


def event(visit: Visit, what: Event, *, now: datetime) -> None:
    """Other systems hear of it, without names."""
    data = {
        "id": visit.id,
        "programme": visit.programme.slug,
        "start": stamp(visit.starts_at),
        "end": stamp(visit.ends_at),
        "status": visit.status,
        "url": f"{current_settings().base_url}/visits/{visit.id}",
    }
    webhooks.tell(what, f"{visit.id}:{visit.sequence}", data, now=now)


def answered(visit: Visit, person: Person, answer: Answer, comment: str, *, now: datetime) -> None:
    """The other side hears of a maybe, a no and a comment; of a plain yes only after one of those."""
    facts = replace(snapshot(visit), by=person.name, reason=comment)
    to = _other_side(visit, person, facts, with_lead=answer == Answer.DECLINED)
    group = f"answer:{visit.id}:{person.id}"
    heard = outbox.drop_superseded(group, {who.email for who in to}, now)
    plain = answer == Answer.ACCEPTED and not comment
    for who in to:
        if not plain or who.email in heard:
            key = f"{group}:{answer}:{now.isoformat()}:{who.id}"
            _queue(facts, who, f"says-{answer.lower()}", group=group, key=key, now=now)


def proposed(visit: Visit, proposal: VisitProposal, *, asked: Collection[Person] = (), now: datetime) -> None:
    """The other side, or those who are asked instead, hear of another hour; they answer it on the page."""
    facts = replace(snapshot(visit), by=proposal.person.name, reason=proposal.comment)
    group = f"proposal:{visit.id}:{proposal.person_id}"
    to = [_who(person, facts) for person in asked] or _other_side(visit, proposal.person, facts)
    outbox.drop_superseded(group, {who.email for who in to}, now)
    for who in to:
        key, more = f"{group}:{proposal.id}:{who.id}", {"proposed": proposal.starts_at}
        _queue(facts, who, "proposed", group=group, key=key, more=more, now=now)


def kept(visit: Visit, proposal: VisitProposal, by: Person, *, now: datetime) -> None:
    """Whoever proposed another hour gets a DECLINECOUNTER with the hour as it was (RFC 5546 3.2.8)."""
    facts = replace(snapshot(visit), by=by.name)
    who = next((who for who in facts.people if who.id == proposal.person_id), None)
    if who is not None:
        key, more = f"kept:{visit.id}:{proposal.id}", {"proposed": proposal.starts_at}
        queue_kept(facts, who, key=key, more=more, now=now)


def unkept(visit: Visit, *, now: datetime) -> None:
    """The visit moved or ended: what waits to tell that it stays is dropped."""
    drop_kept(told(visit, {}), now)


def _other_side(visit: Visit, person: Person, facts: Snapshot, *, with_lead: bool = False) -> list[Who]:
    """The agent for a visitor or lead, the visitors for the agent; the lead where it matters."""
    parts = {"visitor"} if person.id == visit.agent_id else {"agent"}
    if with_lead:
        parts.add("lead")
    return [who for who in facts.people if who.part in parts and who.id != person.id]


def _names(people: Collection[Who]) -> str:
    return ", ".join(who.name for who in people)


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


def seat_gone(visit: Visit, people: Collection[Person], *, waits_on: bool, now: datetime) -> None:
    """A seat was held in a visit that moved or ended."""
    _tell(visit, people, "seat-gone-waiting" if waits_on else "seat-gone", now=now)


def passed_on(visit: Visit, people: Collection[Person], *, now: datetime) -> None:
    """An hour was held in vain."""
    _tell(visit, people, "passed-on", now=now)


def _tell(visit: Visit, people: Collection[Person], word: str, *, by: str = "", now: datetime) -> None:
    """A plain mail to each; what waits for the same person about the same visit says less and is dropped."""
    facts = replace(told(visit, {}), reason=visit.cancel_reason, by=by)
    group = f"notice:{visit.id}"
    for person in people:
        who = _who(person, facts)
        outbox.drop_superseded(group, {who.email}, now)
        key = f"{group}:{word}:{facts.start}:{now.isoformat()}:{who.id}"
        more = {"until": visit.expires_at}
        _queue(facts, who, word, group=group, key=key, more=more, template="visit_notice", now=now)


def _who(person: Person, facts: Snapshot) -> Who:
    part = next((who.part for who in facts.people if who.id == person.id), "lead")
    return Who(person.id, person.email, person.name, person.locale, person.timezone, part)


def _queue(
    facts: Snapshot,
    who: Who,
    word: str,
    *,
    group: str,
    key: str,
    more: Mapping[str, Any] | None = None,
    template: str = "visit_answer",
    now: datetime,
) -> None:
    outbox.queue_mail(
        **outbox.addressed(who),
        template=template,
        context={**words(facts, who, word), **(more or {})},
        dedup_key=key,
        group_key=group,
        now=now,
    )


def _people(visit: Visit, answers: Mapping[int, Answer]) -> tuple[Who, ...]:
    visitors: Collection[Person] = visit.visitors
    everyone = [(visitor, "visitor") for visitor in visitors] + [(visit.agent, "agent")]
    if visit.mentor is not None:
        everyone.append((visit.mentor, "mentor"))
    if visit.lead is not None:
        everyone.append((visit.lead, "lead"))
    return tuple(
        Who(
            person.id,
            person.email,
            person.name,
            person.locale,
            person.timezone,
            part,
            answers.get(person.id, Answer.NEEDS_ACTION).value,
        )
        for person, part in everyone
    )


def stamp(instant: datetime) -> str:
    """An instant as snapshots and addresses hold it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
