"""Reading the folder of mail: order, parts, the calendar in words, and no way out of the folder."""

import os
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from gemba.demo import mailbox

INVITE = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Gemba//Visits//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:abc@gemba.example
SEQUENCE:2
DTSTAMP:20261123T080000Z
DTSTART:20261126T103000Z
DTEND:20261126T113000Z
SUMMARY:Рядом с поддержкой
LOCATION:https://meet.example/room
ORGANIZER:mailto:gemba@gemba.example
ATTENDEE;CN=Vera:mailto:vera@gemba.example
ATTENDEE;CN=Anna:MAILTO:anna@gemba.example
END:VEVENT
END:VCALENDAR
"""


def write_mail(
    folder: Path, name: str, to: str = "vera@gemba.example", invite: str = INVITE, **headers: str
) -> Path:
    """Puts a mail with all three parts into the folder."""
    message = EmailMessage()
    message["From"] = "Gemba <gemba@gemba.example>"
    message["To"] = f"Vera <{to}>"
    message["Subject"] = headers.get("subject", "Визит в четверг")
    if "date" in headers:
        message["Date"] = headers["date"]
    message.set_content("Hello, Vera\n")
    page = headers.get("html", "<!doctype html><html><head><title>x</title></head><body>Hello</body></html>")
    message.add_alternative(page, subtype="html")
    if invite:
        message.add_alternative(invite, subtype="calendar", params={"method": "REQUEST"})
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(message.as_bytes())
    return path


def test_an_absent_or_empty_folder_holds_no_mail(tmp_path: Path) -> None:
    assert mailbox.envelopes(tmp_path / "none") == []
    assert mailbox.envelopes(tmp_path) == []


def test_mail_is_listed_newest_first_with_its_recipient_and_subject(tmp_path: Path) -> None:
    write_mail(tmp_path, "1.eml", date="Mon, 23 Nov 2026 08:00:00 +0000")
    write_mail(
        tmp_path, "2.eml", to="anna@gemba.example", date="Mon, 23 Nov 2026 11:00:00 +0300", subject="B"
    )
    write_mail(tmp_path, "3.eml", date="Mon, 23 Nov 2026 09:00:00 +0000", subject="C")
    (tmp_path / "notes.txt").write_text("not a mail")
    (tmp_path / ".1.eml.99-1").write_text("half written")
    found = mailbox.envelopes(tmp_path)
    assert [one.name for one in found] == ["3.eml", "2.eml", "1.eml"]
    assert [one.subject for one in found] == ["C", "B", "Визит в четверг"]
    assert found[1].at == found[2].at == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert mailbox.recipients(found) == ["anna@gemba.example", "vera@gemba.example"]


def test_without_a_date_the_file_s_time_counts(tmp_path: Path) -> None:
    path = write_mail(tmp_path, "1.eml")
    os.utime(path, (1_790_000_000, 1_790_000_000))
    assert mailbox.envelopes(tmp_path)[0].at == datetime.fromtimestamp(1_790_000_000, UTC)


def test_a_mail_is_read_part_by_part(tmp_path: Path) -> None:
    path = write_mail(tmp_path, "1.eml")
    letter = mailbox.letter(tmp_path, "1.eml")
    assert letter is not None
    assert letter.text == "Hello, Vera"
    assert letter.html is not None
    assert "Hello" in letter.html
    assert letter.raw == path.read_bytes()
    assert letter.calendar == mailbox.CalendarWords(
        method="REQUEST",
        uid="abc@gemba.example",
        sequence=2,
        summary="Рядом с поддержкой",
        location="https://meet.example/room",
        starts=datetime(2026, 11, 26, 10, 30, tzinfo=UTC),
        ends=datetime(2026, 11, 26, 11, 30, tzinfo=UTC),
        attendees=("vera@gemba.example", "anna@gemba.example"),
    )


@pytest.mark.parametrize("invite", ["", "BEGIN:VCALENDAR\nEND:VCALENDAR\n", "nonsense"])
def test_a_calendar_that_says_nothing_is_none(tmp_path: Path, invite: str) -> None:
    write_mail(tmp_path, "1.eml", invite=invite)
    letter = mailbox.letter(tmp_path, "1.eml")
    assert letter is not None
    assert letter.calendar is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "none.eml",
        "../secret.eml",
        "..%2fsecret.eml",
        ".hidden.eml",
        "a/b.eml",
        "1.eml\n",
        "/etc/passwd",
        "link.eml",
    ],
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "mail"
    write_mail(folder, "1.eml")
    write_mail(folder, ".hidden.eml")
    outside = write_mail(tmp_path, "secret.eml")
    (folder / "link.eml").symlink_to(outside)
    assert mailbox.letter(folder, name) is None
    assert [one.name for one in mailbox.envelopes(folder)] == ["1.eml"]
