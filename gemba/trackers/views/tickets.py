"""One ticket: link an existing one to an insight, answer what an export asks, take a link off."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gemba.clock import now
from gemba.db import db
from gemba.errors import NotFound, Refused
from gemba.insights import service as insights
from gemba.sealing import KeyChanged
from gemba.trackers.adapters.errors import TrackerError
from gemba.trackers.rules.drafts import Ticket
from gemba.trackers.service import connections, tickets
from gemba.trackers.views.edge import Answer, blueprint, editors, said, url_of
from gemba.web.access import me
from gemba.web.limits import limiter
from gemba.web.pages import say


@blueprint.get("/insights/<int:insight_id>/link")
@editors
@limiter.limit("60 per minute")
def find(insight_id: int) -> Answer:
    """Searches a tracker for the ticket that is meant."""
    insight = insights.get(insight_id, me(), now=now()).item.insight
    choices = connections.choices()
    chosen, words = request.args.get("tracker", ""), request.args.get("q", "").strip()
    title, found, refusal = insight.title, None, ""
    if chosen in {str(number) for number, _name in choices} and words:
        try:
            adapter = connections.adapter_of(connections.get(int(chosen), me()))
            db.session.rollback()
            found = tickets.search(adapter, words)
        except TrackerError as error:
            refusal = said(error)
        except KeyChanged as changed:
            refusal = say(changed)
    return render_template(
        "trackers/link.html",
        insight_id=insight_id,
        title_of_insight=title,
        choices=choices,
        chosen=chosen or (str(choices[0][0]) if choices else ""),
        words=words,
        found=found,
        refusal=refusal,
    )


@blueprint.post("/insights/<int:insight_id>/link")
@editors
@limiter.limit("60 per minute")
def link(insight_id: int) -> Answer:
    """Makes an existing ticket that of the insight."""
    chosen = request.form.get("tracker", "")
    if not (chosen.isascii() and chosen.isdigit() and len(chosen) < 10):
        raise NotFound
    try:
        ticket = _read(int(chosen), request.form.get("ref", ""))
        tickets.link(int(chosen), insight_id, me(), ticket, url_of=url_of, now=now())
        db.session.commit()
        flash(_("Linked to %(key)s. Its status comes here from now on.", key=ticket.key), "success")
    except TrackerError as error:
        db.session.rollback()
        flash(said(error), "error")
    except Refused as refused:
        db.session.rollback()
        flash(say(refused), "error")
    return redirect(url_for("insights.show", insight_id=insight_id), 303)


def _read(tracker_id: int, ref: str) -> Ticket:
    adapter = connections.adapter_of(connections.get(tracker_id, me()))
    db.session.rollback()
    return tickets.read(adapter, ref)


@blueprint.post("/tickets/<int:ticket_id>/again")
@editors
def again(ticket_id: int) -> Answer:
    """A person looked in the tracker: it is not there, so it is made."""
    claim = tickets.send_again(ticket_id, me(), now=now())
    db.session.commit()
    flash(_("It will be made in a moment."), "success")
    return redirect(url_for("insights.show", insight_id=claim.insight_id), 303)


@blueprint.post("/tickets/<int:ticket_id>/unlink")
@editors
def unlink(ticket_id: int) -> Answer:
    """Forgets which ticket an insight has."""
    claim = tickets.unlink(ticket_id, me(), now=now())
    insight_id = claim.insight_id
    db.session.commit()
    flash(_("The link is taken off. The ticket stays where it is."), "success")
    return redirect(url_for("insights.show", insight_id=insight_id), 303)
