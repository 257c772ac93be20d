"""Addresses of static files that change with their content, so that browsers may keep them for ever.

A script's address has a folder made of the content of all scripts: what it imports by a relative address is
then asked for in the same folder, so that scripts of two versions never meet.
"""

import hashlib
import re
import time
from functools import lru_cache
from pathlib import Path

from flask import Flask, current_app, has_request_context, request, url_for
from werkzeug.wrappers import Response

STATIC = Path(__file__).parent / "static"
SCRIPTS = "js/"
VERSIONED = re.compile(r"of-([0-9a-f]{12})/(?=js/)")
KEPT = "public, max-age=31536000, immutable"
NOT_KEPT = "public, max-age=300"
LOOK_EVERY = 1.0
"""Seconds for which pages name files as they were: looking at all of them costs more than a small page."""


@lru_cache(maxsize=512)
def _hash_of(names: tuple[str, ...], _modified: tuple[int, ...]) -> str:
    together = hashlib.sha256()
    for name in names:
        together.update(hashlib.sha256((STATIC / name).read_bytes()).digest())
    return together.hexdigest()[:12]


def _fingerprint(*names: str) -> str:
    return _hash_of(names, tuple((STATIC / name).stat().st_mtime_ns for name in names))


def _version() -> str:
    """The fingerprint of all scripts together."""
    return _fingerprint(
        *sorted(path.relative_to(STATIC).as_posix() for path in (STATIC / SCRIPTS).rglob("*.js"))
    )


class _Addresses(dict[tuple[str, str], str]):
    """Addresses by where the site is mounted and name, as they were looked up after `since`."""

    def __init__(self, since: float) -> None:
        super().__init__()
        self.since = since


_known = _Addresses(0.0)


def asset(name: str) -> str:
    """The address of a static file with its fingerprint, at most LOOK_EVERY old."""
    global _known
    now, key = time.monotonic(), (request.script_root if has_request_context() else "-", name)
    if now - _known.since > LOOK_EVERY:
        _known = _Addresses(now)
    known = _known  # another thread may start anew
    if key not in known:
        known[key] = _address(name)
    return known[key]


def _address(name: str) -> str:
    if name.startswith(SCRIPTS):
        return url_for("static", filename=f"of-{_version()}/{name}")
    return url_for("static", filename=name, v=_fingerprint(name))


def _send(filename: str) -> Response:
    """A static file; a script of an older version is the script as it is now."""
    return current_app.send_static_file(VERSIONED.sub("", filename, count=1))


def _is_as_named(filename: str) -> bool:
    """Whether the address names the content that was sent: a page from before an update may name another."""
    if folder := VERSIONED.match(filename):
        return folder[1] == _version()
    return request.args.get("v") == _fingerprint(filename)


def init_app(app: Flask) -> None:
    """Offers asset() to templates and lets browsers keep fingerprinted files for a year."""
    app.jinja_env.globals["asset"] = asset
    app.view_functions["static"] = _send

    @app.after_request
    def keep(response: Response) -> Response:
        if request.endpoint == "static" and response.status_code == 200:
            if (response.mimetype or "").startswith(("text/", "image/svg")):
                # A stream would not be compressed for those who only know gzip.
                response.direct_passthrough = False
                response.get_data()
            filename = (request.view_args or {})["filename"]
            response.headers["Cache-Control"] = KEPT if _is_as_named(filename) else NOT_KEPT
        return response
