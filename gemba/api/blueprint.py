"""How a call is declared: one decorator gives it its address, its checks, its transaction and its docs.

Every call belongs to the one blueprint here, before which `authenticate` stands: there is no way to add a
call that forgets it.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, NoReturn, cast

import flask_smorest
from flask import Request, Response, g, json, request
from marshmallow import Schema, ValidationError, missing
from sqlalchemy.exc import OperationalError
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, UnsupportedMediaType
from werkzeug.routing import BaseConverter, IntegerConverter

from gemba.api import service
from gemba.api.bearer import authenticate
from gemba.api.fields import ID_MAX, FileBody, OptionalBody, flat
from gemba.api.models import IdempotentAnswer
from gemba.clock import now
from gemba.config import current_settings
from gemba.db import db
from gemba.errors import Invalid

View = Callable[..., Any]
PREFIX = "/api/v1"
FILES: dict[str, dict[str, Any]] = {
    "text/calendar": {"schema": {"type": "string"}},
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "required": ["file"],
            "properties": {"file": {"type": "string"}, "name": {"type": "string"}},
        }
    },
}
"""How a file may come in place of a FileBody, by media type."""
TRIES = 3
_AGAIN = frozenset({"40001", "40P01"})  # serialization failure, deadlock


class IdConverter(IntegerConverter):
    """An id in an address; longer numbers are nobody's."""

    regex = "[0-9]{1,10}"

    def __init__(self, map: Any) -> None:  # noqa: A002 (werkzeug's name)
        super().__init__(map, min=1, max=ID_MAX)


class SlugConverter(BaseConverter):
    """A programme's slug in an address."""

    regex = "[a-z0-9-]{1,40}"


class Parser(FlaskParser):
    """Reads queries and JSON bodies strictly; what is wrong becomes a refusal of the house."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"json": "raise", "query": "raise"}

    def load_json(self, req: Request, schema: Schema) -> Any:
        """The body. Raises BadRequest for what is no JSON, UnsupportedMediaType for another type."""
        body = req.get_data(cache=True)
        if not body and isinstance(schema, OptionalBody):
            return missing
        if isinstance(schema, FileBody) and req.mimetype in schema.MEDIA:
            return missing
        if not req.is_json:
            raise UnsupportedMediaType
        try:
            return json.loads(body, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise BadRequest from error

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        """The query, each name once. Raises Invalid."""
        twice = {name: ["Give this only once."] for name in req.args if len(req.args.getlist(name)) > 1}
        if twice:
            raise Invalid(twice)
        return req.args.to_dict()

    def handle_error(self, error: ValidationError, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Raises Invalid with a sentence for each field."""
        # webargs puts them under where it looked: {"json": {…}}.
        messages = cast("dict[str, object]", error.messages)
        raise Invalid(flat(next(iter(messages.values())))) from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """flask-smorest's blueprint with our parser."""

    ARGUMENTS_PARSER = Parser()


blueprint = Blueprint("api", __name__, url_prefix=PREFIX)
blueprint.before_request(authenticate)

KEY_HEADER = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "Makes a repeat safe: for a day the same key and body get the first answer again.",
    "schema": {"type": "string", "maxLength": service.KEY_MAX},
}


def call(
    method: str,
    rule: str,
    *,
    tag: str,
    query: type[Schema] | None = None,
    body: type[Schema] | None = None,
    answer: type[Schema] | None = None,
    status: int = 200,
    media: str | None = None,
    problems: Sequence[int] = (),
    located: str = "",
    prepare: View | None = None,
) -> Callable[[View], View]:
    """Declares a call. The view takes the path's parts by name and the loaded query or body first.

    It returns the answer's document, or (document, status), or a Response; what it wrote is committed after
    it, unless it raised. `located` is the address of what was made, with {names} of the answer. `prepare` is
    called like the view before anything is written, for work that takes long; the view finds what it returned
    in `g.prepared`.
    """

    def declare(view: View) -> View:
        function = view if media else blueprint.response(status, answer)(view)
        if media:
            function = _documented_file(status, media)(function)
        function = _settled(function, located, prepare)
        if query is not None:
            function = blueprint.arguments(query(), location="query")(function)
        if body is not None:
            function = blueprint.arguments(body())(function)
        function = blueprint.doc(**_manual(method, query, body, located, problems))(function)
        blueprint.route(rule, methods=[method], tags=[tag])(function)
        return cast(View, function)

    return declare


def _documented_file(status: int, media: str) -> Callable[[View], View]:
    content = {kind: {"schema": {"type": "string"}} for kind in media.split()}
    return cast(
        "Callable[[View], View]",
        blueprint.doc(responses={status: {"description": "The file", "content": content}}),
    )


def _manual(
    method: str,
    query: type[Schema] | None,
    body: type[Schema] | None,
    located: str,
    problems: Sequence[int],
) -> dict[str, Any]:
    """The parts of an operation's document that its schemas do not say."""
    refused = {401, 429, *problems, *({422} if query is not None else ())}
    if body is not None:
        refused |= {400, 413, 415, 422}
    if method != "GET":
        refused |= {403}
    if method == "POST":
        refused |= {422}
    manual: dict[str, Any] = {
        "responses": {code: {"$ref": f"#/components/responses/Problem{code}"} for code in sorted(refused)}
    }
    if body is not None and issubclass(body, FileBody):
        manual["requestBody"] = {"content": {media: FILES[media] for media in body.MEDIA}}
    if located:
        manual["responses"][201] = {"headers": {"Location": {"schema": {"type": "string", "format": "uri"}}}}
    if method == "POST":
        manual["parameters"] = [KEY_HEADER]
    return manual


def _settled(view: View, located: str, prepare: View | None) -> View:
    """The view in its transaction: answered again where the key says so, else run, kept, committed."""

    @wraps(view)
    def run(*args: Any, **kwargs: Any) -> Response:
        if prepare is not None:
            g.prepared = prepare(*args, **kwargs)
        for attempt in range(1, TRIES + 1):
            try:
                return _once(view, located, args, kwargs)
            except OperationalError as error:
                if attempt == TRIES or getattr(error.orig, "sqlstate", None) not in _AGAIN:
                    raise
                db.session.rollback()
        raise AssertionError("the last try returns or raises")

    return run


def _once(view: View, located: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Response:
    claimed = None
    if request.method == "POST" and "Idempotency-Key" in request.headers:
        claimed, is_new = _claim(request.headers["Idempotency-Key"])
        if not is_new:
            first = Response(claimed.body, claimed.status, content_type="application/json")
            first.headers["Idempotent-Replayed"] = "true"
            return _with_location(first, located)
    response = cast(Response, view(*args, **kwargs))
    if claimed is not None:
        service.keep(claimed, response.status_code, response.get_data(as_text=True))
    if request.method not in ("GET", "HEAD"):
        db.session.commit()
    return _with_location(response, located)


def _claim(key: str) -> tuple[IdempotentAnswer, bool]:
    if not service.is_key(key):
        raise Invalid({"Idempotency-Key": [f"Give 1 to {service.KEY_MAX} printable ASCII characters."]})
    told = service.request_hash(request.method, request.path, request.get_data(cache=True))
    return service.claim(g.me.id, key, told, now())


def _with_location(response: Response, located: str) -> Response:
    if located and response.status_code == 201:
        path = located.format(**cast("dict[str, Any]", response.get_json()))
        response.headers["Location"] = f"{current_settings().base_url}{PREFIX}{path}"
    return response
