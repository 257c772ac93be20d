"""The OpenAPI document says what the app does; the page shows it."""

import json
import re
from typing import Any

import html5lib
import pytest
from flask import Flask

from gemba.api.problems import PROBLEMS
from gemba.errors import GembaError
from tests.cast import Cast
from tests.conftest import Browser

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def spec(site: Flask) -> dict[str, Any]:
    """The document as anyone gets it."""
    answer = site.test_client().get("/api/v1/openapi.json")
    assert answer.content_type == "application/json"
    found: dict[str, Any] = json.loads(answer.data)
    return found


def _operations(spec: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in spec["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def test_every_call_is_in_the_document_and_the_other_way_round(site: Flask, spec: dict[str, Any]) -> None:
    rules = {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in site.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(method, path) for method, path, _ in _operations(spec)} == rules


def test_every_operation_says_what_it_does_and_answers(spec: dict[str, Any]) -> None:
    assert spec["openapi"].startswith("3.1")
    assert spec["security"] == [{"token": []}]
    for method, path, operation in _operations(spec):
        where = f"{method} {path}"
        assert operation["summary"], where
        assert not operation["summary"].endswith("."), where
        codes = set(operation["responses"])
        assert codes & {"200", "201", "202"}, where
        assert {"401", "429"} <= codes, where
        assert ("requestBody" in operation) == (method not in ("get", "delete")), where
        if "{" in path:
            assert "404" in codes, where
        if method == "post":
            assert "Idempotency-Key" in {each["name"] for each in operation["parameters"]}, where


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for inner in node.values() for found in _references(inner)]
    if isinstance(node, list):
        return [found for inner in node for found in _references(inner)]
    return []


def test_every_reference_leads_somewhere(spec: dict[str, Any]) -> None:
    references = set(_references(spec))
    assert references
    for reference in references:
        node = spec
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
    used = {reference.rpartition("/")[2] for reference in references if "/schemas/" in reference}
    assert set(spec["components"]["schemas"]) == used


def test_every_path_parameter_is_described(spec: dict[str, Any]) -> None:
    for method, path, operation in _operations(spec):
        shared = spec["paths"][path].get("parameters", [])
        named = {each["name"] for each in [*shared, *operation.get("parameters", [])] if each["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path)), f"{method} {path}"


def test_every_code_of_a_refusal_is_known() -> None:
    def kin(parent: type[GembaError]) -> list[type[GembaError]]:
        return [parent, *(each for child in parent.__subclasses__() for each in kin(child))]

    # People's own refusals belong to signing in, which the API does not do.
    asked = (
        "gemba.errors",
        "gemba.api",
        "gemba.programmes",
        "gemba.schedule",
        "gemba.visits",
        "gemba.insights",
        "gemba.calendars",
    )
    codes = {each.code for each in kin(GembaError) if each.__module__.startswith(asked)}
    assert codes <= set(PROBLEMS)


def test_the_page_is_for_everyone(site: Flask, browser: Browser, site_cast: Cast) -> None:
    for client in (browser.anonymous(), browser.as_(site_cast.vera.id), browser.as_(site_cast.anton.id)):
        answer = client.get("/api/docs")
        assert answer.status_code == 200
        assert answer.text.count("<h1") == 1
        assert "POST /api/v1/visits</code>" in answer.text.replace("<wbr>", "")
        assert "slot-taken" in answer.text
        assert not re.search(r"(?:src|href)=\"https?://(?!localhost)", answer.text)
        assert len(answer.data) < 300_000
        html5lib.HTMLParser(strict=True).parse(answer.text)
        ids = re.findall(r'\sid="([^"]+)"', answer.text)
        assert len(ids) == len(set(ids))


def test_types_of_problems_lead_to_the_page(site: Flask) -> None:
    client = site.test_client()
    answer = client.get("/problems/slot-taken")
    assert (answer.status_code, answer.location) == (303, "/api/docs#problem-slot-taken")
    assert client.get("/problems/nothing").status_code == 404
    assert client.get("/api").location == "/api/docs"
