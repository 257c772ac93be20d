"""Before a visit: its briefing, what visitors confirm once, and "it is still there"."""

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from flask import flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from gemba.clock import now
from gemba.db import db
from gemba.insights import service
from gemba.insights.rules.kinds import TEXT_MAX, Kind
from gemba.insights.service import NoteFields
from gemba.insights.service import briefing as briefings
from gemba.insights.service.sight import readable_insight
from gemba.insights.views.edge import Answer, blueprint
from gemba.web.access import me, safe_next, signed_in


@blueprint.get("/visits/<int:visit_id>/briefing")
@signed_in
def briefing(visit_id: int) -> Answer:
    """Purpose, rules, what to confirm, what changed, the line's tools, prompts and what to look for again."""
    found = briefings.get_briefing(me(), visit_id, now=now())
    programme, locale = found.visit.programme, str(get_locale())
    words: dict[str, Any] = {
        "rules": programme.rules_in(locale),
        "checklist": programme.checklist_in(locale),
        "guide": programme.guide_in(locale),
    }
    takes_notes = service.why_not(found.visit, me(), now()) is None
    return render_template(
        "insights/briefing.html",
        briefing=found,
        visit=found.visit,
        is_visitor=me().id in {visitor.id for visitor in found.visit.visitors},
        takes_notes=takes_notes,
        now=now(),
        **words,
    )


@blueprint.post("/visits/<int:visit_id>/still-there/<int:insight_id>")
@signed_in
def still_there(visit_id: int, insight_id: int) -> Answer:
    """Seen again: a note that is evidence of the insight. Pressed twice it is one note."""
    visit = service.visit_for_notes(me(), visit_id)
    insight = readable_insight(insight_id, me())
    text = _("Still there: %(title)s", title=insight.title)[:TEXT_MAX]
    client_id = str(uuid5(NAMESPACE_URL, f"gemba:still-there:{visit.id}:{insight.id}:{me().id}"))
    fields = NoteFields(text, kind=Kind(insight.kind), product_id=insight.product_id)
    service.record(visit.id, me(), client_id, fields, insight_id=insight.id, now=now())
    db.session.commit()
    flash(_("Noted as evidence."), "success")
    return redirect(url_for(".briefing", visit_id=visit_id, _anchor="still-there"), 303)


@blueprint.post("/visits/<int:visit_id>/consent")
@signed_in
def consent(visit_id: int) -> Answer:
    """Confirms what the programme asks of its visitors, once for all of its visits."""
    visit = service.visit_for_notes(me(), visit_id)
    target = safe_next(request.form.get("next")) if request.form.get("next") else ""
    if request.form.get("agreed") != "1":
        flash(_("Tick the box to confirm."), "error")
    else:
        service.confirm_consent(me(), visit, now())
        db.session.commit()
        flash(_("Confirmed. You are not asked again in this programme."), "success")
    return redirect(target or url_for(".notes", visit_id=visit_id), 303)
