"""Mails as the worker writes them: templates/email/<name>.{subject,txt,html} in the recipient's language.

Templates see what the cause put into `context`, and `locale`, `base_url`, `subject` (not in .subject),
`page_url(endpoint, …)` for addresses of this site, `to_name` and `to_email`. Undefined names are errors.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from flask_babel import force_locale
from jinja2 import TemplateError, TemplateNotFound
from werkzeug.routing import BuildError

from gemba.config import current_settings
from gemba.outbox.kinds import ItemFacts, register
from gemba.outbox.mime import Address, compose, message_id
from gemba.outbox.rules import Permanent, thaw
from gemba.people.rules import LOCALES

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
    given = {"base_url": base_url, "page_url": page_urls(base_url), **context, "locale": language}
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
) -> bytes:
    """The mail of an item, with the same bytes at every try; Message-ID and Date come from the item.

    `calendar` and its `method` make it an invite. Raises Permanent.
    """
    sender = sender or current_settings().mail_from
    try:
        to = Address(item.recipient, name)
    except ValueError as error:
        raise Permanent("This is not an address that mail can be sent to.") from error
    given = {"to_name": name, "to_email": item.recipient, **thaw(dict(context))}
    words = render(template, locale, given, base_url)
    return compose(
        sender=Address(sender, PRODUCT),
        to=to,
        subject=words.subject,
        text=words.text,
        html=words.html,
        message_id=message_id(item.dedup_key, sender.rpartition("@")[2]),
        date=item.created_at,
        calendar=calendar,
        method=method,
    )


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
    )


def init_app() -> None:
    """Registers kind "mail"."""
    register("mail", plain_mail)
