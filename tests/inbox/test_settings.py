"""Settings for receiving replies."""

from pathlib import Path

import pytest

from gemba.config import BadSetting, Imap, load_settings


def test_without_them_nothing_is_received(tmp_path: Path) -> None:
    settings = load_settings({"GEMBA_INSTANCE": str(tmp_path), "GEMBA_MAIL_AUTHSERV": "MX.example"})
    assert (settings.imap, settings.lmtp_listen, settings.hooks_secret) == (None, None, None)
    assert not settings.takes_replies
    assert settings.mail_authserv == "mx.example"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GEMBA_IMAP_URL", "imaps://u:p@h"),
        ("GEMBA_LMTP_LISTEN", "127.0.0.1:2424"),
        ("GEMBA_HOOKS_SECRET", "x" * 32),
    ],
)
def test_each_of_them_takes_replies(tmp_path: Path, name: str, value: str) -> None:
    assert load_settings({"GEMBA_INSTANCE": str(tmp_path), name: value}).takes_replies


@pytest.mark.parametrize(
    ("url", "imap"),
    [
        ("imaps://gemba:secret@mail.example.com", Imap("mail.example.com", 993, "tls", "gemba", "secret")),
        ("imap://u:p@h?tls=starttls", Imap("h", 143, "starttls", "u", "p")),
        ("imap://u:p@127.0.0.1:1143/", Imap("127.0.0.1", 1143, "none", "u", "p")),
        (
            "imaps://gemba%40example.com:p%40ss%2F%3A@h/INBOX%2FReplies",
            Imap("h", 993, "tls", "gemba@example.com", "p@ss/:", "INBOX/Replies"),
        ),
    ],
)
def test_a_mailbox(tmp_path: Path, url: str, imap: Imap) -> None:
    assert load_settings({"GEMBA_INSTANCE": str(tmp_path), "GEMBA_IMAP_URL": url}).imap == imap


def test_user_and_password_of_the_way_out_are_decoded_too(tmp_path: Path) -> None:
    given = {"GEMBA_INSTANCE": str(tmp_path), "GEMBA_SMTP_URL": "smtp://a%40b:c%2Fd@h"}
    smtp = load_settings(given).smtp
    assert smtp is not None
    assert (smtp.user, smtp.password, smtp.port) == ("a@b", "c/d", 25)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GEMBA_IMAP_URL", "imaps://mail.example.com"),
        ("GEMBA_IMAP_URL", "imaps://user@mail.example.com"),
        ("GEMBA_IMAP_URL", "pop3://u:p@h"),
        ("GEMBA_IMAP_URL", "imap://u:p@h?tls=maybe"),
        ("GEMBA_IMAP_URL", "imap://u:p@h:99999"),
        ("GEMBA_LMTP_LISTEN", "2424"),
        ("GEMBA_LMTP_LISTEN", "127.0.0.1:0"),
        ("GEMBA_LMTP_LISTEN", "127.0.0.1:lmtp"),
        ("GEMBA_HOOKS_SECRET", "short"),
    ],
)
def test_what_cannot_be_used_stops_the_start_with_its_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=name) as refused:
        load_settings({"GEMBA_INSTANCE": str(tmp_path), name: value})
    assert "u:p@h" not in str(refused.value)
