"""The trackers we know, what each wants and allows, and the states of tickets and exports.

Figures come from the vendors' pages named in docs/trackers.md. `lag` is how long a tracker's search may
not show what was just made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gemba.insights.rules.kinds import Status, _n


class TrackerKind(StrEnum):
    """The outside systems that tickets are made in."""

    JIRA = "jira"
    JIRA_DC = "jira-dc"
    GITHUB = "github"
    GITLAB = "gitlab"
    YANDEX = "yandex"
    YOUTRACK = "youtrack"
    LINEAR = "linear"
    REDMINE = "redmine"
    AZURE = "azure"
    GITEA = "gitea"


class Category(StrEnum):
    """How far a ticket has come, in the four words every tracker can be put into."""

    TODO = "todo"
    DOING = "doing"
    DONE = "done"
    DECLINED = "declined"

    @property
    def is_closed(self) -> bool:
        """Whether nothing more will be done."""
        return self in (Category.DONE, Category.DECLINED)


class TicketState(StrEnum):
    """What we know of a ticket. UNKNOWN: it was sent and no answer came; ASK: a person must say."""

    QUEUED = "queued"
    SENDING = "sending"
    UNKNOWN = "unknown"
    ASK = "ask"
    DONE = "done"
    FAILED = "failed"
    GONE = "gone"
    FORBIDDEN = "forbidden"


class PictureState(StrEnum):
    """What became of a picture that is to be attached. SENDING: no answer yet, so it is looked for first."""

    WAITING = "waiting"
    SENDING = "sending"
    DONE = "done"
    FAILED = "failed"


class Action(StrEnum):
    """What an export does for an insight."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"


