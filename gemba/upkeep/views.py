"""/metrics, for whoever knows the token; not there at all where none is set."""

import hmac
import time

from flask import Blueprint, Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST

from gemba.clock import now
from gemba.config import current_settings
from gemba.upkeep import metrics, service
from gemba.web.access import public

blueprint = Blueprint("upkeep", __name__)


@blueprint.get("/metrics")
@public
def figures() -> Response:
    """Requests, outbox and visits in numbers (docs/deploy.md)."""
    if not _knows_the_token():
        answer = Response("The token is missing or wrong.\n", 401, content_type="text/plain; charset=utf-8")
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    return Response(metrics.text(service.figures(now())), content_type=CONTENT_TYPE_LATEST)


def _knows_the_token() -> bool:
    given = request.authorization
    if given is None or given.type != "bearer" or given.token is None:
        return False
    return hmac.compare_digest(given.token.encode(), (current_settings().metrics_token or "").encode())


def init_app(app: Flask) -> None:
    """Counts requests and offers the figures, where a token is set."""
    if app.extensions["gemba_settings"].metrics_token is None:
        return

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        seconds = time.perf_counter() - g.get("began", time.perf_counter())
        metrics.count(request.endpoint, request.method, response.status_code, seconds)
        return response

    app.register_blueprint(blueprint)
