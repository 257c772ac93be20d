"""The backlog by the API."""

import io
import json
import uuid
from typing import Any

import pytest
from flask import Flask

from gemba.db import db
from gemba.insights.rules.export import FileFormat
from gemba.insights.service import statuses
from tests.api.conftest import Caller, Callers, problem_of
from tests.cast import Cast


def _note(caller: Caller, visit_id: int, text: str, **more: Any) -> int:
    body = {"client_id": str(uuid.uuid4()), "text": text, "kind": "tool-pain", **more}
    made: dict[str, int] = caller.post(f"/visits/{visit_id}/observations", body).get_json()
    return made["insight"]


@pytest.fixture
def backlog(as_: Callers, sitting: int) -> list[int]:
    """Three insights: two about the order search, one about refunds (Checkout)."""
    vera = as_("vera")
    return [
        _note(vera, sitting, "The order search needs three systems", severity=4),
        _note(vera, sitting, "The order search is slow in three systems", severity=2),
        _note(
            vera,
            sitting,
            "=Refund rules changed and nobody told us",
            kind="nobody-told-us",
            product="Checkout",
        ),
    ]


def test_everyone_reads_the_backlog(as_: Callers, backlog: list[int]) -> None:
    items = as_("eve").get("/insights").get_json()["items"]
    assert {item["id"] for item in items} == set(backlog)
    first = next(item for item in items if item["id"] == backlog[0])
    assert {
        "title": "The order search needs three systems",
        "kind": "tool-pain",
        "status": "new",
        "product": None,
        "evidence": 1,
        "visits": 1,
        "agents": 1,
        "votes": 0,
        "voted": False,
        "severity": 4.0,
        "tickets": [],
        "url": f"http://localhost/insights/{backlog[0]}",
    }.items() <= first.items()
    assert 0 < first["score"] <= 100


def test_evidence_names_the_line_and_not_the_agent(as_: Callers, backlog: list[int]) -> None:
    answer = as_("eve").get(f"/insights/{backlog[0]}")
    (seen,) = answer.get_json()["observations"]
    assert seen["line"] == "Checkout line"
    assert answer.get_json()["reach"] == {
        "visits": 1,
        "among": 1,
        "ground": "line",
        "name": "Checkout line",
        "agents": 1,
        "lines": 1,
    }
    months = answer.get_json()["months"]
    assert (len(months), months[-1]) == (12, {"month": "2026-11", "visits": 1})
    assert "Alice" not in answer.text


def test_filters_of_the_backlog(as_: Callers, backlog: list[int], site_cast: Cast) -> None:
    def found(**query: object) -> list[int]:
        return [item["id"] for item in as_("eve").get("/insights", **query).get_json()["items"]]

    assert set(found(q="order")) == set(backlog[:2])
    assert found(kind="nobody-told-us,works-well") == [backlog[2]]
    assert found(product="checkout") == found(product=site_cast.checkout.id) == [backlog[2]]
    assert found(status="done,declined") == []
    assert set(found(status="open", order="recent")) == set(backlog)
    assert found(q="zzz") == []


def test_the_backlog_in_parts(as_: Callers, backlog: list[int]) -> None:
    first = as_("eve").get("/insights", limit=2, status="new").get_json()
    rest = as_("eve").get(first["next"].removeprefix("http://localhost")).get_json()
    assert {item["id"] for item in first["items"] + rest["items"]} == set(backlog)
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("q", "x" * 201),
        ("status", "closed"),
        ("status", "new,closed"),
        ("kind", "pain"),
        ("product", "Nothing"),
        ("product", "²"),
        ("product", "9" * 30),
        ("order", "random"),
        ("limit", "1000"),
        ("cursor", "\x00"),
    ],
)
def test_bad_filters_of_the_backlog(field: str, value: str, as_: Callers) -> None:
    problem = problem_of(as_("eve").get("/insights", **{field: value}), 422, "invalid")
    assert list(problem["errors"]) == [field]
    if field in ("q", "status", "kind", "product", "order"):
        assert list(
            problem_of(as_("eve").get("/insights/export", **{field: value}), 422, "invalid")["errors"]
        ) == [field]


@pytest.mark.parametrize("name", ["olga", "adam"])
def test_owners_and_admins_change(name: str, as_: Callers, backlog: list[int], site_cast: Cast) -> None:
    body = {
        "title": "Order search",
        "body": "All of it.\n",
        "status": "planned",
        "product": "Courier app",
        "owner": site_cast.olga.id,
        "kind": "process-pain",
    }
    changed = as_(name).patch(f"/insights/{backlog[0]}", body)
    assert changed.status_code == 200
    assert {**body, "body": "All of it."}.items() <= changed.get_json().items()
    bare = as_(name).patch(f"/insights/{backlog[0]}", {"product": None, "owner": None}).get_json()
    assert (bare["product"], bare["owner"], bare["title"]) == (None, None, "Order search")


