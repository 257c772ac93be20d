"""Signed links to turn mails of one kind off and on: they hold who and what, so nothing is stored.

Pure. A link does not end: whoever finds an old mail may still want no more of them.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from hashlib import sha256

from gemba.people.rules import MailKind

_BYTES = 18
"""Of the signature: 144 bits."""
_TOKEN = re.compile(r"([1-9]\d{0,8})-([a-z-]{1,40})-([A-Za-z0-9_-]{24})")


def mail_token(secret: str, person_id: int, kind: MailKind) -> str:
    """What stands behind /mail/ in a person's mails of a kind; the same at every call."""
    return f"{person_id}-{kind}-{_signature(secret, person_id, kind)}"


def whose_mail(token: str, secret: str) -> tuple[int, MailKind] | None:
    """Whose link this is and to which kind of mail; None where it is forged."""
    found = _TOKEN.fullmatch(token)
    if found is None or found[2] not in set(MailKind):
        return None
    person_id, kind = int(found[1]), MailKind(found[2])
    if not hmac.compare_digest(found[3], _signature(secret, person_id, kind)):
        return None
    return person_id, kind


def _signature(secret: str, person_id: int, kind: MailKind) -> str:
    key = hmac.digest(secret.encode(), b"gemba: links to turn mails off", sha256)
    said = hmac.digest(key, f"{person_id}:{kind}".encode(), sha256)
    return urlsafe_b64encode(said[:_BYTES]).decode()
