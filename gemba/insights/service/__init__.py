"""What can be done with notes, insights and the backlog; the only door for pages, calls and jobs.

Functions take the acting person and `now`, write through `db.session` and flush; entry points commit.
"""

from gemba.insights.rules.months import Month
from gemba.insights.service.asked import answers_to
from gemba.insights.service.backlog import (
    COUNTED_UP_TO,
    Detail,
    Item,
    Similar,
    Summary,
    get,
    names_in,
    similar,
    similar_to,
    summary,
    with_numbers,
)
from gemba.insights.service.capture import (
    NoteFields,
    add_as_evidence,
    edit_note,
    fields_of,
    get_note,
    observations_of,
    others_notes,
    products,
    put,
    record,
    remove_note,
    restore_note,
    visit_id_of,
)
from gemba.insights.service.counts import Counts
from gemba.insights.service.drafts import DraftFields
from gemba.insights.service.drafts import drop as drop_drafts
from gemba.insights.service.drafts import keep as keep_draft
from gemba.insights.service.drafts import of as drafts_of
from gemba.insights.service.edit import may_edit, merge, owners, patch, put_back, split, unmerge, vote
from gemba.insights.service.evidence import Hint, hints
from gemba.insights.service.export import export_rows, rows_of
from gemba.insights.service.groups import line_of
from gemba.insights.service.index import reindex
from gemba.insights.service.listing import BOARD_MAX, Page, board, every_matching, list_insights
from gemba.insights.service.near import Near, near_of, near_to
from gemba.insights.service.reach import Ground, Reach, months_of, reach_of
from gemba.insights.service.shown import content_of, documents_among, may_leave, pictures_of
from gemba.insights.service.sitting import (
    OPEN_BEFORE,
    minute_of,
    start_now,
    start_of,
    visit_for_notes,
    why_closed,
    why_not,
)
from gemba.insights.service.standing import confirm_consent, lacks_consent, publish_due
from gemba.insights.service.telling import Contribution, contributions, reasons

__all__ = [
    "BOARD_MAX",
    "COUNTED_UP_TO",
    "OPEN_BEFORE",
    "Contribution",
    "Counts",
    "Detail",
    "DraftFields",
    "Ground",
    "Hint",
    "Item",
    "Month",
    "Near",
    "NoteFields",
    "Page",
    "Reach",
    "Similar",
    "Summary",
    "add_as_evidence",
    "answers_to",
    "board",
    "confirm_consent",
    "content_of",
    "contributions",
    "documents_among",
    "drafts_of",
    "drop_drafts",
    "edit_note",
    "every_matching",
    "export_rows",
    "fields_of",
    "get",
    "get_note",
    "hints",
    "keep_draft",
    "lacks_consent",
    "line_of",
    "list_insights",
    "may_edit",
    "may_leave",
    "merge",
    "minute_of",
    "months_of",
    "names_in",
    "near_of",
    "near_to",
    "observations_of",
    "others_notes",
    "owners",
    "patch",
    "pictures_of",
    "products",
    "publish_due",
    "put",
    "put_back",
    "reach_of",
    "reasons",
    "record",
    "reindex",
    "remove_note",
    "restore_note",
    "rows_of",
    "similar",
    "similar_to",
    "split",
    "start_now",
    "start_of",
    "summary",
    "unmerge",
    "visit_for_notes",
    "visit_id_of",
    "vote",
    "why_closed",
    "why_not",
    "with_numbers",
]
