"""The mail of an invite: the outbox's kind "invite" adds the calendar part to the words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import force_locale, ngettext
from flask_babel import gettext as _

from gemba.config import current_settings
from gemba.invites.rules import Answer, Attendee, InviteFacts, Method, Part, calendar_bytes, calendar_file
from gemba.invites.service import EARLIER, Snapshot
from gemba.outbox.kinds import ItemFacts, register
from gemba.outbox.mail import PRODUCT, write
from gemba.outbox.mime import Address

OUT = ("replaced", "left", "handed-on")
"""Words to one person who is taken out of a visit that goes on."""


def facts_of(
    snapshot: Snapshot, method: Method, *, locale: str, organizer: str, base_url: str, only: str = ""
) -> InviteFacts:
    """What the calendar shows, in a language; ORGANIZER is the address the mail comes from.

    `only` names the one attendee whom a CANCEL takes out while the visit goes on (RFC 5546 3.2.5).
    """
    agent = next(who for who in snapshot.people if who.part == "agent")
    visitors = [who for who in snapshot.people if who.part == "visitor"]
    with force_locale(locale):
        return InviteFacts(
            uid=snapshot.uid,
            sequence=snapshot.sequence,
            method=method,
            start=datetime.fromisoformat(snapshot.start),
            end=datetime.fromisoformat(snapshot.end),
            dtstamp=datetime.fromisoformat(snapshot.changed_at),
            summary=_summary(snapshot, agent.name, [who.name for who in visitors], locale),
            organizer=Address(organizer, PRODUCT),
            attendees=tuple(
                Attendee(
                    who.email,
                    who.name,
                    Part.OPTIONAL if who.part == "lead" else Part.REQUIRED,
                    Answer(who.answer),
                )
                for who in snapshot.people
                if only in ("", who.email)
            ),
            description=_description(snapshot, f"{base_url}/visits/{snapshot.visit_id}"),
            location=snapshot.meeting_url,
            url=snapshot.meeting_url,
        )


def calendar_download(snapshot: Snapshot, *, locale: str) -> bytes:
    """The visit as a file to keep in one's calendar."""
    settings = current_settings()
    facts = facts_of(
        snapshot, Method.REQUEST, locale=locale, organizer=settings.mail_from, base_url=settings.base_url
    )
    return calendar_file(facts)


def _summary(snapshot: Snapshot, agent: str, visitors: list[str], locale: str) -> str:
    programme = snapshot.programme_ru if locale == "ru" else snapshot.programme
    who = ngettext(
        "%(visitor)s visits %(agent)s",
        "%(visitor)s visit %(agent)s",
        len(visitors),
        visitor=", ".join(visitors),
        agent=agent,
    )
    return f"{programme}: {who}"


def _description(snapshot: Snapshot, address: str) -> str:
    mentor = next((who.name for who in snapshot.people if who.part == "mentor"), "")
    lines = [
        _("Video call: %(url)s", url=snapshot.meeting_url),
        *([_("What the visitors would like to see: %(note)s", note=snapshot.note)] if snapshot.note else []),
        _("Notes, moving and cancelling: %(url)s", url=address),
        *([_("Mentor:") + f" {mentor}"] if mentor else []),
        _("The visitor answers customers, and the mentor sits beside them.")
        if mentor
        else _("The agent works as usual and shares the screen. Watch the process, never the person."),
    ]
    return "\n".join(lines)


def handle(payload: Mapping[str, Any], item: ItemFacts) -> bytes:
    """Writes the mail of one invite, the same bytes at every try."""
    method = Method(payload["method"])
    context = {**EARLIER, **payload["context"]}
    organizer = payload.get("organizer", payload["from"])
    facts = facts_of(
        Snapshot.from_json(payload["visit"]),
        method,
        locale=payload["locale"],
        organizer=organizer,
        base_url=payload["base_url"],
        only=item.recipient if context["word"] in OUT else "",
    )
    return write(
        item,
        template=payload["template"],
        locale=payload["locale"],
        context=context,
        name=payload["name"],
        sender=organizer,
        base_url=payload["base_url"],
        calendar=calendar_bytes(facts, item.recipient),
        method=method,
    )


def init_app() -> None:
    """Registers kind "invite"."""
    register("invite", handle, lacking=EARLIER)
