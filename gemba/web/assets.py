"""Addresses of static files that change with their content, so that browsers may keep them for ever."""

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, request, url_for
from werkzeug.wrappers import Response

STATIC = Path(__file__).parent / "static"


@lru_cache(maxsize=512)
def _fingerprint(name: str, _modified: int) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a static file with its fingerprint."""
    return url_for("static", filename=name, v=_fingerprint(name, (STATIC / name).stat().st_mtime_ns))


def init_app(app: Flask) -> None:
    """Offers asset() to templates and lets browsers keep fingerprinted files for a year."""
    app.jinja_env.globals["asset"] = asset

    @app.after_request
    def keep(response: Response) -> Response:
        if request.endpoint == "static" and response.status_code == 200:
            if (response.mimetype or "").startswith(("text/", "image/svg")):
                # A stream would not be compressed for those who only know gzip.
                response.direct_passthrough = False
                response.get_data()
            fingerprinted = "v" in request.args
            response.headers["Cache-Control"] = (
                "public, max-age=31536000, immutable" if fingerprinted else "public, max-age=300"
            )
        return response
