"""The inbox of what nobody sorted yet, one after another, by keyboard, mouse or finger."""

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid, Refused
from gemba.insights import service
from gemba.insights.forms import TriageForm
from gemba.insights.rules.kinds import Triage
from gemba.insights.rules.terms import shared_words
from gemba.insights.service import triage as inbox
from gemba.insights.views.edge import Answer, blueprint
from gemba.people.rules import Role
from gemba.web.access import me, requires
from gemba.web.pages import say

BOXES = {"inbox": Triage.INBOX, "question": Triage.QUESTION, "later": Triage.LATER}
editors = requires(Role.OWNER, Role.ADMIN)


@blueprint.get("/backlog/triage")
@editors
def triage() -> Answer:
    """The inbox, opened at one insight."""
    return _page(_at(request.args.get("at")), TriageForm(formdata=None))


@blueprint.post("/backlog/triage/<int:insight_id>")
@editors
def sort(insight_id: int) -> Answer:
    """Sorts one insight, then opens the next."""
    form = TriageForm()
    if not form.submitted() or form.act.data not in ACTS:
        return _page(insight_id, form, 422)
    following = inbox.inbox(me(), _box(), insight_id, now=now()).next_id
    try:
        ACTS[form.act.data](insight_id, form)
        db.session.commit()
    except (Invalid, Refused) as refusal:
        db.session.rollback()
        if isinstance(refusal, Invalid):
            form.take_errors(refusal)
        else:
            form.refuse(say(refusal))
        return _page(insight_id, form, refusal.status)
    stays = form.act.data == "apart"
    return redirect(_url(insight_id if stays else following), 303)


def _take(insight_id: int, form: TriageForm) -> None:
    inbox.take(insight_id, me(), form.title.data or "", now=now())
    flash(_("Kept as an insight of its own."), "success")


def _same(insight_id: int, form: TriageForm) -> None:
    survivor = inbox.same(insight_id, me(), form.into.data or 0, now=now())
    undo = {
        "text": _("Added as evidence to: %(title)s", title=survivor.title),
        "action": url_for(".unmerge", insight_id=insight_id),
        "label": _("Take it out again"),
    }
    flash(undo, "success")  # type: ignore[arg-type]


def _later(insight_id: int, form: TriageForm) -> None:
    inbox.later(insight_id, me(), form.reason.data or "", now=now())
    flash(_("Put off. It waits under “Later”."), "success")


def _ask(insight_id: int, form: TriageForm) -> None:
    inbox.ask(insight_id, me(), form.reason.data or "", now=now())
    flash(_("The question is on its way. The insight waits under “Asked”."), "success")


def _apart(insight_id: int, form: TriageForm) -> None:
    inbox.set_apart(insight_id, me(), form.into.data or 0, now=now())
    flash(_("Noted: these two are not the same."), "success")


def _back(insight_id: int, form: TriageForm) -> None:
    inbox.back(insight_id, me(), now=now())
    flash(_("It is in the inbox again."), "success")


ACTS: dict[str, Callable[[int, TriageForm], None]] = {
    "take": _take,
    "same": _same,
    "later": _later,
    "ask": _ask,
    "apart": _apart,
    "back": _back,
}


def _page(at: int | None, form: TriageForm, status: int = 200) -> Answer:
    box = _box()
    shown = inbox.inbox(me(), box, at, now=now())
    names = {"inbox": _("Inbox"), "question": _("Asked"), "later": _("Later")}
    if at is not None and status != 200 and shown.current and shown.current.item.insight.id != at:
        service.get(at, me(), now=now())  # not there, or not theirs to see: 404
    return render_template(
        "insights/triage.html",
        inbox=shown,
        current=shown.current,
        near=shown.near,
        shared_words=shared_words,
        boxes=[
            (names[key], _url(None, key), each is box, shown.waiting[each]) for key, each in BOXES.items()
        ],
        box=box,
        form=form,
        url_at=_url,
        ids=[row.id for row in shown.rows],
        line_of=service.line_of,
    ), status


def _box() -> Triage:
    return BOXES.get(request.args.get("box", ""), Triage.INBOX)


def _url(at: int | None, box: str | None = None) -> str:
    key = box or request.args.get("box", "")
    return url_for(".triage", at=at, box=key if key in BOXES and key != "inbox" else None)


def _at(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
