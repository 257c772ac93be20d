"""A Thunderbird without a screen: one mailbox over IMAP, one calendar, and what its user sees and presses.

    with thunderbird(folder, "vera@gemba.example", "Vera", "Europe/Berlin", server, smtp) as program:
        shown = program.open("<message-id>")
        program.press("Accept")
        program.event(uid)

Nothing inside is replaced: mail comes by IMAP, the bar is the one above the message, answers leave by SMTP.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes.dovecot import PASSWORD, Dovecot
from tests.fakes.smtp import Server
from tests.thunderbird.marionette import Marionette

PATIENCE = 60.0
DRIVEN = ("--marionette", "--remote-allow-system-access")
BUTTONS = {
    "Accept": "imipAcceptButton",
    "Maybe": "imipTentativeButton",
    "Decline": "imipDeclineButton",
    "Update": "imipUpdateButton",
    "Delete": "imipDeleteButton",
    "Reconfirm": "imipReconfirmButton",
}

SET_UP = """
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { cal } = ChromeUtils.importESModule("resource:///modules/calendar/calUtils.sys.mjs");
const [email, name, imapPort, smtpPort, user, password] = args;
const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
login.init("imap://127.0.0.1", null, "imap://127.0.0.1", user, password, "", "");
await Services.logins.addLoginAsync(login);
const server = MailServices.accounts.createIncomingServer(user, "127.0.0.1", "imap");
server.port = imapPort;
server.socketType = Ci.nsMsgSocketType.plain;
server.authMethod = Ci.nsMsgAuthMethod.passwordCleartext;
server.valid = true;
const outgoing = MailServices.outgoingServer.createServer("smtp");
outgoing.QueryInterface(Ci.nsISmtpServer);
outgoing.hostname = "127.0.0.1";
outgoing.port = smtpPort;
outgoing.socketType = Ci.nsMsgSocketType.plain;
outgoing.authMethod = Ci.nsMsgAuthMethod.none;
MailServices.outgoingServer.defaultServer = outgoing;
const identity = MailServices.accounts.createIdentity();
identity.email = email;
identity.fullName = name;
identity.smtpServerKey = outgoing.key;
identity.doFcc = false;
const account = MailServices.accounts.createAccount();
account.addIdentity(identity);
account.incomingServer = server;
MailServices.accounts.defaultAccount = account;
for (const each of cal.manager.getCalendars()) cal.manager.removeCalendar(each);
const calendar = cal.manager.createCalendar("storage", Services.io.newURI("moz-storage-calendar://"));
calendar.name = "Mine";
calendar.setProperty("imip.identity.key", identity.key);
cal.manager.registerCalendar(calendar);
return Services.appinfo.version;
"""

OPEN = """
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { MailUtils } = ChromeUtils.importESModule("resource:///modules/MailUtils.sys.mjs");
const [id] = args;
const inbox = MailServices.accounts.defaultAccount.incomingServer.rootFolder
    .getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
if (!inbox) { MailServices.accounts.defaultAccount.incomingServer.performExpand(null); return false; }
await new Promise(done => inbox.QueryInterface(Ci.nsIMsgImapMailFolder).updateFolderWithListener(
    null, { QueryInterface: ChromeUtils.generateQI(["nsIUrlListener"]),
            OnStartRunningUrl() {}, OnStopRunningUrl() { done(); } }));
const header = inbox.msgDatabase.getMsgHdrForMessageID(id);
if (!header) return false;
for (const each of Services.wm.getEnumerator("mail:messageWindow")) each.close();
MailUtils.openMessageInNewWindow(header);
return true;
"""

SHOWN = """
const window = Services.wm.getMostRecentWindow("mail:messageWindow");
const inner = window && window.messageBrowser && window.messageBrowser.contentWindow;
if (!inner || !inner.calImipBar || !inner.gMessage || inner.gMessage.messageId !== args[0]) return null;
const bar = inner.document.querySelector(".calendar-notification-bar");
if (!bar || bar.collapsed || !inner.calImipBar.itipItem) return null;
return {
    says: bar.querySelector(".msgNotificationBarText").textContent,
    buttons: inner.calImipBar.getButtons().filter(each => !each.hidden).map(each => each.id),
    action: inner.calImipBar.actionFunc ? inner.calImipBar.actionFunc.method : null,
};
"""

PRESS = """
const inner = Services.wm.getMostRecentWindow("mail:messageWindow").messageBrowser.contentWindow;
const button = inner.document.getElementById(args[0]);
if (!button || button.hidden) throw new Error("This button is not shown: " + args[0]);
button.doCommand();
"""

EVENT = """
const { cal } = ChromeUtils.importESModule("resource:///modules/calendar/calUtils.sys.mjs");
const found = [];
for (const calendar of cal.manager.getCalendars()) {
    const item = await calendar.getItem(args[0]);
    if (!item) continue;
    const local = item.startDate.getInTimezone(cal.dtz.defaultTimezone);
    const mine = item.getAttendees().map(each => [each.id, each.participationStatus]);
    found.push({
        title: item.title,
        instant: item.startDate.nativeTime / 1000000,
        end: item.endDate.nativeTime / 1000000,
        wall: [local.hour, local.minute],
        zone: local.timezone.tzid,
        sequence: Number(item.getProperty("SEQUENCE") || 0),
        status: item.status,
        attendees: Object.fromEntries(mine),
    });
}
return found;
"""


@dataclass(frozen=True)
class Shown:
    """What stands above an opened mail: the words, the buttons by name, and what would be done."""

    says: str
    buttons: frozenset[str]
    action: str | None


class Program:
    """A running Thunderbird."""

    def __init__(self, marionette: Marionette) -> None:
        self._marionette = marionette
        self.version = ""

    def set_up(self, email: str, name: str, server: Dovecot, smtp: Server) -> None:
        """Gives it an account, a way out and a calendar of its own."""
        ports = (server.imap_port, smtp.port)
        self.version = self._marionette.run(SET_UP, email, name, *ports, email, PASSWORD)

    def open(self, message_id: str) -> Shown:
        """Fetches mail, opens this one and waits for the calendar's bar. AssertionError if none comes."""
        wanted = message_id.strip("<>")
        until(lambda: self._marionette.run(OPEN, wanted), "the mail did not arrive")
        found = until(lambda: self._marionette.run(SHOWN, wanted), "no bar above the mail")
        names = {element: name for name, element in BUTTONS.items()}
        buttons = frozenset(names[each] for each in found["buttons"] if each in names)
        return Shown(found["says"], buttons, found["action"])

    def press(self, button: str) -> None:
        """Presses a button of the bar."""
        self._marionette.run(PRESS, BUTTONS[button])

    def event(self, uid: str) -> dict[str, Any] | None:
        """What its calendar holds under a UID; instants are seconds from 1970."""
        found = self._marionette.run(EVENT, uid)
        assert len(found) <= 1, "one UID, two entries"
        return found[0] if found else None

    def quit(self) -> None:
        """Asks it to end."""
        self._marionette.call("Marionette:Quit", {"flags": ["eForceQuit"]})


