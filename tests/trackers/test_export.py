"""Exports on both databases: claims, updates that respect what people did there, and the way back."""

import json
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.errors import Forbidden, Invalid
from gemba.insights import service as insights_service
from gemba.insights.models import Insight, Observation
from gemba.insights.service import numbers
from gemba.insights.service.striking import Words, rewrite
from gemba.people.models import Person
from gemba.trackers.adapters.base import signed
from gemba.trackers.adapters.errors import sentence_of
from gemba.trackers.errand import every_minute
from gemba.trackers.errors import FieldsMissing, NothingToExport, TooMany
from gemba.trackers.models import Connection
from gemba.trackers.rules.kinds import Action, ItemState, TicketState, TrackerKind
from gemba.trackers.service import chain, connections, exports, rules, tickets
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.trackers.conftest import LOOPBACK
from tests.trackers.fake import fake_tracker
from tests.trackers.stage import begin, claims, connect, drain, drive, insights


def all_done() -> bool:
    return all(claim.state == TicketState.DONE for claim in claims())


def test_what_was_exported_is_not_made_again(
    exporting: Flask, exporting_cast: Cast, clock: StandingClock
) -> None:
    cast, ids = exporting_cast, insights(exporting_cast, 5, clock())
    with fake_tracker(TrackerKind.GITHUB) as fake:
        tracker = connect(cast, fake, clock())
        first = begin(cast, tracker.id, ids, clock())
        twice = begin(cast, tracker.id, ids, clock())
        drain(exporting, clock)
        assert len(fake.tickets) == 5
        olga = db.session.get_one(Person, cast.olga.id)
        assert exports.progress(first.id, olga).counts[ItemState.DONE] == 5
        assert exports.progress(twice.id, olga).counts[ItemState.DONE] == 5
        again = begin(cast, tracker.id, ids, clock())
        asked = len(fake.asked)
        drain(exporting, clock)
        assert {item.action for item in exports.items(again.id)} == {Action.UNCHANGED}
        assert len(fake.asked) == asked, "nothing changed, so nothing is asked"
        assert fake.tickets[0].labels[0] == "gemba"
        assert all(any(f"/insights/{each}\n" in made.body for made in fake.tickets) for each in ids)
        assert claims()[0].url == f"{fake.url}/i/{claims()[0].ref}"


def _retitle(cast: Cast, insight: int, clock: StandingClock, **words: str) -> None:
    olga = db.session.get_one(Person, cast.olga.id)
    insights_service.patch(insight, olga, words, now=clock())
    db.session.commit()


@pytest.mark.parametrize("kind", list(TrackerKind))
def test_only_what_is_ours_and_untouched_is_updated(
    lite: Flask, lite_cast: Cast, clock: StandingClock, kind: TrackerKind
) -> None:
    one, two = insights(lite_cast, 2, clock())
    with fake_tracker(kind) as fake:
        step = {"title": "step", "body": "step"}
        tracker = connect(lite_cast, fake, clock(), mapping=step)
        begin(lite_cast, tracker.id, [one, two], clock())
        drive(lite, clock, all_done)
        of = {claim.insight_id: claim for claim in claims()}
        theirs = {made.title: made for made in fake.tickets}
        kept, edited = (theirs[db.session.get_one(Insight, each).title] for each in (one, two))
        edited.title = "What we call it in our team"
        for each in (one, two):
            _retitle(lite_cast, each, clock, title=f"A better title {each}", body="More words")
        export = begin(lite_cast, tracker.id, [one, two], clock())
        drive(
            lite,
            clock,
            lambda: exports.progress(export.id, db.session.get_one(Person, lite_cast.olga.id)).finished,
        )
        assert kept.title == f"A better title {one}"
        assert "More words" in json.dumps(kept.body)
        assert edited.title == "What we call it in our team", "what was edited in the tracker wins"
        assert "More words" in json.dumps(edited.body)
        assert of.keys() == {one, two}
        shown = {claim.insight_id: claim.edited for claim in claims()}
        assert shown == {one: [], two: ["title"]}
        assert len(fake.tickets) == 2


