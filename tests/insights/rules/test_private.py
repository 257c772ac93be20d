"""What looks like private data, and what does not."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemba.insights.rules.private import Finding, Private, find, is_inn, is_snils, luhn, mask, sorts

WORDS = {sort: sort.mask for sort in Private}

PRIVATE = [
    ("call +7 916 123-45-67 back", Private.PHONE, "+7 916 123-45-67"),
    ("звонила с 8(495)1234567, ждёт", Private.PHONE, "8(495)1234567"),
    ("89161234567", Private.PHONE, "89161234567"),
    ("тел. 8 (916) 123 45 67 2 раза", Private.PHONE, "8 (916) 123 45 67"),
    ("+7 916 123-45-67 2 раза", Private.PHONE, "+7 916 123-45-67"),
    ("London +44 20 7946 0958.", Private.PHONE, "+44 20 7946 0958"),
    ("his (555) 123-4567 is wrong", Private.PHONE, "(555) 123-4567"),
    ("916 123-45-67", Private.PHONE, "916 123-45-67"),
    ("8\u00a0916\u2011123\u201145\u201167", Private.PHONE, "8\u00a0916\u2011123\u201145\u201167"),
    ("writes to vera.l+x@shop.example, waits", Private.EMAIL, "vera.l+x@shop.example"),
    ("почта иван@почта.рф", Private.EMAIL, "иван@почта.рф"),
    ("pays by 4111 1111 1111 1111", Private.CARD, "4111 1111 1111 1111"),
    ("order 4821 4111-1111-1111-1111", Private.CARD, "4111-1111-1111-1111"),
    ("order 4821 4111 1111 1111 1111", Private.CARD, "4111 1111 1111 1111"),
    ("Мир 2200123456789019", Private.CARD, "2200123456789019"),
    ("amex 3782 822463 10005", Private.CARD, "3782 822463 10005"),
    ("паспорт 45 09 123456", Private.PASSPORT, "45 09 123456"),
    ("series 4509 № 123456", Private.PASSPORT, "4509 № 123456"),
    ("Паспорт: 4509123456 выдан", Private.PASSPORT, "4509123456"),
    ("СНИЛС 112-233-445 95", Private.SNILS, "112-233-445 95"),
    ("11223344595", Private.SNILS, "11223344595"),
    ("ИНН 500100732259", Private.INN, "500100732259"),
    ("company 7707083893", Private.INN, "7707083893"),
]


@pytest.mark.parametrize(("text", "sort", "part"), PRIVATE)
def test_finds(text: str, sort: Private, part: str) -> None:
    start = text.index(part)
    assert find(text) == [Finding(start, start + len(part), sort)]


@pytest.mark.parametrize(
    "text",
    [
        "order 48213 waits for 3 days",
        "order 2026-11-23/000412",
        "version 1.2.34567.890 and 10.0.0.12",
        "EAN 4606224056001",
        "3f0e8a2c-6a0d-4c0b-9d4e-2f1a7c5b8e90",
        "12345678-1234-1234-1234-123456789012",
        "from 2026-11-23 10:00 to 11:30",
        "4111 1111 1111 1112",
        "СНИЛС 112-233-445 96",
        "ИНН 500100732258",
        "company 7707083894",
        "ticket SHOP-1234567890",
        "she pays 1 250 000 ₽ in 12 parts",
        "room 8, table 9, 916 clients",
        "a@b and @checkout and #12345678",
        "89161234567890",
        "x9161234567",
    ],
)
def test_look_alikes_pass(text: str) -> None:
    assert find(text) == []


def test_masking_keeps_the_rest_of_the_sentence() -> None:
    text = "call +7 916 123-45-67 or vera@shop.example !3"
    assert mask(text, WORDS) == "call [phone] or [e-mail] !3"
    assert sorts(text, "4111111111111111") == [Private.EMAIL, Private.CARD, Private.PHONE]


pieces = st.lists(
    st.one_of(
        st.sampled_from([part for _text, _sort, part in PRIVATE]),
        st.text(max_size=6),
        st.text("0123456789 -+().@", max_size=22),
    ),
    max_size=8,
)


@given(pieces.map("".join))
def test_nothing_private_is_left_after_masking(text: str) -> None:
    masked = mask(text, WORDS)
    assert find(masked) == []
    assert mask(masked, WORDS) == masked


@given(pieces.map(" ".join))
def test_findings_are_in_order_and_never_overlap(text: str) -> None:
    found = find(text)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(one.end <= other.start for one, other in pairwise(found))


@given(st.text("абвгдежз абвг, .!?\n"))
def test_plain_words_are_never_private(text: str) -> None:
    assert find(text) == []
    assert mask(text, WORDS) == text


@given(st.integers(0, 10**15 - 1))
def test_one_digit_in_ten_checks_a_card(number: int) -> None:
    digits = f"4{number:015d}"[:15]
    assert sum(luhn(digits + str(last)) for last in range(10)) == 1


@given(st.integers(1, 10**9 - 1), st.integers(1, 10**10 - 1))
def test_each_tax_number_has_one_check(company: int, person: int) -> None:
    assert sum(is_inn(f"{company:09d}{last}") for last in range(10)) == 1
    assert sum(is_inn(f"{person:010d}{last:02d}") for last in range(100)) == 1


@given(st.integers(1_001_999, 10**9 - 1), st.integers(0, 8), st.integers(1, 9))
def test_a_wrong_digit_of_a_snils_is_seen(number: int, place: int, off: int) -> None:
    check = next(last for last in range(100) if is_snils(f"{number:09d}{last:02d}"))
    right = f"{number:09d}{check:02d}"
    assert find(right)
    wrong = right[:place] + str((int(right[place]) + off) % 10) + right[place + 1 :]
    change = (9 - place) * abs(int(right[place]) - int(wrong[place]))
    assert not is_snils(wrong) or change % 101 == 0 or check == 0
