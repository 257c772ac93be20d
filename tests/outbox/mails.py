"""Every mail there is, with something to say: what templates are told, in each of their words and parts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from flask_babel import force_locale

from gemba.outbox.mail import Words, render
from gemba.visits.briefing import briefing

BASE = "https://gemba.company.example"
ANSWER = f"{BASE}/answer/AAAAAQAAAAKr3cWv0gGq0m1Wv8mJx2Zk"
UNSUBSCRIBE = f"{BASE}/mail/2-reminder-day-Zm9vYmFyYmF6cXV4cXV1eHF1"
START = datetime(2027, 3, 25, 9, tzinfo=UTC)
GUIDE = {
    "en": ["What makes the agent leave the main window, and how often in one answer?", "Where do they wait?"],
    "ru": ["Что заставляет агента уходить из главного окна и сколько раз за один ответ?", "Где ждут?"],
}
NOTICES = ("requested", "decide", "declined", "lapsed", "unanswered", "withdrawn", "offered", "passed-on")
PARTS = ("visitor", "agent", "lead")
ROUND = {
    "round": "Winter <2027>",
    "purpose": "Come back every half a year.",
    "closes": START - timedelta(days=9),
    "visits_from": START - timedelta(days=7),
    "visits_until": START + timedelta(days=7),
    "path": "/rounds/3",
}
WHY_NOT: tuple[tuple[str, dict[str, Any]], ...] = (
    ("no-agent", {"lift": ["language", "product", "line", "refuses"]}),
    ("no-time", {}),
    ("no-mentor", {}),
    ("not-trained", {}),
    ("not-among", {}),
    ("not-proposed", {}),
    ("all-taken", {"people": 9, "places": 4}),
)
HELPS: dict[str, Any] = {
    "minutes": 120,
    "turn": 1,
    "helps": [
        {"kind": "hours", "value": [3, 570], "zone": "America/New_York"},
        {"kind": "product", "value": 3, "name": "Till <2>"},
        {"kind": "language", "value": "ru"},
        {"kind": "line", "value": 2, "name": "B&B"},
        {"kind": "refuses", "value": None},
    ],
}

CASES: list[tuple[str, str, str, dict[str, Any]]] = [
    ("sign_in", "", "", {"secret": {"code": "314159", "path": "/sign-in/link/x7GmQp2"}}),
    *[("visit_booked", "booked", part, {}) for part in PARTS],
    ("visit_moved", "moved", "visitor", {"previous_start": START - timedelta(days=4, hours=2)}),
    ("visit_moved", "edited", "agent", {"edited": ["note", "link"]}),
    ("visit_cancelled", "cancelled", "visitor", {"reason": "The line is short of two people that day."}),
    ("visit_cancelled", "replaced", "agent", {}),
    ("visit_cancelled", "left", "visitor", {}),
    (
        "visit_cancelled",
        "agent-declined",
        "visitor",
        {
            "offers": [
                {"start": START, "path": "/visits/book?start=2027-03-25T09:00:00Z"},
                {"start": START + timedelta(days=1), "path": "/visits/book?start=2027-03-26T09:00:00Z"},
            ]
        },
    ),
    ("visit_answer", "says-tentative", "agent", {"reason": "Perhaps ten minutes late."}),
    ("visit_answer", "says-declined", "visitor", {}),
    ("visit_answer", "proposed", "agent", {}),
    ("visit_answer", "kept", "visitor", {}),
    *[("visit_notice", word, "visitor", {"reason": "No room."}) for word in NOTICES],
    *[("visit_reminder", word, part, {}) for word in ("reminder-day", "reminder-hour") for part in PARTS],
    ("tracker_paused", "", "", {"tracker": "Jira <main>", "path": "/trackers/1"}),
    ("review", "", "agent", {"count": 3, "path": "/visits/17/review", "unsubscribe_url": UNSUBSCRIBE}),
    *[("visit_outcome", word, part, {}) for word in ("outcome", "outcome-nudge") for part in PARTS[:2]],
    *[
        (
            "insight_news",
            word,
            "",
            {
                "title": "Search <is> slow",
                "reason": "Costs too much.",
                "into": "Every <search> is slow" if word == "merged" else "",
                "path": "/insights/3",
                "vote": "/me-too/3-1-20000-x" if word == "planned" else "",
                "unsubscribe_url": UNSUBSCRIBE,
            },
        )
        for word in ("planned", "doing", "done", "declined", "merged", "reopened")
    ],
    *[
        (template, "", "", {**ROUND, "unsubscribe_url": UNSUBSCRIBE})
        for template in ("round_invitation", "round_reminder", "round_capacity")
    ],
    ("round_capacity", "", "", {**ROUND, "again": True, "unsubscribe_url": UNSUBSCRIBE}),
    ("round_return", "", "", {**ROUND, "last": START - timedelta(days=190), "unsubscribe_url": UNSUBSCRIBE}),
    (
        "round_overdue",
        "",
        "",
        {**ROUND, "department": "R<&>D", "count": 2, "names": ["A <b>", "B"], "unsubscribe_url": UNSUBSCRIBE},
    ),
    *[
        ("round_served", "", "", {**ROUND, "words": words})
        for words in (["pinned"], ["first-product", "language"], ["other-product", "met-before"])
    ],
    *[
        ("round_left_out", "", "", {**ROUND, "code": code, "facts": facts, "works": [START], **HELPS})
        for code, facts in WHY_NOT
    ],
    (
        "round_left_out",
        "",
        "",
        {**ROUND, "code": "all-taken", "facts": {}, "works": [START], "by_hand": False, **HELPS},
    ),
    (
        "insight_mention",
        "",
        "",
        {
            "title": "Search <is> slow",
            "text": "@vera, was it so?",
            "path": "/insights/3",
            "vote": "/me-too/3-1-20000-x",
            "unsubscribe_url": UNSUBSCRIBE,
        },
    ),
    (
        "insight_question",
        "",
        "",
        {"title": "Search <is> slow", "question": "Which?", "notes_path": "/visits/17/notes"},
    ),
]


def mails(app: Flask, locale: str) -> Iterator[tuple[str, Words]]:
    """Each mail in a language, with a name for it."""
    for template, word, part, more in CASES:
        with app.app_context():
            yield (
                "-".join(filter(None, (template, word, part))),
                render(template, locale, _context(locale, word, part, more), BASE),
            )


def _context(locale: str, word: str, part: str, more: dict[str, Any]) -> dict[str, Any]:
    with force_locale(locale):
        pieces = briefing(part, GUIDE[locale]) if word.startswith("reminder") else []
    declinable = word.startswith(("reminder", "outcome"))
    return {
        "word": word,
        "part": part,
        "first_name": "Вера" if locale == "ru" else "Vera",
        "start": START,
        "end": START + timedelta(hours=1),
        "previous_start": None,
        "zone": "Europe/Moscow" if locale == "ru" else "Europe/Berlin",
        "other_zone": "Asia/Kolkata",
        "agent": "Алиса Лебедева" if locale == "ru" else "Alice Agent",
        "visitors": ["Вера Гость"] if locale == "ru" else ["Vera Visitor"],
        "lead": "Лев Главный" if locale == "ru" else "Lev Lead",
        "product": "Checkout & <refunds>",
        "programme": "Рядом с поддержкой" if locale == "ru" else "Side by side",
        "meeting_url": "https://meet.jit.si/gemba-1f6a7f0c9b1e4d2a8c3b5e7d",
        "visit_path": "/visits/17",
        "visit_id": 17,
        "person_id": 2,
        "reason": "",
        "by": "Лев Главный" if locale == "ru" else "Lev Lead",
        "note": "Refunds after a partial delivery,\nand who decides on them",
        "came": "",
        "went": "",
        "edited": [],
        "offers": [],
        "until": START - timedelta(days=1),
        "proposed": START + timedelta(hours=3),
        "briefing": pieces,
        "answer_url": ANSWER,
        "unsubscribe_url": UNSUBSCRIBE if declinable else "",
        "from_name": ("Рядом с поддержкой" if locale == "ru" else "Side by side") if word else "Gemba",
        **more,
    }
