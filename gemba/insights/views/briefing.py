"""Before a visit: its briefing, what visitors confirm once, and answers to "is it still there?"."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from gemba.clock import now
from gemba.db import db
from gemba.insights import service
from gemba.insights.rules.kinds import Answered
from gemba.insights.service import asked
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
    """Whether what was seen before is still there: a yes is a note and evidence, however often pressed."""
    given = request.form.get("answer", Answered.YES)
    said = Answered(given) if given in list(Answered) else Answered.YES
    title = readable_insight(insight_id, me()).title
    asked.answer(me(), visit_id, insight_id, said, _("Still there: %(title)s", title=title), now=now())
    db.session.commit()
    flash(_("Noted as evidence.") if said is Answered.YES else _("Thank you, that is kept."), "success")
    fallback = url_for(".briefing", visit_id=visit_id, _anchor="still-there")
    back = request.form.get("next")
    return redirect(safe_next(back) if back else fallback, 303)


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
