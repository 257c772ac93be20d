"""What templates call: the same words, addresses and numbers as the libraries' own, only cheaper."""

from typing import Any

import flask
import pytest
from flask import Flask
from flask_babel import Babel, force_locale, refresh
from markupsafe import Markup, escape

from gemba.insights.service.counts import Counts
from gemba.web.templating import icon

WORDS = (
    "{{ _('Sign in') }} {{ _('no such words & such') }}",
    "{{ _('Reason: %(reason)s', reason=name) }}",
    "{{ gettext('%(number)s of 100%%', number=name) }} {{ _('100%%') }}",
    "{% for n in [0, 1, 2, 5, 21] %}{{ ngettext('%(num)s visit', '%(num)s visits', n) }};{% endfor %}",
    "{{ ngettext('seen in %(seen)s of %(num)s visit', 'seen in %(seen)s of %(num)s visits', 3, seen=name) }}",
    "{{ 1234.5|decimalformat }} {{ 2.345|decimalformat('0.00') }} {{ 3|decimalformat('0.#') }}",
)
NAMES = ("Vera", "<b>&", Markup("<i>Ё</i>"), 7)


@pytest.fixture
def plain(site: Flask) -> Flask:
    """An app with the same words whose templates call the libraries themselves."""
    app = Flask("plain")
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = site.config["BABEL_TRANSLATION_DIRECTORIES"]
    Babel(app, locale_selector=lambda: "en")
    return app


@pytest.mark.parametrize("is_html", [True, False])
def test_words_and_numbers_are_the_libraries_own(site: Flask, plain: Flask, is_html: bool) -> None:
    said: dict[bool, list[str]] = {True: [], False: []}
    start = f"{{% autoescape {str(is_html).lower()} %}}"
    for app in (site, plain):
        with app.test_request_context():
            for locale in ("en", "ru", "en"):
                with force_locale(locale):
                    for name in NAMES:
                        for words in WORDS:
                            text = start + words + "{% endautoescape %}"
                            said[app is site].append(flask.render_template_string(text, name=name))
    assert said[True] == said[False]
    assert len(set(said[True])) > len(WORDS)


def test_the_language_may_change_within_a_request(site: Flask) -> None:
    with site.test_request_context():
        render = flask.render_template_string
        assert render("{{ _('Sign in') }}") == "Sign in"
        flask.g.locale = "ru"
        refresh()
        assert render("{{ _('Sign in') }}") == "Войти"
        with force_locale("en"):
            assert render("{{ _('Sign in') }}") == "Sign in"
        assert render("{{ _('Sign in') }}") == "Войти"


@pytest.mark.parametrize("root", ["", "/gemba"])
def test_addresses_are_flasks_own(site: Flask, root: str) -> None:
    asked: tuple[tuple[str, dict[str, Any]], ...] = (
        ("insights.show", {"insight_id": 7}),
        ("insights.show", {"insight_id": True}),
        ("insights.show", {"insight_id": 7, "_anchor": "talk"}),
        ("insights.show", {"insight_id": 7, "_external": True}),
        ("insights.backlog", {"q": "чек & co", "col": ["seen", "tool"], "cursor": None}),
        (".backlog", {}),
        ("home.home", {}),
    )
    with site.test_request_context("/backlog", environ_overrides={"SCRIPT_NAME": root}):
        for endpoint, values in asked * 2:
            made = flask.render_template_string("{{ url_for(to, **values) }}", to=endpoint, values=values)
            assert made == str(escape(flask.url_for(endpoint, **values)))
            assert made.startswith((f"{root}/", "http"))


def test_icons_are_pictures_for_those_who_cannot_see_only_with_words(site: Flask) -> None:
    with site.test_request_context():
        assert 'aria-hidden="true"' in icon("list")
        assert 'role="img" aria-label="Say &#34;hi&#34; &amp; go"' in icon("list", 'Say "hi" & go')
        text = '{% from "macros/ui.html" import icon %}{{ icon("list") }}{{ icon("list", said) }}'
        assert flask.render_template_string(text, said="a & b") == icon("list") + icon("list", "a & b")


def test_what_is_said_once_depends_on_values_and_language(site: Flask) -> None:
    both = "{{ once(seen, counts, watched) }}{{ seen(counts, watched) }}"
    text = f"{{% from 'insights/_words.html' import seen %}}{both}"
    with site.test_request_context():
        for locale in ("en", "ru", "en"):
            with force_locale(locale):
                for watched in (5, 7, 5):
                    counts = Counts(visits=3, agents=2, lines=watched)
                    said = flask.render_template_string(text, counts=counts, watched=watched)
                    half = len(said) // 2
                    assert said[:half] == said[half:]
                    assert str(watched) in said