class ItemState(StrEnum):
    """What became of an insight in an export."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class Right(StrEnum):
    """What the token may do, as far as the tracker says."""

    READ = "read"
    CREATE = "create"
    EDIT = "edit"
    LABEL = "label"


@dataclass(frozen=True)
class Credential:
    """One thing that is asked for to connect: its name here, its msgid, whether it is secret."""

    name: str
    label: str
    secret: bool = True
    optional: bool = False


@dataclass(frozen=True)
class Traits:
    """What is peculiar to a kind.

    `per_minute` creations are allowed (0: nothing is published), `parallel` requests at once. With `native`
    the tracker itself refuses a second ticket of one key, so that sending again does no harm; with `asks` a
    person decides where a ticket cannot be found, as its search is only eventually consistent. `marks` labels
    each ticket with its key; `attaches` takes files.
    """

    name: str
    credentials: tuple[Credential, ...]
    base_url: str = ""
    project: str = ""
    item_type: str = ""
    per_minute: int = 0
    parallel: int = 16
    lag: int = 60
    native: bool = False
    asks: bool = False
    marks: bool = False
    attaches: bool = True


_TOKEN = Credential("token", _n("Token"))
TRAITS: dict[TrackerKind, Traits] = {
    TrackerKind.JIRA: Traits(
        "Jira Cloud",
        (
            Credential("email", _n("E-mail of the account"), secret=False),
            Credential("token", _n("API token")),
        ),
        project="WEB",
        item_type="Task",
        parallel=8,
        lag=600,
        asks=True,
        marks=True,
    ),
    TrackerKind.JIRA_DC: Traits(
        "Jira Data Center", (_TOKEN,), project="WEB", item_type="Task", lag=60, marks=True
    ),
    TrackerKind.GITHUB: Traits(
        "GitHub",
        (_TOKEN,),
        "https://api.github.com",
        project="owner/repository",
        per_minute=80,
        parallel=4,
        lag=30,
        attaches=False,
    ),
    TrackerKind.GITLAB: Traits(
        "GitLab", (_TOKEN,), "https://gitlab.com", project="group/project", per_minute=300, lag=30
    ),
    TrackerKind.YANDEX: Traits(
        "Yandex Tracker",
        (
            _TOKEN,
            Credential("org", _n("Organization ID"), secret=False),
            Credential("org_kind", _n("Kind of organization: “360” or “cloud”"), secret=False, optional=True),
        ),
        "https://api.tracker.yandex.net",
        project="QUEUE",
        item_type="task",
        parallel=4,
        native=True,
    ),
    TrackerKind.YOUTRACK: Traits("YouTrack", (_TOKEN,), project="WEB", lag=180, asks=True),
    TrackerKind.LINEAR: Traits(
        "Linear",
        (_TOKEN,),
        "https://api.linear.app",
        project="WEB",
        per_minute=25,
        parallel=4,
        native=True,
        attaches=False,
    ),
    TrackerKind.REDMINE: Traits(
        "Redmine", (Credential("token", _n("API key")),), project="web", item_type="Bug", lag=45
    ),
    TrackerKind.AZURE: Traits(
        "Azure DevOps",
        (_TOKEN,),
        "https://dev.azure.com/organization",
        project="Project",
        item_type="Task",
        lag=120,
        asks=True,
        marks=True,
    ),
    TrackerKind.GITEA: Traits("Gitea or Forgejo", (_TOKEN,), project="owner/repository", lag=30),
}

CATEGORY_LABELS: Mapping[Category, str] = {
    Category.TODO: _n("to do"),
    Category.DOING: _n("in progress"),
    Category.DONE: _n("done"),
    Category.DECLINED: _n("declined"),
}
RIGHT_LABELS: Mapping[Right, tuple[str, str]] = {
    Right.READ: (_n("It may read tickets."), _n("It may not read tickets.")),
    Right.CREATE: (_n("It may create tickets."), _n("It may not create tickets.")),
    Right.EDIT: (_n("It may change tickets."), _n("It may not change tickets.")),
    Right.LABEL: (
        _n("It may set labels."),
        _n("It may not set labels: they will be missing, and tickets are told by their text instead."),
    ),
}
STATE_LABELS: Mapping[TicketState, str] = {
    TicketState.QUEUED: _n("waiting"),
    TicketState.SENDING: _n("being sent"),
    TicketState.UNKNOWN: _n("no answer came"),
    TicketState.ASK: _n("asks you"),
    TicketState.DONE: _n("done"),
    TicketState.FAILED: _n("failed"),
    TicketState.GONE: _n("deleted there"),
    TicketState.FORBIDDEN: _n("not ours to change"),
}
ACTION_LABELS: Mapping[Action, str] = {
    Action.CREATE: _n("create"),
    Action.UPDATE: _n("update"),
    Action.UNCHANGED: _n("nothing to change"),
}
STATUSES_IN: Mapping[Category, Status | None] = {
    Category.TODO: Status.PLANNED,
    Category.DOING: Status.DOING,
    Category.DONE: Status.DONE,
    Category.DECLINED: Status.DECLINED,
}
"""Which status of ours a ticket's category brings, where nothing else was chosen."""
STATUSES_OUT: Mapping[Status, Category] = {
    Status.NEW: Category.TODO,
    Status.PLANNED: Category.TODO,
    Status.DOING: Category.DOING,
    Status.DONE: Category.DONE,
    Status.DECLINED: Category.DECLINED,
}
_DECLINED = frozenset(
    (
        *(
            "rejected",
            "declined",
            "won't fix",
            "won't do",
            "wontfix",
            "not planned",
            "not_planned",
            "duplicate",
        ),
        *("cancelled", "canceled", "removed", "invalid", "obsolete", "can't reproduce", "cannot reproduce"),
        *("отклонён", "отклонено", "отклонена", "отменено", "не будет исправлено", "дубликат"),
    )
)


def closed_as(*names: str) -> Category:
    """Whether a closed ticket was done or turned down, by the names of its status and resolution."""
    return Category.DECLINED if any(name.casefold() in _DECLINED for name in names) else Category.DONE
