"""Headers of every answer, and what browsers are allowed to do with our pages."""

import secrets
from urllib.parse import urlsplit

from flask import Flask, g, request
from werkzeug.wrappers import Response

from gemba.config import Settings


def csp_nonce() -> str:
    """The nonce of this answer's scripts."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def _policy(settings: Settings) -> str:
    form_action = "'self'"
    if settings.oidc:
        parts = urlsplit(settings.oidc.issuer)
        form_action += f" {parts.scheme}://{parts.netloc}"
    return (
        "default-src 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; "
        "img-src 'self' data:; style-src 'self'; font-src 'self'; connect-src 'self'; "
        "manifest-src 'self'; worker-src 'self'; "
        f"frame-src 'self'; form-action {form_action}; script-src 'self' 'nonce-{csp_nonce()}'"
    )


def init_app(app: Flask, settings: Settings) -> None:
    """Adds the headers; a view may set its own Content-Security-Policy, Cache-Control or framing."""

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", _policy(settings))
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        if settings.secure:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        return response