def test_a_stale_version_is_refused(as_: Callers, backlog: list[int]) -> None:
    olga, path = as_("olga"), f"/insights/{backlog[0]}"
    version = olga.get(path).get_json()["version"]
    assert olga.patch(path, {"title": "One", "version": version}).status_code == 200
    problem_of(olga.patch(path, {"title": "Two", "version": version}), 409, "stale")


@pytest.mark.parametrize("name", ["vera", "alice", "lev"])
def test_others_do_not_change(name: str, as_: Callers, backlog: list[int]) -> None:
    caller, path = as_(name), f"/insights/{backlog[0]}"
    problem_of(caller.patch(path, {"title": "X"}), 403, "forbidden")
    problem_of(caller.post(f"{path}/merge", {"into": backlog[1]}), 403, "forbidden")
    problem_of(caller.post(f"{path}/split", {"observations": [1]}), 403, "forbidden")
    problem_of(caller.post(f"{path}/split"), 403, "forbidden")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "x" * 201),
        ("title", None),
        ("title", 5),
        ("body", "x" * 10_001),
        ("kind", "pain"),
        ("status", "closed"),
        ("product", "Nothing"),
        ("product", 2**60),
        ("owner", "olga"),
        ("owner", 999),
        ("reason", "x" * 501),
        ("version", "1"),
        ("votes", 5),
        ("score", 100),
    ],
)
def test_bad_changes(field: str, value: object, as_: Callers, backlog: list[int]) -> None:
    path = f"/insights/{backlog[0]}"
    before = as_("olga").get(path).get_json()
    errors = problem_of(as_("olga").patch(path, {field: value}), 422, "invalid")["errors"]
    assert list(errors) == [field]
    assert as_("olga").get(path).get_json() == before


def test_declining_needs_a_reason(as_: Callers, backlog: list[int]) -> None:
    path = f"/insights/{backlog[0]}"
    assert list(problem_of(as_("olga").patch(path, {"status": "declined"}), 422, "invalid")["errors"]) == [
        "reason"
    ]
    assert as_("olga").patch(path, {"status": "declined", "reason": "No."}).get_json()["status"] == "declined"


def test_own_statuses(as_: Callers, backlog: list[int], site: Flask, site_cast: Cast) -> None:
    with site.app_context():
        adam, programme, now = site_cast.adam, site_cast.programme.id, site_cast.programme.created_at
        own = statuses.add(programme, adam, "In beta", "В бете", "doing", now=now).id
        db.session.commit()
    told = {"id": own, "name": "In beta", "name_ru": "В бете", "category": "doing"}
    olga, eve, path = as_("olga"), as_("eve"), f"/insights/{backlog[0]}"
    assert eve.get("/programmes/shadow/statuses").get_json() == {"items": [told], "next": None}
    problem_of(eve.get("/programmes/none/statuses"), 404, "not-found")
    changed = olga.patch(path, {"own_status": own}).get_json()
    assert (changed["status"], changed["own_status"]) == ("doing", told)
    assert [item["id"] for item in eve.get("/insights", own_status=own).get_json()["items"]] == backlog[:1]
    assert eve.get("/insights", own_status=own + 1).get_json()["items"] == []
    assert "In beta" in eve.get("/insights/export", own_status=own, format="csv").text
    for bad in (999, "x", 2**31 - 1):
        errors = problem_of(olga.patch(path, {"own_status": bad}), 422, "invalid")["errors"]
        assert list(errors) == ["own_status"]
    for bad in ("x", 2**31 - 1):
        assert list(problem_of(eve.get("/insights", own_status=bad), 422, "invalid")["errors"]) == [
            "own_status"
        ]
    assert olga.patch(path, {"status": "doing"}).get_json()["own_status"] is None


def test_merge_and_take_out_again(as_: Callers, backlog: list[int]) -> None:
    olga = as_("olga")
    one, two, _three = backlog
    merged = olga.post(f"/insights/{one}/merge", {"into": two}).get_json()
    assert (merged["id"], merged["merged"], merged["evidence"]) == (two, [one], 2)
    assert olga.get(f"/insights/{one}").get_json()["merged_into"] == two
    problem_of(olga.post(f"/insights/{one}/merge", {"into": two}), 409, "already-merged")
    problem_of(olga.post(f"/insights/{two}/merge", {"into": one}), 409, "merge-circle")
    assert list(problem_of(olga.post(f"/insights/{two}/merge", {"into": 999}), 422, "invalid")["errors"]) == [
        "into"
    ]
    for bad in ({}, {"into": "x"}, {"into": None}, {"into": 2**40}):
        assert list(problem_of(olga.post(f"/insights/{two}/merge", bad), 422, "invalid")["errors"]) == [
            "into"
        ]
    alone = olga.post(f"/insights/{one}/split")
    assert (alone.status_code, alone.get_json()["merged_into"]) == (200, None)
    problem_of(olga.post(f"/insights/{one}/split", {}), 409, "not-merged")


