"""What templates call again and again, made cheap: words, addresses, icons and numbers.

Each does exactly what it stands for (Flask-Babel's gettext, Flask's url_for, Babel's format_decimal) and
looks up once what does not change within a request or for the same arguments; tests/home/test_templating.py
holds them side by side.
"""

from collections.abc import Callable, Hashable
from functools import lru_cache
from types import NoneType
from typing import Any, cast

import flask
from babel import Locale
from babel.numbers import format_decimal
from babel.support import NullTranslations
from flask import Flask, g, has_app_context, has_request_context, request
from flask_babel import Domain, get_locale
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from jinja2.runtime import Macro
from markupsafe import Markup, escape

from gemba.web.assets import asset

ADDRESSES_MAX, SAID_MAX = 8192, 2048
PLAIN = frozenset({int, NoneType})
"""What addresses that are kept are made of: numbers of rows, never words or secrets."""
_UNKNOWN = None, NullTranslations()


def _speaking() -> tuple[Any, Locale | None]:
    """What Flask-Babel keeps for this context, and the language that is spoken now, if that is known yet."""
    box = g.get("_flask_babel") if has_app_context() else None
    return box, getattr(box, "babel_locale", None)


def _language() -> Locale | None:
    return _speaking()[1] or get_locale()


class Catalogues(Domain):  # type: ignore[misc]
    """Flask-Babel's catalogues, each found once in a context and language."""

    def get_translations(self) -> NullTranslations:
        """The words of the language that is spoken now."""
        box, locale = _speaking()
        if locale is None:
            return cast(NullTranslations, super().get_translations())
        known: tuple[Locale | None, NullTranslations] = getattr(box, "gemba_catalogue", _UNKNOWN)
        if known[0] is not locale:
            known = (locale, super().get_translations())
            box.gemba_catalogue = known
        return known[1]


CATALOGUES = Catalogues()
_catalogue = CATALOGUES.get_translations


@pass_eval_context
def gettext(context: EvalContext, text: str, /, **values: Any) -> str:
    """The text in the reader's language; in HTML the values are escaped."""
    return _filled(_catalogue().ugettext(text), values, context.autoescape)


@pass_eval_context
def ngettext(context: EvalContext, one: str, many: str, num: int, /, **values: Any) -> str:
    """The same in the plural form of `num`."""
    values.setdefault("num", num)
    return _filled(_catalogue().ungettext(one, many, num), values, context.autoescape)


def _filled(words: str, values: dict[str, Any], is_html: bool) -> str:
    if is_html:
        return Markup(words) % values if "%" in words else Markup(words)  # noqa: S704 (our own catalogue)
    return words % values if "%" in words else words


@lru_cache(maxsize=2048)
def _icon(address: str, name: str, label: Markup | None) -> Markup:
    said = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" {}><use href="{}#{}"></use></svg>').format(said, address, name)


def icon(name: str, label: str | None = None) -> Markup:
    """One icon of static/icons.svg. Decoration: the words stand beside it, or give `label`."""
    return _icon(asset("icons.svg"), str(name), None if label is None else escape(label))


@lru_cache(maxsize=4096)
def _decimal(number: Any, pattern: str | None, locale: Locale) -> str:
    return format_decimal(number, format=pattern, locale=locale)


def decimal(number: Any, pattern: str | None = None) -> str:
    """A number as the reader's language writes it, by a pattern of Babel."""
    return _decimal(number, pattern, _language() or Locale("en"))


def _addresses(app: Flask) -> Callable[..., str]:
    """Flask's url_for that remembers paths made of numbers only."""

    @lru_cache(maxsize=ADDRESSES_MAX)
    def made(_root: str, endpoint: str, values: tuple[tuple[str, Any], ...]) -> str:
        return app.url_for(endpoint, **dict(values))

    def url_for(endpoint: str, **values: Any) -> str:
        if not has_request_context() or endpoint[:1] == ".":
            return flask.url_for(endpoint, **values)
        if not all(type(value) in PLAIN for value in values.values()):
            return flask.url_for(endpoint, **values)
        return made(request.script_root, endpoint, tuple(values.items()))

    return url_for


def once(macro: Macro, *values: Hashable) -> str:
    """What a macro says of these values, which it alone depends on: kept by value, language and version."""
    return _said(macro, values, _language(), asset("icons.svg"))


@lru_cache(maxsize=SAID_MAX)
def _said(macro: Macro, values: tuple[Hashable, ...], _locale: Locale | None, _version: str) -> str:
    return macro(*values)


def init_app(app: Flask) -> None:
    """Puts them in the place of what Flask and its extensions offer to templates."""
    env = app.jinja_env
    words = {"_": gettext, "gettext": gettext, "ngettext": ngettext}
    env.globals |= {**words, "url_for": _addresses(app), "drawn_icon": icon, "once": once}
    env.filters["decimalformat"] = decimal
