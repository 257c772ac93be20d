"""Making people's words harmless where they are going: spreadsheets, Markdown, trackers.

Words are shown as they were written and never act: no formula, no HTML, no mention that rings at a
stranger, no link to somebody's issue 12, no quick action.
"""

import html
import re
import unicodedata

ZERO_WIDTH_SPACE = "\u200b"
_FORMULA = frozenset("=+-@")
_CONTROL = frozenset(("Cc", "Cs"))
_REFERENCE = re.compile(r"(@|#|(?<!\w)[!~%&$^](?=\w)|\bGH-|\{(?=\{))(?=[\w{])", re.IGNORECASE)
_MARKDOWN = re.compile(r"([\\`*_\[\]|~$])")
_MARKDOWN_LINE = re.compile(r"^(#|[-+=:]|\d+(?=[.)]))", re.MULTILINE)
_QUICK_ACTION = re.compile(r"^/", re.MULTILINE)
_JIRA = re.compile(r"([\\{}\[\]|])|(!)(?=\S)")
_JIRA_LINE = re.compile(r"^([*#-]+|h[1-6]|bq)(?=[ .])", re.MULTILINE)


def clean(text: str) -> str:
    """The text with line feeds only and without control characters or broken halves of characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(ch for ch in text if ch in "\n\t" or unicodedata.category(ch) not in _CONTROL)


def one_line(text: str) -> str:
    """The text on one line with single spaces."""
    return " ".join(clean(text).split())


def cell(text: str) -> str:
    """The text for a spreadsheet's cell: with an apostrophe before what a program would calculate.

    That is = + - @ in any width, also after white space or invisible characters, and a leading tab
    (OWASP, CSV injection). Linear's importer takes the apostrophe off again.
    """
    text = clean(text)
    return f"'{text}" if _is_formula(text) else text


def _is_formula(text: str) -> bool:
    if text[:1] in ("\t", "\r"):
        return True
    for ch in text:
        if not ch.isspace() and unicodedata.category(ch) != "Cf":
            return unicodedata.normalize("NFKC", ch) in _FORMULA
    return False


def defuse(text: str) -> str:
    """The text with an invisible space in each mention, reference and macro (`@name`, `#12`, `{{x}}`)."""
    return _REFERENCE.sub(rf"\1{ZERO_WIDTH_SPACE}", clean(text))


def markup(text: str) -> str:
    """The text for HTML, where it is nothing but text."""
    return html.escape(defuse(text))


def markdown(text: str) -> str:
    """The text for Markdown of any flavour, where it reads as it was written and does nothing."""
    lines = (line.lstrip() for line in defuse(text).split("\n"))
    text = "\n".join(lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _MARKDOWN.sub(r"\\\1", text)
    return _MARKDOWN_LINE.sub(_escape_line, text)


def _escape_line(match: re.Match[str]) -> str:
    start = match[1]
    return f"{start}\\" if start.isdigit() else f"\\{start}"


def gitlab(text: str) -> str:
    """The text for GitLab: Markdown in which no line begins with a slash (a quick action such as /close)."""
    return _QUICK_ACTION.sub(r"\\/", markdown(text))


def jira(text: str) -> str:
    """The text for Jira's wiki markup: no macro, link, mention, picture, table or heading."""
    lines = "\n".join(line.lstrip() for line in clean(text).split("\n"))
    lines = _JIRA.sub(r"\\\g<0>", lines)
    return _JIRA_LINE.sub(r"\\\1", lines)
