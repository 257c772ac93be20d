"""The training of the demo's hands-on programme, and how far people are with it."""

from datetime import datetime

from gemba.demo.content import WEEKDAYS
from gemba.demo.loading.company import DAY, HOURS_SAVED, Loaded
from gemba.programmes.models import Programme
from gemba.programmes.training import service as training
from gemba.programmes.training.rules import StepKind, StepText
from gemba.schedule import service as schedule

ADMIN, MENTOR = "adam-novak", "nadia-hartmann"
HOURS = {MENTOR: ("12:00", "20:00"), "pavel-zimin": ("09:00", "18:00")}
"""When each mentor guides visits, Monday to Friday on their own clock."""
TRAINED = ("charlotte-meyer", "rahul-deshpande", "megan-price", "ben-thornton")
WAITS, LEARNS = "pavel-zimin", "adam-novak"
STEPS = (
    (
        StepKind.READ,
        StepText(
            "What a till is",
            "Что такое касса",
            "You sit at an agent's workplace and answer customers yourself. Your mentor reads along, and"
            " nothing leaves before they say so.",
            "Вы сидите на рабочем месте агента и сами отвечаете клиентам. Наставник читает вместе с вами,"
            " и ничего не уходит без его слова.",
        ),
    ),
    (
        StepKind.READ,
        StepText(
            "The rules of the house",
            "Правила дома",
            "No promises about money or dates. No customer's data outside the tools. When in doubt, ask.",
            "Никаких обещаний о деньгах и сроках. Никаких данных клиентов вне инструментов. Сомневаетесь —"
            " спросите.",
        ),
    ),
    (
        StepKind.QUESTION,
        StepText(
            "A customer asks for a refund today. What do you do?",
            "Клиент просит вернуть деньги сегодня. Что вы делаете?",
            answers="*I look at the order and ask my mentor\nI promise it for today\nI close the request",
            answers_ru="*Смотрю заказ и спрашиваю наставника\nОбещаю вернуть сегодня\nЗакрываю обращение",
        ),
    ),
    (
        StepKind.SIGN_OFF,
        StepText("Three answers written together", "Три ответа, написанных вместе"),
    ),
)


def save_mentors_hours(loaded: Loaded, now: datetime) -> None:
    """Mentors guide at most one visit a day, and want a quarter of an hour after it."""
    for key, (start, end) in HOURS.items():
        mentor = loaded.people[key]
        document = {
            "timezone": mentor.timezone,
            "weekly": [{"weekday": day, "start": start, "end": end} for day in WEEKDAYS[:5]],
            "overrides": [],
            "buffer_before": 0,
            "buffer_after": 15,
            "limits": {"per_day": 1, "per_week": 3, "per_month": None},
        }
        schedule.set_availability(mentor, mentor.id, document, now=now - DAY * HOURS_SAVED)


def load_training(programme: Programme, loaded: Loaded, now: datetime) -> None:
    """Four steps; some people are trained, one waits for a mentor's word, one has begun."""
    admin, mentor, begun = loaded.people[ADMIN], loaded.people[MENTOR], now - DAY * 9
    steps = [
        training.add_step(admin, programme.slug, kind, text, None, now=now - DAY * 20) for kind, text in STEPS
    ]
    own, sign_off = steps[:-1], steps[-1]
    for key, done in (*((key, len(own)) for key in (*TRAINED, WAITS)), (LEARNS, 1)):
        for step in own[:done]:
            training.take_step(loaded.people[key], programme.slug, step.id, [0], now=begun)
    for key in TRAINED:
        training.sign_off(mentor, sign_off.id, loaded.people[key].id, now=begun + DAY)