def test_split_some_evidence(as_: Callers, backlog: list[int]) -> None:
    olga = as_("olga")
    one, two, _three = backlog
    olga.post(f"/insights/{one}/merge", {"into": two})
    notes = [note["id"] for note in olga.get(f"/insights/{two}").get_json()["observations"]]
    problem_of(olga.post(f"/insights/{two}/split", {"observations": notes}), 409, "nothing-to-split")
    answer = olga.post(f"/insights/{two}/split", {"observations": notes[:1], "title": "Apart"})
    assert answer.status_code == 201
    new = answer.get_json()
    assert (new["title"], new["evidence"]) == ("Apart", 1)
    assert answer.headers["Location"] == f"http://localhost/api/v1/insights/{new['id']}"
    for field, bad in (
        ("observations", "1"),
        ("observations", ["x"]),
        ("observations", [1] * 1001),
        ("title", "x" * 201),
    ):
        errors = problem_of(olga.post(f"/insights/{two}/split", {field: bad}), 422, "invalid")["errors"]
        assert {path.partition(".")[0] for path in errors} == {field}


def test_votes(as_: Callers, backlog: list[int]) -> None:
    path = f"/insights/{backlog[0]}/vote"
    assert as_("eve").post(path).get_json()["votes"] == 1
    twice = as_("eve").post(path, {}).get_json()
    assert (twice["votes"], twice["voted"]) == (1, True)
    assert as_("vera").post(path, {"on": True}).get_json()["votes"] == 2
    assert as_("eve").post(path, {"on": False}).get_json()["votes"] == 1
    assert list(problem_of(as_("eve").post(path, {"on": "no"}), 422, "invalid")["errors"]) == ["on"]


def test_similar(as_: Callers, backlog: list[int]) -> None:
    answer = as_("eve").get(f"/insights/{backlog[0]}/similar").get_json()
    assert [item["id"] for item in answer["items"]] == [backlog[1]]
    assert answer["items"][0]["shared"]
    assert answer["next"] is None
    problem_of(as_("eve").get(f"/insights/{backlog[0]}/similar", limit=21), 422, "invalid")


def test_insights_that_are_not_there(as_: Callers) -> None:
    olga = as_("olga")
    for answer in (
        olga.get("/insights/999"),
        olga.get("/insights/999/similar"),
        olga.patch("/insights/999", {"title": "X"}),
        olga.post("/insights/999/merge", {"into": 1}),
        olga.post("/insights/999/split"),
        olga.post("/insights/999/vote"),
    ):
        problem_of(answer, 404, "not-found")


@pytest.mark.parametrize("kind", list(FileFormat))
def test_exports(kind: FileFormat, as_: Callers, backlog: list[int]) -> None:
    answer = as_("eve").get("/insights/export", format=kind)
    assert answer.status_code == 200
    assert answer.content_type == kind.content_type
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "order search" in answer.text
    assert "\n=Refund" not in answer.text
    assert ",=Refund" not in answer.text
    assert "Alice" not in answer.text


def test_an_export_holds_what_its_filters_list(as_: Callers, backlog: list[int]) -> None:
    answer = as_("eve").get("/insights/export", format="json", q="order")
    assert answer.text.count('"title"') == 2
    assert json.loads(answer.text)


def test_a_bad_format_names_the_good_ones(as_: Callers) -> None:
    errors = problem_of(as_("eve").get("/insights/export", format="xls"), 422, "invalid")["errors"]
    assert errors["format"][0].startswith("Choose one of csv, json, markdown, jira-csv")


def test_the_backlog_costs_the_same_for_few_and_for_many(
    as_: Callers, backlog: list[int], statements: list[str], site: Flask
) -> None:
    eve = as_("eve")
    eve.get("/insights")
    costs = []
    for limit in (1, 3):
        statements.clear()
        eve.get("/insights", limit=limit)
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 10


