"""Backlogs of any size: templated complaints in two languages, written in bulk, with terms and numbers."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import product
from random import Random
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy import text as sql

from gemba.db import db, table_of
from gemba.insights.models import Insight, InsightTerm, Observation
from gemba.insights.rules.kinds import Kind, Status
from gemba.insights.rules.terms import insight_terms
from gemba.insights.service import numbers
from tests.cast import Cast

TWINS = [
    ("Поиск заказа требует полный номер", "при поиске заказов нужны полные номера"),
    ("Чат закрывается, пока агент печатает ответ", "закрытие чата во время печати ответа агентом"),
    ("Скидка не применилась к повторному заказу", "повторные заказы: скидки не применяются"),
    ("Курьер не видит комментарий клиента к адресу", "комментарии клиентов к адресам не видны курьерам"),
    ("Возврат денег идёт десять дней без объяснения", "деньги возвращаются десять дней, объяснений нет"),
    ("Шаблоны писем устарели ещё прошлым летом", "устаревшие с прошлого лета шаблоны писем"),
    ("Order search needs the full number", "searching orders requires full numbers"),
    ("Refund form loses the typed comment", "typed comments are lost in refund forms"),
    ("Photo upload fails on weak networks", "uploading photos failed with a weak network"),
    ("Agents copy the address by hand into the map", "copying addresses into maps by hand"),
    ("The macro list cannot be sorted by language", "sorting macro lists by languages is impossible"),
]
"""The same words in another form: six pairs in Russian, five in English."""

_PARTS = """
клиент;курьер;агент;оператор;партнёр;склад;customer;courier;agent;partner;warehouse;manager
не находит;ждёт;теряет;вводит дважды;обходит;cannot find;waits for;loses;types twice;works around
заказ;адрес;чек;промокод;возврат;скидку;отчёт;пароль;фото;order;address;receipt;voucher;refund;report;photo
в админке;в чате;в приложении;на сайте;по телефону;in the panel;in the chat;in the app;on the site;by phone
утром;после обновления;в пик;при отмене;ночью;in the morning;after an update;at peak;on cancelling;at night
"""
_SPICE = 4000
"""Words that only few complaints share, as names of screens and partners are."""


PART = 10_000


def complaints(count: int, seed: int = 5) -> Iterator[str]:
    """So many different complaints."""
    random = Random(seed)
    every = list(product(*(line.split(";") for line in _PARTS.strip().splitlines())))
    random.shuffle(every)
    for number in range(count):
        words = every[number % len(every)]
        yield f"{' '.join(words)}, {_name(random)} {_name(random)}"


def _name(random: Random) -> str:
    """A made-up name; low numbers come often, as in any language."""
    number = int(_SPICE * random.random() ** 3)
    letters = "абвгдеклмнопрсту" if number % 2 else "bcdfghjklmnprstv"
    return "".join(letters[number >> shift & 15] + ("о" if number % 2 else "o") for shift in (0, 4, 8))


def fill(cast: Cast, visits: list[int], texts: list[str], now: datetime) -> list[int]:
    """An insight with one note for each text; returns their ids."""
    kinds, statuses = list(Kind), [*Status, Status.NEW, Status.NEW]
    products = [cast.checkout.id, cast.courier.id, None]
    first = (db.session.scalar(select(func.max(Insight.id))) or 0) + 1
    for start in range(0, len(texts), PART):
        part = enumerate(texts[start : start + PART], start)
        insights, notes, terms = [], [], []
        for number, text in part:
            id_, at = first + number, now - timedelta(minutes=number)
            insights.append(
                _insight(id_, text, kinds[number % 7], statuses[number % 7], products[number % 3], at)
            )
            notes.append(_note(id_, text, visits[number % len(visits)], cast.vera.id, number % 5, at))
            weights = insight_terms(text, "", [])
            terms += [(term, id_, weight) for term, weight in weights.items()]
        for model, rows in ((Insight, insights), (Observation, notes)):
            db.session.execute(insert(table_of(model)), rows)
        _write_terms(terms)
    if db.engine.dialect.name == "postgresql":  # the ids were given by hand
        db.session.execute(
            sql("SELECT setval(pg_get_serial_sequence('insight', 'id'), :last)"), {"last": first + len(texts)}
        )
    db.session.execute(sql("ANALYZE"))
    numbers.keep_all(now)
    return list(range(first, first + len(texts)))


def _write_terms(rows: list[tuple[str, int, int]]) -> None:
    """Eight for each complaint: straight to the driver, in sixty times fewer calls."""
    connection = db.session.connection()
    names = ", ".join(column.name for column in table_of(InsightTerm).columns)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"INSERT INTO insight_term ({names}) VALUES (?, ?, ?)", rows)
        return
    with connection.connection.cursor().copy(f"COPY insight_term ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _insight(
    id_: int, title: str, kind: Kind, status: Status, product_id: int | None, at: datetime
) -> dict[str, Any]:
    return {
        "id": id_,
        "title": title,
        "kind": kind,
        "status": status,
        "product_id": product_id,
        "created_at": at,
        "updated_at": at,
    }


def _note(id_: int, text: str, visit: int, author: int, severity: int, at: datetime) -> dict[str, Any]:
    return {
        "visit_id": visit,
        "author_id": author,
        "insight_id": id_,
        "client_id": f"many-{id_}",
        "text": text,
        "kind": Kind.TOOL_PAIN,
        "severity": severity,
        "at": at,
        "created_at": at,
    }
