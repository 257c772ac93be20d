"""Search terms: words found in any form, order that is the same everywhere."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemba.insights.rules import terms as t
from gemba.insights.rules.terms import Match, QueryTerm, insight_terms, query_terms, rank, rarity, terms


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Поиски заказов", "поиск заказа"),
        ("ещё ЁЛКА", "елки"),
        ("The buttons were moved", "moving button"),
        ("ＣＲＭ", "crm"),
        ("café", "cafe"),
        ("Йод", "йода"),
    ],
)
def test_forms_of_a_word_are_one_term(one: str, other: str) -> None:
    assert set(terms(one)) & set(terms(other))


def test_parts_of_a_hyphenated_word_and_the_whole_are_found() -> None:
    assert list(terms("Pi-hole")) == ["pi", "hole", t.stem("pihole")]
    assert set(terms("sms-уведомление")) >= {"sms", t.stem("уведомления")}


def test_a_word_being_typed_finds_what_it_begins() -> None:
    (*_, last) = query_terms("slow pi-h", typing=True)
    assert last == QueryTerm("pih", "pih")
    assert last.matches(t.stem("pihole"))
    assert any(q.matches(t.stem("уведомления")) for q in query_terms("уведом", typing=True))


def test_stop_words_and_single_letters_say_nothing() -> None:
    assert list(terms("a и the не was — 7")) == ["7"]
    assert query_terms("не the", typing=True)[1:] == ()


def test_the_title_weighs_more_than_the_evidence() -> None:
    weights = insight_terms(
        "Slow search", "Agents wait", ["search hangs", "search waits", "search", "search again"]
    )
    assert weights["search"] == t.TITLE_WEIGHT + t.EVIDENCE_WEIGHT_MAX
    assert weights["wait"] == t.BODY_WEIGHT + 1
    assert weights["hang"] == 1


BACKLOG = {
    1: "Поиск заказа требует полный номер",
    2: "Search needs the full order number",
    3: "Refund rules change without notice to the line",
    4: "Photo upload fails on weak networks",
    5: "Статус «В пути» показан клиенту дважды",
    6: "Order list is slow on Mondays",
    7: "Правила возврата меняются без предупреждения",
}


def ranked(text: str, backlog: dict[int, str] = BACKLOG) -> list[Match]:
    held = {id_: insight_terms(title, "", []) for id_, title in backlog.items()}
    frequencies: dict[str, int] = {}
    for weights in held.values():
        for term in weights:
            frequencies[term] = frequencies.get(term, 0) + 1
    return rank(query_terms(text), held, frequencies, len(held))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("нельзя найти заказ без полного номера, поиск не работает", 1),
        ("searching orders by full numbers only", 2),
        ("the rule of refunds changed again, no notice", 3),
        ("uploading photos failed", 4),
        ("клиент видит статусы дважды", 5),
        ("правило возвратов поменяли", 7),
    ],
)
def test_a_rewording_comes_first(text: str, first: int) -> None:
    assert ranked(text)[0].id == first


def test_a_match_says_which_words_are_shared() -> None:
    best = ranked("uploading photos failed")[0]
    assert t.shared_words(BACKLOG[4], best.shared) == ("Photo", "upload", "fails")
    assert t.highlight(BACKLOG[4], best.shared)[0] == ("Photo", True)


def test_only_what_shares_something_rare_is_called_similar() -> None:
    frequencies = {"order": 60, "number": 2, "search": 3}
    query = query_terms("order number search")
    assert t.is_similar(Match(1, 1, ("number", "search")), query, frequencies, 100)
    assert not t.is_similar(Match(1, 1, ("number",)), query, frequencies, 100)
    assert not t.is_similar(Match(1, 1, ("order",)), query, frequencies, 100)
    assert t.is_similar(Match(1, 1, ("number",)), query_terms("number"), frequencies, 100)


weights = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 9), max_size=8)
queries = st.sets(st.sampled_from("abcdefgh"), max_size=5).map(
    lambda s: tuple(QueryTerm(c) for c in sorted(s))
)
frequency_tables = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 60))


@given(st.dictionaries(st.integers(1, 99), weights, max_size=20), queries, frequency_tables, st.randoms())
def test_order_does_not_depend_on_where_rows_come_from(
    candidates: dict[int, dict[str, int]],
    query: tuple[QueryTerm, ...],
    frequencies: dict[str, int],
    shuffle: random.Random,
) -> None:
    expected = rank(query, candidates, frequencies, 50)
    rows = list(candidates.items())
    shuffle.shuffle(rows)
    assert rank(query, dict(rows), frequencies, 50) == expected
    wanted = {q.term for q in query}
    for match in expected:
        oracle = sum(
            w * rarity(frequencies.get(x, 0), 50) for x, w in candidates[match.id].items() if x in wanted
        )
        assert match.relevance == oracle > 0
    assert {m.id for m in expected} == {id_ for id_, held in candidates.items() if wanted & set(held)}


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_rarer_is_worth_more(frequency: int, total: int) -> None:
    assert rarity(frequency, total) >= rarity(frequency + 1, total) >= 1


@given(st.text(max_size=300), st.sets(st.sampled_from(["заказ", "order", "slow"])))
def test_highlighting_never_changes_the_text(text: str, wanted: set[str]) -> None:
    assert "".join(part for part, _ in t.highlight(text, wanted)) == text


@given(st.text(max_size=300))
def test_terms_are_short_folded_and_stable(text: str) -> None:
    found = list(terms(text))
    assert found == list(terms(text))
    assert all(0 < len(term) <= t.TERM_MAX and "ё" not in term and not term.isspace() for term in found)