def test_comments(as_: Callers, backlog: list[int]) -> None:
    path = f"/insights/{backlog[0]}/comments"
    olga, lev, eve = as_("olga"), as_("lev"), as_("eve")
    said = eve.post(path, {"text": "Mine too"})
    assert said.status_code == 201
    assert {"kind": "comment", "text": "Mine too", "insight": backlog[0]}.items() <= said.get_json().items()
    assert olga.post(path, {"text": "Not for everyone", "kind": "note"}).status_code == 201
    assert lev.post(path, {"text": "One search", "kind": "ask"}).status_code == 201
    for caller, kind in ((eve, "note"), (eve, "ask"), (olga, "ask")):
        problem_of(caller.post(path, {"text": "x", "kind": kind}), 403, "forbidden")

    def read(caller: Caller, **query: object) -> list[str]:
        return [each["kind"] for each in caller.get(path, **query).get_json()["items"]]

    assert read(eve) == ["comment", "ask"]
    assert read(olga) == ["comment", "note", "ask"]
    assert read(olga, kind="note") == ["note"]
    assert read(eve, kind="note") == []
    first = eve.get(path, limit=1).get_json()
    rest = eve.get(first["next"].removeprefix("http://localhost")).get_json()
    assert [each["kind"] for each in first["items"] + rest["items"]] == ["comment", "ask"]
    for field, bad in (("text", ""), ("text", "x" * 4001), ("kind", "shout"), ("by", 1)):
        body = {"text": "x", field: bad}
        assert list(problem_of(eve.post(path, body), 422, "invalid")["errors"]) == [field]
    olga.post(f"/insights/{backlog[0]}/merge", {"into": backlog[1]})
    assert len(eve.get(f"/insights/{backlog[1]}/comments").get_json()["items"]) == 2
    problem_of(eve.get("/insights/999/comments"), 404, "not-found")
    problem_of(eve.post("/insights/999/comments", {"text": "x"}), 404, "not-found")
    problem_of(as_("eve", "read").post(path, {"text": "x"}), 403, "forbidden")
    problem_of(as_(None).get(path), 401, "unauthorized")


def test_comments_are_taken_back_by_whoever_said_them_and_by_admins(as_: Callers, backlog: list[int]) -> None:
    one, two, three = backlog
    olga, eve, adam = as_("olga"), as_("eve"), as_("adam")
    said = [eve.post(f"/insights/{one}/comments", {"text": f"Mine {at}"}).get_json() for at in range(2)]
    note = olga.post(f"/insights/{one}/comments", {"text": "Inside", "kind": "note"}).get_json()
    mine, other = (f"/insights/{one}/comments/{each['id']}" for each in said)
    for caller, path in (
        (olga, mine),
        (eve, f"/insights/{one}/comments/{note['id']}"),
        (eve, f"/insights/{three}/comments/{said[0]['id']}"),
        (eve, f"/insights/999/comments/{said[0]['id']}"),
        (eve, f"/insights/{one}/comments/999"),
    ):
        problem_of(caller.delete(path), 404, "not-found")
    problem_of(as_("eve", "read").delete(mine), 403, "forbidden")
    problem_of(as_(None).delete(mine), 401, "unauthorized")
    problem_of(eve.patch(mine, {}), 405, "method-not-allowed")
    gone = eve.delete(mine)
    assert (gone.status_code, gone.get_json()) == (200, said[0])
    problem_of(eve.delete(mine), 404, "not-found")
    olga.post(f"/insights/{one}/merge", {"into": two})
    assert adam.delete(other.replace(f"/{one}/", f"/{two}/")).get_json()["text"] == "Mine 1"
    assert eve.get(f"/insights/{two}/comments").get_json()["items"] == []


def test_links_are_taken_away(as_: Callers, backlog: list[int]) -> None:
    one, two, three = backlog
    olga, eve = as_("olga"), as_("eve")
    for here, how in ((one, "blocks"), (one, "related"), (two, "related")):
        olga.post(f"/insights/{here}/links", {"other": one + two - here, "how": how})
    olga.post(f"/insights/{one}/links", {"other": three})
    path = f"/insights/{one}/links/{two}"
    problem_of(eve.delete(path), 403, "forbidden")
    problem_of(as_("olga", "read").delete(path), 403, "forbidden")
    problem_of(as_(None).delete(path), 401, "unauthorized")
    problem_of(olga.delete(f"/insights/{one}/links/{one}"), 409, "merge-circle")
    for missing in (f"/insights/{one}/links/999", f"/insights/999/links/{one}"):
        problem_of(olga.delete(missing), 404, "not-found")
    gone = olga.delete(f"/insights/{two}/links/{one}").get_json()["items"]
    assert {each["how"] for each in gone} == {"blocked-by", "related"}
    assert {each["other"]["id"] for each in gone} == {one}
    problem_of(olga.delete(path), 404, "not-found")
    assert [each["other"]["id"] for each in eve.get(f"/insights/{one}/links").get_json()["items"]] == [three]


