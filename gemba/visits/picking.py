"""The page on which an hour is chosen, whoever chooses it and whichever address it stands under."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from flask import render_template, request

from gemba.clock import now
from gemba.errors import GembaError
from gemba.people import service as people
from gemba.people.models import Person
from gemba.people.rules import LANGUAGES
from gemba.people.service.lookups import names_of
from gemba.programmes import service as programmes
from gemba.programmes.models import Programme
from gemba.schedule.rules import Span, discreet
from gemba.visits import pick, service, words
from gemba.visits.errors import NotOffered, SlotTaken
from gemba.visits.facts import Ask
from gemba.visits.forms import BookForm, parse_instant, stamp
from gemba.visits.models import Visit
from gemba.visits.ways_out import WaysOut, ways_out
from gemba.web.pages import say

Address = Callable[..., str]


def pick_page(
    template: str,
    programme: Programme,
    form: BookForm,
    person: Person,
    *,
    to: Address,
    moving: Visit | None = None,
    ask: Ask | None = None,
    refusal: SlotTaken | NotOffered | None = None,
    more: Mapping[str, Any] | None = None,
) -> str:
    """Days and hours for `person`; `to(**query)` is the address of this page with a query.

    `ask` is what the address asks for unless it is given; `more` goes to the template.
    """
    ask = ask or Ask(number("agent") or (moving.agent_id if moving else None), number("product"), language())
    window = Span(now(), now() + timedelta(days=programme.horizon_days))
    offer = service.open_slots(programme, person, ask=ask, window=window, now=now(), moving=moving)
    start = parse_instant(request.args.get("start"))
    picker = pick.pick(
        offer,
        zone=person.timezone,
        now=now(),
        horizon_days=programme.horizon_days,
        day=_day(),
        start=start or (parse_instant(form.start.data) if refusal else None),
    )
    ways = None if picker.total else _ways_out(programme, person, ask, moving)
    return render_template(
        template,
        ways=ways,
        own_reasons=words.sentences(ways.own, own=moving is None) if ways else [],
        programme=programme,
        programmes=programmes.to_book(person),
        form=form,
        picker=picker,
        ask=ask,
        visit=moving,
        agents=_agents_of(offer.agents_at(picker.chosen.start) if picker.chosen else ()),
        asked_agent=names_of([ask.agent_id]).get(ask.agent_id) if ask.agent_id else None,
        products=people.all_products(),
        languages=LANGUAGES,
        refusal=say(refusal) if refusal else None,
        reasons=_reason_words(refusal, own=moving is None),
        alternatives=refusal.alternatives if isinstance(refusal, SlotTaken) else [],
        gone=start is not None and picker.chosen is None and refusal is None,
        address=_changed(to),
        place=next(
            (each for each in service.places_of(person) if each.entry.programme_id == programme.id), None
        ),
        stamp=stamp,
        now=now(),
        **(more or {}),
    )


def number(name: str) -> int | None:
    """A number in the address; None where there is none."""
    value = request.args.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 10 else None


def language() -> str | None:
    """The language in the address; None where there is none, or one nobody speaks here."""
    value = request.args.get("language")
    return value if value in LANGUAGES else None


def _day() -> date | None:
    try:
        return date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return None


def _ways_out(programme: Programme, person: Person, ask: Ask, moving: Visit | None) -> WaysOut:
    visitors = tuple(visitor.id for visitor in moving.visitors) if moving else (person.id,)
    return ways_out(programme, visitors, ask, now=now(), moving=moving)


def _agents_of(agents: tuple[int, ...]) -> list[tuple[int, str]]:
    names = names_of(agents) if agents else {}
    return sorted(names.items(), key=lambda item: item[1])


def _reason_words(refusal: GembaError | None, *, own: bool) -> list[str]:
    """What stood against it, without what is the agent's own business."""
    if not isinstance(refusal, NotOffered):
        return []
    return words.sentences(discreet(refusal.reasons), own=own)


def _changed(to: Address) -> Address:
    """Builds addresses of this page with some parts of the query changed; None takes a part out."""

    def address(**changes: Any) -> str:
        query = {**request.args.to_dict(), **changes}
        return to(**{name: value for name, value in query.items() if value not in (None, "")})

    return address
