"""The one-line syntax of a note: words with a few marks among them.

    she copies the order number >crm !3 "every single time" #orders @checkout ?

`>tool`, `!1` to `!4` (how bad), `#tag`, `@product`, a quotation and a lone `?` (a question for the
end of the visit). Marks at either end are taken off the text; a mark inside the sentence is read too
but its word stays, so that the sentence still reads. Whatever cannot be read as a mark stays in the
text as it was typed: no word is ever lost.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from gemba.insights.rules.kinds import TAG_MAX, TAGS_MAX, TOOL_MAX, VERBATIM_MAX


@dataclass(frozen=True)
class Note:
    """A line as it was understood. `severity` is 1-4 or None; `product` is spelt as the house spells it."""

    text: str
    severity: int | None = None
    verbatim: str = ""
    tool: str = ""
    tags: tuple[str, ...] = ()
    product: str = ""
    is_question: bool = False


class _Sort(Enum):
    WORD = auto()
    SEVERITY = auto()
    TOOL = auto()
    TAG = auto()
    PRODUCT = auto()
    QUOTE = auto()
    QUESTION = auto()


@dataclass(frozen=True)
class _Token:
    """A stretch [start, end) of the line, what it was read as, and the words it stands for."""

    start: int
    end: int
    sort: _Sort
    value: str = ""


_QUOTES = {'"': '"', "“": "”", "„": "“”", "«": "»", "”": "”"}
_QUOTED = "|".join(
    f"{re.escape(open_)}[^\n{re.escape(close)}]+[{re.escape(close)}]" for open_, close in _QUOTES.items()
)
_TOKEN = re.compile(rf"(?:{_QUOTED})(?=\s|$)|\S+")
_SEVERITY = re.compile(r"!([1-4])")
_NAME = re.compile(r"[>@]([^\W_](?:[\w.+/&-]*[^\W])?)")
_TAG = re.compile(r"#((?=[\d_-]*[^\W\d_])[^\W_][\w-]*)")


def parse(line: str, products: Sequence[str] = ()) -> Note:
    """Reads one note. `products` are the known names: an `@name` that fits none of them stays text."""
    tokens = [_read(match, products) for match in _TOKEN.finditer(line)]
    if not any(_is_plain(token, line) for token in tokens):
        tokens = [_as_word(token) if token.sort is _Sort.QUOTE else token for token in tokens]
    plain = [index for index, token in enumerate(tokens) if _is_plain(token, line)]
    if not plain:
        return Note(line.strip())
    first, last = plain[0], plain[-1]
    tokens = [
        _as_word(token) if token.sort in (_Sort.QUOTE, _Sort.QUESTION) and first < index < last else token
        for index, token in enumerate(tokens)
    ]
    tokens = _once_each(tokens)
    text = " ".join(
        [
            *_unread(line, tokens[:first]),
            _text(line, tokens[first : last + 1]),
            *_unread(line, tokens[last + 1 :]),
        ]
    )
    return _note(text, tokens)


def line_of(note: Note, products: Sequence[str] = ()) -> str | None:
    """The line that is read as this note, to be edited; None where no line is."""
    parts = [note.text]
    if note.tool:
        parts.append(">" + note.tool.replace(" ", "_"))
    if note.severity:
        parts.append(f"!{note.severity}")
    if note.verbatim:
        parts.append(f"“{note.verbatim}”" if '"' in note.verbatim else f'"{note.verbatim}"')
    parts += [f"#{tag}" for tag in note.tags]
    if note.product:
        parts.append("@" + "_".join(note.product.split()))
    if note.is_question and not note.text.endswith(("?", "？")):
        parts.append("?")
    line = " ".join(parts)
    return line if parse(line, products) == note else None


def _is_plain(token: _Token, line: str) -> bool:
    """Whether the token is an ordinary word, not a mark nor something that looks like one."""
    return token.sort is _Sort.WORD and line[token.start] not in "!>#@?"


def _as_word(token: _Token) -> _Token:
    return replace(token, sort=_Sort.WORD)


def _unread(line: str, tokens: Sequence[_Token]) -> list[str]:
    return [line[token.start : token.end] for token in tokens if token.sort is _Sort.WORD]


def _read(match: re.Match[str], products: Sequence[str]) -> _Token:
    word = match[0]
    sort, value = _quotation(word) or _name(word, products) or _sign(word) or (_Sort.WORD, "")
    return _Token(match.start(), match.end(), sort, value)


def _quotation(word: str) -> tuple[_Sort, str] | None:
    if word[0] in _QUOTES and len(word) > 2 and word[-1] in _QUOTES[word[0]]:
        inner = word[1:-1].strip()
        return (_Sort.QUOTE, inner) if 0 < len(inner) <= VERBATIM_MAX else None
    return None


def _name(word: str, products: Sequence[str]) -> tuple[_Sort, str] | None:
    name = _NAME.fullmatch(word)
    if not name or len(name[1]) > TOOL_MAX:
        return None
    if word[0] == ">":
        return _Sort.TOOL, name[1].replace("_", " ")
    product = find_product(name[1], products)
    return (_Sort.PRODUCT, product) if product else None


def _sign(word: str) -> tuple[_Sort, str] | None:
    if word == "?":
        return _Sort.QUESTION, ""
    if severity := _SEVERITY.fullmatch(word):
        return _Sort.SEVERITY, severity[1]
    tag = _TAG.fullmatch(word)
    return (_Sort.TAG, tag[1]) if tag and len(tag[1]) <= TAG_MAX else None


def find_product(name: str, products: Sequence[str]) -> str | None:
    """The product meant by `name`: equal but for case and separators, else the only one it begins."""
    wanted = _squash(name)
    if not wanted:
        return None
    known = [(_squash(product), product) for product in products]
    equal = [product for squashed, product in known if squashed == wanted]
    begun = [product for squashed, product in known if squashed.startswith(wanted)]
    if equal:
        return equal[0]
    return begun[0] if len(begun) == 1 else None


def _squash(name: str) -> str:
    return "".join(ch for ch in name.casefold().replace("ё", "е") if ch.isalnum())


def _once_each(tokens: list[_Token]) -> list[_Token]:
    """A second severity, tool, product or quotation is not read: it stays in the text."""
    seen: set[_Sort] = set()
    result = []
    for token in tokens:
        again = token.sort in seen and token.sort is not _Sort.TAG
        result.append(_as_word(token) if again else token)
        if token.sort is not _Sort.WORD:
            seen.add(token.sort)
    return _few_tags(result)


def _few_tags(tokens: list[_Token]) -> list[_Token]:
    """Tags beyond TAGS_MAX different ones are not read."""
    tags = list(dict.fromkeys(token.value.casefold() for token in tokens if token.sort is _Sort.TAG))
    beyond = frozenset(tags[TAGS_MAX:])
    return [
        _as_word(token) if token.sort is _Sort.TAG and token.value.casefold() in beyond else token
        for token in tokens
    ]


def _text(line: str, tokens: list[_Token]) -> str:
    """The line from the first to the last token; marks inside lose their sign and keep their word."""
    parts: list[str] = []
    at = tokens[0].start
    for token in tokens:
        gap = line[at : token.start]
        at = token.end
        if token.sort is _Sort.SEVERITY:
            continue
        typed = line[token.start : token.end]
        inner = token.sort in (_Sort.TOOL, _Sort.TAG, _Sort.PRODUCT)
        parts += [gap, typed[1:].replace("_", " ") if inner else typed]
    return "".join(parts).strip()


def _note(text: str, tokens: Sequence[_Token]) -> Note:
    def first(sort: _Sort) -> str:
        return next((token.value for token in tokens if token.sort is sort), "")

    tags = dict.fromkeys(token.value.casefold() for token in tokens if token.sort is _Sort.TAG)
    asked = any(token.sort is _Sort.QUESTION for token in tokens)
    return Note(
        text,
        int(first(_Sort.SEVERITY)) if first(_Sort.SEVERITY) else None,
        first(_Sort.QUOTE),
        first(_Sort.TOOL),
        tuple(tags),
        first(_Sort.PRODUCT),
        asked or text.endswith(("?", "？")),
    )
