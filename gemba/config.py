"""Settings: the environment (and `.env`) read once into one frozen value.

A bad value stops the start with the setting's name and a sentence (docs/settings.md lists them all).
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from typing import cast
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from dotenv import dotenv_values
from email_validator import EmailNotValidError, validate_email
from flask import current_app

ROOT = Path(__file__).resolve().parent.parent


class BadSetting(Exception):
    """A setting is missing or cannot be used; the message names it."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(f"{name}: {sentence}")


@dataclass(frozen=True)
class Smtp:
    """Where mail leaves: host, port, and how the connection is protected (`none`, `starttls`, `tls`)."""

    host: str
    port: int
    security: str
    user: str | None = None
    password: str | None = None


@dataclass(frozen=True)
class Imap:
    """The mailbox that replies arrive in; `security` as in Smtp."""

    host: str
    port: int
    security: str
    user: str
    password: str
    folder: str = "INBOX"


@dataclass(frozen=True)
class Oidc:
    """The OpenID Connect provider people may sign in with."""

    issuer: str
    client_id: str
    client_secret: str


@dataclass(frozen=True)
class Settings:
    """Everything a machine may be told from outside."""

    instance: Path
    database_url: str
    secret_key: str
    base_url: str
    mail_from: str
    smtp: Smtp | None = None
    imap: Imap | None = None
    lmtp_listen: tuple[str, int] | None = None
    """Host and port where replies are taken over LMTP."""
    hooks_secret: str | None = None
    mail_authserv: str = ""
    """The name by which our own mail server signs its Authentication-Results (RFC 8601); lower-case."""
    oidc: Oidc | None = None
    redis_url: str | None = None
    meeting_url: str = "https://meet.jit.si/gemba-{room}"
    trusted_proxies: int = 0
    log_format: str = "text"
    metrics_token: str | None = None
    sentry_dsn: str | None = None
    testing: bool = False
    fetch_allowed: tuple[str, ...] = ()
    """Networks that may be reached though they are not public: for tests, no environment sets it."""

    secret_key_before: str | None = None
    """The secret key that was in force before, until what it encrypted is encrypted anew."""
    tracker_networks: tuple[str, ...] = ()
    """Private networks in which trackers may be reached."""

    @property
    def mail_folder(self) -> Path:
        """Where mail lands as files while no SMTP server is set."""
        return self.instance / "mail"

    @property
    def uploads(self) -> Path:
        """Where pictures of notes are kept."""
        return self.instance / "uploads"

    @property
    def takes_replies(self) -> bool:
        """Whether answers to invites can come back by mail, in any of the three ways."""
        return self.imap is not None or self.lmtp_listen is not None or self.hooks_secret is not None

    @property
    def secure(self) -> bool:
        """Whether people reach the product over https."""
        return self.base_url.startswith("https://")


