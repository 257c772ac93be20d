"""What grows around the demo company's insights: own statuses, comments, asks of leads, files, links."""

from collections.abc import Mapping
from datetime import datetime

from gemba.demo.content import picture, read_talk
from gemba.demo.loading.company import DAY, Loaded
from gemba.insights import service as insights
from gemba.insights.models import Insight
from gemba.insights.rules.kinds import CommentKind, LinkKind
from gemba.insights.service import files, statuses, talk
from gemba.people.rules import Role


def load_talk(by_key: Mapping[str, Insight], programme_id: int, loaded: Loaded, now: datetime) -> None:
    """Everything by those it is written for, at the moments it would have been; nobody gets a mail."""
    told = read_talk()
    admin = next(person for person in loaded.people.values() if person.has(Role.ADMIN))
    rows = [
        statuses.add(programme_id, admin, one["en"], one["ru"], one["category"], now=now - DAY * 90)
        for one in told["statuses"]
    ]
    for key, number in told["own"].items():
        insight = by_key[key]
        changes: dict[str, object] = {"own_status_id": rows[number].id}
        insights.patch(insight.id, insight.owner or admin, changes, tell=False, now=now - DAY)
    for said in told["said"]:
        person, insight = loaded.people[said["person"]], by_key[said["insight"]]
        at = max(insight.created_at + DAY, now - DAY * said["days_ago"])
        talk.say(insight.id, person, said["text"], CommentKind(said["kind"]), now=min(at, now))
    for file in told["files"]:
        insight = by_key[file["insight"]]
        data = picture(file["picture"]) if "picture" in file else "\n".join(file["lines"]).encode()
        made = files.read(data, file["name"])
        files.add(insight.id, insight.owner or admin, made, file["name"], now=now - DAY * file["days_ago"])
    for link in told["links"]:
        one, other = by_key[link["from"]], by_key[link["to"]]
        talk.link(one.id, loaded.people[link["person"]], other.id, LinkKind(link["kind"]), now=now - DAY)
