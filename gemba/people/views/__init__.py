"""Pages of people: sign-in, profile, and for admins people, lines and products."""

from flask import Flask

from gemba.people.views import admin, lines, mail_choices, oidc, profile, sign_in
from gemba.people.views.base import blueprint


def init_app(app: Flask) -> None:
    """Registers the pages, and the OpenID Connect provider where one is set."""
    app.register_blueprint(blueprint)
    mail_choices.init_app(app)
    oidc.init_app(app)


__all__ = ["admin", "init_app", "lines", "mail_choices", "oidc", "profile", "sign_in"]
