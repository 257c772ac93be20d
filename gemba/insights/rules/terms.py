"""Words of insights as search terms: one table serves ranked search and "similar" on any database.

A text becomes words (NFKC, case folded, ё as е, parts of hyphenated words also joined), words become
stems (Snowball, Russian or English by the script), stems get small integer weights. A candidate's
relevance is the sum of weight x rarity over the shared terms (OR, idf), in integers only, so that
the order is the same in Python, SQLite and PostgreSQL; ties go to the smaller id.

Lexical likeness finds re-wordings, not meanings: it ranks and shows, a person decides.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from snowballstemmer import stemmer

from gemba.insights.rules.stop_words import STOP_WORDS

TERM_MAX = 40
TITLE_WEIGHT = 4
BODY_WEIGHT = 2
EVIDENCE_WEIGHT_MAX = 3
PREFIX_MIN = 3
QUERY_TERMS_MAX = 24
RARITY_SCALE = 1000
TOTAL_MIN = 100
SIMILAR_SHARE = 0.3
SIMILAR_SHARED_MIN = 2

_WORD = re.compile(r"[^\W_]+(?:[-‐‑–'’][^\W_]+)*")
_PART = re.compile(r"[^\W_]+")
_CYRILLIC = re.compile(r"[а-я]")
_LATIN = re.compile(r"[a-z]+")


@dataclass(frozen=True)
class QueryTerm:
    """A term somebody looks for; with a `prefix`, terms that begin so count too (a word being typed)."""

    term: str
    prefix: str = ""

    def matches(self, term: str) -> bool:
        """Whether a stored term answers this one."""
        return term == self.term or bool(self.prefix and term.startswith(self.prefix))


@dataclass(frozen=True)
class Match:
    """A candidate with its relevance (integer, higher first) and the shared terms, most telling first."""

    id: int
    relevance: int
    shared: tuple[str, ...]


def fold(text: str) -> str:
    """The text in the form words are compared in: NFKC, case folded, ё as е, Latin accents dropped."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    if text.isascii():
        return text
    return "".join(_plain_letter(ch) for ch in text)


