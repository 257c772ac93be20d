"""The page "What visitors see": an agent's hours as they are offered, and why others are not."""

from collections.abc import Callable
from datetime import date, timedelta

from flask import Blueprint, current_app, render_template, request, url_for
from flask_babel import gettext as _

from gemba.clock import now
from gemba.people.models import Person
from gemba.people.rules import Role
from gemba.programmes import service as programmes
from gemba.programmes.models import Programme
from gemba.schedule import service as schedule
from gemba.schedule.models import Availability
from gemba.schedule.rules import Reason, ReasonCode
from gemba.schedule.rules.hours import local_day
from gemba.visits import offered as offering
from gemba.visits import service, words
from gemba.visits.models import Visit
from gemba.visits.offered import Run
from gemba.visits.rules import OCCUPYING
from gemba.web.access import me, signed_in
from gemba.web.filters import local
from gemba.web.pages import Answer

blueprint = Blueprint("offered", __name__)

EARLIEST, LATEST = date(2000, 1, 10), date(2100, 12, 1)
WEEK = timedelta(days=7)
ONE_DAY = timedelta(days=1)

Way = tuple[str, str]
"""The words and the address of a link."""


@blueprint.get("/availability/<int:agent_id>/hours")
@signed_in
def hours(agent_id: int) -> Answer:
    """Every start of a day or a week: offered, or why not."""
    agent = schedule.agent_in_sight(me(), agent_id)
    row = schedule.availability(me(), agent_id)
    running = [each for each in programmes.list_programmes(me()) if each.active]
    programme = _chosen(running)
    today = local(now(), row.timezone).date()
    day = asked_date(request.args.get("day", ""), today)
    monday = day - timedelta(days=day.weekday())
    week = [monday + timedelta(days=n) for n in range(7)]
    found = offering.offered(me(), agent_id, programme, week, now=now()) if programme else None
    whole = request.args.get("view") == "week"
    return render_template(
        "visits/offered.html",
        agent=agent,
        mine=agent.id == me().id,
        row=row,
        programme=programme,
        programmes=running,
        week=found.days if found else (),
        shown=[each for each in found.days if whole or each.date == day] if found else [],
        knows_hours=found is None or found.knows_hours,
        chosen=day,
        today=today,
        earlier=monday - ONE_DAY,
        later=monday + WEEK,
        whole=whole,
        address=_address(agent_id),
        sentence=words.sentence,
        way=_ways(agent, programme, row.paused),
        taken_by=_taken_by(row, programme, _visits(agent_id, week, row.timezone)),
        at=now(),
    )


def asked_date(text: str, today: date) -> date:
    """The date of an address; today where nothing sensible was asked for."""
    try:
        asked = date.fromisoformat(text)
    except ValueError:
        return today
    return asked if EARLIEST <= asked <= LATEST else today


def _chosen(running: list[Programme]) -> Programme | None:
    slug = request.args.get("programme")
    return next((each for each in running if each.slug == slug), running[0] if running else None)


def _address(agent_id: int) -> Callable[..., str]:
    """Builds addresses of this page with some parts of the query changed; None takes a part out."""

    def address(**changes: str | None) -> str:
        kept = {name: request.args.get(name) for name in ("programme", "day", "view")}
        query = {name: value for name, value in {**kept, **changes}.items() if value}
        return url_for("offered.hours", agent_id=agent_id, **query)  # type: ignore[arg-type]

    return address


def _visits(agent_id: int, week: list[date], zone: str) -> list[Visit]:
    """The agent's visits around a week, so that "taken" can be followed to what takes them."""
    since, until = local_day(zone, week[0] - ONE_DAY).first, local_day(zone, week[-1] + 2 * ONE_DAY).first
    return service.list_visits(
        me(), since=since, until=until, statuses=OCCUPYING, agent_id=agent_id, limit=200
    )


def _taken_by(
    row: Availability, programme: Programme | None, visits: list[Visit]
) -> Callable[[Run], list[Visit]]:
    """Finds the visits that stand in the way of a run of starts, with the breaks around them."""
    length = timedelta(minutes=programme.duration_minutes if programme else 0)
    before, after = timedelta(minutes=row.buffer_before), timedelta(minutes=row.buffer_after)

    def taken_by(run: Run) -> list[Visit]:
        if all(reason.code != ReasonCode.AGENT_BUSY for reason in run.reasons):
            return []
        since, until = run.first - before, run.last + length + after
        return [
            visit
            for visit in visits
            if visit.starts_at - timedelta(minutes=visit.buffer_before) < until
            and since < visit.ends_at + timedelta(minutes=visit.buffer_after)
        ]

    return taken_by


def _ways(agent: Person, programme: Programme | None, paused: bool) -> Callable[[Reason], Way | None]:
    """Says for a reason where one can change what stands behind it; None where one cannot."""
    mine = agent.id == me().id
    page = (
        url_for("schedule.availability")
        if mine
        else url_for("schedule.agent_availability", agent_id=agent.id)
    )
    leads = me().has(Role.ADMIN) or (agent.line is not None and agent.line.lead_id == me().id)
    ways: dict[ReasonCode, Way] = {
        ReasonCode.OUTSIDE_HOURS: (_("Change the hours"), f"{page}#every-week"),
        ReasonCode.DAY_OFF: (_("Change days off"), f"{page}#dates"),
        ReasonCode.TIME_OFF: (_("Change the time off"), f"{page}#dates"),
        ReasonCode.HOLIDAY: (_("Change the holidays"), f"{page}#dates"),
        ReasonCode.LIMIT_PER_DAY: (_("Change the limits"), f"{page}#limits"),
        ReasonCode.LIMIT_PER_WEEK: (_("Change the limits"), f"{page}#limits"),
        ReasonCode.LIMIT_PER_MONTH: (_("Change the limits"), f"{page}#limits"),
        ReasonCode.TWO_IN_A_ROW: (_("Change the breaks"), f"{page}#breaks"),
        ReasonCode.DECLINED: (_("Open it again"), f"{page}#declined"),
        ReasonCode.NOT_NOW: (_("Take visits again"), page),
        ReasonCode.CALENDAR_BUSY: (_("Look at the calendars"), url_for("calendars.index", agent_id=agent.id)),
    }
    if leads and agent.line_id is not None:
        ways[ReasonCode.QUIET_HOURS] = (_("Change the quiet hours"), quiet_hours_address(agent.line_id))
    if me().has(Role.ADMIN) and programme is not None:
        edit = url_for("programmes.edit", slug=programme.slug)
        for code in (ReasonCode.TOO_SOON, ReasonCode.BEYOND_HORIZON):
            ways[code] = (_("Change the programme"), edit)
    return lambda reason: ways.get(reason.code)


def quiet_hours_address(line_id: int) -> str:
    """Where a line's quiet hours are changed."""
    if "schedule.quiet_hours" in current_app.view_functions:
        return url_for("schedule.quiet_hours", line_id=line_id)
    return f"/lines/{line_id}/quiet-hours"
