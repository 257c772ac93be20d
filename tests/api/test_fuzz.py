"""Whatever is sent, nothing breaks: any JSON to any call is answered or refused, never a fault."""

import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gemba.db import db
from gemba.visits import service as visits
from gemba.visits.facts import Ask
from tests.api.conftest import THURSDAY, Caller, token_of
from tests.cast import Cast
from tests.conftest import StandingClock

WRITES = [
    ("POST", "/people"),
    ("PATCH", "/people/6"),
    ("PUT", "/agents/1/availability"),
    ("POST", "/agents/1/busy-sources"),
    ("POST", "/programmes"),
    ("PATCH", "/programmes/shadow"),
    ("POST", "/visits"),
    ("POST", "/visits/1/move"),
    ("POST", "/visits/1/cancel"),
    ("POST", "/visits/1/outcome"),
    ("POST", "/visits/1/observations"),
    ("PATCH", "/insights/1"),
    ("POST", "/insights/1/merge"),
    ("POST", "/insights/1/split"),
    ("POST", "/insights/1/vote"),
]
READS = ["/people", "/programmes", "/programmes/shadow/slots", "/programmes/shadow/slots/explain", "/visits"]
READS += ["/visits/1/observations", "/insights", "/insights/1/similar", "/insights/export"]
# Not JSON, but what Python's own reader might take for it.
odd = st.sampled_from([float("nan"), float("inf"), 2**53 + 1, -(2**63), 10**400, 1e308])
text = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["\x00", "\ud800", "2026-11-26T09:00:00Z", "shadow", "mon", "09:00", "Europe/Berlin", "x" * 5000]
    ),
)
value = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), text, odd),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(text, inner, max_size=4)),
    max_leaves=12,
)
many = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def world(app: Flask, cast: Cast, clock: StandingClock) -> list[Caller]:
    """An admin, a visitor and an agent, while the latter two sit in visit 1; on both databases."""
    visits.book(
        programme=cast.programme, visitor=cast.vera, start=THURSDAY, ask=Ask(cast.alice.id), now=clock()
    )
    tokens = [token_of(person.id, clock()) for person in (cast.adam, cast.vera, cast.alice)]
    db.session.remove()
    clock.at = THURSDAY + timedelta(minutes=10)
    return [Caller(app, token) for token in tokens]


def _fields(site: Flask) -> dict[tuple[str, str], list[str]]:
    spec = json.loads(site.test_client().get("/api/v1/openapi.json").data)
    found = {}
    for method, path in WRITES:
        template = "/api/v1" + path.replace("/6", "/{person_id}").replace("shadow", "{slug}")
        for name in ("agent", "visit", "insight"):
            template = template.replace(f"/{name}s/1", f"/{name}s/{{{name}_id}}")
        body = spec["paths"][template][method.lower()]["requestBody"]["content"]["application/json"]
        name = body["schema"]["$ref"].rpartition("/")[2]
        found[method, path] = list(spec["components"]["schemas"][name]["properties"])
    return found


def _send(caller: Caller, method: str, path: str, body: Any) -> None:
    data = json.dumps(body).encode("utf-8", "surrogatepass")
    answer = caller.call(method, path, data=data, content_type="application/json")
    assert answer.status_code < 500
    assert answer.is_json
    if answer.status_code >= 400:
        assert answer.content_type == "application/problem+json"
        assert "Traceback" not in answer.text


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_any_body(method: str, path: str, app: Flask, world: list[Caller]) -> None:
    names = _fields(app)[method, path]

    @many
    @given(st.data())
    def tried(data: st.DataObject) -> None:
        caller = data.draw(st.sampled_from(world))
        known = st.dictionaries(st.sampled_from(names), value, max_size=len(names))
        body = data.draw(st.one_of(known, known, known, value))
        _send(caller, method, path, body)

    tried()


@pytest.mark.parametrize("path", READS)
def test_any_query(path: str, world: list[Caller]) -> None:
    names = ["q", "role", "line", "active", "limit", "cursor", "from", "to", "agent", "product", "language"]
    names += ["start", "status", "kind", "order", "format", "x"]
    word = st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
        st.sampled_from(
            ["1", "0", "9" * 30, "2026-11-26", "2026-11-26T09:00:00Z", "open", "csv", "\x00", "²"]
        ),
    )

    @many
    @given(st.sampled_from(world), st.dictionaries(st.sampled_from(names), word, max_size=4))
    def tried(caller: Caller, query: dict[str, str]) -> None:
        answer = caller.call("GET", path, query_string=query)
        assert answer.status_code in (200, 404, 422)

    tried()
