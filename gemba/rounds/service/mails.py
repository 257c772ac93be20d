"""Mails of rounds: asked, reminded, given a visit, left out; to agents: how many visits they take."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from gemba.outbox import service as outbox
from gemba.people.models import Person
from gemba.people.rules import MailKind
from gemba.people.service.mail_choices import wants
from gemba.programmes import doors
from gemba.rounds.models import Round, RoundPair, RoundSignUp
from gemba.rounds.pairing.values import Helps
from gemba.visits.models import Visit

OFFERED = 3
"""So many hours that would have worked stand in a mail."""


def invite(chosen: Round, people: Sequence[Person], *, now: datetime) -> None:
    """Asks people to take part."""
    _to_all("round_invitation", chosen, people, "invitation", now)


def remind(chosen: Round, people: Sequence[Person], *, now: datetime) -> None:
    """Reminds people who did not answer."""
    _to_all("round_reminder", chosen, people, f"reminder:{now:%Y-%m-%d}", now)


def ask_agents(chosen: Round, agents: Sequence[Person], *, now: datetime) -> None:
    """Asks agents how many visits they take."""
    _to_all("round_capacity", chosen, agents, "capacity", now)


def ask_agents_again(chosen: Round, agents: Sequence[Person], *, now: datetime) -> None:
    """Asks those who did not answer once more."""
    _to_all("round_capacity", chosen, agents, "capacity-again", now, again=True)


def served(chosen: Round, pair: RoundPair, visit: Visit, *, now: datetime) -> None:
    """Somebody got a visit: with whom, when and why. The invite comes by itself."""
    more = {
        "agent": visit.agent.name,
        "start": visit.starts_at,
        "words": list(pair.because),
        "path": f"/visits/{visit.id}",
    }
    outbox.queue_all([_row("round_served", chosen, pair.person, f"served:{visit.id}", more, now)])


def left_out(
    chosen: Round, sign: RoundSignUp, names: Mapping[tuple[str, int], str], *, now: datetime
) -> None:
    """Somebody could not be placed: why, and what would help (with the `names` of products and lines)."""
    reason = sign.reason
    helps = [
        each
        if each["kind"] == Helps.HOURS
        else {**each, "name": names.get((each["kind"], each["value"]), "")}
        for each in reason.get("helps", [])
    ]
    works = [datetime.fromtimestamp(second, UTC) for second in reason.get("would_work", [])[:OFFERED]]
    more = {
        "code": reason["code"],
        "facts": reason.get("facts", {}),
        "works": works,
        "helps": helps,
        "minutes": chosen.programme.duration_minutes,
        "turn": reason.get("turn"),
        "by_hand": doors.by_hand(chosen.programme),
    }
    key = f"left-out:{now.isoformat()}"
    outbox.queue_all([_row("round_left_out", chosen, sign.person, key, more, now)])


def _to_all(
    template: str, chosen: Round, people: Sequence[Person], word: str, now: datetime, **more: Any
) -> None:
    wanting: Collection[int] = wants([person.id for person in people], MailKind.ROUND)
    outbox.queue_all(
        [
            _row(template, chosen, person, word, more, now, may_decline=True)
            for person in people
            if person.id in wanting
        ]
    )


def _row(
    template: str,
    chosen: Round,
    person: Person,
    word: str,
    more: Mapping[str, Any],
    now: datetime,
    *,
    may_decline: bool = False,
) -> outbox.Row:
    programme = chosen.programme
    choice = {"choice": {"person": person.id, "kind": MailKind.ROUND.value}} if may_decline else {}
    return outbox.mail_row(
        **outbox.addressed(person),
        template=template,
        context={
            "first_name": person.first_name,
            "programme": programme.name_in(person.locale),
            "purpose": programme.purpose_in(person.locale),
            "round": chosen.name_in(person.locale),
            "zone": person.timezone,
            "closes": chosen.last_minute,
            "visits_from": chosen.window[0],
            "visits_until": chosen.last_moment,
            "path": f"/rounds/{chosen.id}",
            **more,
        },
        dedup_key=f"round:{chosen.id}:{word}:{person.id}",
        group_key=f"round:{chosen.id}:{template}",
        extra=choice,
        now=now,
    )
