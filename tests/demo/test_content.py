"""The demo company is consistent in itself, bilingual, and keeps the rules of the house."""

import re
from collections import Counter
from itertools import pairwise

import pytest

from gemba.demo.content import (
    Both,
    ComingVisit,
    HoursContent,
    Outcome,
    PastVisit,
    minutes,
    read_company,
)
from gemba.insights.rules.kinds import (
    BODY_MAX,
    TEXT_MAX,
    TITLE_MAX,
    TOOL_MAX,
    VERBATIM_MAX,
    WORKAROUND_MAX,
    Kind,
    Status,
)
from gemba.people.rules import LANGUAGES, LOCALES, Role, clean_email, is_timezone

COMPANY = read_company()
PEOPLE = {person.key: person for person in COMPANY.people}
AGENTS = {key: person for key, person in PEOPLE.items() if Role.AGENT in person.roles}
PRODUCTS = {product.key for product in COMPANY.products}
PAST = {visit.key: visit for visit in COMPANY.past}
HELD = {key for key, visit in PAST.items() if visit.outcome is Outcome.HELD}
HOURS = {hours.agent: hours for hours in COMPANY.hours}
OBSERVATIONS = [seen for insight in COMPANY.insights for seen in insight.observations]
TEXTS = [
    text
    for insight in COMPANY.insights
    for seen in insight.observations
    for text in (insight.title, insight.body, seen.text, seen.verbatim, seen.workaround)
    if text
]
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)


def test_three_lines_four_products_and_a_lead_for_each_line() -> None:
    assert (len(COMPANY.lines), len(COMPANY.products)) == (3, 4)
    for line in COMPANY.lines:
        lead = PEOPLE[line.lead]
        assert Role.LEAD in lead.roles
        assert lead.line == line.key


def test_fourteen_agents_in_five_zones_and_forty_colleagues() -> None:
    assert len(AGENTS) == 14
    assert len({agent.timezone for agent in AGENTS.values()}) == 5
    assert len(PEOPLE) - len(AGENTS) == 40
    roles = Counter(role for person in PEOPLE.values() for role in person.roles)
    assert roles[Role.LEAD] == 3
    assert roles[Role.ADMIN] == 1
    assert 2 <= roles[Role.OWNER] <= 3
    assert 1 <= roles[Role.MENTOR] <= 2


def test_people_are_unique_and_live_in_a_reserved_domain() -> None:
    assert len(PEOPLE) == len(COMPANY.people)
    assert len({person.name for person in PEOPLE.values()}) == len(PEOPLE)
    for person in PEOPLE.values():
        assert person.email == f"{person.key.replace('-', '.')}@{COMPANY.domain}"
        assert clean_email(person.email) == person.email
        assert is_timezone(person.timezone)
        assert person.locale in LOCALES
        assert person.department
    assert COMPANY.domain.endswith(".example")


def test_agents_have_a_line_products_languages_and_hours() -> None:
    lines = {line.key for line in COMPANY.lines}
    assert set(HOURS) == set(AGENTS)
    for agent in AGENTS.values():
        assert agent.line in lines
        assert agent.products
        assert set(agent.products) <= PRODUCTS
        assert agent.languages
        assert set(agent.languages) <= set(LANGUAGES)
    assert {key for agent in AGENTS.values() for key in agent.products} == PRODUCTS


@pytest.mark.parametrize("hours", COMPANY.hours, ids=lambda hours: hours.agent)
def test_hours_are_in_order_and_caps_make_sense(hours: HoursContent) -> None:
    days = [*hours.weekly.values(), *(other.intervals for other in hours.overrides)]
    for intervals in days:
        assert all(0 <= start < end <= 24 * 60 for start, end in intervals)
        assert all(first[1] < second[0] for first, second in pairwise(intervals))
    assert max(map(len, hours.weekly.values())) > 1, "somebody with one block a day only"
    assert all(other.days_ahead > 0 for other in hours.overrides)
    assert hours.per_day <= hours.per_week <= hours.per_month


def test_the_cast_has_one_of_each_and_says_who_it_is_in_both_languages() -> None:
    cast = COMPANY.cast
    assert [person.cast.order for person in cast if person.cast] == list(range(1, len(cast) + 1))
    assert {role for person in cast for role in person.roles} >= set(Role) - {Role.MENTOR}
    assert {person.locale for person in cast if person.roles == {Role.VISITOR}} == set(LOCALES)
    for person in cast:
        assert person.cast is not None
        _in_both(person.cast.who)


def _in_both(text: Both) -> None:
    assert text.en.strip()
    assert not CYRILLIC.search(text.en)
    assert CYRILLIC.search(text.ru)


def _fits(agent: str, minute: int) -> bool:
    blocks = [block for blocks in HOURS[agent].weekly.values() for block in blocks]
    return any(start <= minute and minute + 60 <= end for start, end in blocks)


def test_visits_refer_to_agents_visitors_and_products_and_fall_in_hours() -> None:
    keys = [COMPANY.running.key, *PAST, *(visit.key for visit in COMPANY.coming)]
    assert len(keys) == len(set(keys)) == 1 + len(COMPANY.past) + len(COMPANY.coming)
    planned: list[PastVisit | ComingVisit] = [*COMPANY.past, *COMPANY.coming]
    for visit in planned:
        assert visit.product in AGENTS[visit.agent].products
        assert Role.VISITOR in PEOPLE[visit.visitor].roles
        assert _fits(visit.agent, visit.minute), visit.key
    assert {visit.agent for visit in COMPANY.past} == set(AGENTS), "an agent whom nobody visited"