@lru_cache(maxsize=2048)
def _plain_letter(ch: str) -> str:
    decomposed = unicodedata.normalize("NFKD", ch)
    return decomposed[0] if len(decomposed) > 1 and decomposed[0].isascii() else ch


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The stem of a folded word; words with digits or of other scripts stay as they are.

    A new stemmer for each word not seen before: Snowball's objects hold state and threads share us.
    """
    if _CYRILLIC.search(word):
        word = str(stemmer("russian").stemWord(word))
    elif _LATIN.fullmatch(word):
        word = str(stemmer("english").stemWord(word))
    return word[:TERM_MAX]


def _term(word: str) -> str:
    """The term of one folded word, or "" where the word says nothing."""
    if word in STOP_WORDS or (len(word) < 2 and not word.isdigit()):
        return ""
    return stem(word)


def _spelt(compound: str) -> list[str]:
    """The words of a possibly hyphenated word: its parts and, where there are several, all joined."""
    parts = _PART.findall(compound)
    return [*parts, "".join(parts)] if len(parts) > 1 else parts


def terms(text: str) -> Iterator[str]:
    """The terms of a text in order, repeated as often as they occur."""
    for compound in _WORD.findall(fold(text)):
        for word in _spelt(compound):
            if term := _term(word):
                yield term


def insight_terms(title: str, body: str, evidence: Iterable[str]) -> dict[str, int]:
    """The weighted terms of an insight: the title weighs most, then the body, then the evidence.

    A term of the evidence weighs one per observation that says it, up to EVIDENCE_WEIGHT_MAX.
    """
    weights = Counter[str]()
    for text in evidence:
        weights.update(set(terms(text)))
    for term in weights:
        weights[term] = min(weights[term], EVIDENCE_WEIGHT_MAX)
    weights.update(dict.fromkeys(terms(title), TITLE_WEIGHT))
    weights.update(dict.fromkeys(terms(body), BODY_WEIGHT))
    return dict(sorted(weights.items()))


def query_terms(text: str, typing: bool = False) -> tuple[QueryTerm, ...]:
    """The distinct terms of a query, at most QUERY_TERMS_MAX; `typing` lets the last word be a beginning."""
    wanted = {term: QueryTerm(term) for term in terms(text)}
    if typing and (begun := _begun(text)):
        term = stem(begun)
        wanted[term] = QueryTerm(term, begun[:TERM_MAX])
    return tuple(wanted.values())[:QUERY_TERMS_MAX]


def _begun(text: str) -> str:
    """The last word of a query, folded and joined, if it is long enough to be a beginning."""
    last = _WORD.findall(fold(text))
    joined = "".join(_PART.findall(last[-1])) if last else ""
    return joined if len(joined) >= PREFIX_MIN else ""


@lru_cache(maxsize=16_384)
def rarity(frequency: int, total: int) -> int:
    """How telling a term is that occurs in `frequency` of `total` insights: idf in thousandths, >= 1.

    A young backlog counts as one of TOTAL_MIN, else each word shared there would seem common.
    """
    total = max(total, TOTAL_MIN)
    frequency = min(max(frequency, 0), total)
    return max(1, round(RARITY_SCALE * math.log(1 + (total - frequency + 0.5) / (frequency + 0.5))))


def rank(
    query: Sequence[QueryTerm],
    candidates: Mapping[int, Mapping[str, int]],
    document_frequencies: Mapping[str, int],
    total: int,
    limit: int | None = None,
) -> list[Match]:
    """Candidates (id -> {term: weight}) that share a term with the query, most relevant first, up to `limit`.

    `document_frequencies` says in how many of the `total` insights each term occurs.
    """
    worth = {
        term: rarity(document_frequencies.get(term, 0), total)
        for term in {term for held in candidates.values() for term in held}
        if any(wanted.matches(term) for wanted in query)
    }
    every = ((id_, sum(held[t] * worth[t] for t in held if t in worth)) for id_, held in candidates.items())
    order = sorted((-relevance, id_) for id_, relevance in every if relevance)
    return [_match(id_, -least, candidates[id_], worth) for least, id_ in order[:limit]]


def _match(id_: int, relevance: int, held: Mapping[str, int], worth: Mapping[str, int]) -> Match:
    shared = sorted((term for term in held if term in worth), key=lambda t: (-held[t] * worth[t], t))
    return Match(id_, relevance, tuple(shared))


def is_similar(match: Match, query: Sequence[QueryTerm], frequencies: Mapping[str, int], total: int) -> bool:
    """Whether a match is worth showing as perhaps the same thing.

    It must share at least two terms (or all there are), one of them rare (in at most a tenth of the
    insights, or in five), and three tenths of what the query says, by rarity.
    """
    said = sum(rarity(frequencies.get(wanted.term, 0), total) for wanted in query)
    shared = sum(rarity(frequencies.get(term, 0), total) for term in match.shared)
    rare = any(frequencies.get(term, 0) <= max(5, total // 10) for term in match.shared)
    enough = len(match.shared) >= min(SIMILAR_SHARED_MIN, len(query))
    return rare and enough and shared >= SIMILAR_SHARE * said


def highlight(text: str, wanted: Iterable[str]) -> list[tuple[str, bool]]:
    """The text cut into stretches, each with whether its word is among the `wanted` terms.

    The stretches joined are the text itself.
    """
    marked = frozenset(wanted)
    result: list[tuple[str, bool]] = []
    at = 0
    for found in _PART.finditer(text):
        if marked.isdisjoint(terms(found[0])):
            continue
        if at < found.start():
            result.append((text[at : found.start()], False))
        result.append((found[0], True))
        at = found.end()
    if at < len(text):
        result.append((text[at:], False))
    return result


def shared_words(text: str, wanted: Iterable[str]) -> tuple[str, ...]:
    """The words of the text that stand for the wanted terms, as they are written, each once."""
    found = (word for word, is_shared in highlight(text, wanted) if is_shared)
    return tuple({fold(word): word for word in found}.values())