def test_deleted_tickets_are_a_state(exporting: Flask, exporting_cast: Cast, clock: StandingClock) -> None:
    cast = exporting_cast
    (insight,) = insights(cast, 1, clock())
    with fake_tracker(TrackerKind.GITLAB) as fake:
        tracker = connect(cast, fake, clock())
        begin(cast, tracker.id, [insight], clock())
        drain(exporting, clock)
        fake.gone = {1}
        _retitle(cast, insight, clock, body="New words")
        begin(cast, tracker.id, [insight], clock())
        drain(exporting, clock)
        assert claims()[0].state == TicketState.GONE
        asked = len(fake.asked)
        export = begin(cast, tracker.id, [insight], clock())
        drain(exporting, clock)
        assert len(fake.asked) == asked, "no error loop"
        assert exports.items(export.id)[0].error == "gone"
        olga = db.session.get_one(Person, cast.olga.id)
        tickets.unlink(claims()[0].id, olga, now=clock())
        begin(cast, tracker.id, [insight], clock())
        drain(exporting, clock)
        assert len(fake.tickets) == 2
        assert claims()[0].key == "#2"


@pytest.mark.parametrize("kind", list(TrackerKind))
def test_statuses_flow_back(lite: Flask, lite_cast: Cast, clock: StandingClock, kind: TrackerKind) -> None:
    ids = insights(lite_cast, 2, clock())
    with fake_tracker(kind) as fake:
        tracker = connect(lite_cast, fake, clock())
        begin(lite_cast, tracker.id, ids, clock())
        drive(lite, clock, all_done)
        closed = fake.tickets[0]
        closed.state = "done"
        chain.look_soon(tracker.id, [], clock())
        drain(lite, clock)
        statuses = {claim.insight_id: claim.insight.status for claim in claims()}
        assert sorted(statuses.values()) == ["done", "new"]
        (done,) = [claim for claim in claims() if claim.category == "done"]
        # Somebody reopens it here: an old category does not close it again.
        _retitle(lite_cast, done.insight_id, clock, status="planned")
        clock.forward(minutes=6)
        chain.look_soon(tracker.id, [done.ref], clock())
        drain(lite, clock)
        assert db.session.get_one(Insight, done.insight_id).status == "planned"


def test_polling_comes_by_itself(exporting: Flask, exporting_cast: Cast, clock: StandingClock) -> None:
    cast = exporting_cast
    (insight,) = insights(cast, 1, clock())
    with fake_tracker(TrackerKind.REDMINE) as fake:
        tracker = connect(cast, fake, clock())
        begin(cast, tracker.id, [insight], clock())
        drain(exporting, clock)
        fake.tickets[0].state = "declined"
        clock.forward(minutes=6)
        every_minute(clock())
        drain(exporting, clock)
        row = db.session.get_one(Insight, insight)
        assert row.status == "declined"
        (change,) = insights_service.get(
            insight, db.session.get_one(Person, cast.olga.id), now=clock()
        ).changes
        assert change.reason == "Tracker #1: Rejected"


def test_required_fields_stop_it_before_the_first_request(
    exporting: Flask, exporting_cast: Cast, clock: StandingClock
) -> None:
    cast, ids = exporting_cast, insights(exporting_cast, 2, clock())
    with fake_tracker(TrackerKind.REDMINE, required=True) as fake:
        tracker = connect(cast, fake, clock())
        asked = len(fake.asked)
        with pytest.raises(FieldsMissing, match="Severity"):
            begin(cast, tracker.id, ids, clock())
        assert len(fake.asked) == asked
        adam = db.session.get_one(Person, cast.adam.id)
        mapping = {"fields": {"cf_4": {"from": "severity", "value": "mid"}}}
        connections.change(tracker.id, adam, {"mapping": mapping}, now=clock())
        begin(cast, tracker.id, ids, clock())
        drain(exporting, clock)
        sent = [made.fields["custom_fields"][0]["value"] for made in fake.tickets]
        assert set(sent) <= {"low", "mid", "high"}
        assert len(sent) == 2


