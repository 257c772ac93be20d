"""The API described: OpenAPI 3.1 for programs, a page for people. Both are open to everyone."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import flask_smorest
from flask import Blueprint, Flask, Response, current_app, json, redirect, render_template, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from gemba.api.blueprint import PREFIX, blueprint
from gemba.api.problems import MEDIA, PROBLEMS
from gemba.api.schemas.common import Problem
from gemba.web.access import public

docs = Blueprint("api_docs", __name__)

ABOUT = (
    "Everything the pages do, for scripts. A person's token can do what that person can; make one on your "
    "profile, or with `gemba token EMAIL --name NAME`. Send it as `Authorization: Bearer gemba_…`. "
    "Instants are in UTC. Lists take `limit` and `cursor` and answer `{items, next}`. A POST with an "
    "`Idempotency-Key` may be repeated safely."
)
STATUSES = {
    400: "What was sent cannot be read.",
    401: "No token, or one that is unknown or revoked.",
    403: "The token only reads, or the role does not allow this.",
    404: "Nothing here, or not yours to see.",
    409: "It cannot be done as things are now.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "Some fields need another look.",
    429: "Too many calls in a minute.",
}


@dataclass(frozen=True)
class Field:
    """A line of a table: a member of a document or a part of an address."""

    name: str
    kind: str
    needed: bool
    words: str


@dataclass(frozen=True)
class Call:
    """One call as the page shows it."""

    method: str
    path: str
    operation: dict[str, Any]
    asked: list[Field]
    answers: str

    @property
    def anchor(self) -> str:
        """Its name on the page."""
        return f"{self.method.lower()}{self.path.removeprefix(PREFIX)}".replace("/", "-").translate(_PLAIN)


_PLAIN = str.maketrans("", "", "{}")


class Api(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest's collection of what the OpenAPI document says; errors and the page are our own."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Refusals are answered by problems.py."""

    @cached_property
    def document(self) -> dict[str, Any]:
        """The OpenAPI document."""
        found = cast("dict[str, Any]", self.spec.to_dict())
        for name in ("Error", "PaginationMetadata"):
            found["components"]["schemas"].pop(name, None)
        for operation in _operations(found):
            for parameter in operation[2].get("parameters", []):
                parameter["schema"] = _in_address(parameter["schema"])
        return found


def _in_address(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a part of an address, where nothing is null."""
    plain = {name: value for name, value in schema.items() if (name, value) != ("default", None)}
    if isinstance(plain.get("type"), list):
        kinds = [kind for kind in plain["type"] if kind != "null"]
        plain["type"] = kinds[0] if len(kinds) == 1 else kinds
    if "enum" in plain:
        plain["enum"] = [word for word in plain["enum"] if word is not None]
    return plain


def _operations(spec: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and operation of every call."""
    for path, methods in spec["paths"].items():
        shared = methods.get("parameters", [])
        for method in ("get", "post", "put", "patch", "delete"):
            if method in methods:
                operation = methods[method]
                yield method.upper(), path, {**operation, "shared": shared} if shared else operation


def init_app(app: Flask) -> None:
    """Collects the documents of all calls and registers these with the app."""
    app.config.setdefault("OPENAPI_VERSION", "3.1.0")
    api = Api(
        app,
        spec_kwargs={
            "title": "Gemba",
            "version": "1",
            "info": {"description": ABOUT},
            "servers": [{"url": "/"}],
            "security": [{"token": []}],
        },
    )
    api.spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    api.spec.components.schema("Problem", schema=Problem)
    for status, words in STATUSES.items():
        content = {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        api.spec.components.response(f"Problem{status}", {"description": words, "content": content})
    api.register_blueprint(blueprint)
    app.register_blueprint(docs)


def document() -> dict[str, Any]:
    """The OpenAPI document of the running app."""
    api = current_app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    return cast(Api, api).document


@docs.get(f"{PREFIX}/openapi.json")
@public
def openapi() -> Response:
    """The OpenAPI document."""
    return Response(json.dumps(document(), ensure_ascii=False), content_type="application/json")


@docs.get("/api/docs")
@public
def page() -> str:
    """The same for people."""
    return render_template(
        "api/docs.html",
        groups=_groups(document()),
        shapes=_shapes(document()),
        problems=PROBLEMS,
        about=ABOUT,
    )


@docs.get("/problems/<code>")
@public
def meaning(code: str) -> BaseResponse:
    """What a problem's type leads to."""
    if code not in PROBLEMS:
        raise NotFound
    return redirect(url_for(".page", _anchor=f"problem-{code}"), 303)


@docs.get("/api")
@public
def api_root() -> BaseResponse:
    """The way to the page."""
    return redirect(url_for(".page"), 303)


def _groups(spec: dict[str, Any]) -> dict[str, list[Call]]:
    """The calls by what they are about."""
    groups: dict[str, list[Call]] = {}
    for method, path, operation in _operations(spec):
        asked = [
            Field(
                each["name"], _kind(each["schema"]), each.get("required", False), each.get("description", "")
            )
            for each in [*operation.get("shared", []), *operation.get("parameters", [])]
        ]
        body = _content(operation.get("requestBody", {}))
        if body:
            asked += _fields(_resolved(spec, body))
        success = next(answer for code, answer in operation["responses"].items() if code.startswith("2"))
        call = Call(method, path, operation, asked, _kind(_content(success)))
        groups.setdefault(operation["tags"][0], []).append(call)
    return groups


def _shapes(spec: dict[str, Any]) -> dict[str, list[Field]]:
    """The members of every shape that answers use."""
    schemas = spec["components"]["schemas"]
    asked = {_content(each[2].get("requestBody", {})).get("$ref") for each in _operations(spec)}
    return {
        name: _fields(schema)
        for name, schema in schemas.items()
        if f"#/components/schemas/{name}" not in asked or name in ("Availability", "Programme")
    }


def _content(part: dict[str, Any]) -> dict[str, Any]:
    """The schema of a body or an answer; the first where there are several media types."""
    return next((each["schema"] for each in part.get("content", {}).values()), {})


def _resolved(spec: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return cast("dict[str, Any]", spec["components"]["schemas"][name]) if name else schema


def _fields(schema: dict[str, Any]) -> list[Field]:
    needed = set(schema.get("required", ()))
    return [
        Field(name, _kind(each), name in needed, each.get("description", ""))
        for name, each in schema.get("properties", {}).items()
    ]


def _kind(schema: dict[str, Any]) -> str:
    """What sort of value: `string or null`, `list of Slot`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    kinds = schema.get("type", "any")
    words = kinds if isinstance(kinds, list) else [kinds]
    inner = f" of {_kind(schema['items'])}" if "items" in schema else ""
    enum = (
        f": {', '.join(str(each) for each in schema['enum'] if each is not None)}" if "enum" in schema else ""
    )
    return " or ".join(words).replace("array", "list") + inner + enum
