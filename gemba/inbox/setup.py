"""Ties the inbox to the app: its pages, the signed way in, and what is tidied up once a day."""

from datetime import timedelta

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from gemba.inbox import hook, service, views
from gemba.outbox.ticks import every

PRUNE_EVERY = timedelta(days=1)


def init_app(app: Flask, csrf: CSRFProtect) -> None:
    """Registers pages and periodic work; the hook knows its callers by their signature alone."""
    app.register_blueprint(views.blueprint)
    app.register_blueprint(hook.blueprint)
    csrf.exempt(hook.blueprint)
    every("received-mail", PRUNE_EVERY, service.prune)