def test_several_insights_link_one_ticket(
    exporting: Flask, exporting_cast: Cast, clock: StandingClock
) -> None:
    cast, ids = exporting_cast, insights(exporting_cast, 2, clock())
    with fake_tracker(TrackerKind.JIRA_DC) as fake:
        theirs = fake.create(title="Search is slow", body="Since May")
        tracker = connect(cast, fake, clock())
        olga = db.session.get_one(Person, cast.olga.id)
        adapter = connections.adapter_of(db.session.get_one(Connection, tracker.id))
        (found,) = tickets.search(adapter, "search")
        for insight in ids:
            tickets.link(tracker.id, insight, olga, found, url_of=rules.address_of, now=clock())
        db.session.commit()
        export = begin(cast, tracker.id, ids, clock())
        drain(exporting, clock)
        assert {item.action for item in exports.items(export.id)} == {Action.UNCHANGED}
        assert (theirs.title, theirs.body, len(fake.tickets)) == ("Search is slow", "Since May", 1)
        theirs.state = "done"
        chain.look_soon(tracker.id, [], clock())
        drain(exporting, clock)
        assert {db.session.get_one(Insight, insight).status for insight in ids} == {"done"}


def test_who_may_and_what_cannot(exporting: Flask, exporting_cast: Cast, clock: StandingClock) -> None:
    cast, ids = exporting_cast, insights(exporting_cast, 1, clock())
    vera, olga, adam = (db.session.get_one(Person, one.id) for one in (cast.vera, cast.olga, cast.adam))
    with fake_tracker(TrackerKind.GITHUB) as fake:
        tracker = connect(cast, fake, clock())
        with pytest.raises(Forbidden):
            exports.start(tracker.id, vera, ids, url_of=rules.address_of, now=clock())
        with pytest.raises(Forbidden):
            connections.add(olga, {"kind": "github"}, now=clock())
        with pytest.raises(NothingToExport):
            exports.start(tracker.id, olga, [999_999], url_of=rules.address_of, now=clock())
        with pytest.raises(TooMany):
            exports.start(tracker.id, olga, list(range(1, 2002)), url_of=rules.address_of, now=clock())
        bad: list[tuple[dict[str, Any], str]] = [
            ({"kind": "trello"}, "kind"),
            ({"project": "no-slash"}, "project"),
            ({"base_url": "ftp://x"}, "base_url"),
            ({"base_url": "https://user:pw@x.example"}, "base_url"),
            ({"credentials": {"token": ""}}, "token"),
            ({"credentials": {"token": "a\nb"}}, "token"),
            ({"credentials": {"token": "a", "other": "b"}}, "other"),
            ({"mapping": {"title": "sometimes"}}, "mapping"),
        ]
        good = {"kind": "github", "project": "o/r", "credentials": {"token": "x"}}
        for change, at in bad:
            with pytest.raises(Invalid) as refused:
                connections.add(adam, {**good, **change}, now=clock())
            assert at in refused.value.errors


def test_what_is_not_reviewed_yet_never_leaves(
    exporting: Flask, exporting_cast: Cast, clock: StandingClock
) -> None:
    cast, (one, two) = exporting_cast, insights(exporting_cast, 2, clock())
    row = db.session.get_one(Insight, one)
    visit = insights_service.get(one, cast.olga, now=clock()).evidence[0].visit_id
    row.review_visit_id = visit
    db.session.commit()
    with fake_tracker(TrackerKind.GITHUB) as fake:
        tracker = connect(cast, fake, clock())
        begin(cast, tracker.id, [one, two], clock())
        drain(exporting, clock)
        assert [claim.insight_id for claim in claims()] == [two]
        assert len(fake.tickets) == 1


def test_a_rule_exports_by_score_once(exporting: Flask, exporting_cast: Cast, clock: StandingClock) -> None:
    cast, ids = exporting_cast, insights(exporting_cast, 20, clock())
    olga = db.session.get_one(Person, cast.olga.id)
    scores = {each: insights_service.get(each, olga, now=clock()).item.score for each in ids}
    reaching = {each for each, parts in scores.items() if parts is not None and parts.score >= 20}
    assert 0 < len(reaching) < len(ids)
    with fake_tracker(TrackerKind.GITHUB) as fake:
        tracker = connect(cast, fake, clock())
        db.session.get_one(Connection, tracker.id).rule_score = 20
        db.session.commit()
        assert rules.apply(clock()) == len(reaching)
        drive(exporting, clock, all_done)
        assert {claim.insight_id for claim in claims()} == reaching
        assert rules.apply(clock()) == 0
        assert len(fake.tickets) == len(reaching)