def test_links(as_: Callers, backlog: list[int]) -> None:
    one, two, three = backlog
    olga, eve = as_("olga"), as_("eve")
    made = olga.post(f"/insights/{one}/links", {"other": two, "how": "blocked-by"})
    assert (made.status_code, made.get_json()["how"], made.get_json()["other"]["id"]) == (
        201,
        "blocked-by",
        two,
    )
    for here, there in ((one, three), (one, three), (three, one)):
        assert olga.post(f"/insights/{here}/links", {"other": there}).get_json()["how"] == "related"

    def read(insight: int) -> set[tuple[str, int]]:
        items = eve.get(f"/insights/{insight}/links").get_json()["items"]
        found = [(each["how"], each["other"]["id"]) for each in items]
        assert len(found) == len(set(found))
        return set(found)

    assert read(one) == {("blocked-by", two), ("related", three)}
    assert read(two) == {("blocks", one)}
    problem_of(eve.post(f"/insights/{one}/links", {"other": two}), 403, "forbidden")
    problem_of(olga.post(f"/insights/{one}/links", {"other": one}), 409, "merge-circle")
    for body, field in (
        ({}, "other"),
        ({"other": "x"}, "other"),
        ({"other": 999}, "other"),
        ({"other": two, "how": "likes"}, "how"),
    ):
        assert list(problem_of(olga.post(f"/insights/{one}/links", body), 422, "invalid")["errors"]) == [
            field
        ]
    for how in ("related", "blocked-by"):
        problem_of(olga.post("/insights/999/links", {"other": one, "how": how}), 404, "not-found")
    problem_of(eve.get("/insights/999/links"), 404, "not-found")


def test_files(as_: Callers, backlog: list[int]) -> None:
    one, two, _three = backlog
    olga, eve = as_("olga"), as_("eve")
    path = f"/insights/{one}/files"

    def send(caller: Caller, data: bytes = b"a;b\n1;2\n", name: str = "часы.csv", called: str = "") -> Any:
        form = {"file": (io.BytesIO(data), name), "name": called}
        return caller.call("POST", path, data=form, content_type="multipart/form-data")

    made = send(olga)
    told = made.get_json()
    assert (made.status_code, told["name"], told["media"], told["size"], told["width"]) == (
        201,
        "часы.csv",
        "text/csv; charset=utf-8",
        8,
        None,
    )
    assert send(olga, name="a.csv", called="Hours").get_json()["name"] == "Hours.csv"
    assert send(olga, b"x" * (3 * 1024 * 1024), "long.txt").status_code == 201
    assert [each["id"] for each in eve.get(path).get_json()["items"]] == [1, 2, 3]
    read = eve.get(f"{path}/1")
    assert (read.data, read.content_type) == (b"a;b\n1;2\n", "text/csv; charset=utf-8")
    assert read.headers["Content-Disposition"] == 'attachment; filename="file-1.csv"'
    for data, name in ((b"<html>", "a.html"), (b"", "a.txt"), (b"=1+1", "a.csv")):
        assert list(problem_of(send(olga, data, name), 422, "invalid")["errors"]) == ["file"]
    problem_of(send(olga, b"x" * (11 * 1024 * 1024), "a.txt"), 413, "too-large")
    assert list(problem_of(olga.post(path, {}), 422, "invalid")["errors"]) == ["file"]
    problem_of(
        olga.call("POST", path, data=b"BEGIN", content_type="text/calendar"), 415, "unsupported-media-type"
    )
    problem_of(send(eve), 403, "forbidden")
    problem_of(send(as_("olga", "read")), 403, "forbidden")
    problem_of(eve.get(f"{path}/99"), 404, "not-found")
    problem_of(eve.get(f"/insights/{two}/files/1"), 404, "not-found")
    problem_of(eve.get("/insights/999/files"), 404, "not-found")
    problem_of(eve.delete(f"{path}/1"), 403, "forbidden")
    problem_of(olga.delete(f"{path}/99"), 404, "not-found")
    assert olga.delete(f"{path}/1").get_json() == told
    problem_of(olga.delete(f"{path}/1"), 404, "not-found")
    problem_of(eve.get(f"{path}/1"), 404, "not-found")
    olga.post(f"/insights/{one}/merge", {"into": two})
    assert [each["insight"] for each in eve.get(f"/insights/{two}/files").get_json()["items"]] == [one, one]
    assert eve.get(f"/insights/{two}/files/2").status_code == 200