def current_settings() -> Settings:
    """The settings of the running app."""
    return cast(Settings, current_app.extensions["gemba_settings"])


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Reads settings from `environ`, by default the process's environment over `.env`.

    Raises BadSetting.
    """
    if environ is None:
        environ = {**{k: v or "" for k, v in dotenv_values(ROOT / ".env").items()}, **os.environ}
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    instance = Path(given.get("GEMBA_INSTANCE", "instance"))
    instance = instance if instance.is_absolute() else ROOT / instance
    database_url = _database_url(given, instance)
    base_url = _base_url(given)
    return Settings(
        instance=instance,
        database_url=database_url,
        secret_key=_secret_key(given, instance, database_url),
        base_url=base_url,
        mail_from=_mail_from(given, base_url),
        smtp=_smtp(given),
        imap=_imap(given),
        lmtp_listen=_lmtp_listen(given),
        hooks_secret=_hooks_secret(given),
        mail_authserv=given.get("GEMBA_MAIL_AUTHSERV", "").lower(),
        oidc=_oidc(given),
        redis_url=_redis_url(given),
        meeting_url=_meeting_url(given),
        trusted_proxies=_number(given, "GEMBA_TRUSTED_PROXIES", 0, 10),
        log_format=_one_of(given, "GEMBA_LOG_FORMAT", ("text", "json")),
        metrics_token=_metrics_token(given),
        sentry_dsn=_sentry_dsn(given),
        secret_key_before=_secret_key_before(given),
        tracker_networks=_tracker_networks(given),
    )


def _database_url(given: Mapping[str, str], instance: Path) -> str:
    name = "GEMBA_DATABASE_URL" if "GEMBA_DATABASE_URL" in given else "DATABASE_URL"
    url = given.get(name)
    if url is None:
        return f"sqlite:///{instance / 'gemba.db'}"
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        return f"sqlite:///{path if path.is_absolute() else ROOT / path}"
    for prefix in ("postgresql://", "postgres://", "postgresql+psycopg://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    raise BadSetting(name, "give a database as postgresql://user:password@host/name or sqlite:///path.")


def _secret_key(given: Mapping[str, str], instance: Path, database_url: str) -> str:
    key = given.get("GEMBA_SECRET_KEY")
    if key is not None:
        if len(key) < 32:
            raise BadSetting("GEMBA_SECRET_KEY", "give at least 32 random characters.")
        return key
    if not database_url.startswith("sqlite"):
        raise BadSetting(
            "GEMBA_SECRET_KEY",
            "is required when the database is not SQLite. "
            "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'",
        )
    instance.mkdir(parents=True, exist_ok=True)
    path = instance / "secret_key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()


def _secret_key_before(given: Mapping[str, str]) -> str | None:
    key = given.get("GEMBA_SECRET_KEY_BEFORE")
    if key is not None and len(key) < 32:
        raise BadSetting("GEMBA_SECRET_KEY_BEFORE", "give the whole secret key of before.")
    return key


def _tracker_networks(given: Mapping[str, str]) -> tuple[str, ...]:
    texts = [text.strip() for text in given.get("GEMBA_TRACKER_NETWORKS", "").split(",") if text.strip()]
    try:
        return tuple(str(ip_network(text)) for text in texts)
    except ValueError as error:
        raise BadSetting(
            "GEMBA_TRACKER_NETWORKS", "give networks parted by commas, such as 10.0.0.0/8,192.168.4.7/32."
        ) from error


def _base_url(given: Mapping[str, str]) -> str:
    port = given.get("PORT", "8000")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise BadSetting("PORT", "give a number from 1 to 65535.")
    url = given.get("GEMBA_BASE_URL", f"http://127.0.0.1:{port}").rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise BadSetting("GEMBA_BASE_URL", "give the address people open, such as https://gemba.example.com.")
    return url


def _mail_from(given: Mapping[str, str], base_url: str) -> str:
    host = urlsplit(base_url).hostname or ""
    default = (
        f"gemba@{host}" if "." in host and not host.replace(".", "").isdigit() else "gemba@gemba.example"
    )
    address = given.get("GEMBA_MAIL_FROM", default)
    try:
        return validate_email(
            address, check_deliverability=False, test_environment=True, allow_display_name=False
        ).normalized
    except EmailNotValidError as error:
        raise BadSetting(
            "GEMBA_MAIL_FROM", "give one bare mail address, such as gemba@example.com."
        ) from error


def _mail_server(
    given: Mapping[str, str], name: str, ports: Mapping[str, int], example: str
) -> tuple[SplitResult, int, str] | None:
    """A mail server's address taken apart, its port and its protection; `ports` are by protection."""
    url = given.get(name)
    if url is None:
        return None
    parts = urlsplit(url)
    plain = name.removeprefix("GEMBA_").removesuffix("_URL").lower()
    asked = parse_qs(parts.query).get("tls", ["none"])[0]
    try:
        port = parts.port
    except ValueError:
        port = -1
    known = parts.scheme in (plain, f"{plain}s") and asked in ("none", "starttls")
    if not known or not parts.hostname or port == -1:
        raise BadSetting(name, example)
    security = asked if parts.scheme == plain else "tls"
    return parts, port or ports[security], security


def _smtp(given: Mapping[str, str]) -> Smtp | None:
    example = "write smtp://user:password@host:587?tls=starttls or smtps://host:465."
    found = _mail_server(given, "GEMBA_SMTP_URL", {"tls": 465, "starttls": 587, "none": 25}, example)
    if found is None:
        return None
    parts, port, security = found
    user, password = (None if each is None else unquote(each) for each in (parts.username, parts.password))
    return Smtp(parts.hostname or "", port, security, user, password)


