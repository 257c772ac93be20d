"""Mails as the programs of this world write them: answers to invites, other hours, and bounces."""

import base64
import quopri
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

UID = "visit-0001@gemba.example"
PARTSTATS = {"accepted": "Accepted", "tentative": "Tentative", "declined": "Declined"}


@dataclass(frozen=True)
class Ask:
    """What a mail is to say; `stamp` is its DTSTAMP, `start` a local hour in Berlin."""

    to: str = "gemba@gemba.example"
    sender: str = "vera@gemba.example"
    attendee: str = "vera@gemba.example"
    name: str = "Vera Visitor"
    uid: str = UID
    answer: str = "accepted"
    sequence: int | None = 0
    stamp: str = "20261123T090000Z"
    message_id: str = "<1@mail.example>"
    comment: str = ""
    start: str = "20261125T100000"
    end: str = "20261125T110000"
    extra: str = ""
    """Header fields above all others, each with its CRLF."""


def crlf(text: str) -> bytes:
    """The text with the line ends of mail."""
    return textwrap.dedent(text).lstrip("\n").replace("\n", "\r\n").encode()


def lines(*each: str) -> str:
    """Those lines of a calendar that are there, folded."""
    folded = ["\r\n ".join(textwrap.wrap(one, 70, drop_whitespace=False)) for one in each if one]
    return "".join(f"{one}\r\n" for one in folded)


def _b64(text: str) -> str:
    return "\r\n".join(textwrap.wrap(base64.b64encode(text.encode()).decode(), 76))


def _qp(text: str) -> str:
    return quopri.encodestring(text.encode()).decode().replace("\r\n", "\n").replace("\n", "\r\n")


def _sequence(ask: Ask) -> str:
    return "" if ask.sequence is None else f"SEQUENCE:{ask.sequence}"


def _head(ask: Ask, *more: str) -> str:
    verb = PARTSTATS[ask.answer]
    return ask.extra + "".join(
        f"{one}\r\n"
        for one in (
            f"From: {ask.name} <{ask.sender}>",
            f"To: Gemba <{ask.to}>",
            f"Subject: {verb}: Side by side @ Wed Nov 25, 2026 10am - 11am",
            "Date: Mon, 23 Nov 2026 09:00:01 +0000",
            *([f"Message-ID: {ask.message_id}"] if ask.message_id else []),
            "MIME-Version: 1.0",
            *more,
        )
    )


