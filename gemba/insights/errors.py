"""How capturing, editing and merging are refused."""

from gemba.errors import Invalid, NotFound, Refused
from gemba.insights.rules.kinds import _n


class InsightNotFound(NotFound):
    """This insight does not exist."""


class NoteNotFound(NotFound):
    """This note does not exist, or it is not yours to change."""


class NotesNotOpenYet(Refused):
    """Notes open a quarter of an hour before the visit."""

    code = "too-early"


class NotesClosed(Refused):
    """Notes close fourteen days after the visit."""

    code = "too-late"


class NotesCancelled(Refused):
    """This visit does not take place, so it takes no notes."""

    code = "visit-cancelled"


class NotStartable(Refused):
    """A visit can be started from a quarter of an hour before its hour until its end."""

    code = "not-startable"


class AnotherPerson(Refused):
    """Somebody else has signed in in this browser. The words are kept: save them again if they are yours."""

    code = "another-person"


class ConsentMissing(Refused):
    """Before your first visit in this programme, confirm what it asks of its visitors."""

    code = "consent-missing"


class NotePrivate(Refused):
    """The agent asked to keep this note between those who sat in the visit."""

    code = "note-private"


class WrapTooEarly(Refused):
    """The wrap-up opens ten minutes before the visit ends: ideas can wait until then."""

    code = "too-early"


class PictureNotFound(NotFound):
    """This picture or file does not exist, or it is not yours to see."""


class TooManyPictures(Refused):
    """A note takes five pictures, and a visit sixty of yours. Remove one first."""

    code = "too-many-pictures"


class TooManyFiles(Refused):
    """An insight takes twenty files. Remove one first."""

    code = "too-many-files"


class AlreadyMerged(Refused):
    """This insight is part of another one already. Take it out first."""

    code = "already-merged"


class MergeIntoItself(Refused):
    """An insight cannot be merged into itself or into its own part."""

    code = "merge-circle"


class NotMerged(Refused):
    """This insight is not part of another one."""

    code = "not-merged"


class NotSplit(Refused):
    """This insight was not split out of another one."""


class UnderReview(Refused):
    """The agent has not reviewed these notes yet. Merge them afterwards."""

    code = "under-review"


class NothingToSplit(Refused):
    """Choose some of the evidence to split out, but leave some behind."""

    code = "nothing-to-split"


class NoSuchTarget(Invalid):
    """Some fields need another look."""

    def __init__(self, field: str) -> None:
        super().__init__({field: [_n("There is no insight with this number.")]})