def _imap(given: Mapping[str, str]) -> Imap | None:
    example = "write imaps://user:password@host/INBOX or imap://user:password@host/INBOX?tls=starttls."
    found = _mail_server(given, "GEMBA_IMAP_URL", {"tls": 993, "starttls": 143, "none": 143}, example)
    if found is None:
        return None
    parts, port, security = found
    if not parts.username or not parts.password:
        raise BadSetting("GEMBA_IMAP_URL", example)
    folder = unquote(parts.path.strip("/")) or "INBOX"
    return Imap(
        parts.hostname or "", port, security, unquote(parts.username), unquote(parts.password), folder
    )


def _lmtp_listen(given: Mapping[str, str]) -> tuple[str, int] | None:
    value = given.get("GEMBA_LMTP_LISTEN")
    if value is None:
        return None
    host, _colon, port = value.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise BadSetting("GEMBA_LMTP_LISTEN", "give an address and a port, such as 127.0.0.1:2424.")
    return host.strip("[]"), int(port)


def _hooks_secret(given: Mapping[str, str]) -> str | None:
    secret = given.get("GEMBA_HOOKS_SECRET")
    if secret is not None and len(secret) < 32:
        raise BadSetting("GEMBA_HOOKS_SECRET", "give at least 32 random characters.")
    return secret


def _oidc(given: Mapping[str, str]) -> Oidc | None:
    names = ("GEMBA_OIDC_ISSUER", "GEMBA_OIDC_CLIENT_ID", "GEMBA_OIDC_CLIENT_SECRET")
    values = [given.get(name) for name in names]
    if not any(values):
        return None
    for name, value in zip(names, values, strict=True):
        if not value:
            raise BadSetting(name, f"is required when one of {', '.join(names)} is given.")
    issuer, client_id, client_secret = (value or "" for value in values)
    if urlsplit(issuer).scheme not in ("https", "http"):
        raise BadSetting("GEMBA_OIDC_ISSUER", "give the provider's https address.")
    return Oidc(issuer.rstrip("/"), client_id, client_secret)


def _redis_url(given: Mapping[str, str]) -> str | None:
    url = given.get("GEMBA_REDIS_URL")
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        raise BadSetting("GEMBA_REDIS_URL", "write redis://host:6379/0.")
    if url and find_spec("redis") is None:
        raise BadSetting(
            "GEMBA_REDIS_URL", "needs one more package: .venv/bin/python -m pip install 'redis>=5.2'"
        )
    return url


def _meeting_url(given: Mapping[str, str]) -> str:
    url = given.get("GEMBA_MEETING_URL", Settings.meeting_url)
    if urlsplit(url).scheme != "https" or "{room}" not in url:
        raise BadSetting("GEMBA_MEETING_URL", "give an https address with {room} where the room's name goes.")
    return url


def _metrics_token(given: Mapping[str, str]) -> str | None:
    token = given.get("GEMBA_METRICS_TOKEN")
    if token and len(token) < 16:
        raise BadSetting("GEMBA_METRICS_TOKEN", "give at least 16 random characters.")
    return token


def _sentry_dsn(given: Mapping[str, str]) -> str | None:
    dsn = given.get("GEMBA_SENTRY_DSN")
    if dsn and (urlsplit(dsn).scheme not in ("https", "http") or not urlsplit(dsn).username):
        raise BadSetting("GEMBA_SENTRY_DSN", "copy the DSN of the project, such as https://key@host/1.")
    if dsn and find_spec("sentry_sdk") is None:
        raise BadSetting(
            "GEMBA_SENTRY_DSN", "needs one more package: .venv/bin/python -m pip install 'sentry-sdk>=2.20'"
        )
    return dsn


def _number(given: Mapping[str, str], name: str, default: int, most: int) -> int:
    value = given.get(name, str(default))
    if not value.isdecimal() or int(value) > most:
        raise BadSetting(name, f"give a whole number from 0 to {most}.")
    return int(value)


def _one_of(given: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = given.get(name, choices[0])
    if value not in choices:
        raise BadSetting(name, f"give one of {', '.join(choices)}.")
    return value