def test_credentials_are_sealed_and_the_key_can_be_changed(
    exporting: Flask, exporting_cast: Cast, clock: StandingClock
) -> None:
    from dataclasses import replace

    from gemba.config import current_settings
    from gemba.sealing import KeyChanged, unseal

    cast = exporting_cast
    with fake_tracker(TrackerKind.GITHUB) as fake:
        row = connect(cast, fake, clock())
        settings = current_settings()
        assert "secret-token" not in row.credentials
        assert "secret-token" not in repr(connections.adapter_of(row).wire)
        renewed = replace(settings, secret_key="another-" * 6)
        exporting.extensions["gemba_settings"] = renewed
        with pytest.raises(KeyChanged):
            connections.adapter_of(row)
        both = replace(renewed, secret_key_before=settings.secret_key)
        exporting.extensions["gemba_settings"] = both
        assert connections.rotate_keys() == 1
        db.session.commit()
        assert unseal(renewed, row.credentials) == {"token": "secret-token"}
        with pytest.raises(KeyChanged):
            unseal(settings, row.credentials)


def test_a_token_goes_to_no_other_address(
    exporting: Flask, exporting_cast: Cast, clock: StandingClock
) -> None:
    with fake_tracker(TrackerKind.GITHUB) as fake:
        row = connect(exporting_cast, fake, clock())
        adam = db.session.get_one(Person, exporting_cast.adam.id)
        with pytest.raises(Invalid) as refused:
            connections.change(row.id, adam, {"base_url": "https://elsewhere.example"}, now=clock())
        assert "token" in refused.value.errors


def _note(insight: int, text: str) -> Observation:
    note = db.session.scalars(select(Observation).where(Observation.insight_id == insight)).first()
    assert note is not None
    note.text = text
    db.session.commit()
    return note


def test_struck_words_leave_the_ticket_with_the_next_export(
    exporting: Flask, exporting_cast: Cast, clock: StandingClock
) -> None:
    cast = exporting_cast
    one, two = insights(cast, 2, clock())
    with fake_tracker(TrackerKind.GITLAB) as fake:
        tracker = connect(cast, fake, clock(), mapping={"body": "once"})
        notes = [_note(insight, f"Ivan's number is {insight}23") for insight in (one, two)]
        secret, unsent = (note.text for note in notes)
        begin(cast, tracker.id, [one], clock())
        drain(exporting, clock)
        (ticket,) = fake.tickets
        assert secret in ticket.body
        ticket.body += "\nPeople wrote here."
        waiting = begin(cast, tracker.id, [two], clock())
        assert unsent in json.dumps(exports.items(waiting.id)[0].payload)
        for each in notes:
            rewrite(each, Words("Something harmless", "", ""), now=clock())
        db.session.commit()
        assert [claim.struck_at is not None for claim in claims()] == [True, False]
        assert unsent not in json.dumps(exports.items(waiting.id)[0].payload)
        drain(exporting, clock)
        assert unsent not in fake.tickets[1].body
        begin(cast, tracker.id, [one], clock())
        drain(exporting, clock)
        assert secret not in ticket.body + ticket.title
        assert "Something harmless" in ticket.body
        assert [claim.struck_at for claim in claims()] == [None, None]
        again = begin(cast, tracker.id, [one], clock())
        assert [item.action for item in exports.items(again.id)] == [Action.UNCHANGED]


