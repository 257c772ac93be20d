"""Signing in with an OpenID Connect provider: authorization code with PKCE, state and nonce in the cookie.

The provider is asked for its metadata when somebody first signs in, so that Gemba starts without it.
"""

from collections.abc import Mapping
from typing import Any

import structlog
from authlib.common.errors import AuthlibBaseError
from flask import Flask, current_app, request, session, url_for
from flask_babel import gettext as _
from joserfc.errors import JoseError
from requests import RequestException
from werkzeug.wrappers import Response

from gemba.clock import now
from gemba.config import Oidc, current_settings
from gemba.db import begin_reading, db
from gemba.errors import GembaError, NotFound
from gemba.people import service
from gemba.people.errors import NotCompleted, ProviderSilent
from gemba.people.forms import SignInForm
from gemba.people.views.base import Answer, blueprint, let_in
from gemba.people.views.sign_in import sign_in_page
from gemba.web.access import client_address, public, safe_next
from gemba.web.limits import limiter

log = structlog.get_logger()

# Signatures made with a private key only: never "none", never our own client secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
TIMEOUT_SECONDS = 10


def init_app(app: Flask) -> None:
    """Prepares the client where a provider is set; asks nothing of it yet."""
    oidc = app.extensions["gemba_settings"].oidc
    if oidc is None:
        return
    # A fifth of a second that nobody without a provider should wait at each start.
    from authlib.integrations.flask_client import OAuth

    registry = OAuth(app)
    app.extensions["gemba_oidc"] = registry.register(
        "gemba",
        client_id=oidc.client_id,
        client_secret=oidc.client_secret,
        server_metadata_url=f"{oidc.issuer}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "default_timeout": TIMEOUT_SECONDS,
        },
    )


def _provider() -> tuple[Any, Oidc]:
    """The client with the provider's metadata. Raises NotFound where none is set, ProviderSilent."""
    oidc = current_settings().oidc
    if oidc is None:
        raise NotFound
    client = current_app.extensions["gemba_oidc"]
    try:
        metadata = client.load_server_metadata()
    except (RequestException, ValueError) as error:
        log.warning("oidc provider", error=type(error).__name__)
        raise ProviderSilent from error
    offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    metadata["id_token_signing_alg_values_supported"] = [alg for alg in offered if alg in ALGORITHMS]
    if str(metadata.get("issuer")).rstrip("/") != oidc.issuer:
        client.server_metadata.clear()
        log.warning("oidc provider", error="it names another issuer")
        raise ProviderSilent
    return client, oidc


def _leave_transaction() -> None:
    """Ends the transaction that recognised the browser: the provider may take seconds to answer."""
    db.session.rollback()
    begin_reading(False)


@blueprint.post("/sign-in/oidc")
@limiter.limit("60 per 10 minutes")
@public
def start_oidc() -> Answer:
    """Sends the browser to the provider."""
    target = safe_next(request.form.get("next"))
    _leave_transaction()
    try:
        client, _oidc = _provider()
        callback = current_settings().base_url + url_for("people.oidc_callback")
        response: Response = client.authorize_redirect(callback)
    except ProviderSilent as error:
        return _refused(error, target)
    session["oidc_next"] = target
    response.status_code = 303
    return response


@blueprint.get("/sign-in/oidc/callback")
@limiter.limit("60 per 10 minutes")
@public
def oidc_callback() -> Answer:
    """Takes the provider's word for who this is."""
    target = safe_next(session.get("oidc_next"))
    _leave_transaction()
    try:
        client, oidc = _provider()
        claims = _claims(client, oidc)
        person = service.person_of_identity(
            oidc.issuer,
            str(claims["sub"]),
            str(claims.get("email") or ""),
            email_verified=claims.get("email_verified") is True,
            now=now(),
        )
    except NotFound:
        raise
    except GembaError as error:
        db.session.rollback()
        service.audit(
            None, "sign-in-failed", "provider", {"method": "oidc", "why": error.code}, now(), client_address()
        )
        db.session.commit()
        return _refused(error, target)
    return let_in(person, "oidc", target)


def _claims(client: Any, oidc: Oidc) -> Mapping[str, Any]:
    """What the checked ID token says, with the address from userinfo where the token has none.

    Raises NotCompleted, ProviderSilent.
    """
    if request.args.get("iss", oidc.issuer).rstrip("/") != oidc.issuer:
        raise NotCompleted
    issuer = client.server_metadata["issuer"]
    options = {
        "iss": {"essential": True, "value": issuer},
        "aud": {"essential": True, "value": oidc.client_id},
        "sub": {"essential": True},
        "exp": {"essential": True},
    }
    try:
        token = client.authorize_access_token(claims_options=options)
        claims: dict[str, Any] = dict(token.get("userinfo") or {})
        if claims.get("sub") and "email" not in claims and client.server_metadata.get("userinfo_endpoint"):
            more = client.userinfo(token=token)
            claims = {**more, **claims} if more.get("sub") == claims["sub"] else claims
    except RequestException as error:
        log.warning("oidc provider", error=type(error).__name__)
        raise ProviderSilent from error
    except (AuthlibBaseError, JoseError, ValueError, KeyError, RuntimeError) as error:
        log.warning("oidc sign-in", error=type(error).__name__)
        raise NotCompleted from error
    if not claims.get("sub"):
        raise NotCompleted
    return claims


def _refused(error: GembaError, target: str) -> Answer:
    form = SignInForm(formdata=None, next=target)
    form.refuse(_(error.sentence))
    return sign_in_page(form, error.status)
