"""Addresses that answers come back to."""

import re

import pytest

from gemba.invites.addresses import reply_address, whose

SECRET = "s" * 40
FROM = "gemba@company.example"


def test_an_address_says_whose_it_is() -> None:
    address = reply_address(FROM, SECRET, 17, 4711)
    assert re.fullmatch(r"gemba\+[0-9a-z-]+@company\.example", address)
    assert whose(address, FROM, SECRET) == (17, 4711)


@pytest.mark.parametrize(
    "written",
    [str.upper, str.title, lambda a: f" <{a}> ", lambda a: a.replace("company.example", "mx1.internal")],
)
def test_servers_may_fold_case_and_rewrite_the_host(written: object) -> None:
    assert callable(written)
    assert whose(written(reply_address(FROM, SECRET, 1, 2)), FROM, SECRET) == (1, 2)


def test_no_local_part_is_longer_than_mail_allows() -> None:
    largest = reply_address(FROM, SECRET, 2**31 - 1, 2**31 - 1)
    assert len(largest.partition("@")[0]) <= 64
    assert whose(largest, FROM, SECRET) == (2**31 - 1, 2**31 - 1)
    crowded = f"{'a' * 40}@company.example"
    assert reply_address(crowded, SECRET, 1, 2) == crowded


@pytest.mark.parametrize(
    "address",
    [
        "",
        "@",
        FROM,
        "gemba+@company.example",
        "gemba+1-2-@company.example",
        f"gemba+1-2-{'a' * 26}@company.example",
        f"gemba+\u0661-2-{'a' * 26}@company.example",
        reply_address(FROM, "t" * 40, 1, 2),
        reply_address(FROM, SECRET, 1, 2).replace("+1-2-", "+1-3-"),
        reply_address(FROM, SECRET, 1, 2).replace("+1-2-", "+01-2-"),
        reply_address(FROM, SECRET, 1, 2).replace("gemba+", "other+"),
        reply_address(FROM, SECRET, 1, 2).replace("@", "x@"),
    ],
)
def test_anything_else_is_nobodys(address: str) -> None:
    assert whose(address, FROM, SECRET) is None
