"""A real Dovecot on loopback with a throw-away configuration: mail goes in by LMTP and is read by IMAP.

    with dovecot() as server:
        server.deliver(raw, "gemba+token@gemba.example")
        server.imap      # how the product finds the mailbox
        server.over("tls"), server.over("starttls")      # the same, protected by server.certificate
    server.over("tls"), server.over("starttls")      # the same, with server.certificate

Any user gets in with the one password; what follows a + in an address leads to the same mailbox.
"""

import grp
import os
import pwd
import shutil
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from gemba.config import Imap
from tests.fakes.certificates import self_signed

PASSWORD = "only-for-tests"
USER = "gemba@gemba.example"
PATIENCE = 20.0


def find_dovecot() -> str | None:
    """The program, where it is installed; its folder is not on everybody's path."""
    return shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@dataclass
class Dovecot:
    """A running server; stop() and start() keep mailboxes and ports."""

    folder: Path
    imap_port: int
    imaps_port: int
    lmtp_port: int
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def imap(self) -> Imap:
        """How the product finds the mailbox."""
        return Imap("127.0.0.1", self.imap_port, "none", USER, PASSWORD)

    def over(self, security: str) -> Imap:
        """The same, by a name and over TLS."""
        port = self.imaps_port if security == "tls" else self.imap_port
        return Imap("localhost", port, security, USER, PASSWORD)

    @property
    def certificate(self) -> Path:
        """Its certificate, for localhost, signed by itself."""
        return self.folder / "certificate.pem"

    def deliver(self, raw: bytes, *to: str, sender: str = "vera@gemba.example") -> None:
        """Delivers a mail as a mail server would."""
        with smtplib.LMTP("127.0.0.1", self.lmtp_port, local_hostname="mx.gemba.example") as line:
            line.sendmail(sender, list(to), raw)

    def start(self) -> None:
        """Starts it and waits until both ports answer."""
        program = find_dovecot()
        assert program is not None
        self._process = subprocess.Popen(
            [program, "-F", "-c", str(self.folder / "dovecot.conf")],
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "stderr").open("ab"),
        )
        end = time.monotonic() + PATIENCE
        while not all(map(_answers, (self.imap_port, self.lmtp_port))):
            if time.monotonic() > end or self._process.poll() is not None:
                self.stop()
                raise AssertionError(f"Dovecot did not start: {self.log()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ends the one process that was started; it ends its children."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._process = None

    def log(self) -> str:
        """What it said lately."""
        files = (self.folder / name for name in ("log", "stderr"))
        return "\n".join(file.read_text(errors="replace") for file in files if file.exists())[-3000:]


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _n in range(count)]
    ports = [int(each.getsockname()[1]) for each in held]
    for each in held:
        each.close()
    return ports


def _version() -> tuple[int, int]:
    program = find_dovecot()
    assert program is not None
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    major, minor = said.split()[0].split(".")[:2]
    return int(major), int(minor)


def _mailboxes_2_3(folder: Path, owner: pwd.struct_passwd) -> str:
    return f"""
protocols = imap lmtp
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail/%n/Maildir
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={owner.pw_uid} gid={owner.pw_gid} home={folder}/mail/%n allow_all_users=yes
}}
"""


def _mailboxes_2_4(folder: Path, owner: pwd.struct_passwd) -> str:
    return f"""dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols {{
  imap = yes
  lmtp = yes
}}
auth_allow_cleartext = yes
ssl_server_cert_file = {folder}/certificate.pem
ssl_server_key_file = {folder}/key.pem
mail_driver = maildir
mail_path = {folder}/mail/%{{user | username}}/Maildir
passdb static {{
  passdb_static_password = {{PLAIN}}{PASSWORD}
}}
userdb static {{
  userdb_static_allow_all_users = yes
  fields {{
    uid = {owner.pw_uid}
    gid = {owner.pw_gid}
    home = {folder}/mail/%{{user | username}}
  }}
}}
"""


def _configuration(folder: Path, imap_port: int, imaps_port: int, lmtp_port: int) -> str:
    root = os.getuid() == 0
    owner = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.getuid())
    mailboxes = _mailboxes_2_4 if _version() >= (2, 4) else _mailboxes_2_3
    # Only root may lock a process up in a folder, or let it run as somebody else.
    no_root = f"""
default_internal_user = {owner.pw_name}
default_login_user = {owner.pw_name}
default_internal_group = {grp.getgrgid(owner.pw_gid).gr_name}
service anvil {{
  chroot =
}}
"""
    return f"""{mailboxes(folder, owner)}{"" if root else no_root}
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
listen = 127.0.0.1
auth_failure_delay = 0
ssl = yes
first_valid_uid = 1
recipient_delimiter = +
service imap-login {{
  {"" if root else "chroot ="}
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = {imaps_port}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp_port}
  }}
}}
"""


@contextmanager
def dovecot() -> Iterator[Dovecot]:
    """A server on free ports, with empty mailboxes; gone at the end with all it wrote."""
    imap_port, imaps_port, lmtp_port = _free_ports(3)
    folder = Path(tempfile.mkdtemp(prefix="gemba-dovecot-", dir="/tmp"))
    folder.chmod(0o755)
    (folder / "mail").mkdir(mode=0o777)
    (folder / "mail").chmod(0o777)
    (folder / "dovecot.conf").write_text(_configuration(folder, imap_port, imaps_port, lmtp_port))
    key, certificate = self_signed("localhost")
    (folder / "key.pem").write_bytes(key)
    (folder / "certificate.pem").write_bytes(certificate)
    server = Dovecot(folder, imap_port, imaps_port, lmtp_port)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
