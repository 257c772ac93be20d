"""create_app: the only file that knows every domain."""

import logging
from typing import Any

import structlog
from flask import Flask, g, request, session
from flask_babel import Babel, get_locale
from flask_compress import Compress
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect, generate_csrf
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter

from gemba.api import models as api_models  # noqa: F401
from gemba.api import register as api
from gemba.calendars import errand as calendars_errand
from gemba.calendars import views as calendars_views
from gemba.clock import Clock, system_clock
from gemba.config import ROOT, Settings, load_settings
from gemba.db import db, open_database
from gemba.demo import views as demo_views
from gemba.home import views as home_views
from gemba.inbox import models as inbox_models  # noqa: F401
from gemba.inbox import setup as inbox
from gemba.insights import jobs as insights_jobs
from gemba.insights import models as insights_models  # noqa: F401
from gemba.insights import views as insights_views
from gemba.insights.service import numbers as insight_numbers
from gemba.invites import mail as invite_mail
from gemba.invites import models as invites_models  # noqa: F401
from gemba.openings import when_hours_open
from gemba.outbox import mail as outbox_mail
from gemba.outbox import views as outbox
from gemba.outbox.service import queue_mail
from gemba.people import views as people_views
from gemba.people.rules import LOCALES
from gemba.people.service import SIGN_IN_LASTS
from gemba.personal import views as personal_views
from gemba.programmes import views as programmes_views
from gemba.programmes import wizard_views
from gemba.programmes.training import models as training_models  # noqa: F401
from gemba.programmes.training import views as training_views
from gemba.rounds import errand as rounds_errand
from gemba.rounds import models as rounds_models  # noqa: F401
from gemba.rounds import views as rounds_views
from gemba.schedule import models as schedule_models  # noqa: F401
from gemba.schedule import views as schedule_views
from gemba.trackers import errand as trackers
from gemba.trackers import models as trackers_models  # noqa: F401
from gemba.upkeep import views as upkeep_views
from gemba.visits import (
    answer_views,
    debrief_views,
    edit_views,
    feed_views,
    kept,
    life_views,
    links,
    offered_views,
    team_views,
)
from gemba.visits import jobs as visits_jobs
from gemba.visits import models as visits_models  # noqa: F401
from gemba.visits import views as visits_views
from gemba.visits.service import offer_soon
from gemba.web import access, assets, filters, pages, security, sentry, templating
from gemba.web.access import me_or_none
from gemba.web.limits import limiter
from gemba.web.navigation import places
from gemba.webhooks import errand as webhooks
from gemba.webhooks import models as webhooks_models  # noqa: F401

babel = Babel()
babel.domain_instance = templating.CATALOGUES
csrf = CSRFProtect()
compress = Compress()


class RowNumber(IntegerConverter):
    """Numbers in addresses are ids of rows: no more digits than the databases' integers take."""

    regex = r"\d{1,9}"


def create_app(settings: Settings | None = None, clock: Clock = system_clock) -> Flask:
    """The WSGI app. Raises BadSetting when a setting cannot be used."""
    settings = settings or load_settings()
    app = Flask("gemba", root_path=str(ROOT / "gemba"), template_folder=str(ROOT / "templates"))
    app.static_folder = str(ROOT / "gemba" / "web" / "static")
    app.extensions["gemba_settings"] = settings
    app.extensions["gemba_clock"] = clock
    app.url_map.converters["int"] = RowNumber
    _configure(app, settings)
    _log(settings)
    settings.instance.mkdir(parents=True, exist_ok=True)
    open_database(app, settings.database_url)
    Migrate(app, db, directory=str(ROOT / "migrations"), compare_type=True, render_as_batch=True)
    _extend(app, settings)
    _register(app)
    return app


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key,
        TESTING=settings.testing,
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
        SESSION_COOKIE_NAME="__Host-gemba" if settings.secure else "gemba",
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        PERMANENT_SESSION_LIFETIME=SIGN_IN_LASTS,
        # An answer still on its way must not put the cookie of an earlier sign-in over that of a new one.
        SESSION_REFRESH_EACH_REQUEST=False,
        # A page of notes stays open longer than an hour: the token lives as long as the sign-in.
        WTF_CSRF_TIME_LIMIT=None,
        BABEL_TRANSLATION_DIRECTORIES=str(ROOT / "gemba" / "translations"),
        RATELIMIT_STORAGE_URI=settings.redis_url or "process://",
        RATELIMIT_ENABLED=not settings.testing,
        COMPRESS_MIMETYPES=[
            "text/html",
            "text/css",
            "text/javascript",
            "text/plain",
            "text/csv",
            "text/calendar",
            "image/svg+xml",
            "application/json",
            "application/manifest+json",
            "application/problem+json",
        ],
        COMPRESS_STREAMS=True,
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]


def _log(settings: Settings) -> None:
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([sentry.tell] if sentry.start(settings) else []),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=False,
    )


def _locale() -> str:
    if "locale" in g:
        return str(g.locale)
    person = me_or_none()
    if person is not None:
        return person.locale
    if session.get("locale") in LOCALES:
        return str(session["locale"])
    return request.accept_languages.best_match(LOCALES) or "en"


def _extend(app: Flask, settings: Settings) -> None:
    upkeep_views.init_app(app)  # first, for it measures all that follows
    babel.init_app(app, locale_selector=_locale)
    csrf.init_app(app)
    compress.init_app(app)
    limiter.init_app(app)
    access.init_app(app)
    security.init_app(app, settings)
    filters.init_app(app)
    assets.init_app(app)
    templating.init_app(app)
    app.jinja_env.globals["csp_nonce"] = security.csp_nonce
    app.jinja_env.globals["csrf_token"] = generate_csrf

    @app.context_processor
    def frame() -> dict[str, Any]:
        person = me_or_none()
        return {
            "me": person,
            "places": places(person),
            "locale": str(get_locale() or "en"),
            "demo": False,
        }


def _register(app: Flask) -> None:
    pages.init_app(app)
    app.extensions["gemba_send_mail"] = queue_mail
    people_views.init_app(app)
    app.register_blueprint(programmes_views.blueprint)
    app.register_blueprint(wizard_views.blueprint)
    app.register_blueprint(training_views.blueprint)
    app.register_blueprint(schedule_views.blueprint)
    app.register_blueprint(calendars_views.blueprint)
    calendars_errand.init_app()
    invite_mail.init_app()
    kept.init_app(app.extensions)
    visits_jobs.init_app()
    when_hours_open(offer_soon)
    app.register_blueprint(home_views.blueprint)
    app.register_blueprint(personal_views.blueprint)
    app.register_blueprint(visits_views.blueprint)
    app.register_blueprint(life_views.blueprint)
    app.register_blueprint(edit_views.blueprint)
    app.register_blueprint(debrief_views.blueprint)
    app.register_blueprint(answer_views.blueprint)
    app.jinja_env.globals["answer_path"] = links.answer_path
    app.register_blueprint(offered_views.blueprint)
    feed_views.init_app(app)
    app.register_blueprint(team_views.blueprint)
    inbox.init_app(app, csrf)
    app.register_blueprint(rounds_views.blueprint)
    rounds_errand.init_app()
    app.register_blueprint(insights_views.blueprint)
    insights_jobs.init_app()
    insight_numbers.init_app()
    webhooks.init_app(app)
    trackers.init_app(app, csrf)
    api.init_app(app, csrf)
    outbox_mail.init_app()
    outbox.init_app(app)
    demo_views.init_app(app)
