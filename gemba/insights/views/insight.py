"""One insight: what it is, who it hurts, what stands behind it, and what is done about it."""

from datetime import date
from itertools import groupby
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import get_locale, lazy_gettext
from flask_babel import gettext as _

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid, Refused, Stale
from gemba.insights import service
from gemba.insights.forms import InsightForm, SplitForm, StatusForm, TargetForm
from gemba.insights.models import Insight, Observation
from gemba.insights.rules import months
from gemba.insights.rules.kinds import Hurts, Kind
from gemba.insights.rules.terms import shared_words
from gemba.insights.service import Detail, files, statuses, talk
from gemba.insights.service.fields import FIELDS
from gemba.insights.views.edge import Answer, blueprint, owner_choices, product_choices, status_changes
from gemba.people.rules import Role
from gemba.web.access import me, requires, safe_next, signed_in
from gemba.web.filters import local, viewer_zone
from gemba.web.pages import say

HURTS_AGENTS = {Kind.TOOL_PAIN, Kind.PROCESS_PAIN, Kind.WORKAROUND, Kind.NOBODY_TOLD_US}
HURT_WORDS = ((Hurts.AGENT, lazy_gettext("agents")), (Hurts.CUSTOMER, lazy_gettext("customers")))
HURTS_CUSTOMERS = {Kind.PRODUCT_PROBLEM, Kind.CUSTOMER_PAIN}
editors = requires(Role.OWNER, Role.ADMIN)


@blueprint.get("/insights/<int:insight_id>")
@signed_in
def show(insight_id: int) -> Answer:
    """The insight with its evidence."""
    return insight_page(insight_id)


@blueprint.get("/contributions")
@signed_in
def contributions() -> Answer:
    """What this person noted or showed, and what became of each."""
    rows = service.contributions(me())
    reasons = service.reasons([row.insight.id for row in rows])
    return render_template("insights/contributions.html", rows=rows, reasons=reasons)


@blueprint.route("/insights/<int:insight_id>/edit", methods=["GET", "POST"])
@editors
def edit(insight_id: int) -> Answer:
    """The insight's words."""
    detail = service.get(insight_id, me(), now=now())
    insight = detail.item.insight
    form = InsightForm(obj=insight, products=product_choices(), owners=owner_choices())
    theirs = None
    if form.submitted():
        try:
            service.patch(insight_id, me(), _changes(form), version=_version(form), now=now())
            db.session.commit()
            flash(_("Saved."), "success")
            return redirect(url_for(".show", insight_id=insight_id), 303)
        except Invalid as invalid:
            db.session.rollback()
            form.take_errors(invalid)
        except Stale as stale:
            db.session.rollback()
            theirs = service.get(insight_id, me(), now=now()).item.insight
            form.refuse(say(stale))
            # Whoever saves again after having seen the other's words means it.
            form.version.data = str(theirs.version)
    status = 409 if theirs else 422 if form.errors else 200
    return render_template("insights/edit.html", insight=theirs or insight, form=form, theirs=theirs), status


@blueprint.post("/insights/<int:insight_id>/status")
@editors
def status(insight_id: int) -> Answer:
    """Sets the status, with a reason."""
    form = StatusForm(own=_own(service.get(insight_id, me(), now=now()).item.insight))
    if form.submitted():
        try:
            changes = status_changes(str(form.status.data))
            service.patch(
                insight_id, me(), changes, version=_version(form), reason=form.reason.data or "", now=now()
            )
            db.session.commit()
            flash(_("The status is set."), "success")
            return redirect(_after_status(insight_id, request.form.get("back", "")), 303)
        except (Invalid, Stale) as refusal:
            db.session.rollback()
            if isinstance(refusal, Invalid):
                form.take_errors(refusal)
            else:
                form.refuse(say(refusal))
            return insight_page(insight_id, status_form=form), refusal.status
    return insight_page(insight_id, status_form=form), 422


def _after_status(insight_id: int, back: str) -> str:
    """Where the status was set: the insight's page, or its card on the board."""
    came_from = safe_next(back)
    if came_from.partition("?")[0] == url_for(".board"):
        return f"{came_from.rstrip('?')}#insight-{insight_id}"
    return url_for(".show", insight_id=insight_id)


@blueprint.post("/insights/<int:insight_id>/vote")
@signed_in
def vote(insight_id: int) -> Answer:
    """Says "me too", or takes it back."""
    insight = service.vote(insight_id, me(), on=request.form.get("on") != "0", now=now())
    db.session.commit()
    return redirect(url_for(".show", insight_id=insight.id), 303)


@blueprint.post("/insights/<int:insight_id>/merge")
@editors
def merge(insight_id: int) -> Answer:
    """Merges the insight into another one and offers to take it out again."""
    form = TargetForm()
    if form.submitted() and form.into.data is not None:
        try:
            survivor = service.merge(insight_id, me(), form.into.data, now=now())
            db.session.commit()
            undo = {
                "text": _("Merged. The evidence of both counts here now."),
                "action": url_for(".unmerge", insight_id=insight_id),
                "label": _("Take it out again"),
            }
            flash(undo, "success")  # type: ignore[arg-type]
            return redirect(url_for(".show", insight_id=survivor.id), 303)
        except (Invalid, Refused) as refusal:
            db.session.rollback()
            sentence = say(refusal) if isinstance(refusal, Refused) else ""
            if isinstance(refusal, Invalid):
                form.take_errors(refusal)
            return insight_page(insight_id, merge_form=form, refusal=sentence), refusal.status
    return insight_page(insight_id, merge_form=form), 422


