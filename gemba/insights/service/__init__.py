"""What can be done with notes, insights and the backlog; the only door for pages, calls and jobs.

Functions take the acting person and `now`, write through `db.session` and flush; entry points commit.
"""

from gemba.insights.service.backlog import (
    Detail,
    Item,
    Page,
    Similar,
    Summary,
    get,
    list_insights,
    similar,
    similar_to,
    summary,
)
from gemba.insights.service.capture import (
    Hint,
    NoteFields,
    add_as_evidence,
    edit_note,
    get_note,
    hints,
    minute_of,
    observations_of,
    products,
    record,
    remove_note,
    restore_note,
    visit_for_notes,
    why_closed,
)
from gemba.insights.service.counts import Counts
from gemba.insights.service.edit import may_edit, merge, owners, patch, split, unmerge, vote
from gemba.insights.service.export import export_rows, line_of
from gemba.insights.service.index import reindex

__all__ = [
    "Counts",
    "Detail",
    "Hint",
    "Item",
    "NoteFields",
    "Page",
    "Similar",
    "Summary",
    "add_as_evidence",
    "edit_note",
    "export_rows",
    "get",
    "get_note",
    "hints",
    "line_of",
    "list_insights",
    "may_edit",
    "merge",
    "minute_of",
    "observations_of",
    "owners",
    "patch",
    "products",
    "record",
    "reindex",
    "remove_note",
    "restore_note",
    "similar",
    "similar_to",
    "split",
    "summary",
    "unmerge",
    "visit_for_notes",
    "vote",
    "why_closed",
]