def test_past_visits_ended_in_every_way_and_coming_ones_fit_the_horizon() -> None:
    assert len(HELD) == 40
    assert {visit.outcome for visit in COMPANY.past} == set(Outcome)
    for visit in COMPANY.past:
        assert visit.days_ago > 1
        assert bool(visit.reason) == (visit.outcome is Outcome.CANCELLED)
        assert visit.cancelled_by in (visit.visitor, visit.agent)
    assert len(COMPANY.coming) == 14
    assert all(0 < visit.days_ahead < COMPANY.programme.rules["horizon_days"] for visit in COMPANY.coming)


def test_the_demo_visitor_has_a_visit_running_with_a_cast_agent_and_one_coming() -> None:
    visitor, agent = PEOPLE[COMPANY.running.visitor], AGENTS[COMPANY.running.agent]
    assert visitor in COMPANY.cast
    assert agent in COMPANY.cast
    assert COMPANY.running.started_minutes_ago < COMPANY.programme.rules["duration_minutes"]
    assert visitor.key in {visit.visitor for visit in COMPANY.coming}


def test_eighty_insights_half_in_each_language_over_all_kinds_and_statuses() -> None:
    assert len({insight.key for insight in COMPANY.insights}) == len(COMPANY.insights) == 80
    assert Counter(insight.language for insight in COMPANY.insights) == {"en": 40, "ru": 40}
    assert {insight.kind for insight in COMPANY.insights} == set(Kind)
    statuses = Counter(insight.status for insight in COMPANY.insights)
    assert set(statuses) == set(Status)
    assert statuses[Status.NEW] > 40
    for insight in COMPANY.insights:
        assert bool(CYRILLIC.search(insight.title)) == (insight.language == "ru")
        assert insight.product is None or insight.product in PRODUCTS
        assert insight.owner is None or PEOPLE[insight.owner].roles & {Role.OWNER, Role.ADMIN}
        assert (insight.owner is None) == (insight.status is Status.NEW)
        assert bool(insight.reason) == (insight.status is Status.DECLINED)


def test_observations_belong_to_held_visits_and_stay_within_the_hour() -> None:
    assert 180 <= len(OBSERVATIONS) <= 230
    assert {seen.visit for seen in OBSERVATIONS} == HELD
    assert all(1 <= len(insight.observations) <= 6 for insight in COMPANY.insights)
    moments = Counter((seen.visit, seen.minute) for seen in OBSERVATIONS)
    assert max(moments.values()) == 1, "two notes in one minute"
    for insight in COMPANY.insights:
        visits = [seen.visit for seen in insight.observations]
        assert len(visits) == len(set(visits)), insight.key
        for seen in insight.observations:
            assert 0 < seen.minute < COMPANY.programme.rules["duration_minutes"]
            assert (seen.severity is None) == (insight.kind is Kind.WORKS_WELL)
            assert seen.severity is None or 0 <= seen.severity <= 4


def test_notes_are_in_the_language_of_the_visitor() -> None:
    for seen in OBSERVATIONS:
        locale = PEOPLE[PAST[seen.visit].visitor].locale
        assert bool(CYRILLIC.search(seen.text)) == (locale == "ru"), seen.text


def test_words_keep_the_tone_and_the_bounds() -> None:
    assert not [text for text in TEXTS if "!" in text]
    for insight in COMPANY.insights:
        assert len(insight.title) <= TITLE_MAX
        assert len(insight.body) <= BODY_MAX
    for seen in OBSERVATIONS:
        assert len(seen.text) <= TEXT_MAX
        assert len(seen.verbatim) <= VERBATIM_MAX
        assert len(seen.workaround) <= WORKAROUND_MAX
        assert len(seen.tool) <= TOOL_MAX


def test_nothing_is_said_twice() -> None:
    texts = Counter(seen.text for seen in OBSERVATIONS)
    assert max(texts.values()) == 1
    openings = Counter(" ".join(seen.text.split()[:4]).casefold() for seen in OBSERVATIONS)
    assert max(openings.values()) == 1, openings.most_common(3)
    quotes = Counter(seen.verbatim for seen in OBSERVATIONS if seen.verbatim)
    assert max(quotes.values()) == 1


def test_notes_name_no_colleague_and_carry_no_personal_data() -> None:
    names = {part for person in PEOPLE.values() for part in person.name.split()}
    for text in TEXTS:
        assert not names & set(re.findall(r"\w+", text)), text
        assert not re.search(r"@\w|\d{10,}|\+\d{5,}", text), text


def test_the_programme_and_its_round_speak_both_languages() -> None:
    programme = COMPANY.programme
    for text in (programme.name, programme.purpose, programme.guide, programme.round.name):
        _in_both(text)
    prompts = {locale: len(getattr(programme.guide, locale).splitlines()) for locale in LOCALES}
    assert prompts["en"] == prompts["ru"] >= 6
    assert programme.rules["format"] == "shadow"


def test_the_round_is_open_and_everybody_signs_up_once_within_its_window() -> None:
    campaign = COMPANY.programme.round
    assert campaign.closes_in_days > 0
    people = [sign_up.person for sign_up in campaign.sign_ups]
    assert len(people) == len(set(people)) == 12
    assert all(Role.VISITOR in PEOPLE[key].roles for key in people)
    assert all(0 < sign_up.days_ago <= campaign.opened_days_ago for sign_up in campaign.sign_ups)


def test_minutes_reads_wall_times_and_refuses_others() -> None:
    assert [minutes(text) for text in ("00:00", "09:30", "24:00")] == [0, 570, 1440]
    for bad in ("24:30", "09:75"):
        with pytest.raises(ValueError, match=bad):
            minutes(bad)


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        COMPANY.person("nobody")
