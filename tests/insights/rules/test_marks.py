"""The one-line syntax of a note."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemba.insights.rules.kinds import TAGS_MAX
from gemba.insights.rules.marks import Note, find_product, line_of, parse

PRODUCTS = ("Checkout", "Courier app", "Warehouse", "Касса")


def test_the_whole_syntax_in_one_line() -> None:
    note = parse('she copies the order number >crm !3 "every single time" #orders @checkout ?', PRODUCTS)
    assert note == Note(
        "she copies the order number",
        3,
        "every single time",
        "crm",
        ("orders",),
        "Checkout",
        is_question=True,
    )


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("plain words", Note("plain words")),
        ("говорит «каждый раз так» !4 #Заказы", Note("говорит", 4, "каждый раз так", tags=("заказы",))),
        ("!2 >order_desk the search is slow", Note("the search is slow", 2, tool="order desk")),
        (
            "the #refund rule for >crm users, !2 now",
            Note("the refund rule for crm users, now", 2, "", "crm", ("refund",)),
        ),
        ("Status «В пути» shown twice", Note("Status «В пути» shown twice")),
        ('one "b" two "c d"', Note('one "b" two', verbatim="c d")),
        ('"I made this table"', Note('"I made this table"')),
        ('"I made this table" !3', Note('"I made this table"', 3)),
        ("Who owns the macros?", Note("Who owns the macros?", is_question=True)),
        ("who owns the macros ?", Note("who owns the macros", is_question=True)),
        ("is it a ? sign", Note("is it a ? sign")),
        ("two lines\nof one note !1", Note("two lines\nof one note", 1)),
        ("slow #a #A #b", Note("slow", tags=("a", "b"))),
        ("slow @courier", Note("slow", product="Courier app")),
        ("каждый чек @касса", Note("каждый чек", product="Касса")),
    ],
)
def test_reads(line: str, note: Note) -> None:
    assert parse(line, PRODUCTS) == note


@pytest.mark.parametrize(
    "line",
    [
        "order #48213 is > 3 days late",
        "write to help@shop.example",
        "she said !5 twice",
        "he!3 x>y a#b",
        "sees @nobody there",
        'she says "no',
        "a @c sign fits two products",
        "!3",
        ">crm !3 #tag",
        "#1 #2 #3",
        "-> arrows => and -- dashes",
        ">" + "x" * 81 + " too long a tool",
        '"' + "x" * 1001 + '" too long a quotation',
    ],
)
def test_what_it_cannot_read_stays_as_typed(line: str) -> None:
    assert parse(line, PRODUCTS) == Note(line)


def test_an_unread_mark_does_not_hide_the_others() -> None:
    assert parse("slow search !3 @nobody >crm !2 >erp") == Note("slow search @nobody !2 >erp", 3, tool="crm")


def test_only_so_many_tags_are_read() -> None:
    line = "slow " + " ".join(f"#tag{n}" for n in range(TAGS_MAX + 2))
    note = parse(line)
    assert len(note.tags) == TAGS_MAX
    assert note.text == f"slow #tag{TAGS_MAX} #tag{TAGS_MAX + 1}"


def test_a_product_is_found_by_its_only_beginning() -> None:
    assert find_product("COURIER-APP", PRODUCTS) == "Courier app"
    assert find_product("c", PRODUCTS) is None
    assert find_product("", PRODUCTS) is None


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"[^\W_]+", text.casefold()))


pieces = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "!1",
                "!4",
                "!9",
                ">crm",
                ">",
                "#tag",
                "#12",
                "@checkout",
                "@nobody",
                "?",
                '"',
                '"so slow"',
                "«да»",
            ]
        ),
        st.sampled_from(["заказ", "order", "it's", "a>b", "don't", "«", "№5", "\n", "\t", "(see", "there)"]),
        st.text(max_size=12),
    ),
    max_size=12,
).map(" ".join)


@given(pieces)
def test_no_word_is_ever_lost(line: str) -> None:
    note = parse(line, PRODUCTS)
    kept = words(" ".join([note.text, note.verbatim, note.tool, note.product, *note.tags]))
    assert not set(words(line)) - set(kept) - {str(note.severity)}


@given(pieces)
def test_text_is_empty_only_where_the_line_is(line: str) -> None:
    assert bool(parse(line, PRODUCTS).text) == bool(line.strip())


@given(st.lists(st.from_regex(r"[a-zа-яё]{1,9}", fullmatch=True), min_size=1, max_size=9).map(" ".join))
def test_plain_words_are_left_alone(line: str) -> None:
    assert parse(line, PRODUCTS) == Note(line)


@given(pieces, st.integers(1, 4))
def test_marks_at_the_end_do_not_change_the_sentence(words_before: str, severity: int) -> None:
    line = "sentence begins " + re.sub(r'[!>#@?"«»“”„]', "", words_before).strip()
    note = parse(f"{line} !{severity} >crm #late")
    assert (note.text, note.severity, note.tool, note.tags) == (line.strip(), severity, "crm", ("late",))


@given(pieces)
def test_the_line_of_a_note_is_read_as_the_same_note(line: str) -> None:
    note = parse(line, PRODUCTS)
    again = line_of(note, PRODUCTS)
    assert again is None or parse(again, PRODUCTS) == note


@given(st.lists(st.from_regex(r"[a-zа-яё]{1,9}", fullmatch=True), min_size=1, max_size=9).map(" ".join))
def test_an_ordinary_note_can_be_edited_as_a_line(words_: str) -> None:
    note = parse(f'{words_} >order_desk !2 "so «slow»" #late @courier ?', PRODUCTS)
    assert note.tool == "order desk"
    assert line_of(note, PRODUCTS) == f'{words_} >order_desk !2 "so «slow»" #late @Courier_app ?'


def test_a_note_that_no_line_says_has_no_line() -> None:
    assert line_of(Note("she types >crm")) is None
    assert line_of(Note("slow", tags=("a b",))) is None
