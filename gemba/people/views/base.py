"""What the pages of people share: the blueprint, and how a browser becomes signed in."""

from flask import Blueprint, redirect, request, session, url_for
from werkzeug.wrappers import Response

from gemba.clock import now
from gemba.db import db
from gemba.people import service
from gemba.people.models import Person
from gemba.web.access import client_address, safe_next

blueprint = Blueprint("people", __name__)

Answer = Response | tuple[str, int] | str


def let_in(person: Person, method: str, target: str | None) -> Response:
    """Signs the person in here and commits; leads to `target`, or first to the profile for the zone.

    The cookie starts afresh: nothing that stood in it before the sign-in is left, save the language.
    """
    token = service.begin_sign_in(person.id, method=method, browser=str(request.user_agent), now=now())
    service.audit(person, "sign-in", f"person:{person.id}", {"method": method}, now(), client_address())
    where, confirmed, locale = safe_next(target), person.timezone_confirmed, person.locale
    db.session.commit()
    session.clear()
    session.permanent = True
    session["sign_in"] = token
    session["locale"] = locale
    if confirmed:
        return redirect(where, 303)
    return redirect(url_for("people.profile", next=where if where != "/" else None), 303)
