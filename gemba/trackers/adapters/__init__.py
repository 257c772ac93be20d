"""One thin adapter per tracker; `connect` gives the one of a kind. docs/trackers.md tells how to add one."""

from collections.abc import Mapping

from gemba.trackers.adapters.azure import AzureBoards
from gemba.trackers.adapters.base import Tracker
from gemba.trackers.adapters.gitea import Gitea
from gemba.trackers.adapters.github import GitHub
from gemba.trackers.adapters.gitlab import GitLab
from gemba.trackers.adapters.jira import Jira, JiraDataCenter
from gemba.trackers.adapters.linear import Linear
from gemba.trackers.adapters.redmine import Redmine
from gemba.trackers.adapters.wire import Wire
from gemba.trackers.adapters.yandex import YandexTracker
from gemba.trackers.adapters.youtrack import YouTrack
from gemba.trackers.rules.kinds import TrackerKind

ADAPTERS: Mapping[TrackerKind, type[Tracker]] = {
    adapter.kind: adapter
    for adapter in (
        Jira,
        JiraDataCenter,
        GitHub,
        GitLab,
        YandexTracker,
        YouTrack,
        Linear,
        Redmine,
        AzureBoards,
        Gitea,
    )
}


def connect(
    kind: TrackerKind,
    base_url: str,
    project: str,
    item_type: str,
    credentials: Mapping[str, str],
    *,
    allowed: tuple[str, ...] = (),
    seconds: float | None = None,
) -> Tracker:
    """A connection to a project; nothing is sent yet. `allowed` are private networks that may be reached."""
    adapter = ADAPTERS[kind]
    wire = Wire(base_url, adapter.headers(credentials), allowed, seconds)
    return adapter(wire, project, item_type)


__all__ = ["ADAPTERS", "Tracker", "connect"]
