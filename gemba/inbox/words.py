"""What became of a mail, as the page says it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from gemba.inbox.rules import HELD, Outcome
from gemba.invites.rules import Answer


def sentence_of(result: str) -> str:
    """One sentence per outcome; the code itself for what is not known."""
    return {**_taken(), **_refused(), **_unread()}.get(result, result)


def tone_of(result: str) -> str:
    """The tone of the tag."""
    if result == Outcome.COUNTED:
        return "good"
    if result in (Outcome.BOUNCED, Outcome.FAILED):
        return "danger"
    return "live" if result in HELD else "quiet"


def short_of(result: str) -> str:
    """The tag."""
    if result == Outcome.COUNTED:
        return str(_("counted"))
    if result == Outcome.BOUNCED:
        return str(_("came back"))
    if result in HELD:
        return str(_("waits for you"))
    return str(_("changed nothing"))


def said_in(reply: Mapping[str, Any]) -> str:
    """What a held answer says; empty where it proposes another hour."""
    said: dict[str | None, str] = {
        Answer.ACCEPTED: _("Says that they will be there."),
        Answer.TENTATIVE: _("Says that they may be there."),
        Answer.DECLINED: _("Says that they will not be there."),
    }
    return "" if "start" in reply else said.get(reply["answer"], "")


def hour_in(reply: Mapping[str, Any]) -> datetime | None:
    """The hour that a held answer proposes."""
    return datetime.fromisoformat(reply["start"]) if "start" in reply else None


def _taken() -> dict[str, str]:
    return {
        Outcome.COUNTED: _("The answer counts."),
        Outcome.REPEATED: _("They had said the same before."),
        Outcome.OUTDATED: _("A newer answer, or a newer hour, was there already."),
        Outcome.OVER: _("The visit was over or cancelled."),
        Outcome.NOT_INVITED: _("This person does not take part in the visit."),
        Outcome.BOUNCED: _("Mail to this address comes back."),
        Outcome.DISMISSED: _("Put aside by an admin."),
    }


def _refused() -> dict[str, str]:
    return {
        Outcome.NOT_PROVEN: _("Nothing proves that the sender is who they say."),
        Outcome.OTHER_ADDRESS: _("Answered from an address that nobody has here."),
        Outcome.STRANGER: _("Nobody here has the address that answers."),
        Outcome.UNKNOWN_VISIT: _("It is about no visit of ours."),
        Outcome.REFUSED: _("The visit did not take it."),
        Outcome.BOUNCE_NOT_OURS: _("Mail came back, but nothing shows that it was ours."),
        Outcome.DELAYED: _("A message from another server that mail takes longer."),
        Outcome.AUTO_REPLIED: _("An automatic reply, such as an absence note."),
        Outcome.NO_ANSWER: _("There is no answer from a calendar in it."),
    }


def _unread() -> dict[str, str]:
    return {
        Outcome.UNCLEAR: _("What it answers is not clear."),
        Outcome.NO_TIME: _("The hour it proposes cannot be read."),
        Outcome.TOO_LARGE: _("It is larger than 1 MB and was not read."),
        Outcome.TOO_MANY_CALENDARS: _("There are more than five calendars in it."),
        Outcome.TOO_DEEP: _("It has too many parts within parts."),
        Outcome.TRUNCATED: _("The calendar in it breaks off in the middle."),
        Outcome.TNEF: _("It came as winmail.dat, which only Outlook reads."),
        Outcome.UNREADABLE: _("It cannot be read."),
        Outcome.FAILED: _("Something unexpected happened. The log of the worker says more."),
    }
