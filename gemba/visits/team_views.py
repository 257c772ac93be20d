"""The team calendar: agents as rows, the days of a week or the hours of a day as columns."""

from collections.abc import Callable
from datetime import date, timedelta

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _

from gemba.clock import now
from gemba.invites.rules import Answer as Said
from gemba.people.rules import Role
from gemba.visits import team
from gemba.visits.models import Visit
from gemba.visits.offered_views import asked_date, quiet_hours_address
from gemba.visits.replies import rows_of
from gemba.visits.rules import Status
from gemba.visits.team import Kind, Scale, Why
from gemba.web.access import me, requires
from gemba.web.filters import local
from gemba.web.pages import Answer

blueprint = Blueprint("team", __name__)

ONE_DAY = timedelta(days=1)
PAGES = 1000


@blueprint.get("/team")
@requires(Role.LEAD, Role.ADMIN)
def index() -> Answer:
    """A week (`week`: one of its dates) or a day (`day`) of the agents one looks after, in one's own zone."""
    today = local(now()).date()
    by_day = "day" in request.args
    chosen = asked_date(request.args.get("day" if by_day else "week", ""), today)
    week = _week_of(chosen)
    days = [chosen] if by_day else week
    page = request.args.get("page", default=0, type=int)
    page = page if 0 <= page < PAGES else 0
    line_id = request.args.get("line", type=int)
    found = team.calendar(me(), days=days, week=week, line_id=line_id, page=page)
    step = ONE_DAY if by_day else timedelta(days=7)
    address = _address(by_day, chosen, line_id)
    return render_template(
        "visits/team.html",
        team=found,
        by_day=by_day,
        days=days,
        today=today,
        chosen=chosen,
        is_now=today in days,
        line_id=line_id,
        earlier=address(chosen - step),
        later=address(chosen + step),
        address=address,
        next_url=address(chosen, page=page + 1) if found.more else None,
        prev_url=address(chosen, page=page - 1) if page else None,
        scales=[Scale.of(me().timezone, day, found.hours) for day in days],
        kinds=_kind_words(),
        whys=_why_words(),
        short_time=short_time,
        quiet_hours=quiet_hours_address,
        swap_path=_swap_paths(found),
        waits={Status.REQUESTED: _("asked for"), Status.OFFERED: _("offered")},
        doubts=_doubts(found),
        at=now(),
    )


def _doubts(found: team.Team) -> dict[int, str]:
    """Who may not come or does not, by visit, in one statement."""
    cells = [cell for row in found.rows for cell in row.days]
    visits = {piece.visit.id: piece.visit for cell in cells for piece in cell.pieces if piece.visit}
    words = {}
    for visit_id, rows in rows_of(visits).items():
        names = {
            person.id: person.first_name for person in (visits[visit_id].agent, *visits[visit_id].visitors)
        }
        said = [
            _("%(name)s: maybe", name=names[person])
            if row.answer == Said.TENTATIVE
            else _("%(name)s cannot come", name=names[person])
            for person, row in rows.items()
            if person in names and row.answer in (Said.TENTATIVE, Said.DECLINED)
        ]
        if said:
            words[visit_id] = ", ".join(said)
    return words


def short_time(minutes: int) -> str:
    """4 h; 4 h 30 min; 45 min."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return str(_("%(minutes)s min", minutes=rest))
    if not rest:
        return str(_("%(hours)s h", hours=hours))
    return str(_("%(hours)s h %(minutes)s min", hours=hours, minutes=rest))


def _week_of(day: date) -> list[date]:
    monday = day - timedelta(days=day.weekday())
    return [monday + timedelta(days=n) for n in range(7)]


def _swap_paths(found: team.Team) -> Callable[[Visit, int], str]:
    """Says where somebody else is found who takes a person's place in a visit, as its agent or as its mentor;
    nowhere where the visit has begun, or others decide about it."""
    at, mine = now(), {line.id for line in found.lines}
    decides_all = me().has(Role.ADMIN)

    def path(visit: Visit, person_id: int) -> str:
        if visit.status != Status.BOOKED or visit.starts_at <= at:
            return ""
        if person_id == visit.agent_id:
            return f"/visits/{visit.id}/swap"
        decides = decides_all or visit.agent.line_id in mine
        return f"/visits/{visit.id}/mentor" if person_id == visit.mentor_id and decides else ""

    return path


def _address(by_day: bool, chosen: date, line_id: int | None) -> Callable[..., str]:
    """Builds addresses of this page: another date, another view, another line."""

    def address(
        date: date = chosen, *, day: bool = by_day, line: int | None = line_id, page: int | None = None
    ) -> str:
        when = {"day" if day else "week": date.isoformat()}
        return url_for("team.index", **when, line=line, page=page or None)  # type: ignore[arg-type]

    return address


def _kind_words() -> dict[Kind, str]:
    return {
        Kind.VISIT: _("visit"),
        Kind.BUSY: _("busy"),
        Kind.QUIET: _("quiet"),
        Kind.BREAK: _("break"),
        Kind.FREE: _("free"),
        Kind.CLOSED: _("closed"),
    }


def _why_words() -> dict[Why, str]:
    return {
        Why.NONE: "",
        Why.CLOSED: _("closed"),
        Why.DAY_OFF: _("day off"),
        Why.AWAY: _("away"),
        Why.HOLIDAY: _("public holiday"),
        Why.NO_HOURS: _("no hours yet"),
    }
