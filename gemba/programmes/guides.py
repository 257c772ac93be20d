"""The guides that come with the house, in both languages: what to watch, what to have ready, what is allowed.

They stand in wherever an admin has written nothing else. Plain data and no messages of the catalogue, as an
admin reads both languages at once.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum


class Part(StrEnum):
    """What a guide is made of."""

    GUIDE = "guide"
    RULES = "rules"
    CHECKLIST = "checklist"
    CONSENT = "consent"
    DEBRIEF = "debrief"
    DEBRIEF_MENTOR = "debrief_mentor"


Texts = Mapping[Part, Mapping[str, Sequence[str]]]

_RULES = {
    "en": (
        "Watch the process, never the person: nothing seen here is used to judge anybody's work.",
        "No customer's name, phone, address or number in a note or a picture. If you saw one, forget it.",
        "No recording of sound or screen. A picture is fine once everything personal is blacked out.",
        "Note what happens, what slows the work down, what is said about tools, and what works well.",
        "Ask what and how before why. Ideas and advice wait for the last ten minutes.",
        "The agent may pause the screen at any moment, without a reason.",
    ),
    "ru": (
        "Смотрите на работу, а не на работника: увиденное не служит оценкой людей.",
        "Никаких имён, телефонов, адресов и номеров клиентов в заметках и на картинках: увидели — забудьте.",
        "Звук и экран не записываем. Картинка годится, если всё личное на ней закрашено.",
        "Записывайте, что происходит, что тормозит работу, что мешает и что работает хорошо.",
        "Сначала «что» и «как», потом «почему». Идеи и советы подождут до последних десяти минут.",
        "Агент может остановить показ в любой момент и не объяснять почему.",
    ),
}
_CONSENT = {
    "en": (
        "I watch the process and judge nobody.",
        "What I see of customers and colleagues stays in the visit.",
        "I record nothing, and I note no personal data.",
        "The agent looks at my notes before others read them, and may correct or strike them.",
    ),
    "ru": (
        "Я смотрю на процесс и никого не оцениваю.",
        "Всё, что вижу о клиентах и коллегах, остаётся внутри визита.",
        "Я ничего не записываю на видео и звук и не отмечаю личных данных.",
        "Агент смотрит мои заметки раньше остальных и может исправить их или вычеркнуть.",
    ),
}
_SHADOW: Texts = {
    Part.GUIDE: {
        "en": (
            "What makes the agent leave the main window, and how often in one answer?",
            "Where does the customer wait while one of our tools thinks? Count the seconds.",
            "What is known by heart here that is written down nowhere?",
            "Where does the work differ from the written instruction, and why?",
            "Which temporary thing has come to stay: a sheet, a sticker, a second profile?",
            "What changed lately, and who told the line about it?",
            "What works so well that others should copy it?",
        ),
        "ru": (
            "Что заставляет агента уходить из главного окна и сколько раз за один ответ?",
            "Где клиент ждёт, пока думает наша программа? Считайте секунды.",
            "Что здесь знают наизусть, хотя это нигде не записано?",
            "Где работа расходится с инструкцией и почему?",
            "Какое временное решение осталось навсегда: таблица, стикер, второй профиль?",
            "Что недавно поменялось и кто сказал об этом линии?",
            "Что работает настолько хорошо, что стоит перенять другим?",
        ),
    },
    Part.RULES: _RULES,
    Part.CHECKLIST: {
        "en": (
            "Headphones, a quiet place and a connection you have tried.",
            "Notifications muted, and your microphone too while the agent talks with customers.",
            "The notes open beside the call, on half a screen or on your phone.",
            "Two or three questions of your own, written down.",
        ),
        "ru": (
            "Наушники, тихое место и проверенная связь.",
            "Уведомления выключены, микрофон тоже, пока агент говорит с клиентами.",
            "Заметки открыты рядом со звонком: на половине экрана или на телефоне.",
            "Два-три своих вопроса, заранее записанных.",
        ),
    },
    Part.CONSENT: _CONSENT,
}
_DEBRIEF: Texts = {
    Part.DEBRIEF: {
        "en": (
            "What did you learn that you will use in your own work?",
            "What was hard, and what would have made it easier?",
            "Which tool or rule stood between you and the customer?",
            "What will you do about it, and by when?",
        ),
        "ru": (
            "Что вы узнали такого, что пригодится в вашей работе?",
            "Что было трудно и что бы помогло?",
            "Какая программа или какое правило стояли между вами и клиентом?",
            "Что вы с этим сделаете и к какому сроку?",
        ),
    },
    Part.DEBRIEF_MENTOR: {
        "en": (
            "What did the visitor see for the first time?",
            "Where did the visitor need your help, and why?",
            "What does the training not tell yet?",
            "What should change in tools or rules after these hours?",
        ),
        "ru": (
            "Что гость увидел впервые?",
            "Где гостю понадобилась ваша помощь и почему?",
            "О чём ещё не рассказывает обучение?",
            "Что стоит поменять в программах или правилах после этих часов?",
        ),
    },
}
_HANDS_ON: Texts = {
    Part.GUIDE: {
        "en": (
            "Which answer could you not give without help, and what was missing?",
            "How many windows did one customer need?",
            "Where did the tool let you make a mistake, or make you afraid of one?",
            "What did your mentor do by habit that no training told you?",
            "What would you have promised the customer, had you been free to?",
            "What went easier than you expected?",
        ),
        "ru": (
            "На какой вопрос вы не ответили бы без помощи и чего не хватило?",
            "Сколько окон понадобилось на одного клиента?",
            "Где программа дала ошибиться или заставила бояться ошибки?",
            "Что наставник делает по привычке, хотя обучение об этом молчит?",
            "Что вы пообещали бы клиенту, будь ваша воля?",
            "Что оказалось легче, чем вы ждали?",
        ),
    },
    Part.RULES: {
        "en": (*_RULES["en"][:3], "Your mentor decides what is sent to a customer.", _RULES["en"][3]),
        "ru": (*_RULES["ru"][:3], "Что уйдёт клиенту, решает наставник.", _RULES["ru"][3]),
    },
    Part.CHECKLIST: {
        "en": (
            "The training passed, and your access to the tools tried.",
            "The most frequent questions read once more.",
            "Headphones, and a calendar free for all the hours.",
        ),
        "ru": (
            "Обучение пройдено, доступ к программам проверен.",
            "Самые частые вопросы прочитаны ещё раз.",
            "Наушники и свободный календарь на все часы.",
        ),
    },
    Part.CONSENT: _CONSENT,
}
_SHIPPED: Mapping[str, Texts] = {"shadow": {**_SHADOW, **_DEBRIEF}, "hands-on": {**_HANDS_ON, **_DEBRIEF}}


def shipped(format_: str, part: Part, locale: str) -> Sequence[str]:
    """The lines that come with the house for a format, in a language (English where it is unknown)."""
    texts = _SHIPPED.get(format_, _SHADOW)[part]
    return texts.get(locale, texts["en"])
