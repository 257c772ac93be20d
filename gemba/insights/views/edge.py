"""The blueprint and the words its templates need."""

from collections.abc import Sequence

from babel.lists import format_list
from flask import Blueprint
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from gemba.insights import service
from gemba.insights.models import Insight
from gemba.insights.models_backlog import ProgrammeStatus
from gemba.insights.rules.kinds import FREQUENCY_LABELS, SEVERITY_LABELS, Frequency, Kind, Status
from gemba.insights.rules.private import Private
from gemba.insights.service import statuses

blueprint = Blueprint("insights", __name__)

Answer = Response | str | tuple[str, int]


@blueprint.app_template_filter("kind_label")
def kind_label(kind: str) -> str:
    """The name of a kind."""
    return str(_(Kind(kind).label))


@blueprint.app_template_filter("status_label")
def status_label(status: str) -> str:
    """The name of an insight's status."""
    return str(_(Status(status).label))


@blueprint.app_template_filter("status_name")
def status_name(insight: Insight) -> str:
    """What its programme calls the status, else the status' name."""
    own = insight.own_status
    return own.name_in(str(get_locale())) if own else status_label(insight.status)


@blueprint.app_template_filter("severity_label")
def severity_label(severity: int) -> str:
    """What a severity 0-4 means."""
    return str(_(SEVERITY_LABELS[severity]))


@blueprint.app_template_filter("frequency_label")
def frequency_label(frequency: str) -> str:
    """The name of a frequency."""
    return str(_(FREQUENCY_LABELS[Frequency(frequency)]))


def status_changes(chosen: str) -> dict[str, object]:
    """What a choice of a status changes: one of the five by its name, or a programme's own as own-7."""
    kind, _dash, number = chosen.partition("-")
    own = number_of(number) if kind == "own" else None
    return {"status": chosen} if own is None else {"own_status_id": own}


def own_statuses() -> list[tuple[ProgrammeStatus, str]]:
    """Every programme's own statuses with the names that lists say, the programme's before where several
    have some.
    """
    locale, rows = str(get_locale()), statuses.every()
    several = len({own.programme.id for own in rows}) > 1
    return [
        (
            own.row,
            f"{own.programme.name_in(locale)}: {own.row.name_in(locale)}"
            if several
            else own.row.name_in(locale),
        )
        for own in rows
    ]


def number_of(text: str) -> int | None:
    """The id that somebody's words name, None where they name none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def looks_like(sorts: Sequence[Private]) -> str:
    """The warning that words look like private data of these sorts."""
    names = format_list([str(_(sort.label)) for sort in sorts], locale=get_locale() or "en")
    return str(_("This looks like %(what)s. Notes need no data of customers.", what=names))


def mask_words() -> dict[Private, str]:
    """What stands in the place of private data, in the reader's language."""
    return {sort: str(_(sort.mask)) for sort in Private}


def product_choices() -> list[tuple[int, str]]:
    """Products by name, for a select."""
    return [(product.id, product.name) for product in service.products()]


def owner_choices() -> list[tuple[int, str]]:
    """Who may own an insight by name, for a select."""
    return [(person.id, person.name) for person in service.owners()]
