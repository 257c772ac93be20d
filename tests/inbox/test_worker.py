"""`gemba worker` as a real process: it reads the mailbox and listens for LMTP until told to stop."""

import os
import signal
import smtplib
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from gemba.db import db
from gemba.inbox.rules import Outcome
from gemba.inbox.ways_in import WaysIn
from tests.conftest import IN_CI
from tests.fakes.dovecot import PASSWORD, USER, dovecot, find_dovecot
from tests.inbox import mails
from tests.inbox.conftest import Post, address_of
from tests.inbox.mails import Ask
from tests.outbox.gemba import environment, start

PATIENCE = 60.0


def wait_for(post: Post, results: list[str]) -> None:
    """Waits until these are the outcomes of all mails that came."""
    end = time.monotonic() + PATIENCE
    while sorted(row.result for row in post.rows()) != sorted(results):
        db.session.rollback()
        assert time.monotonic() < end, [row.result for row in post.rows()]
        time.sleep(0.1)
    db.session.rollback()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.mark.skipif(find_dovecot() is None and not IN_CI, reason="no Dovecot here")
def test_a_worker_takes_mail_in_both_ways(app: Flask, post: Post, database_url: str, tmp_path: Path) -> None:
    alice = post.cast.alice
    alices = Ask(
        uid=post.visit.uid,
        to=address_of(post.visit, alice),
        sender=alice.email,
        attendee=alice.email,
        message_id="<alice@exchange.example>",
        stamp=f"{post.clock():%Y%m%dT%H%M%SZ}",
    )
    # What the database knows is asked for now: nobody may hold it while the worker writes.
    veras, to = mails.apple(post.ask), post.ask.to
    db.session.rollback()
    port = free_port()
    with dovecot() as server:
        environ = {
            **environment(database_url, tmp_path, "smtp://127.0.0.1:1"),
            "GEMBA_MAIL_FROM": "gemba@gemba.example",
            "GEMBA_IMAP_URL": f"imap://{USER.replace('@', '%40')}:{PASSWORD}@127.0.0.1:{server.imap_port}",
            "GEMBA_LMTP_LISTEN": f"127.0.0.1:{port}",
        }
        process = start(environ, "worker", "--threads", "1")
        try:
            server.deliver(veras, to)
            wait_for(post, [Outcome.COUNTED])
            with smtplib.LMTP("127.0.0.1", port, local_hostname="mx.gemba.example") as line:
                line.sendmail(alices.sender, [alices.to], mails.exchange(alices))
                line.sendmail(alices.sender, [alices.to], mails.exchange(alices))
            server.deliver(mails.exchange(alices), alices.to)
            server.deliver(b"Subject: the last one\r\n\r\nHello", to)
            wait_for(post, [Outcome.COUNTED, Outcome.COUNTED, Outcome.NO_ANSWER])
        finally:
            assert process.pid is not None
            os.kill(process.pid, signal.SIGTERM)
            process.join(30)
        assert process.exitcode == 0


def test_a_port_that_is_taken_stops_no_worker(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
        settings = replace(app.extensions["gemba_settings"], lmtp_listen=("127.0.0.1", port))
        ways_in = WaysIn(app, settings)
        ways_in.start()
        ways_in.stop()
    assert "inbox.lmtp-not-open" in capsys.readouterr().out
