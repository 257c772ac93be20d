"""What visitors and agents see of a round: sign up with a wish, the result and why; how many one takes."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gemba.calendars.copies import sentence_of
from gemba.calendars.uploads import read_bytes
from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid, NotFound
from gemba.people import service as people
from gemba.people.rules import COMMON_ZONES, Role, is_timezone
from gemba.people.service.lookups import names_of
from gemba.programmes import doors, hosts, next_time
from gemba.programmes import service as programmes
from gemba.programmes.training import service as training
from gemba.rounds import service
from gemba.rounds.forms import CapacityForm, WishForm, _id
from gemba.rounds.models import Round, RoundSignUp
from gemba.rounds.service import calendars, looking, wishing
from gemba.rounds.service.wishing import Wish
from gemba.rounds.views.edge import blueprint, helps_of, why_words, works_of
from gemba.rounds.words import turn_words
from gemba.schedule.forms import WEEKDAYS
from gemba.schedule.views import A_WEEK
from gemba.web.access import me, signed_in
from gemba.web.limits import limiter
from gemba.web.pages import Answer


@blueprint.route("/<int:round_id>", methods=["GET", "POST"])
@limiter.limit("30 per minute", methods=["POST"])
@signed_in
def show(round_id: int) -> Answer:
    """A round: until when, one's own wish, and what came of it."""
    chosen = service.get_round(round_id)
    mine = wishing.sign_up_of(chosen, me())
    if request.method == "GET":
        names = names_of(mine.refuses).values() if mine is not None else ()
        known = calendars.of(mine, now())
        address = known.url if known is not None else ""
        return _page(chosen, mine, WishForm.of(mine, me().timezone, ", ".join(names), address))
    form = WishForm()
    try:
        valid = form.validate()
        busy = _busy(form)
        if not valid:
            raise Invalid({})
        chosen = service.get_round(round_id)
        service.sign_up(me(), chosen, wish=_wish(form, busy), now=now())
    except Invalid as invalid:
        db.session.rollback()
        form.take_errors(invalid)
        chosen = service.get_round(round_id)
        return _page(chosen, wishing.sign_up_of(chosen, me()), form), 422
    db.session.commit()
    flash(_("You are signed up. You hear from us when the pairs are published."), "success")
    return redirect(url_for(".show", round_id=round_id), 303)


@blueprint.post("/<int:round_id>/withdraw")
@signed_in
def withdraw(round_id: int) -> Answer:
    """Take one's sign-up back."""
    service.withdraw(me(), service.get_round(round_id), now=now())
    db.session.commit()
    flash(_("You are no longer signed up."), "success")
    return redirect(url_for(".show", round_id=round_id), 303)


@blueprint.post("/next-time/<slug>")
@limiter.limit("20 per minute")
@signed_in
def wait(slug: str) -> Answer:
    """Be asked first when the next round of a programme opens, or no longer (`on` is no)."""
    programme = programmes.get_programme(slug)
    if request.form.get("on") == "no":
        next_time.leave(me(), programme, now=now())
        said = _("You no longer wait for the next round.")
    else:
        next_time.wait(me(), programme, now=now())
        said = _("You get a mail as soon as the next round opens.")
    db.session.commit()
    flash(said, "success")
    back = request.form.get("round", "")
    if back.isascii() and back.isdigit() and len(back) <= 9:
        return redirect(url_for(".show", round_id=int(back)), 303)
    return redirect(url_for("visits.book", programme=slug), 303)


@blueprint.route("/<int:round_id>/capacity", methods=["GET", "POST"])
@signed_in
def capacity(round_id: int) -> Answer:
    """How many visits an agent takes in a round."""
    chosen = service.get_round(round_id)
    if not wishing.is_agent_of(chosen, me()):
        raise NotFound
    row = wishing.capacity_of(chosen, me())
    form = CapacityForm(data={"capacity": "" if row is None or row.capacity is None else str(row.capacity)})
    if form.submitted():
        try:
            wishing.set_capacity(me(), chosen, form.number(), now=now())
            db.session.commit()
        except Invalid as invalid:
            db.session.rollback()
            form.take_errors(invalid)
        else:
            flash(_("Thank you, noted."), "success")
            return redirect(url_for(".capacity", round_id=round_id), 303)
    page = render_template("rounds/capacity.html", round=service.get_round(round_id), row=row, form=form)
    return page, 422 if form.errors else 200


def _wish(form: WishForm, busy: list[list[int]] | None) -> Wish:
    document = form.document()
    return Wish(
        note=form.note.data or "",
        timezone=document["timezone"],
        weekly=document["weekly"],
        busy=[] if busy is None and form.forget.data else busy,
        calendar=form.calendar_url.data or "",
        products=form.products(),
        insists=bool(form.insists.data),
        line_id=_id(form.line.data) or None,
        language=form.language.data or "",
        refuses=_named(form.refuses.data or ""),
    )


def _named(text: str) -> tuple[int, ...]:
    """The ids of agents by their names. Raises Invalid where somebody is not found."""
    names = [each.strip() for each in text.split(",") if each.strip()]
    found, missing = people.agents_named(names)
    if missing:
        raise Invalid({"refuses": [_("Nobody here is called %(names)s.", names=", ".join(missing))]})
    return tuple(found)


def _busy(form: WishForm) -> list[list[int]] | None:
    """The busy times of an uploaded calendar, None where none came. Raises Invalid."""
    file = form.calendar.data
    if not file:
        return None
    zone = form.timezone.data or ""
    copy = read_bytes(file.read(), zone if is_timezone(zone) else "UTC", now=now())
    if copy.spans is None:
        raise Invalid({"calendar": [sentence_of(copy.error)]})
    return [list(span) for span in copy.spans]


def _page(chosen: Round, mine: RoundSignUp | None, form: WishForm) -> str:
    programme = chosen.programme
    lines = [each for each in people.line_choices() if not programme.lines or each[0] in programme.lines]
    form.offer(
        [(str(product.id), product.name) for product in people.all_products()],
        [(str(number), name) for number, name in lines],
        programme.languages,
    )
    reason = mine.reason if mine is not None else {}
    return render_template(
        "rounds/show.html",
        round=chosen,
        mine=mine,
        form=form,
        calendar=calendars.of(mine, now()),
        spoken=hosts.languages_of(programme),
        open=service.is_open(chosen, now()),
        is_for=doors.is_for(programme, me()),
        by_hand=doors.by_hand(programme),
        begun=now() >= chosen.opens_at,
        waits=next_time.waits(programme, me()),
        trained=training.is_trained(programme, me().id),
        pair=wishing.pair_of(chosen, me()),
        why=why_words(reason) if reason else [],
        helps=helps_of(chosen, reason, looking.help_names([reason])) if reason else [],
        turn=turn_words(reason["turn"]) if "turn" in reason else "",
        works=works_of(reason),
        runs=me().has(Role.ADMIN),
        is_agent=wishing.is_agent_of(chosen, me()),
        weekdays=WEEKDAYS,
        week_dates=A_WEEK,
        zones=COMMON_ZONES,
        now=now(),
    )
