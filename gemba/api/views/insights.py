"""The backlog: list, read, change, merge, split, vote, take away."""

from typing import Any

from flask import Response

from gemba.api.bearer import caller as counted_caller
from gemba.api.blueprint import call
from gemba.api.lookups import caller, product_id, visible_programme
from gemba.api.paging import answer
from gemba.api.schemas import insights as shapes
from gemba.api.shapes import insight_detail, insight_documents, insight_url, own_status_document
from gemba.clock import now
from gemba.errors import Invalid
from gemba.insights import service
from gemba.insights.rules import filters
from gemba.insights.rules.export import FileFormat, render
from gemba.insights.service import statuses
from gemba.web.limits import limiter

SEARCHES = limiter.shared_limit("120 per minute", scope="api-search", key_func=counted_caller)
"""Searches and exports read the whole backlog."""
_REFUSED = {
    "owner": "Give a person's id, me or none.",
    "own_status": "Give the id of one of a programme's own statuses.",
}
FILES = " ".join(dict.fromkeys(each.content_type.partition(";")[0] for each in FileFormat))


@call("GET", "/insights", tag="Insights", query=shapes.InsightsQuery, answer=shapes.InsightPart)
@SEARCHES
def list_insights(query: dict[str, Any]) -> Any:
    """The backlog

    Everyone reads it. `status` and `kind` may be several, parted by commas; merged insights are left out.
    """
    page = service.list_insights(
        _filter(query), caller(), cursor=query["cursor"], limit=query["limit"], now=now()
    )
    return answer(insight_documents(page.items), page.next)


@call("GET", "/insights/export", tag="Insights", query=shapes.ExportQuery, media=FILES)
@SEARCHES
def export_insights(query: dict[str, Any]) -> Any:
    """The backlog as a file

    For people, or as the importer of a tracker takes it; exactly what the same filters list.
    """
    rows = service.export_rows(_filter(query), caller(), url_of=insight_url, now=now())
    chosen = FileFormat(query["format"])
    file = Response(render(chosen, rows), content_type=chosen.content_type)
    file.headers["Content-Disposition"] = f'attachment; filename="{chosen.filename(now().date())}"'
    return file


@call("GET", "/insights/<id:insight_id>", tag="Insights", answer=shapes.InsightDetail, problems=[404])
def show_insight(insight_id: int) -> Any:
    """One insight with its evidence"""
    return _detail(insight_id)


@call(
    "PATCH",
    "/insights/<id:insight_id>",
    tag="Insights",
    body=shapes.InsightChange,
    answer=shapes.InsightDetail,
    problems=[404, 409],
)
def change_insight(body: dict[str, Any], insight_id: int) -> Any:
    """Change an insight

    For owners and admins. With `version` it is refused where someone else changed it since.
    """
    plain = ("title", "body", "kind", "status", "minutes_lost", "workaround", "tool", "step", "due")
    changes: dict[str, object] = {name: body[name] for name in plain if name in body}
    if "own_status" in body:
        changes["own_status_id"] = body["own_status"]
    if "owner" in body:
        changes["owner_id"] = body["owner"]
    if "hurts" in body:
        changes["hurts"] = body["hurts"] or ""
    if "tags" in body:
        changes["tags"] = " ".join(tag.replace(" ", "-") for tag in body["tags"])
    if "product" in body:
        changes["product_id"] = product_id(body["product"])
    try:
        service.patch(
            insight_id, caller(), changes, version=body["version"], reason=body["reason"], now=now()
        )
    except Invalid as error:
        raise Invalid({name.removesuffix("_id"): said for name, said in error.errors.items()}) from error
    return _detail(insight_id)


@call(
    "POST",
    "/insights/<id:insight_id>/merge",
    tag="Insights",
    body=shapes.Merge,
    answer=shapes.InsightDetail,
    problems=[404, 409],
)
def merge_insight(body: dict[str, Any], insight_id: int) -> Any:
    """Merge an insight into another

    For owners and admins. Answers the one that speaks for both; `split` takes the merged one out again.
    """
    survivor = service.merge(insight_id, caller(), body["into"], now=now())
    return _detail(survivor.id)


@call(
    "POST",
    "/insights/<id:insight_id>/split",
    tag="Insights",
    body=shapes.Split,
    answer=shapes.InsightDetail,
    status=201,
    problems=[404, 409],
    located="/insights/{id}",
)
def split_insight(body: dict[str, Any], insight_id: int) -> Any:
    """Split an insight

    For owners and admins. With `observations` these become a new insight (201). Without, a merged insight
    is taken out of the one that spoke for it (200).
    """
    if not body["observations"]:
        return _detail(service.unmerge(insight_id, caller(), now=now()).id), 200
    new = service.split(insight_id, caller(), body["observations"], title=body["title"], now=now())
    return _detail(new.id)


@call(
    "POST",
    "/insights/<id:insight_id>/vote",
    tag="Insights",
    body=shapes.Vote,
    answer=shapes.InsightDetail,
    problems=[404],
)
def vote_insight(body: dict[str, Any], insight_id: int) -> Any:
    """Say “me too”

    Once for each person; `{"on": false}` takes it back. Answers the insight that speaks for this one.
    """
    return _detail(service.vote(insight_id, caller(), on=body["on"], now=now()).id)


@call(
    "GET",
    "/insights/<id:insight_id>/similar",
    tag="Insights",
    query=shapes.SimilarQuery,
    answer=shapes.SimilarPart,
    problems=[404],
)
@SEARCHES
def similar_insights(query: dict[str, Any], insight_id: int) -> Any:
    """Insights that say perhaps the same, best first"""
    found = service.similar(insight_id, caller(), limit=query["limit"], now=now())
    documents = insight_documents([each.item for each in found])
    rows = zip(documents, found, strict=True)
    return answer([{**document, "shared": each.shared} for document, each in rows], None)


@call("GET", "/programmes/<slug:slug>/statuses", tag="Insights", answer=shapes.OwnStatusPart, problems=[404])
def list_own_statuses(slug: str) -> Any:
    """A programme's own statuses

    In their order; all of them.
    """
    rows = statuses.of(visible_programme(slug).id)
    return answer([own_status_document(row) for row in rows], None)


def _detail(insight_id: int) -> dict[str, Any]:
    at = now()
    detail = service.get(insight_id, caller(), now=at)
    reach = service.reach_of(detail, caller(), now=at)
    return insight_detail(detail, reach, service.months_of(detail, "UTC", now=at))


def _filter(query: dict[str, Any]) -> filters.InsightFilter:
    product = query["product"]
    asked = {
        "q": query["q"],
        "status": query["status"],
        "kind": query["kind"],
        "order": query["order"] or "",
        "own_status": str(query["own_status"] or ""),
        "product": "" if product is None else str(product_id(product)),
        **{name: query[name] or "" for name in ("tag", "tool", "hurts", "due", "owner")},
        **{name: str(query[name] or "") for name in ("seen", "made")},
    }
    try:
        return filters.read(asked)
    except filters.BadFilter as bad:
        raise Invalid({bad.field: [_REFUSED[bad.field]]}) from bad
