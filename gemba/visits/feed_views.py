"""/calendar/<secret>.ics, and the part of the profile where its address is made, renewed and ended."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from urllib.parse import quote, urlencode

from flask import (
    Blueprint,
    Flask,
    Response,
    flash,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as BaseResponse

from gemba.clock import now
from gemba.config import current_settings
from gemba.db import begin_reading, db, is_reading, reading
from gemba.errors import NotFound
from gemba.invites import feeds
from gemba.invites.feeds import Reader
from gemba.invites.rules import feed_frame
from gemba.visits import feed
from gemba.visits.feed import Found
from gemba.web.access import client_address, me, public, signed_in
from gemba.web.limits import limiter

blueprint = Blueprint("feeds", __name__)

AT_ONCE = 300
"""So many texts are made before the answer begins; more are made while it flows."""
PIECE = 100
"""So many texts are joined at once, some tens of kilobytes."""
LONGEST_ID = 9


def _whose() -> str:
    """Reads of one address are counted together, wherever they come from."""
    return feeds.secret_hash(str((request.view_args or {}).get("secret", "")))


@blueprint.get("/calendar/<secret>.ics")
@public
@limiter.limit("600 per minute")
@limiter.limit("60 per minute", key_func=_whose)
def calendar(secret: str) -> BaseResponse:
    """The visits of whoever made this address; who reads is known by nothing but the address."""
    reader = feeds.find(secret)
    if reader is None:
        return Response(
            _("There is no calendar at this address.") + "\n", 404, content_type="text/plain; charset=utf-8"
        )
    if reader.wants_touch(now()):
        _write(lambda: feeds.touch(reader.feed_id, now()))
    with force_locale(reader.locale):
        head, tail = feed_frame(_name(reader.line_name))
    texts = feed.texts(reader, now=now())
    if texts is None:
        found = feed.read(reader, now=now())
        missing = [visit_id for visit_id, text in found if text is None]
        if len(missing) > AT_ONCE:
            return _answer(stream_with_context(_flow(reader, found, missing, (head, tail))))
        made = dict(pair for chunk in feed.chunks(missing) for pair in _make(chunk, reader.locale))
        texts = [made.get(visit_id, "") if text is None else text for visit_id, text in found]
    pieces, digest = _pieces(reader, [head, *texts, tail])
    answer = _answer(pieces)
    answer.set_etag(digest, weak=True)
    return answer.make_conditional(request)


def _pieces(reader: Reader, texts: Sequence[str]) -> tuple[list[bytes], str]:
    """A calendar in pieces that fit into a processor's cache, and its digest: whole, it costs twice."""
    pieces, seen = [], hashlib.sha256()
    for start in range(0, len(texts), PIECE):
        piece = _shown(reader, texts[start : start + PIECE])
        seen.update(piece)
        pieces.append(piece)
    return pieces, seen.hexdigest()[:32]


def _answer(body: Iterable[bytes]) -> Response:
    answer = Response(body, content_type="text/calendar; charset=utf-8")
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Content-Disposition"] = "inline; filename=gemba.ics"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _flow(reader: Reader, found: Found, missing: Sequence[int], frame: tuple[str, str]) -> Iterator[bytes]:
    """A calendar while it is made, without ETag: what is missing comes last and is kept for the next time."""
    yield _shown(reader, [frame[0], *(text for _visit, text in found if text is not None)])
    for chunk in feed.chunks(missing):
        yield _shown(reader, [text for _visit, text in _make(chunk, reader.locale)])
    yield frame[1].encode()


def _shown(reader: Reader, texts: Iterable[str]) -> bytes:
    """The visits of a line take none of its lead's time."""
    events = "".join(texts)
    if reader.line_id is not None:
        events = events.replace("\r\nTRANSP:OPAQUE\r\n", "\r\nTRANSP:TRANSPARENT\r\n")
    return events.encode()


def _make(visit_ids: Sequence[int], locale: str) -> list[tuple[int, str]]:
    """Makes texts in one transaction that only reads, and keeps them in another if that is possible now."""
    with reading():
        made = feed.make(visit_ids, locale)
        db.session.rollback()
    _write(lambda: feed.keep(made, locale))
    return [(one.visit_id, one.text) for one in made]


def _write(act: Callable[[], None]) -> None:
    """Writes in a short transaction of its own, so that a read never holds up who writes.

    Nothing that a reader would miss: where the database cannot do it now, the next reader tries again.
    """
    before = is_reading()
    db.session.rollback()
    begin_reading(False)
    try:
        act()
        db.session.commit()
    except SQLAlchemyError:
        db.session.rollback()
    finally:
        begin_reading(before)


@blueprint.get("/profile/feeds")
@signed_in
def index() -> BaseResponse:
    """The addresses stand on the profile."""
    return redirect(url_for("people.profile") + "#feeds", 303)


@blueprint.post("/profile/feeds")
@signed_in
def make() -> tuple[str, int]:
    """Makes an address and shows it, this once: it is kept nowhere, so there is no redirect."""
    line_id = _asked_line()
    secret = feeds.make_address(me(), line_id, now=now(), address=client_address())
    lines = {each.line.id: each.line.name for each in feeds.addresses_of(me()) if each.line}
    name = _name(lines[line_id]) if line_id is not None else _name()
    db.session.commit()
    return render_template("people/feed.html", name=name, **_places(secret, name)), 201


@blueprint.post("/profile/feeds/end")
@signed_in
def end() -> BaseResponse:
    """Ends an address."""
    if not feeds.revoke_address(me(), _asked_line(), now=now(), address=client_address()):
        raise NotFound
    db.session.commit()
    flash(_("The address is ended. Calendars that read it will find nothing there."), "success")
    return redirect(url_for("people.profile") + "#feeds", 303)


def _asked_line() -> int | None:
    """The line whose feed is meant, None for one's own. Raises NotFound for what is no number of a line."""
    asked = request.form.get("line", "")
    if not asked:
        return None
    if not asked.isascii() or not asked.isdigit() or len(asked) > LONGEST_ID:
        raise NotFound
    return int(asked)


def _name(line: str = "") -> str:
    """What a calendar is called in the list of calendars."""
    return str(_("Gemba: visits of %(line)s", line=line) if line else _("Gemba: my visits"))


def _places(secret: str, name: str) -> dict[str, str]:
    """The address, and where other houses add it."""
    address = f"{current_settings().base_url}/calendar/{secret}.ics"
    webcal = "webcal:" + address.partition(":")[2]
    return {
        "address": address,
        "apple": webcal,
        "google": "https://calendar.google.com/calendar/r?cid=" + quote(webcal, safe=""),
        "outlook": "https://outlook.office.com/calendar/0/addfromweb?"
        + urlencode({"url": address, "name": name}, quote_via=quote),
    }


def init_app(app: Flask) -> None:
    """The address, and its part of the profile."""
    app.register_blueprint(blueprint)
    app.add_template_global(lambda: feeds.addresses_of(me()), "calendar_feeds")
    feed.init_app()