@blueprint.post("/insights/<int:insight_id>/unmerge")
@editors
def unmerge(insight_id: int) -> Answer:
    """Takes the insight out of the one it was merged into."""
    service.unmerge(insight_id, me(), now=now())
    db.session.commit()
    flash(_("It stands for itself again."), "success")
    return redirect(url_for(".show", insight_id=insight_id), 303)


@blueprint.post("/insights/<int:insight_id>/split")
@editors
def split(insight_id: int) -> Answer:
    """Makes a new insight of the chosen evidence."""
    form = SplitForm()
    if form.submitted():
        try:
            new = service.split(
                insight_id, me(), form.notes.data or [], title=form.title.data or "", now=now()
            )
            db.session.commit()
            undo = {
                "text": _("Split out. Give the new insight a good title."),
                "action": url_for(".put_back", insight_id=new.id),
                "label": _("Put it back"),
            }
            flash(undo, "success")  # type: ignore[arg-type]
            return redirect(url_for(".show", insight_id=new.id), 303)
        except (Refused, Invalid) as refusal:
            db.session.rollback()
            return insight_page(insight_id, split_form=form, refusal=say(refusal)), refusal.status
    return insight_page(insight_id, split_form=form), 422


@blueprint.post("/insights/<int:insight_id>/put-back")
@editors
def put_back(insight_id: int) -> Answer:
    """Undoes a split."""
    origin = service.put_back(insight_id, me(), now=now())
    db.session.commit()
    flash(_("Put back. Its evidence counts here again."), "success")
    return redirect(url_for(".show", insight_id=origin.id), 303)


def insight_page(
    insight_id: int,
    *,
    status_form: StatusForm | None = None,
    merge_form: TargetForm | None = None,
    split_form: SplitForm | None = None,
    refusal: str = "",
    words: str = "",
) -> str:
    """The page of an insight, with the forms that were refused."""
    detail = service.get(insight_id, me(), now=now())
    insight = detail.item.insight
    near = service.near_of(detail, me()) if not detail.survivor else None
    chosen = f"own-{insight.own_status_id}" if insight.own_status_id else insight.status
    locale, every_own = str(get_locale()), statuses.every()
    own = [
        (each.row.id, each.row.name_in(locale))
        for each in every_own
        if each.programme.id == insight.programme_id
    ]
    status_form = status_form or StatusForm(formdata=None, status=chosen, own=own)
    status_form.version.data = str(insight.version)
    trend = service.months_of(detail, viewer_zone(), now=now())
    return render_template(
        "insights/insight.html",
        detail=detail,
        insight=insight,
        item=detail.item,
        near=near,
        shared_words=shared_words,
        hurts=_hurts(detail),
        reach=service.reach_of(detail, me(), now=now()),
        timeline=_timeline(detail),
        trend=trend,
        curve=months.curve(trend, 110, 30),
        answers=service.answers_to(insight.root_id),
        line_of=service.line_of,
        may_edit=service.may_edit(me()),
        status_form=status_form,
        merge_form=merge_form or TargetForm(formdata=None),
        split_form=split_form or SplitForm(formdata=None),
        refusal=refusal,
        talk=talk.of(insight_id, me()),
        files=files.of(insight_id),
        words=words,
        names=service.names_in(detail.changes),
        own_names={own.row.id: own.row.name_in(locale) for own in every_own},
        now=now(),
    )


def _timeline(detail: Detail) -> list[tuple[date, list[Observation]]]:
    """The notes by month of their visit, newest first; those of one visit stay together."""
    notes = sorted(detail.evidence, key=lambda note: (note.visit.starts_at, note.visit_id), reverse=True)
    by_month = groupby(notes, lambda note: months.first_of(local(note.visit.starts_at).date()))
    return [(first, list(of_month)) for first, of_month in by_month]


def _hurts(detail: Detail) -> list[Any]:
    """Whom it hurts: what somebody said, else what the kinds of the evidence say."""
    said = detail.item.insight.hurts
    if said:
        return [label for one, label in HURT_WORDS if said in (one, Hurts.BOTH)]
    kinds = {Kind(note.kind) for note in detail.evidence} | {Kind(detail.item.insight.kind)}
    words = [_("agents")] if kinds & HURTS_AGENTS else []
    return words + ([_("customers")] if kinds & HURTS_CUSTOMERS else [])


def _changes(form: InsightForm) -> dict[str, Any]:
    names = [name for name in FIELDS if name not in ("status", "own_status_id")]
    return {name: form[name].data for name in names}


def _own(insight: Insight) -> list[tuple[int, str]]:
    """The statuses of the insight's programme by id."""
    locale = str(get_locale())
    return [(row.id, row.name_in(locale)) for row in statuses.of(insight.programme_id)]


def _version(form: InsightForm | StatusForm) -> int | None:
    given = str(form.version.data or "")
    return int(given) if given.isascii() and given.isdigit() else None