def test_a_status_goes_there_and_comes_back_once(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    """Ours moves the ticket; its echo, by webhook or polling, does nothing; theirs comes back by webhook."""
    settings = site.extensions["gemba_settings"]
    site.extensions["gemba_settings"] = replace(settings, fetch_allowed=LOOPBACK)
    with site.app_context(), fake_tracker(TrackerKind.GITHUB) as fake:
        (insight,) = insights(site_cast, 1, clock())
        tracker = connect(site_cast, fake, clock(), mapping={"status_out": True})
        secret = connections.hook_secret_of(tracker)
        begin(site_cast, tracker.id, [insight], clock())
        drain(site, clock)
        (ticket,) = fake.tickets

        def hook() -> None:
            """GitHub says that the ticket changed, and the worker looks."""
            raw = json.dumps({"action": "edited", "issue": {"number": ticket.id}}).encode()
            headers = {"X-Hub-Signature-256": f"sha256={signed(raw, secret)}", "X-GitHub-Event": "issues"}
            answer = browser.anonymous().post(f"/hooks/trackers/{tracker.id}", data=raw, headers=headers)
            assert answer.status_code == 202
            drain(site, clock)

        def history() -> list[tuple[str, str, str]]:
            olga = db.session.get_one(Person, site_cast.olga.id)
            found = insights_service.get(insight, olga, now=clock()).changes
            return [(each.before, each.after, each.reason) for each in found if each.field == "status"]

        olga = db.session.get_one(Person, site_cast.olga.id)
        insights_service.patch(insight, olga, {"status": "declined"}, reason="Not ours", now=clock())
        db.session.commit()
        begin(site_cast, tracker.id, [insight], clock())
        drain(site, clock)
        assert ticket.state == "declined"
        ours = history()
        assert len(ours) == 1
        hook()
        clock.forward(minutes=6)
        every_minute(clock())
        drain(site, clock)
        hook()
        assert history() == ours, "an echo, a replay and polling change nothing"
        clock.forward(minutes=1)
        ticket.state = "todo"
        hook()
        assert db.session.get_one(Insight, insight).status == "planned", "reopened there, open again here"
        clock.forward(minutes=1)
        ticket.state = "done"
        hook()
        hook()
        assert db.session.get_one(Insight, insight).status == "done"
        assert len(history()) == 3
        again = begin(site_cast, tracker.id, [insight], clock())
        assert [item.action for item in exports.items(again.id)] == [Action.UNCHANGED]


def test_a_score_alone_writes_no_ticket_again(lite: Flask, lite_cast: Cast, clock: StandingClock) -> None:
    (insight,) = insights(lite_cast, 1, clock())
    with fake_tracker(TrackerKind.JIRA) as fake:
        tracker = connect(lite_cast, fake, clock())
        begin(lite_cast, tracker.id, [insight], clock())
        drain(lite, clock)
        olga = db.session.get_one(Person, lite_cast.olga.id)
        (before,) = insights_service.rows_of([insight], olga, url_of=rules.address_of)
        assert f"Score: {before.score} of 100." in json.dumps(fake.tickets[0].body)
        clock.forward(days=120)
        numbers.keep_all(clock())
        db.session.commit()
        (after,) = insights_service.rows_of([insight], olga, url_of=rules.address_of)
        assert after.score != before.score
        export = begin(lite_cast, tracker.id, [insight], clock())
        assert [item.action for item in exports.items(export.id)] == [Action.UNCHANGED]


def test_a_ticket_moved_in_gitlab_is_a_state(lite: Flask, lite_cast: Cast, clock: StandingClock) -> None:
    (insight,) = insights(lite_cast, 1, clock())
    with fake_tracker(TrackerKind.GITLAB) as fake:
        tracker = connect(lite_cast, fake, clock())
        begin(lite_cast, tracker.id, [insight], clock())
        drain(lite, clock)
        fake.tickets[0].fields["moved_to_id"] = 77
        _retitle(lite_cast, insight, clock, body="More words")
        begin(lite_cast, tracker.id, [insight], clock())
        drain(lite, clock)
        (claim,) = claims()
        assert claim.state == TicketState.GONE
        assert sentence_of(claim.error)[1] == "It was moved to another project."
        told = len(fake.asked)
        export = begin(lite_cast, tracker.id, [insight], clock())
        drain(lite, clock)
        assert len(fake.asked) == told, "no error loop"
        assert [item.error for item in exports.items(export.id)] == ["gone"]
