"""An insight written by hand, with what perhaps says the same shown while it is typed."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid
from gemba.insights import service
from gemba.insights.forms import NewInsightForm
from gemba.insights.rules.kinds import STEP_MAX, TITLE_MAX, TOOL_MAX
from gemba.insights.rules.terms import shared_words
from gemba.insights.service import making
from gemba.insights.service.fields import FIELDS
from gemba.insights.views.edge import Answer, blueprint, owner_choices, product_choices
from gemba.people.rules import Role, clean_line
from gemba.web.access import me, requires

editors = requires(Role.OWNER, Role.ADMIN)


@blueprint.route("/backlog/new", methods=["GET", "POST"])
@editors
def new() -> Answer:
    """The form; its buttons save, look for what says the same, or add the words to that."""
    form = NewInsightForm(products=product_choices(), owners=owner_choices())
    if request.method == "GET":
        form.title.data = _asked("q", TITLE_MAX)
    elif form.act.data == "look":
        return _page(form, 200)
    elif form.submitted():
        try:
            return _same(form) if form.same.data else _made(form)
        except Invalid as invalid:
            db.session.rollback()
            form.take_errors(invalid)
    return _page(form, 422 if form.errors else 200)


@blueprint.get("/backlog/new/near")
@editors
def near_typed() -> Answer:
    """What perhaps says the same as the words in the address, as a part of a page."""
    title, tool, step = _asked("title", TITLE_MAX), _asked("tool", TOOL_MAX), _asked("step", STEP_MAX)
    return render_template(
        "insights/_near.html", near=service.near_to(title, tool, step, me()), shared_words=shared_words
    )


def _made(form: NewInsightForm) -> Answer:
    given = {name: form[name].data for name in FIELDS if name not in ("status", "own_status_id")}
    insight = making.make(me(), given, now=now())
    db.session.commit()
    flash(_("It is in the backlog."), "success")
    return redirect(url_for(".show", insight_id=insight.id), 303)


def _same(form: NewInsightForm) -> Answer:
    words = [form.title.data, form.body.data, form.workaround.data]
    text = "\n\n".join(each for each in words if each)
    insight = making.same_as(form.same.data or 0, me(), text, now=now())
    db.session.commit()
    flash(_("Your words are a comment here, and you said “me too”. Nothing new was made."), "success")
    return redirect(url_for(".show", insight_id=insight.id), 303)


def _page(form: NewInsightForm, status: int) -> Answer:
    title, tool, step = (field.data or "" for field in (form.title, form.tool, form.step))
    near = service.near_to(title, tool, step, me()) if title or tool else None
    return render_template("insights/new.html", form=form, near=near, shared_words=shared_words), status


def _asked(name: str, most: int) -> str:
    return clean_line(request.args.get(name, ""))[:most]
