"""Ten thousand visits in one feed, counted by libical and ical.js."""

from __future__ import annotations

import pytest
from flask import Flask

from gemba.db import db
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.crowd import add_agents, add_coming
from tests.readers import counts
from tests.visits.feeds import address

VISITS = 10_000


@pytest.mark.load
def test_other_houses_count_ten_thousand(site: Flask, site_cast: Cast, clock: StandingClock) -> None:
    with site.app_context():
        add_coming(site_cast, add_agents(site_cast, 50, clock()), VISITS, clock())
        db.session.commit()
    path = address(site, site_cast.lev.id, clock())
    cold, warm = (site.test_client().get(path).data for _ in range(2))
    assert cold == warm
    assert counts.with_libical(warm) == (VISITS, 0)
    assert counts.with_ical_js(warm) == {"events": VISITS, "uids": VISITS, "ordered": VISITS}
