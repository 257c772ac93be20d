"""Addresses that answers to invites come back to: one per visit and person, unguessable (RFC 5233).

Pure. Who writes to such an address was sent it: the token proves whose answer a mail is, whatever its From.
"""

import base64
import hashlib
import hmac
import re

LONGEST_LOCAL_PART = 64  # octets, RFC 5321 4.5.3.1.1
_MAC_BYTES = 16
_TOKEN = re.compile(r"([0-9a-f]{1,15})-([0-9a-f]{1,15})-([a-z2-7]{26})")


def reply_address(mail_from: str, secret: str, visit_id: int, person_id: int) -> str:
    """`gemba+<token>@host` for the answers of this person about this visit.

    Lower-case, as some servers fold case; the token holds 128 bits of HMAC-SHA256. `mail_from` itself where
    its name leaves no room for a token.
    """
    local, _at, host = mail_from.rpartition("@")
    ids = f"{visit_id:x}-{person_id:x}"
    with_token = f"{local}+{ids}-{_mac(secret, ids)}"
    return f"{with_token}@{host}" if len(with_token) <= LONGEST_LOCAL_PART else mail_from


def whose(address: str, mail_from: str, secret: str) -> tuple[int, int] | None:
    """(visit_id, person_id) of an address that `reply_address` made, in any case of letters; else None.

    The host may be another one: servers rewrite it, and the token cannot be guessed anyway.
    """
    local, _at, _host = address.strip().strip("<>").lower().rpartition("@")
    name, plus, token = local.rpartition("+")
    found = _TOKEN.fullmatch(token)
    if not plus or not found or name != mail_from.rpartition("@")[0].lower():
        return None
    visit, person, mac = found.groups()
    if not hmac.compare_digest(mac, _mac(secret, f"{visit}-{person}")):
        return None
    return int(visit, 16), int(person, 16)


def _mac(secret: str, ids: str) -> str:
    key = hmac.digest(secret.encode(), b"gemba reply address", hashlib.sha256)
    return base64.b32encode(hmac.digest(key, ids.encode(), hashlib.sha256)[:_MAC_BYTES])[:26].decode().lower()
