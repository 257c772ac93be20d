"""Every mail, in both languages: mail programs take its HTML, and its plain text tells the same facts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask

from gemba.config import ROOT
from gemba.outbox.mail import Words
from tests.outbox.mails import ANSWER, CASES, UNSUBSCRIBE, mails

GMAIL_CLIPS = 102_000
TAGS = {
    *("html", "head", "meta", "title", "style", "body"),
    *("table", "tr", "td", "div", "span", "p", "br", "a", "h1", "h2", "ul", "li"),
}
VOID = {"meta", "br"}
PROPERTIES = {
    *("margin", "padding", "background", "color", "border", "border-top", "border-left", "border-radius"),
    *("font", "font-size", "font-weight", "line-height", "letter-spacing", "text-align", "text-decoration"),
    *("width", "max-width", "height", "max-height", "overflow", "display", "word-break", "overflow-wrap"),
    *("mso-hide", "mso-padding-alt"),
}
DISPLAYS = {"none", "block", "inline-block"}


@dataclass
class Page(HTMLParser):
    """A mail as a mail program without style sheets sees it."""

    problems: list[str] = field(default_factory=list)
    links: set[str] = field(default_factory=set)
    text: list[str] = field(default_factory=list)
    contrasts: list[tuple[str, str, str]] = field(default_factory=list)
    stack: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in TAGS:
            self.problems.append(f"<{tag}>")
        style = {
            name.strip(): value.strip()
            for name, _colon, value in (one.partition(":") for one in given.get("style", "").split(";"))
            if name.strip()
        }
        self.problems += [f"{name} in a style" for name in style if name not in PROPERTIES]
        if style.get("display", "block") not in DISPLAYS:
            self.problems.append(f"display:{style['display']}")
        if tag == "table" and (given.get("role") != "presentation" or not {"width", "class"} & set(given)):
            self.problems.append("a table without role or width")
        if tag == "a":
            self.links.add(given["href"])
            if "color" not in style:
                self.problems.append("a link without a colour of its own")
        if tag not in VOID:
            self.stack.append(
                (tag, {**style, **({"bgcolor": given["bgcolor"]} if "bgcolor" in given else {})})
            )

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop()[0] != tag:
            self.problems.append(f"</{tag}> in the wrong place")

    def handle_data(self, data: str) -> None:
        tags = [tag for tag, _style in self.stack]
        if not data.strip() or "style" in tags or "title" in tags:
            return
        if any(style.get("display") == "none" for _tag, style in self.stack):
            return
        self.text.append(data)
        colour = self._nearest("color")
        ground = self._nearest("background", "bgcolor")
        self.contrasts.append((data.strip(), colour, ground))

    def _nearest(self, *names: str) -> str:
        for _tag, style in reversed(self.stack):
            for name in names:
                if name in style:
                    return style[name]
        return "none"


def luminance(colour: str) -> float:
    """WCAG's relative luminance of #RRGGBB."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG's contrast of two colours."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.fixture(params=["en", "ru"])
def written(request: pytest.FixtureRequest, site: Flask) -> list[tuple[str, Words, Page]]:
    """Each mail in a language, read."""
    found = []
    for name, words in mails(site, request.param):
        page = Page()
        page.feed(words.html)
        page.close()
        found.append((name, words, page))
    return found


def test_the_list_is_whole() -> None:
    """A mail that is not in the list above is not checked here."""
    there = {path.stem for path in Path(ROOT / "templates/email").glob("*.subject")}
    assert {template for template, *_rest in CASES} == there


def test_mail_programs_take_the_html(written: list[tuple[str, Words, Page]]) -> None:
    for name, words, page in written:
        assert page.problems == [], name
        assert page.stack == [], name
        assert len(words.html.encode()) < GMAIL_CLIPS / 4, name
        assert not re.search(
            r"<(script|link|img|form|iframe)\b|@import|url\(|position:|flex|grid", words.html
        )
        assert '<meta name="color-scheme" content="light dark">' in words.html
        assert words.html.count("<h1") == 1
        assert re.search(r"max-height:0; overflow:hidden[^>]*>[^<&]*\w", words.html), "a preheader"


