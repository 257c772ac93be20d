"""Hands-on in the demo: visits with mentors and their debriefs, and a round people sign up to."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import update

from gemba.db import db
from gemba.demo.loading.company import DAY, MINUTE, SEED, Loaded
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import State
from gemba.people.models import Person
from gemba.programmes.models import Programme
from gemba.rounds import service as rounds
from gemba.rounds.service import inviting
from gemba.schedule.rules import Span
from gemba.visits import debriefs
from gemba.visits import service as visits
from gemba.visits.facts import ANY
from gemba.visits.models import Visit
from gemba.visits.rules import TookPlace

HELD = {
    "charlotte-meyer": (
        "A refund has four screens, and the customer sees only the last one.",
        "Finding the order by phone number. The search wants the number without the plus.",
    ),
    "rahul-deshpande": (
        "Half of the questions are about a status that our own page words wrongly.",
        "Staying polite while two tools disagree about the same parcel.",
    ),
}
"""Who was there, and what they answered to the first two questions."""
GUIDED = {
    "en": ("How often we copy an order number by hand.", "With refunds: the training shows the old form."),
    "ru": (
        "Как часто мы копируем номер заказа руками.",
        "С возвратами: в обучении показана старая форма.",
    ),
}
COMING = "megan-price"
SIGNED_UP = {
    "megan-price": "A busy hour, please: I want to see the queue.",
    "ben-thornton": "Mornings in New York.",
    "alina-fadeeva": "Хочу ответить на вопросы о доставке.",
    "ksenia-drozdova": "Лучше в начале недели.",
}
INVITED = (*SIGNED_UP, "felix-neumann", "kavya-nair", "yuri-kravtsov", "lucia-ferrante")


def load_hands_on(till: Programme, loaded: Loaded, now: datetime) -> None:
    """Two visits of last week with what was written after them, one to come, and the round that is open."""
    for key, words in HELD.items():
        _held(till, loaded.people[key], words, now)
    booked_at = now - MINUTE * 300
    _booked(till, loaded.people[COMING], Span(now + DAY * 2, now + DAY * 9), booked_at)
    _round(till, loaded, now)


def _booked(till: Programme, visitor: Person, window: Span, booked_at: datetime) -> Visit:
    """The first open start of a window, with the lead's yes an hour later."""
    offer = visits.open_slots(till, visitor, window=window, now=booked_at)
    visit = visits.book(programme=till, visitor=visitor, start=offer.starts[0], ask=ANY, now=booked_at)
    (lead,) = visits.deciders(visit)
    return visits.approve(visit, lead, now=booked_at + MINUTE * 60)


def _held(till: Programme, visitor: Person, words: tuple[str, ...], now: datetime) -> None:
    visit = _booked(till, visitor, Span(now - DAY * 6, now - DAY * 2), now - DAY * 7)
    mentor, over = visit.mentor, visit.ends_at
    if mentor is None:
        raise ValueError("a hands-on visit has a mentor")
    for minutes, person, said in ((20, visitor, words), (45, mentor, GUIDED[mentor.locale])):
        at = over + MINUTE * minutes
        visits.tell_outcome(visit, person, TookPlace.YES, now=at)
        asked = till.debrief_in(person.locale, as_mentor=person is mentor)
        debriefs.save(person, visit.id, list(zip(asked, said, strict=False)), now=at)
    # What the past wanted to mail is sent in the story: no mail leaves for it now.
    db.session.execute(
        update(OutboxItem)
        .where(
            OutboxItem.group_key.in_([f"visit:{visit.id}", f"notice:{visit.id}"]),
            OutboxItem.state == State.READY,
        )
        .values(state=State.DONE, attempts=1, done_at=OutboxItem.created_at)
        .execution_options(synchronize_session=False)
    )


def _round(till: Programme, loaded: Loaded, now: datetime) -> None:
    """Open for sign-up: some said when they can, others have not answered yet."""
    admin, began = loaded.people["adam-novak"], now - DAY * 2
    today = began.astimezone(ZoneInfo(admin.timezone)).date()
    days = [today + timedelta(days=number) for number in (12, 16, 30)]
    chosen = rounds.make(admin, till, rounds.Plan("Winter at the till", "Зима на кассе", *days), now=began)
    chosen.seed = SEED
    addresses = [loaded.people[key].email for key in INVITED]
    inviting.invite(admin, chosen, addresses=addresses, now=began)
    for number, (key, note) in enumerate(SIGNED_UP.items(), 1):
        person = loaded.people[key]
        language = person.locale if number % 2 else ""
        wish = rounds.Wish(note=note, language=language)
        rounds.sign_up(person, chosen, wish=wish, now=began + MINUTE * 95 * number)
