"""`gemba round propose`: the newest round of a programme, here and now."""

import re

from flask import Flask

from gemba.cli import cli
from gemba.db import db
from gemba.rounds import service
from gemba.rounds.models import RoundPair, RoundRun
from gemba.rounds.rules import RunState
from gemba.rounds.service import proposing
from gemba.rounds.service.wishing import Wish
from gemba.visits.models import Visit
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.rounds.test_round import make_round


def test_round_propose(site: Flask, site_cast: Cast, clock: StandingClock) -> None:
    run = site.test_cli_runner().invoke
    for words, said in (
        (["none"], "no programme none"),
        (["shadow"], "no round yet"),
        ([], "SLUG"),
    ):
        wrong = run(cli, ["round", "propose", *words])
        assert wrong.exit_code != 0
        assert said in wrong.stderr
        assert "Traceback" not in wrong.output
    with site.app_context():
        chosen = make_round(site_cast, clock)
        number = chosen.id
    nobody = run(cli, ["round", "propose", "shadow"])
    assert (nobody.exit_code, nobody.stdout) == (1, "")
    assert nobody.stderr.count("\n") == 1
    with site.app_context():
        chosen = service.get_round(number)
        for person, wish in ((site_cast.vera, Wish()), (site_cast.eve, Wish(language="ru"))):
            service.sign_up(person, chosen, wish=wish, now=clock())
        picky = Wish(language="ru", line_id=site_cast.other_line.id)
        service.sign_up(site_cast.olga, chosen, wish=picky, now=clock())
        db.session.commit()
    done = run(cli, ["round", "propose", "shadow"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert re.fullmatch(
        rf"2 of 3 people get a visit, 2 is the most possible; match [\d.]+ of 10, fairness [\d.]+\. "
        rf"Look at /rounds/{number}/proposal\.\n",
        done.stdout,
    )
    with site.app_context():
        assert db.session.query(RoundPair).count() == 2
        assert db.session.query(Visit).count() == 0
        assert db.session.query(RoundRun).one().state == RunState.DONE
        proposing.start(site_cast.adam, service.get_round(number), now=clock())
        db.session.commit()
    twice = run(cli, ["round", "propose", "shadow"])
    assert (twice.exit_code, twice.stderr.count("\n")) == (1, 1)
