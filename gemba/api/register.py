"""Puts the API into the app."""

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from gemba.api import docs, problems, views  # noqa: F401 (importing the views declares the calls)
from gemba.api.bearer import caller
from gemba.api.blueprint import IdConverter, SlugConverter, blueprint
from gemba.web.limits import limiter

CALLS = "1200 per minute"
"""What one token may ask; a burst of a few hundred is normal for a script."""

limiter.limit(CALLS, key_func=caller)(blueprint)


def init_app(app: Flask, csrf: CSRFProtect) -> None:
    """Registers calls, documents and refusals; called after the pages are in place."""
    app.url_map.converters.update(id=IdConverter, slug=SlugConverter)
    docs.init_app(app)
    problems.init_app(app)
    # A bearer token is sent on purpose, never by a browser on its own: nothing to forge.
    csrf.exempt(blueprint)
