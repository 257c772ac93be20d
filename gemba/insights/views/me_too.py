""" "Me too" from a mail: a page with one button, as one person, without a sign-in.

A GET only shows, for programs follow links in mails; only a POST votes. The page is in the person's language,
and whoever is signed in in this browser does not matter.
"""

from collections.abc import Callable
from functools import wraps

from flask import flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _

from gemba.clock import now
from gemba.db import db
from gemba.insights import service
from gemba.insights.service import vote_links
from gemba.insights.service.vote_links import Holder
from gemba.insights.views.edge import Answer, blueprint
from gemba.people.rules import LOCALES
from gemba.web.access import me_or_none, public, speak_to
from gemba.web.limits import limiter


def _token() -> str:
    """One link is counted by itself, wherever it is opened."""
    return str((request.view_args or {}).get("token", ""))


def held(view: Callable[[str, Holder], Answer]) -> Callable[[str], Answer]:
    """Opens the link; where it is none, a page says so and nothing else."""

    @public
    @limiter.limit("300 per minute")
    @limiter.limit("60 per minute", key_func=_token)
    @wraps(view)
    def opened(token: str) -> Answer:
        holder = vote_links.whose_link(token, now=now())
        if holder is None:
            return render_template("insights/me_too.html", me=None, item=None), 404
        chosen = session.get("locale") if me_or_none() is None else None
        speak_to(holder.person, str(chosen) if chosen in LOCALES else holder.person.locale)
        return view(token, holder)

    return opened


@blueprint.get("/me-too/<token>")
@held
def me_too(token: str, holder: Holder) -> Answer:
    """The insight in a few words, and the button."""
    item = service.get(holder.insight.id, holder.person, now=now()).item
    return render_template("insights/me_too.html", me=None, item=item, person=holder.person, token=token)


@blueprint.post("/me-too/<token>")
@held
def say_me_too(token: str, holder: Holder) -> Answer:
    """Counts this person's voice, once however often it is pressed."""
    service.vote(holder.insight.id, holder.person, now=now())
    db.session.commit()
    flash(_("Your voice counts now."), "success")
    return redirect(url_for(".me_too", token=token), 303)