def until(found: Callable[[], Any], what: str) -> Any:
    """What is found in the end. AssertionError where nothing is."""
    end = time.monotonic() + PATIENCE
    while not (value := found()):
        assert time.monotonic() < end, what
        time.sleep(0.2)
    return value


def find_thunderbird() -> str | None:
    """The program, where it is installed."""
    return os.environ.get("GEMBA_THUNDERBIRD") or shutil.which("thunderbird")


@contextmanager
def thunderbird(
    folder: Path, email: str, name: str, zone: str, server: Dovecot, smtp: Server
) -> Iterator[Program]:
    """A program with a fresh profile in `folder`, reading `server` and sending by `smtp`; gone at the end."""
    program, port = find_thunderbird(), _free_port()
    assert program is not None, "no Thunderbird here; Debian: apt install thunderbird"
    profile = folder / "profile"
    profile.mkdir()
    (profile / "user.js").write_text(_preferences(port, zone))
    (folder / "home").mkdir()
    home = {**os.environ, "HOME": str(folder / "home"), "MOZ_HEADLESS": "1", "TZ": zone}
    running = subprocess.Popen(
        [program, "--profile", str(profile), "--no-remote", "--headless", *DRIVEN],
        env=home,
        stdout=(folder / "said").open("wb"),
        stderr=subprocess.STDOUT,
    )
    try:
        until(lambda: _answers(port) or running.poll() is not None, "Thunderbird does not start")
        assert running.poll() is None, (folder / "said").read_text(errors="replace")[-2000:]
        with Marionette(port) as marionette:
            driven = Program(marionette)
            driven.set_up(email, name, server, smtp)
            yield driven
            driven.quit()
        running.wait(20)
    finally:
        if running.poll() is None:
            running.kill()
            running.wait(10)


def _preferences(port: int, zone: str) -> str:
    """No questions at the start, no calls out of the machine, English, and a zone of its own."""
    values: dict[str, Any] = {
        "marionette.port": port,
        "calendar.timezone.useSystemTimezone": False,
        "calendar.timezone.local": zone,
        "calendar.integration.notify": False,
        "mail.provider.suppress_dialog_on_startup": True,
        "mail.spotlight.firstRunDone": True,
        "mail.winsearch.firstRunDone": True,
        "mail.shell.checkDefaultClient": False,
        "mail.rights.version": 1,
        "mail.biff.show_alert": False,
        "mailnews.start_page.enabled": False,
        "mailnews.start_page_override.mstone": "ignore",
        "app.donation.eoy.version.viewed": 999,
        "app.update.enabled": False,
        "datareporting.policy.dataSubmissionPolicyBypassNotification": True,
        "datareporting.policy.dataSubmissionEnabled": False,
        "toolkit.telemetry.enabled": False,
        "extensions.update.enabled": False,
        "extensions.systemAddon.update.enabled": False,
        "network.proxy.type": 1,
        "network.proxy.http": "127.0.0.1",
        "network.proxy.http_port": 9,
        "network.proxy.ssl": "127.0.0.1",
        "network.proxy.ssl_port": 9,
        "network.connectivity-service.enabled": False,
        "network.captive-portal-service.enabled": False,
        "browser.safebrowsing.malware.enabled": False,
        "browser.safebrowsing.phishing.enabled": False,
        "services.settings.server": "",
    }
    return "".join(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in values.items())


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False
