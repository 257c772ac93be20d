"""The API described: OpenAPI 3.1 for programs, a page for people. Both are open to everyone."""

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
    "profile, or with `gemba token EMAIL --name NAME`. Send it as `Authorization: Bearer gemba_…`. Instants are "
    "in UTC. Lists take `limit` and `cursor` and answer `{items, next}`. A POST with an `Idempotency-Key` may "
    "be repeated safely."
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


class Api(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest's collection of what the OpenAPI document says; errors and the page are our own."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Refusals are answered by problems.py."""

    @cached_property
    def document(self) -> dict[str, Any]:
        """The OpenAPI document."""
        return cast("dict[str, Any]", self.spec.to_dict())


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
    return render_template("api/docs.html", spec=document(), groups=_groups(), problems=PROBLEMS, about=ABOUT)


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
