"""Talk around an insight: comments, notes, asks, following, links."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid, Refused
from gemba.insights.forms import WHICH_ONE
from gemba.insights.rules.kinds import CommentKind, LinkKind
from gemba.insights.rules.reference import insight_number
from gemba.insights.service import talk
from gemba.insights.views.edge import Answer, blueprint
from gemba.insights.views.insight import insight_page
from gemba.people.rules import Role
from gemba.web.access import me, requires, signed_in
from gemba.web.pages import say

editors = requires(Role.OWNER, Role.ADMIN)


@blueprint.post("/insights/<int:insight_id>/comments")
@signed_in
def comment(insight_id: int) -> Answer:
    """Writes a comment, an internal note or a lead's ask."""
    kind = request.form.get("kind", CommentKind.COMMENT)
    words = request.form.get("text", "")
    try:
        if kind not in set(CommentKind):
            raise Invalid({"kind": [_("Choose who may read it.")]})
        said = talk.say(insight_id, me(), words, CommentKind(kind), now=now())
        db.session.commit()
    except Invalid as invalid:
        db.session.rollback()
        return _again(insight_id, invalid, words)
    flash(_("Said."), "success")
    return redirect(url_for(".show", insight_id=insight_id, _anchor=f"comment-{said.id}"), 303)


@blueprint.post("/comments/<int:comment_id>/remove")
@signed_in
def remove_comment(comment_id: int) -> Answer:
    """Takes a comment back."""
    taken = talk.take_back(comment_id, me(), now=now())
    db.session.commit()
    flash(_("Taken back."), "success")
    return redirect(url_for(".show", insight_id=taken.insight_id, _anchor="talk"), 303)


@blueprint.post("/insights/<int:insight_id>/follow")
@signed_in
def follow(insight_id: int) -> Answer:
    """Hears what becomes of it, or no longer."""
    on = request.form.get("on") != "0"
    talk.follow(insight_id, me(), on=on, now=now())
    db.session.commit()
    flash(_("You hear what becomes of it.") if on else _("You hear no more of it."), "success")
    return redirect(url_for(".show", insight_id=insight_id), 303)


@blueprint.post("/insights/<int:insight_id>/links")
@editors
def link(insight_id: int) -> Answer:
    """Links it with another insight, or takes the links between two away."""
    other, how = insight_number(request.form.get("other", "")), request.form.get("how", "")
    try:
        if other is None:
            raise Invalid({"other": [str(WHICH_ONE)]})
        if how == "none":
            talk.unlink(insight_id, me(), other)
        elif how == "blocked-by":
            talk.link(other, me(), insight_id, LinkKind.BLOCKS, now=now())
        else:
            talk.link(insight_id, me(), other, LinkKind(how or LinkKind.RELATED), now=now())
        db.session.commit()
    except ValueError:
        db.session.rollback()
        return _again(insight_id, Invalid({"how": [_("Choose how they have to do with each other.")]}), "")
    except (Invalid, Refused) as refusal:
        db.session.rollback()
        return _again(insight_id, refusal, "")
    return redirect(url_for(".show", insight_id=insight_id, _anchor="links"), 303)


def _again(insight_id: int, refusal: Any, words: str) -> Answer:
    sentences = (
        [_(one) for many in refusal.errors.values() for one in many]
        if isinstance(refusal, Invalid)
        else [say(refusal)]
    )
    return insight_page(insight_id, refusal=" ".join(sentences), words=words), refusal.status
