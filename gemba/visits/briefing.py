"""What somebody reads before a visit: what to watch, the rules of the house, how to take notes, what to have
ready. In the language in force; other words for visitor, agent, mentor and lead."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _

Part = dict[str, Any]
"""A title and its lines, as templates of mails take them."""


def briefing(part: str, guide: Sequence[str]) -> list[Part]:
    """The briefing of a visitor, agent, mentor or lead; `guide` is the programme's, a prompt a line."""
    made = {"visitor": _visitor, "agent": _agent, "mentor": _mentor, "lead": _lead}[part](
        list(filter(None, guide))
    )
    return [{"title": title, "lines": lines} for title, lines in made if lines]


Made = list[tuple[str, list[str]]]


def _visitor(guide: list[str]) -> Made:
    return [
        (_("What to watch"), guide or _watch()),
        (
            _("Rules of the house"),
            [
                _("You watch the work, never the worker. The agent may pause the screen at any moment."),
                _("Ask what and how before why, and keep advice for the last ten minutes."),
                _("No recording, no screenshots, and no names, phones or addresses of customers in notes."),
            ],
        ),
        (
            _("How to take notes"),
            [
                _("Open the notes when the visit starts: they are saved as you type, even offline."),
                _("One thing a note, as you saw or heard it. What it means can wait until afterwards."),
                _("A note that ends with a question mark waits in the guide until you have time to ask."),
            ],
        ),
        (
            _("Have ready"),
            [
                _("Headphones, a quiet place and a connection you have tried."),
                _("A muted microphone while the agent talks with customers, and muted notifications."),
            ],
        ),
    ]


def _watch() -> list[str]:
    return [
        _("What makes the agent leave the main window, and how often in one answer?"),
        _("Where does a customer wait while one of our tools thinks?"),
        _("What is known by heart here that is written down nowhere?"),
    ]


def _agent(guide: list[str]) -> Made:
    return [
        (
            _("How it goes"),
            [
                _("Work as you always do, and say aloud what you do and why."),
                _("Nobody judges you: the visit is about tools and processes, and nothing is recorded."),
                _("Pause the screen whenever you need to. You owe nobody a reason."),
            ],
        ),
        (_("What the visitor was asked to watch"), guide),
        (
            _("Your own notes"),
            [
                _("You can write notes too: what slows you down every day belongs there."),
                _("Show what you have got used to. A workaround you no longer notice is what they came for."),
            ],
        ),
        (
            _("Have ready"),
            [
                _("Your tools open and the screen ready to be shared."),
                _("Private chats and mail closed, and notifications muted."),
            ],
        ),
    ]


def _mentor(guide: list[str]) -> Made:
    return [
        (
            _("Your part"),
            [
                _("The visitor answers customers, and you sit beside them."),
                _("Nothing is sent that you would not send yourself."),
                _("Let them try first. Step in when a customer would notice, and say why."),
                _("Take over without asking when a customer needs it. They have been told that you may."),
            ],
        ),
        (_("What the visitor was asked to watch"), guide),
        (
            _("Have ready"),
            [
                _("A few plain cases for the first half hour, and the one rule that beginners break."),
                _("The last ten minutes for talking it over: you both write a debrief afterwards."),
            ],
        ),
    ]


def _lead(guide: list[str]) -> Made:
    return [
        (
            _("Your part"),
            [
                _("You are invited as head of the line: join to explain, and to say what your people need."),
                _("Let the agent lead. What stands in the way of the work shows best in the work itself."),
            ],
        ),
        (_("What the visitor was asked to watch"), guide),
        (
            _("Rules of the house"),
            [
                _("Nobody is judged, and nothing is recorded."),
                _("Your own notes count like everybody else's: one thing a note, as you saw it."),
            ],
        ),
        (
            _("Have ready"),
            [_("The one thing your line needs most, with an example that can be shown.")],
        ),
    ]