def test_what_is_said_can_be_read(written: list[tuple[str, Words, Page]]) -> None:
    for name, _words, page in written:
        for text, colour, ground in page.contrasts:
            assert re.fullmatch("#[0-9A-F]{6}", colour), (name, text, colour)
            least = 3 if text == "●" else 4.5
            assert contrast(colour, ground) >= least, (name, text, colour, ground)


def test_the_dark_can_be_read() -> None:
    """The dark colours of the layout, where each class may stand."""
    style = (ROOT / "templates/email/_layout.html").read_text().partition("prefers-color-scheme: dark")[2]
    grounds = {
        name: re.search(rf"{re.escape(name)} {{ background: (#\w+)", style) for name in (".g-card", ".g-soft")
    }
    assert all(grounds.values())
    for found in grounds.values():
        assert found is not None
        for colour in ("#E8EDEA", "#A3AFA9", "#5CCBB0"):
            assert colour in style
            assert contrast(colour, found[1]) >= 4.5, (colour, found[1])
    assert contrast("#06231C", "#5CCBB0") >= 4.5


def _visible(page: Page) -> str:
    return " ".join(" ".join(page.text).split())


def test_text_and_html_tell_the_same(written: list[tuple[str, Words, Page]]) -> None:
    for name, words, page in written:
        plain, shown = " ".join(words.text.split()), _visible(page)
        plain_links = {link.rstrip(".,") for link in re.findall(r"https?://\S+", words.text)}
        assert page.links == plain_links, name
        without = re.sub(r"https?://\S+", "", plain)
        shown_without = re.sub(r"https?://\S+", "", shown)
        for pattern in (
            r"\b\d\d:\d\d\b",
            r"[A-Z][a-z]+/[A-Z][a-z]+ \(UTC[^)]*\)",
            r"\b\d{1,2} (?:March|марта)",
        ):
            assert set(re.findall(pattern, without)) == set(re.findall(pattern, shown_without)), (
                name,
                pattern,
            )


def test_facts_of_a_visit_are_in_both(written: list[tuple[str, Words, Page]]) -> None:
    for name, words, page in written:
        if not name.startswith("visit"):
            continue
        for fact in ("Asia/Kolkata (UTC+5:30)", "14:30–15:30", "Checkout & <refunds>"):
            assert fact in words.text, (name, fact)
            assert fact in _visible(page), (name, fact)
        names = ["Vera Visitor", "Alice Agent", "Lev Lead"]
        if "Здравствуйте" in words.text:
            names = ["Вера Гость", "Алиса Лебедева", "Лев Главный"]
        for person in names:
            assert person in words.text, (name, person)
            assert person in _visible(page), (name, person)


DECLINABLE = (
    "visit_reminder",
    "visit_outcome",
    "review",
    "insight_news",
    "insight_mention",
    "round_inv",
    "round_rem",
    "round_cap",
    "round_ret",
    "round_over",
)


def test_only_what_may_be_turned_off_says_so(written: list[tuple[str, Words, Page]]) -> None:
    for name, words, page in written:
        may = name.startswith(DECLINABLE)
        assert (UNSUBSCRIBE in page.links) == may, name
        assert (UNSUBSCRIBE in words.text) == may, name
        answers = may and name.startswith("visit")
        assert any(link.startswith(ANSWER) for link in page.links) == answers, name


def test_subjects_name_the_hour(written: list[tuple[str, Words, Page]]) -> None:
    for name, words, _page in written:
        assert "\n" not in words.subject
        assert 8 < len(words.subject) < 90, (name, words.subject)
        if name.startswith("visit"):
            assert re.search(r"\d\d:\d\d–\d\d:\d\d", words.subject), (name, words.subject)
