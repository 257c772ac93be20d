"""Mails as the worker writes them: templates/email/<name>.{subject,txt,html} in the recipient's language.

Templates see what the cause put into `context`, and `locale`, `base_url`, `subject` (not in .subject),
`page_url(endpoint, …)` for addresses of this site, `to_name`, `to_email`, `from_name`, and `unsubscribe_url`,
empty where mails of this kind always come. Undefined names are errors.

Mails about a programme (`programme` in the context) come from its name, in the recipient's language.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from flask_babel import force_locale
from jinja2 import TemplateError, TemplateNotFound
from sqlalchemy import update
from werkzeug.routing import BuildError

from gemba.config import current_settings
from gemba.db import db
from gemba.outbox.kinds import Ending, ItemFacts, register
from gemba.outbox.mime import Address, compose, message_id
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import Permanent, State, thaw
from gemba.people.mail_links import mail_token
from gemba.people.rules import LOCALES, MailKind

PRODUCT = "Gemba"


@dataclass(frozen=True)
class Words:
    """What a mail says; `text` and `html` say the same."""

    subject: str
    text: str
    html: str


def page_urls(base_url: str) -> Callable[..., str]:
    """A url_for for mails, below `base_url`: `page_url("visits.show", visit_id=3)`."""
    parts = urlsplit(base_url)
    urls = current_app.url_map.bind(parts.netloc, script_name=parts.path or "/", url_scheme=parts.scheme)
    return lambda endpoint, **values: urls.build(endpoint, values, force_external=True)


def render(template: str, locale: str, context: Mapping[str, Any], base_url: str | None = None) -> Words:
    """The words of a mail in `locale` (English where that is unknown). Raises Permanent."""
    language = locale if locale in LOCALES else LOCALES[0]
    base_url = base_url or current_settings().base_url
    given = {"unsubscribe_url": "", "from_name": PRODUCT, "base_url": base_url, **context}
    given["page_url"] = page_urls(base_url)
    given["locale"] = language
    environment = current_app.jinja_env
    try:
        with force_locale(language):
            subject = " ".join(environment.get_template(f"email/{template}.subject").render(given).split())
            given["subject"] = subject
            text = environment.get_template(f"email/{template}.txt").render(given)
            html = environment.get_template(f"email/{template}.html").render(given)
    except TemplateNotFound as error:
        raise Permanent(f"The mail template “{error.name}” is missing.") from error
    except TemplateError as error:
        # Jinja's messages name variables, never their values.
        raise Permanent(f"The mail template “{template}” cannot be filled in: {error.message}.") from error
    except (BuildError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        kind = type(error).__name__
        raise Permanent(f"The mail template “{template}” cannot be filled in ({kind}).") from error
    return Words(subject, text, html)


def write(
    item: ItemFacts,
    *,
    template: str,
    locale: str,
    context: Mapping[str, Any],
    name: str = "",
    sender: str | None = None,
    base_url: str | None = None,
    calendar: bytes | None = None,
    method: str | None = None,
    choice: Mapping[str, Any] | None = None,
) -> bytes:
    """The mail of an item, with the same bytes at every try; Message-ID and Date come from the item.

    `calendar` and its `method` make it an invite. `choice` is `{"person": id, "kind": MailKind}` for mails
    that people may turn off. Raises Permanent.
    """
    settings = current_settings()
    sender, base_url = sender or settings.mail_from, base_url or settings.base_url
    unsubscribe = unsubscribe_url(choice, base_url) if choice else ""
    try:
        to = Address(item.recipient, name)
    except ValueError as error:
        raise Permanent("This is not an address that mail can be sent to.") from error
    given = {"to_name": name, "to_email": item.recipient, **thaw(dict(context))}
    given["unsubscribe_url"], given["from_name"] = unsubscribe, str(given.get("programme") or PRODUCT)
    words = render(template, locale, given, base_url)
    return compose(
        sender=Address(sender, given["from_name"]),
        to=to,
        subject=words.subject,
        text=words.text,
        html=words.html,
        message_id=message_id(item.dedup_key, sender.rpartition("@")[2]),
        date=item.created_at,
        calendar=calendar,
        method=method,
        unsubscribe=unsubscribe,
    )


def unsubscribe_url(choice: Mapping[str, Any], base_url: str) -> str:
    """Where a person turns off mails of a kind: with a GET they look, with a POST they do."""
    token = mail_token(current_settings().secret_key, int(choice["person"]), MailKind(choice["kind"]))
    return f"{base_url}/mail/{token}"


def needless(item: ItemFacts) -> Ending:
    """The ending of an item that nobody needs by now: nothing was sent, and it stands as dropped."""

    def ending(now: datetime) -> None:
        db.session.execute(
            update(OutboxItem)
            .where(OutboxItem.id == item.id)
            .values(state=State.DROPPED.value, done_at=now)
            .execution_options(synchronize_session=False)
        )

    return ending


def plain_mail(payload: Mapping[str, Any], item: ItemFacts) -> bytes:
    """Handles kind "mail": what service.queue_mail put in."""
    return write(
        item,
        template=payload["template"],
        locale=payload["locale"],
        context=payload["context"],
        name=payload["name"],
        sender=payload["from"],
        base_url=payload["base_url"],
        choice=payload.get("choice"),
    )


def init_app() -> None:
    """Registers kind "mail"."""
    register("mail", plain_mail)
