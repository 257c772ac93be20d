"""POST /hooks/mail: mail handed over by a provider or a script, as it is, with a signature."""

import hashlib
import hmac

from flask import Blueprint, request
from werkzeug.exceptions import RequestEntityTooLarge

from gemba.clock import now
from gemba.config import current_settings
from gemba.inbox.receiving import Away, receive
from gemba.invites.incoming import LARGEST
from gemba.web.access import public
from gemba.web.limits import limiter

blueprint = Blueprint("hooks", __name__)

FRESH_SECONDS = 300
PER_MINUTE = "240 per minute"

Answer = tuple[str, int, dict[str, str]]


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What stands in X-Gemba-Signature: HMAC-SHA256 over the timestamp, a full stop and the mail."""
    signed = timestamp.encode() + b"." + body
    return f"sha256={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


@blueprint.post("/hooks/mail")
@public
@limiter.limit(PER_MINUTE)
def mail() -> Answer:
    """Takes a raw mail in: 202, whatever it says; 401 where it is not signed, or not lately."""
    secret = current_settings().hooks_secret
    if secret is None:
        return _say("not found", 404)
    request.max_content_length = LARGEST
    try:
        raw = request.get_data(cache=False)
    except RequestEntityTooLarge:
        return _say("too large", 413)
    if not _is_signed(secret, raw):
        return _say("unauthorized", 401)
    try:
        receive(raw, via="hook")
    except Away:
        return _say("try again", 503)
    return _say("accepted", 202)


def _is_signed(secret: str, raw: bytes) -> bool:
    """One answer for all that can be wrong: none of it is a caller's business."""
    timestamp = request.headers.get("X-Gemba-Timestamp", "")
    given = request.headers.get("X-Gemba-Signature", "")
    is_number = timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12
    fresh = is_number and abs(now().timestamp() - int(timestamp)) <= FRESH_SECONDS
    expected = signature(secret, timestamp if is_number else "", raw)
    return hmac.compare_digest(given.encode(), expected.encode()) and fresh


def _say(words: str, status: int) -> Answer:
    more = {"Retry-After": "30"} if status == 503 else {}
    return f"{words}\n", status, {"Content-Type": "text/plain; charset=utf-8", **more}
