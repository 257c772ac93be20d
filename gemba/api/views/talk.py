"""Comments and links of insights."""

from typing import Any

from gemba.api.blueprint import call
from gemba.api.lookups import caller
from gemba.api.paging import answer, part, unseal
from gemba.api.schemas import talk as shapes
from gemba.api.shapes import insight_documents
from gemba.clock import now
from gemba.insights import service
from gemba.insights.errors import NoSuchTarget
from gemba.insights.models_backlog import InsightComment
from gemba.insights.rules.kinds import CommentKind, LinkKind
from gemba.insights.service import talk
from gemba.insights.service.talk import Linked


@call(
    "GET",
    "/insights/<id:insight_id>/comments",
    tag="Insights",
    query=shapes.CommentsQuery,
    answer=shapes.CommentPart,
    problems=[404],
)
def list_comments(query: dict[str, Any], insight_id: int) -> Any:
    """What is said about an insight

    Oldest first, with what was said about those merged into it. Notes are left out for whoever may not read
    them.
    """
    after = unseal(query["cursor"], 1)
    kind = CommentKind(query["kind"]) if query["kind"] else None
    rows = talk.comments(insight_id, caller(), kind, after=after[0] if after else 0, limit=query["limit"] + 1)
    shown, cursor = part(rows, query["limit"], lambda each: (each.id,))
    return answer([_comment(each) for each in shown], cursor)


@call(
    "POST",
    "/insights/<id:insight_id>/comments",
    tag="Insights",
    body=shapes.NewComment,
    answer=shapes.Comment,
    status=201,
    problems=[404],
)
def add_comment(body: dict[str, Any], insight_id: int) -> Any:
    """Say something about an insight

    Everyone comments; notes and asks are for some. `@` and the part of an address before its @
    mails that person.
    """
    return _comment(talk.say(insight_id, caller(), body["text"], CommentKind(body["kind"]), now=now()))


@call(
    "DELETE",
    "/insights/<id:insight_id>/comments/<id:comment_id>",
    tag="Insights",
    answer=shapes.Comment,
    problems=[404],
)
def take_comment_back(insight_id: int, comment_id: int) -> Any:
    """Take a comment back

    Your own; an admin's call takes back any. Its words are erased. Answers what it was.
    """
    said = _comment(talk.one_of(insight_id, caller(), comment_id))
    talk.take_back(comment_id, caller(), now=now())
    return said


@call("GET", "/insights/<id:insight_id>/links", tag="Insights", answer=shapes.LinkPart, problems=[404])
def list_links(insight_id: int) -> Any:
    """What an insight has to do with

    All of it, as far as you may read the other ones.
    """
    return answer(_links(insight_id), None)


@call(
    "POST",
    "/insights/<id:insight_id>/links",
    tag="Insights",
    body=shapes.NewLink,
    answer=shapes.Link,
    status=201,
    problems=[404, 409],
)
def add_link(body: dict[str, Any], insight_id: int) -> Any:
    """Link an insight with another

    For owners and admins. The same link again changes nothing.
    """
    other, how = body["other"], body["how"]
    if how == shapes.BLOCKED_BY:
        talk.links(insight_id, caller())
        talk.link(other, caller(), insight_id, LinkKind.BLOCKS, now=now())
    else:
        talk.link(insight_id, caller(), other, LinkKind(how), now=now())
    return next(each for each in _links(insight_id) if (each["other"]["id"], each["how"]) == (other, how))


@call(
    "DELETE",
    "/insights/<id:insight_id>/links/<id:other_id>",
    tag="Insights",
    answer=shapes.LinkPart,
    problems=[404, 409],
)
def remove_links(insight_id: int, other_id: int) -> Any:
    """Take the links with another insight away

    For owners and admins: all between the two, in both directions. Answers what they were.
    """
    try:
        gone = _documents(talk.unlink(insight_id, caller(), other_id))
    except NoSuchTarget as error:
        raise talk.LinkNotFound from error
    if not gone:
        raise talk.LinkNotFound
    return answer(gone, None)


def _links(insight_id: int) -> list[dict[str, Any]]:
    return _documents(talk.links(insight_id, caller()))


def _documents(found: list[Linked]) -> list[dict[str, Any]]:
    documents = insight_documents(service.with_numbers([each.insight for each in found], caller()))
    return [{"how": each.how, "other": document} for each, document in zip(found, documents, strict=True)]


def _comment(row: InsightComment) -> dict[str, Any]:
    return {
        "id": row.id,
        "insight": row.insight_id,
        "kind": str(row.kind),
        "text": row.text,
        "person": row.person_id,
        "name": row.person.name if row.person else "",
        "at": row.at,
    }
