"""Pictures of published notes go to their tickets: each once, whatever the tracker says about it."""

from collections import Counter
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from gemba.db import db
from gemba.insights.models import Observation, Picture
from gemba.insights.service import files as own
from gemba.people.models import Person
from gemba.trackers.models import TicketPicture
from gemba.trackers.rules.kinds import TRAITS, PictureState, TicketState, TrackerKind
from gemba.trackers.service import exports, pictures, rules
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.trackers.fake import Fake, fake_tracker
from tests.trackers.stage import begin, claims, connect, drain, drive, insights

FILES = [kind for kind in TrackerKind if TRAITS[kind].attaches]
PNG = b"\x89PNG\r\n\x1a\n not ours to judge"


def add_pictures(ids: list[int], folder: Flask, clock: StandingClock) -> list[int]:
    """One picture on a note of each insight."""
    uploads = folder.extensions["gemba_settings"].uploads
    made = []
    for insight in ids:
        note = db.session.scalars(select(Observation).where(Observation.insight_id == insight)).first()
        assert note is not None
        file = f"ab/{insight:032x}.png"
        (uploads / "ab").mkdir(parents=True, exist_ok=True)
        (uploads / file).write_bytes(PNG)
        row = Picture(
            observation_id=note.id,
            author_id=note.author_id,
            file=file,
            media="image/png",
            width=1,
            height=1,
            size=len(PNG),
            created_at=clock(),
        )
        db.session.add(row)
        db.session.flush()
        made.append(row.id)
    db.session.commit()
    return made


def states() -> Counter[str]:
    return Counter(db.session.scalars(select(TicketPicture.state)))


def files_of(fake: Fake) -> list[list[str]]:
    return [made.files for made in fake.tickets]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", FILES)
def test_each_picture_is_attached_once_whatever_it_says(
    lite: Flask, lite_cast: Cast, clock: StandingClock, kind: TrackerKind
) -> None:
    ids = insights(lite_cast, 3, clock())
    made = add_pictures(ids, lite, clock)
    olga = db.session.get_one(Person, lite_cast.olga.id)
    with fake_tracker(kind) as fake:
        tracker = connect(lite_cast, fake, clock())
        found = exports.preview(tracker.id, olga, ids, url_of=rules.address_of, now=clock())
        assert found.pictures == 3
        fake.file_lies = ["create-500", "500", "reset"]
        begin(lite_cast, tracker.id, ids, clock())
        drive(lite, clock, lambda: states() == {PictureState.DONE: 3})
        assert fake.file_lies == []
        names = [name for some in files_of(fake) for name in some]
        markers = {claim.insight_id: claim.marker for claim in claims()}
        expected = [f"{markers[insight]}-{each}.png" for insight, each in zip(ids, made, strict=True)]
        assert sorted(names) == sorted(expected)
        begin(lite_cast, tracker.id, ids, clock())
        drain(lite, clock)
        assert [name for some in files_of(fake) for name in some] == names


def test_a_worker_that_died_is_looked_after(
    exporting: Flask, exporting_cast: Cast, clock: StandingClock
) -> None:
    ids = insights(exporting_cast, 2, clock())
    add_pictures(ids, exporting, clock)
    with fake_tracker(TrackerKind.REDMINE) as fake:
        tracker = connect(exporting_cast, fake, clock())
        begin(exporting_cast, tracker.id, ids, clock())
        db.session.commit()
        drain(exporting, clock)
        assert states() == {PictureState.DONE: 2}
        # One was attached and not written down, one was not even sent.
        fake.tickets[1].files.clear()
        db.session.execute(
            update(TicketPicture).values(state="sending", next_at=clock() + timedelta(seconds=90))
        )
        db.session.commit()
        assert pictures.take(tracker.id, clock()) is None, "who has it has it"
        clock.forward(seconds=91)
        assert pictures.wanted_by() == [tracker.id]
        begin(exporting_cast, tracker.id, ids, clock())
        drive(exporting, clock, lambda: states() == {PictureState.DONE: 2})
        assert [len(some) for some in files_of(fake)] == [1, 1]


def test_what_is_struck_meanwhile_never_leaves(lite: Flask, lite_cast: Cast, clock: StandingClock) -> None:
    one, two = insights(lite_cast, 2, clock())
    add_pictures([one, two], lite, clock)
    olga = db.session.get_one(Person, lite_cast.olga.id)
    with fake_tracker(TrackerKind.GITLAB) as fake:
        tracker = connect(lite_cast, fake, clock())
        export = begin(lite_cast, tracker.id, [one, two], clock())
        notes = select(Observation.id).where(Observation.insight_id == one)
        db.session.execute(update(Observation).where(Observation.id.in_(notes)).values(removed_at=clock()))
        db.session.commit()
        drain(lite, clock)
        assert all(claim.state == TicketState.DONE for claim in claims())
        assert sorted(len(some) for some in files_of(fake)) == [0, 1]
        assert pictures.of_export(export.id) == {PictureState.DONE: 1}
        again = exports.preview(tracker.id, olga, [one, two], url_of=rules.address_of, now=clock())
        assert again.pictures == 0


def test_files_of_an_insight_go_along_and_those_removed_meanwhile_do_not(
    lite: Flask, lite_cast: Cast, clock: StandingClock
) -> None:
    (insight,) = insights(lite_cast, 1, clock())
    olga = db.session.get_one(Person, lite_cast.olga.id)
    kept, gone = (
        own.add(insight, olga, own.read(f"a{mark}b".encode(), "a.csv"), "a.csv", now=clock()) for mark in ",;"
    )
    with fake_tracker(TrackerKind.GITLAB) as fake:
        tracker = connect(lite_cast, fake, clock())
        found = exports.preview(tracker.id, olga, [insight], url_of=rules.address_of, now=clock())
        assert (found.pictures, found.planned[0].row.files) == (2, 2)
        begin(lite_cast, tracker.id, [insight], clock())
        own.remove(gone.id, olga, now=clock())
        db.session.commit()
        drain(lite, clock)
        assert files_of(fake) == [[f"{claims()[0].marker}-{kept.id}.csv"]]
        assert "Files in Gemba: 2." in fake.tickets[0].body


def test_a_tracker_without_files_gets_the_link(lite: Flask, lite_cast: Cast, clock: StandingClock) -> None:
    (insight,) = insights(lite_cast, 1, clock())
    add_pictures([insight], lite, clock)
    with fake_tracker(TrackerKind.GITHUB) as fake:
        tracker = connect(lite_cast, fake, clock())
        begin(lite_cast, tracker.id, [insight], clock())
        drain(lite, clock)
        assert "Screenshots in Gemba: 1." in fake.tickets[0].body
        assert states() == {}