def gmail(ask: Ask) -> bytes:
    """Google: three forms of the same, the calendar in base64 and again as an attachment."""
    calendar = lines(
        "BEGIN:VCALENDAR",
        "PRODID:-//Google Inc//Google Calendar 70.9054//EN",
        "VERSION:2.0",
        "CALSCALE:GREGORIAN",
        "METHOD:REPLY",
        "BEGIN:VEVENT",
        "DTSTART:20261125T090000Z",
        "DTEND:20261125T100000Z",
        f"DTSTAMP:{ask.stamp}",
        f"ORGANIZER;CN=Gemba:mailto:{ask.to}",
        f"UID:{ask.uid}",
        f"ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT={ask.answer.upper()};"
        f'CN="{ask.name}";X-NUM-GUESTS=0:mailto:{ask.attendee}',
        f"X-RESPONSE-COMMENT={ask.comment}" and (f"COMMENT:{ask.comment}" if ask.comment else ""),
        "CREATED:20261120T100000Z",
        "DESCRIPTION:Video call: https://meet.example/room\\nNotes\\, moving and cancelling",
        "LAST-MODIFIED:20261123T090000Z",
        "LOCATION:https://meet.example/room",
        _sequence(ask),
        "STATUS:CONFIRMED",
        "SUMMARY:Side by side: Vera Visitor visits Alice Agent",
        "TRANSP:OPAQUE",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return (
        _head(ask, 'Content-Type: multipart/mixed; boundary="000000000000b0a1c905e1"')
        + "\r\n--000000000000b0a1c905e1\r\n"
        'Content-Type: multipart/alternative; boundary="000000000000b0a1c705e1"\r\n'
        "\r\n--000000000000b0a1c705e1\r\n"
        'Content-Type: text/plain; charset="UTF-8"; format=flowed; delsp=yes\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
        f"{_b64(f'{ask.name} has accepted this invitation.')}\r\n"
        "--000000000000b0a1c705e1\r\n"
        'Content-Type: text/html; charset="UTF-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
        f"{_qp('<html><body>has accepted</body></html>')}\r\n"
        "--000000000000b0a1c705e1\r\n"
        'Content-Type: text/calendar; charset="UTF-8"; method=REPLY\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
        f"{_b64(calendar)}\r\n"
        "--000000000000b0a1c705e1--\r\n\r\n"
        "--000000000000b0a1c905e1\r\n"
        'Content-Type: application/ics; name="invite.ics"\r\n'
        'Content-Disposition: attachment; filename="invite.ics"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        f"{_b64(calendar)}\r\n"
        "--000000000000b0a1c905e1--\r\n"
    ).encode()


WINDOWS_ZONE = (
    "BEGIN:VTIMEZONE",
    "TZID:W. Europe Standard Time",
    "BEGIN:STANDARD",
    "DTSTART:16010101T030000",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10",
    "END:STANDARD",
    "BEGIN:DAYLIGHT",
    "DTSTART:16010101T020000",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3",
    "END:DAYLIGHT",
    "END:VTIMEZONE",
)


def _exchange_calendar(ask: Ask, method: str, zone: tuple[str, ...], tzid: str) -> str:
    return lines(
        "BEGIN:VCALENDAR",
        f"METHOD:{method}",
        "PRODID:Microsoft Exchange Server 2010",
        "VERSION:2.0",
        *zone,
        "BEGIN:VEVENT",
        f"ATTENDEE;PARTSTAT={ask.answer.upper()};CN={ask.name}:MAILTO:{ask.attendee}",
        f"COMMENT;LANGUAGE=en-US:{ask.comment}\\n" if ask.comment else "",
        f"UID:{ask.uid}",
        "SUMMARY;LANGUAGE=en-US:Accepted: Side by side: Vera Visitor visits Alice Agent",
        f"DTSTART;TZID={tzid}:{ask.start}",
        f"DTEND;TZID={tzid}:{ask.end}",
        "CLASS:PUBLIC",
        "PRIORITY:5",
        f"DTSTAMP:{ask.stamp}",
        "TRANSP:OPAQUE",
        "STATUS:CONFIRMED",
        _sequence(ask),
        "LOCATION;LANGUAGE=en-US:https://meet.example/room",
        "X-MICROSOFT-CDO-APPT-SEQUENCE:0",
        "X-MICROSOFT-CDO-BUSYSTATUS:BUSY",
        "X-MICROSOFT-CDO-INTENDEDSTATUS:BUSY",
        "X-MICROSOFT-CDO-ALLDAYEVENT:FALSE",
        "X-MICROSOFT-DISALLOW-COUNTER:FALSE",
        "END:VEVENT",
        "END:VCALENDAR",
    )


def _exchange(ask: Ask, method: str, calendar: str) -> bytes:
    boundary = "_000_AM0PR04MB1234DEADBEEF_"
    return (
        _head(
            ask,
            "Thread-Topic: Side by side",
            "Accept-Language: en-US, de-DE",
            "X-MS-Has-Attach:",
            "X-MS-TNEF-Correlator:",
            f'Content-Type: multipart/alternative;\r\n\tboundary="{boundary}"',
        )
        + f"\r\n--{boundary}\r\n"
        'Content-Type: text/plain; charset="us-ascii"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
        f"\r\n\r\n--{boundary}\r\n"
        'Content-Type: text/html; charset="us-ascii"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
        "<html><head></head><body></body></html>\r\n"
        f"\r\n--{boundary}\r\n"
        f'Content-Type: text/calendar; charset="utf-8"; method={method}\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
        f"{_b64(calendar)}\r\n\r\n--{boundary}--\r\n"
    ).encode()


def exchange(ask: Ask) -> bytes:
    """Outlook with Exchange: no ORGANIZER, MAILTO in capitals, Windows' name of the zone."""
    return _exchange(ask, "REPLY", _exchange_calendar(ask, "REPLY", WINDOWS_ZONE, "W. Europe Standard Time"))


def exchange_counter(ask: Ask, tzid: str = "W. Europe Standard Time") -> bytes:
    """Outlook's "propose new time"; PARTSTAT says how the attendee stands to the old one."""
    return _exchange(ask, "COUNTER", _exchange_calendar(ask, "COUNTER", WINDOWS_ZONE, tzid))


def outlook_com(ask: Ask) -> bytes:
    """outlook.com: the bare calendar as the whole mail, without SEQUENCE."""
    calendar = lines(
        "BEGIN:VCALENDAR",
        "PRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN",
        "VERSION:2.0",
        "METHOD:REPLY",
        "BEGIN:VEVENT",
        f"UID:{ask.uid}",
        f'ATTENDEE;CN="{ask.name}";PARTSTAT={ask.answer.upper()}:mailto:{ask.attendee}',
        f"DTSTAMP:{ask.stamp}",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    kind = 'Content-Type: text/calendar; charset="utf-8"; method=REPLY; name="meeting.ics"'
    return (_head(ask, kind, "Content-Transfer-Encoding: 7bit") + f"\r\n{calendar}").encode()


def apple(ask: Ask) -> bytes:
    """Apple's Mail: quoted-printable, the method only inside, a file name."""
    calendar = lines(
        "BEGIN:VCALENDAR",
        "CALSCALE:GREGORIAN",
        "METHOD:REPLY",
        "PRODID:-//Apple Inc.//macOS 15.1//EN",
        "VERSION:2.0",
        "BEGIN:VEVENT",
        f'ATTENDEE;CN="{ask.name}";CUTYPE=INDIVIDUAL;PARTSTAT={ask.answer.upper()};ROLE=REQ-PARTICIPANT;'
        f'EMAIL="{ask.attendee}":mailto:{ask.attendee}',
        "DTEND:20261125T100000Z",
        "DTSTART:20261125T090000Z",
        f"DTSTAMP:{ask.stamp}",
        f'ORGANIZER;CN="Gemba":mailto:{ask.to}',
        _sequence(ask),
        f"COMMENT:{ask.comment}" if ask.comment else "",
        "SUMMARY:Бок о бок",
        f"UID:{ask.uid}",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    boundary = "Apple-Mail=_5D0B2C0E-71F2-4D58-9F7D-4F8A3D0C7C21"
    return (
        _head(
            ask,
            f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"',
            "X-Mailer: Apple Mail (2.3826)",
        )
        + f"\r\n\r\n--{boundary}\r\nContent-Transfer-Encoding: 7bit\r\n"
        "Content-Type: text/plain;\r\n\tcharset=us-ascii\r\n\r\n"
        f"{ask.name} has accepted your invitation.\r\n--{boundary}\r\n"
        "Content-Disposition: attachment;\r\n filename=iCal-20261123-090000.ics\r\n"
        "Content-Type: text/calendar; x-unix-mode=0644; charset=utf-8;\r\n"
        ' name="iCal-20261123-090000.ics"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        f"{_qp(calendar)}\r\n--{boundary}--\r\n"
    ).encode()


def thunderbird(ask: Ask) -> bytes:
    """Thunderbird: 8bit, attached, everything the invite said said again."""
    calendar = lines(
        "BEGIN:VCALENDAR",
        "PRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN",
        "VERSION:2.0",
        "METHOD:REPLY",
        "BEGIN:VEVENT",
        "CREATED:20261123T085500Z",
        "LAST-MODIFIED:20261123T090000Z",
        f"DTSTAMP:{ask.stamp}",
        f"UID:{ask.uid}",
        "SUMMARY:Side by side: Vera Visitor visits Alice Agent",
        "STATUS:CONFIRMED",
        f"ORGANIZER;CN=Gemba:mailto:{ask.to}",
        f"ATTENDEE;CN={ask.name};PARTSTAT={ask.answer.upper()};CUTYPE=INDIVIDUAL;"
        f"ROLE=REQ-PARTICIPANT;RSVP=TRUE:mailto:{ask.attendee}",
        "DTSTART:20261125T090000Z",
        "DTEND:20261125T100000Z",
        _sequence(ask),
        "TRANSP:OPAQUE",
        "X-MOZ-RECEIVED-SEQUENCE:0",
        "X-MOZ-RECEIVED-DTSTAMP:20261123T080000Z",
        f"COMMENT:{ask.comment}" if ask.comment else "",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    boundary = "------------a1lZ5rJxPq0Vv1fYkS0q0T6K"
    return (
        _head(
            ask,
            "User-Agent: Mozilla Thunderbird",
            f'Content-Type: multipart/mixed; boundary="{boundary}"',
        )
        + f"\r\n--{boundary}\r\nContent-Type: text/plain; charset=UTF-8; format=flowed\r\n"
        f"Content-Transfer-Encoding: 7bit\r\n\r\n{ask.name} has accepted your event invitation.\r\n"
        f"--{boundary}\r\nContent-Type: text/calendar; method=REPLY; charset=UTF-8\r\n"
        "Content-Transfer-Encoding: 8bit\r\n"
        'Content-Disposition: attachment; filename="invitation.ics"\r\n\r\n'
        f"{calendar}--{boundary}--\r\n"
    ).encode()


def yandex(ask: Ask) -> bytes:
    """Yandex-like: a file of octets that only its name gives away, the zone by an IANA name."""
    calendar = lines(
        "BEGIN:VCALENDAR",
        "PRODID:-//Yandex LLC//Yandex Calendar//EN",
        "VERSION:2.0",
        "CALSCALE:GREGORIAN",
        "METHOD:REPLY",
        "BEGIN:VEVENT",
        "DTSTART;TZID=Europe/Moscow:20261125T120000",
        "DTEND;TZID=Europe/Moscow:20261125T130000",
        "SUMMARY:Рядом: Вера в гостях",
        f"UID:{ask.uid}",
        _sequence(ask),
        f"DTSTAMP:{ask.stamp}",
        f"ORGANIZER;CN=Gemba:mailto:{ask.to}",
        f"ATTENDEE;PARTSTAT={ask.answer.upper()};CN=Вера;ROLE=REQ-PARTICIPANT:mailto:{ask.attendee.upper()}",
        f"COMMENT:{ask.comment}" if ask.comment else "",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return (
        _head(ask, 'Content-Type: multipart/mixed; boundary="----==--bound.18.mail-notsolb"')
        + "\r\n------==--bound.18.mail-notsolb\r\nContent-Type: text/html; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{_b64('<p>Вера принимает приглашение</p>')}\r\n"
        "------==--bound.18.mail-notsolb\r\n"
        'Content-Type: application/octet-stream; name="event.ics"\r\n'
        'Content-Disposition: attachment; filename="event.ics"\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{_b64(calendar)}\r\n"
        "------==--bound.18.mail-notsolb--\r\n"
    ).encode()


CLIENTS: dict[str, Callable[[Ask], bytes]] = {
    "gmail": gmail,
    "exchange": exchange,
    "outlook.com": outlook_com,
    "apple": apple,
    "thunderbird": thunderbird,
    "yandex": yandex,
}


def plain(ask: Ask, calendar: str, kind: str = "text/calendar; method=REPLY; charset=utf-8") -> bytes:
    """A mail that is nothing but this calendar."""
    return (_head(ask, f"Content-Type: {kind}") + "\r\n" + calendar).encode("utf-8", "surrogateescape")


def reply_lines(ask: Ask, *more: str, method: str = "REPLY") -> str:
    """The least an answer is made of, and more lines of the VEVENT."""
    return lines(
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"METHOD:{method}" if method else "",
        "BEGIN:VEVENT",
        f"UID:{ask.uid}",
        f"DTSTAMP:{ask.stamp}",
        _sequence(ask),
        f"ATTENDEE;PARTSTAT={ask.answer.upper()}:mailto:{ask.attendee}",
        *more,
        "END:VEVENT",
        "END:VCALENDAR",
    )


def bounce(
    *,
    to: str = "gemba@gemba.example",
    failed: str = "vera@gemba.example",
    about: str = "<mine@gemba.example>",
    returned_from: str = "gemba@gemba.example",
    action: str = "failed",
    status: str = "5.1.1",
    quoted: str = "text/rfc822-headers",
) -> bytes:
    """Postfix's report that mail could not be delivered."""
    return crlf(f"""
        Return-Path: <>
        Date: Mon, 23 Nov 2026 09:00:00 +0000 (UTC)
        From: MAILER-DAEMON@mx.example (Mail Delivery System)
        Subject: Undelivered Mail Returned to Sender
        To: {to}
        Auto-Submitted: auto-replied
        Message-Id: <20261123090000.ABCDEF@mx.example>
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=delivery-status;
            boundary="9B3F21A0C4.1795424400/mx.example"

        This is a MIME-encapsulated message.

        --9B3F21A0C4.1795424400/mx.example
        Content-Description: Notification
        Content-Type: text/plain; charset=us-ascii

        I'm sorry to have to inform you that your message could not be delivered.

        <{failed}>: host mx2.example[192.0.2.7] said: 550 5.1.1 no such mailbox

        --9B3F21A0C4.1795424400/mx.example
        Content-Description: Delivery report
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.example
        X-Postfix-Queue-ID: 9B3F21A0C4
        Arrival-Date: Mon, 23 Nov 2026 08:59:58 +0000 (UTC)

        Final-Recipient: rfc822; {failed}
        Original-Recipient: rfc822;{failed}
        Action: {action}
        Status: {status}
        Remote-MTA: dns; mx2.example
        Diagnostic-Code: smtp; 550 5.1.1 <{failed}>: Recipient address rejected: no
            such mailbox

        --9B3F21A0C4.1795424400/mx.example
        Content-Description: Undelivered Message Headers
        Content-Type: {quoted}

        Return-Path: <gemba@gemba.example>
        From: Gemba <{returned_from}>
        To: {failed}
        Subject: Visit booked
        Message-ID: {about}

        --9B3F21A0C4.1795424400/mx.example--
    """)
