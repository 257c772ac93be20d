"""What becomes of a mail that came in, and whether it proves who sent it. Pure."""

import hashlib
import re
from enum import StrEnum

from gemba.invites.replies import Bounce, Code, Head, Incoming, Reply


class Outcome(StrEnum):
    """What a mail changed, or why it changed nothing. Only `counted` and `bounced` changed anything."""

    COUNTED = "counted"
    REPEATED = "repeated"
    OUTDATED = "outdated"
    OVER = "over"
    NOT_INVITED = "not-invited"
    NOT_PROVEN = "not-proven"
    OTHER_ADDRESS = "other-address"
    STRANGER = "stranger"
    UNKNOWN_VISIT = "unknown-visit"
    REFUSED = "refused"
    BOUNCED = "bounced"
    BOUNCE_NOT_OURS = "bounce-not-ours"
    DISMISSED = "dismissed"
    FAILED = "failed"
    TOO_LARGE = Code.TOO_LARGE.value
    TOO_MANY_CALENDARS = Code.TOO_MANY_CALENDARS.value
    TOO_DEEP = Code.TOO_DEEP.value
    TRUNCATED = Code.TRUNCATED.value
    TNEF = Code.TNEF.value
    AUTO_REPLIED = Code.AUTO_REPLIED.value
    NO_ANSWER = Code.NO_ANSWER.value
    UNCLEAR = Code.UNCLEAR.value
    NO_TIME = Code.NO_TIME.value
    DELAYED = Code.DELAYED.value
    UNREADABLE = Code.UNREADABLE.value


HELD = frozenset({Outcome.NOT_PROVEN, Outcome.OTHER_ADDRESS})
"""What an admin may still let count."""

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_INNERMOST_COMMENT = re.compile(r"\([^()]*\)")
_DEEPEST_COMMENT = 10
_VERDICT = re.compile(r"\s*(dmarc|dkim)\s*=\s*pass(?![\w-])(.*)", re.IGNORECASE | re.DOTALL)
_PROPERTY = re.compile(r"header\.(from|d|i)\s*=\s*([^\s;]+)", re.IGNORECASE)


def is_authentic(head: Head, authserv: str) -> bool:
    """Whether our own mail server vouches for From: its topmost Authentication-Results says DMARC passed for
    that domain, or DKIM for one it is below (RFC 8601, 7489 3.1).

    Only the topmost counts, as whoever sends a mail can write any number of them below. False where
    `authserv` is empty, or where From is not exactly one address.
    """
    domain = head.sender.rpartition("@")[2]
    text = _plain(head.authentication)
    named, *verdicts = text.split(";")
    server = (named.split() or [""])[0].lower()
    if not authserv or not domain or server != authserv.lower():
        return False
    return any(_vouches(verdict, domain) for verdict in verdicts)


def _plain(text: str) -> str:
    """The field without quoted strings and comments, in which anything may stand."""
    text = _QUOTED.sub("", text)
    for _depth in range(_DEEPEST_COMMENT):
        text, gone = _INNERMOST_COMMENT.subn(" ", text)
        if not gone:
            break
    return text if "(" not in text and '"' not in text else ""


def _vouches(verdict: str, domain: str) -> bool:
    found = _VERDICT.fullmatch(verdict)
    if found is None:
        return False
    named = {name.lower(): value.rpartition("@")[2].lower() for name, value in _PROPERTY.findall(found[2])}
    if found[1].lower() == "dmarc":
        return named.get("from") == domain
    signer = named.get("d") or named.get("i") or ""
    return "." in signer and (domain == signer or domain.endswith(f".{signer}"))


def digest_of(found: Incoming, raw: bytes, proof: str) -> str:
    """By what a mail that comes twice, over whichever way, is known again.

    Of an answer: Message-ID and all that iTIP knows it by (RFC 5546 2.1.5); `proof` says how the sender was
    proven, lest a forged copy that came first keeps the real one out. Of other mail: its Message-ID,
    or all of it where there is none.
    """
    if isinstance(found, Reply):
        people = [f"{each.address}={each.answer}" for each in found.attendees]
        facts = [found.method, found.head.message_id, found.uid, *people, found.sequence, found.stamped_at]
        facts += [found.start, found.comment, proof]
    else:
        content = hashlib.sha256(raw).hexdigest()
        facts = [found.method, found.head.message_id or content, found.head.sender, found.head.subject]
        facts += [*sorted(found.failed), found.about] if isinstance(found, Bounce) else []
    return hashlib.sha256("\0".join(str(each) for each in facts).encode("utf-8", "replace")).hexdigest()
