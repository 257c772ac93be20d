"""The fixed words of observations and insights, with the labels people read and the bounds of texts.

Labels are English msgids; `_n` only marks them for extraction, entry points translate them.
"""

from enum import StrEnum


def _n(message: str) -> str:
    """Marks a message for extraction and returns it as it is."""
    return message


TEXT_MAX = 2000
VERBATIM_MAX = 1000
WORKAROUND_MAX = 1000
TOOL_MAX = 80
TAG_MAX = 40
TAGS_MAX = 10
TITLE_MAX = 200
BODY_MAX = 10_000
REASON_MAX = 500
STEP_MAX = 120
MINUTES_MAX = 480
COMMENT_MAX = 4000
SEVERITY_MIN = 0
SEVERITY_MAX = 4


class Kind(StrEnum):
    """What sort of thing was seen."""

    TOOL_PAIN = "tool-pain"
    PROCESS_PAIN = "process-pain"
    PRODUCT_PROBLEM = "product-problem"
    CUSTOMER_PAIN = "customer-pain"
    WORKAROUND = "workaround"
    NOBODY_TOLD_US = "nobody-told-us"
    WORKS_WELL = "works-well"

    @property
    def label(self) -> str:
        """The msgid of the kind's name."""
        return KIND_LABELS[self]

    @property
    def hint(self) -> str:
        """The msgid of one sentence that says when to choose the kind."""
        return KIND_HINTS[self]

    @property
    def is_pain(self) -> bool:
        """Whether the kind says that something hurts: what works well gets no score of pain."""
        return self is not Kind.WORKS_WELL


class Standing(StrEnum):
    """How far a note has come: the visit's agent reviews it before others read it."""

    FRESH = "fresh"
    PUBLISHED = "published"
    PRIVATE = "private"
    STRUCK = "struck"


class Verdict(StrEnum):
    """What the agent says of a note."""

    TRUE = "true"
    NOT_QUITE = "not-quite"
    PRIVATE = "private"


class Answered(StrEnum):
    """What somebody in a visit says of an insight that was seen before: is it still there?"""

    YES = "yes"
    GONE = "gone"
    NOT_SEEN = "not-seen"


class Status(StrEnum):
    """How far an insight has come."""

    NEW = "new"
    PLANNED = "planned"
    DOING = "doing"
    DONE = "done"
    DECLINED = "declined"

    @property
    def label(self) -> str:
        """The msgid of the status' name."""
        return STATUS_LABELS[self]

    @property
    def is_open(self) -> bool:
        """Whether something is still to be decided or done."""
        return self not in (Status.DONE, Status.DECLINED)


class Triage(StrEnum):
    """Where an insight that nobody sorted yet waits: in the inbox, for an answer, or for later."""

    INBOX = ""
    QUESTION = "question"
    LATER = "later"


class Hurts(StrEnum):
    """Who suffers from it."""

    AGENT = "agent"
    CUSTOMER = "customer"
    BOTH = "both"

    @property
    def label(self) -> str:
        """The msgid of who it is."""
        return HURTS_LABELS[self]


class CommentKind(StrEnum):
    """Who reads what is said about an insight: everyone; owners, admins and leads; or a lead's ask."""

    COMMENT = "comment"
    NOTE = "note"
    ASK = "ask"


class LinkKind(StrEnum):
    """How one insight has to do with another."""

    RELATED = "related"
    BLOCKS = "blocks"


OPEN_STATUSES = tuple(status for status in Status if status.is_open)


class Frequency(StrEnum):
    """How often the agent meets what was seen, by the agent's own word."""

    ONCE = "once"
    SOMETIMES = "sometimes"
    OFTEN = "often"
    ALWAYS = "always"

    @property
    def label(self) -> str:
        """The msgid of the frequency's name."""
        return FREQUENCY_LABELS[self]


HURTS_LABELS: dict[Hurts, str] = {
    Hurts.AGENT: _n("the agent"),
    Hurts.CUSTOMER: _n("the customer"),
    Hurts.BOTH: _n("both"),
}
KIND_LABELS: dict[Kind, str] = {
    Kind.TOOL_PAIN: _n("tool pain"),
    Kind.PROCESS_PAIN: _n("process pain"),
    Kind.PRODUCT_PROBLEM: _n("product problem"),
    Kind.CUSTOMER_PAIN: _n("customer pain"),
    Kind.WORKAROUND: _n("workaround"),
    Kind.NOBODY_TOLD_US: _n("nobody told us"),
    Kind.WORKS_WELL: _n("works well"),
}
KIND_HINTS: dict[Kind, str] = {
    Kind.TOOL_PAIN: _n("The agent's tool is slow, awkward or in the way."),
    Kind.PROCESS_PAIN: _n("A rule or a hand-over makes the work harder."),
    Kind.PRODUCT_PROBLEM: _n("The product itself does the wrong thing."),
    Kind.CUSTOMER_PAIN: _n("The customer suffers or has to ask twice."),
    Kind.WORKAROUND: _n("A temporary trick that has come to stay."),
    Kind.NOBODY_TOLD_US: _n("Something changed and support learnt it too late."),
    Kind.WORKS_WELL: _n("Worth keeping, worth showing to others."),
}
STATUS_LABELS: dict[Status, str] = {
    Status.NEW: _n("new"),
    Status.PLANNED: _n("planned"),
    Status.DOING: _n("in progress"),
    Status.DONE: _n("done"),
    Status.DECLINED: _n("declined"),
}
FREQUENCY_LABELS: dict[Frequency, str] = {
    Frequency.ONCE: _n("once"),
    Frequency.SOMETIMES: _n("sometimes"),
    Frequency.OFTEN: _n("often"),
    Frequency.ALWAYS: _n("every time"),
}
SEVERITY_LABELS: dict[int, str] = {
    0: _n("not a problem"),
    1: _n("a small thing"),
    2: _n("slows the work"),
    3: _n("hurts every day"),
    4: _n("stops the work"),
}
