"""What would help whoever was left out, in words of both languages."""

import pytest
from flask import Flask
from flask_babel import force_locale

from gemba.rounds.words import help_words

HOURS = {"kind": "hours", "value": [3, 600], "zone": "Europe/Berlin"}
OTHERS: list[dict[str, object]] = [
    {"kind": "product", "value": 7, "zone": ""},
    {"kind": "language", "value": "ru", "zone": ""},
    {"kind": "line", "value": 2, "name": "Couriers"},
    {"kind": "refuses", "value": None},
    {"kind": "product", "value": 8},
]


@pytest.mark.parametrize(
    ("locale", "minutes", "words"),
    [
        ("en", 60, "1 free hour on Thursdays would do: from 10:00 to 11:00."),
        ("en", 90, "2 free hours on Thursdays would do: from 10:00 to 12:00."),
        ("ru", 60, "Хватило бы 1 свободного часа по четвергам: с 10:00 до 11:00."),
        ("ru", 180, "Хватило бы 3 свободных часов по четвергам: с 10:00 до 13:00."),
        ("ru", 300, "Хватило бы 5 свободных часов по четвергам: с 10:00 до 15:00."),
    ],
)
def test_hours_that_would_help(app: Flask, locale: str, minutes: int, words: str) -> None:
    with force_locale(locale):
        assert help_words([HOURS], {}, minutes=minutes, zone="Europe/Berlin") == [words]


def test_hours_of_another_zone_name_it_and_gone_names_are_not_told(app: Flask) -> None:
    with force_locale("en"):
        assert help_words([HOURS, *OTHERS], {("product", 7): "Till"}, minutes=60, zone="Asia/Almaty") == [
            "1 free hour on Thursdays would do: from 10:00 to 11:00 (Europe/Berlin).",
            "There would be a place if Till were welcome too.",
            "In this language there would be a place: Русский.",
            "There would be a place in this line: Couriers.",
            "There would be a place with one of the agents who were ruled out.",
        ]
    with force_locale("ru"):
        (only,) = help_words(OTHERS[:1], {("product", 7): "Касса"}, minutes=60)
        assert only == "Место нашлось бы, если подойдёт и другой продукт: Касса."
