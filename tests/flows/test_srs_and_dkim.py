"""`mta setup --srs --dkim opendkim` with the real programs: what leaves passes SPF and DKIM, and bounces come back."""

from __future__ import annotations

import fcntl
import re
import shutil
import smtplib
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import dkim
import pytest

from mailstore.directory import aliases
from tests.flows.mta_role import granted
from tests.flows.wired import SUBMISSION, Wired, wired_postfix
from tests.installed_program import program
from tests.listeners import ACTOR, LONGEST_WAIT_SECONDS, PASSWORD, MailSite
from tests.up.programs import free_ports, until

pytestmark = pytest.mark.real
ADDRESS, AWAY, OUTSIDE, SENDER = (
    "ann@example.org", "away@example.org", "x@outside.example", "sender@elsewhere.example",
)  # fmt: skip
SRS_PORTS, OPENDKIM_PORT = (10001, 10002), 8891  # as their packages and the next steps of setup have them
# What next steps of setup say.
OPENDKIM = """
Canonicalization relaxed/simple
OversignHeaders From
Socket inet:8891@localhost
# Others may write to /tmp, where this test has its key.
RequireSafeKeys no
KeyTable {folder}/keys
SigningTable refile:{folder}/signing
"""
NOTE = b"From: ann@example.org\r\nTo: x@outside.example\r\nSubject: note\r\n\r\nline\r\n"


@dataclass(frozen=True, slots=True)
class Outside:
    """The servers elsewhere: one smtp-sink, which keeps each message with its envelope in a file."""

    folder: Path
    port: int

    def messages(self) -> list[tuple[str, str, bytes]]:
        """The sender, the recipient and the message of each that came."""
        return [_read(file.read_bytes()) for file in sorted(self.folder.iterdir()) if file.stat().st_size]

    def message(self, recipient: str) -> tuple[str, bytes]:
        """Wait for the message to a recipient; return its sender and itself."""
        until(lambda: recipient in [to for _from, to, _message in self.messages()], f"{recipient} has the message")
        return next((sender, message) for sender, to, message in self.messages() if to == recipient)


def _read(dump: bytes) -> tuple[str, str, bytes]:
    sender, recipient = (re.search(rb"^X-%s-Args: <(.*?)>" % name, dump, re.MULTILINE) for name in (b"Mail", b"Rcpt"))
    assert sender, dump
    assert recipient, dump
    return sender[1].decode(), recipient[1].decode(), re.sub(rb"\A(?:X-[\w-]+: .*\n)+", b"", dump)


@contextmanager
def running(*command: str) -> Iterator[None]:
    started = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        started.terminate()
        started.wait(LONGEST_WAIT_SECONDS)


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="popadmin-srs-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def outside(folder: Path) -> Iterator[Outside]:
    made = Outside(folder / "outside", *free_ports(1))
    made.folder.mkdir()
    shutil.chown(made.folder, "postfix")
    dump = f"{made.folder}/%S."
    with running(program("smtp-sink"), "-L", "-u", "postfix", "-d", dump, f"127.0.0.1:{made.port}", "10"):
        yield made


@pytest.fixture
def key(folder: Path) -> Iterator[bytes]:
    """The record of the key, which opendkim signs with. It and postsrsd listen where setup expects them."""
    genkey = (program("opendkim-genkey"), "-s", "dkim", "-d", "example.org", "-D", str(folder))
    subprocess.run(genkey, check=True)
    (folder / "keys").write_text(f"dkim._domainkey.example.org example.org:dkim:{folder}/dkim.private\n")
    (folder / "signing").write_text("*@example.org dkim._domainkey.example.org\n")
    (folder / "opendkim.conf").write_text(OPENDKIM.format(folder=folder))
    (folder / "secret").write_text("a secret of 24 letters..")
    srs = ("-f", str(SRS_PORTS[0]), "-r", str(SRS_PORTS[1]), "-d", "example.org", "-Xexample.org")
    with ExitStack() as stack:
        lock = stack.enter_context(Path(tempfile.gettempdir(), "popadmin-srs.lock").open("w"))
        fcntl.flock(lock, fcntl.LOCK_EX)  # another run of the tests has the same ports
        stack.enter_context(running(program("postsrsd"), *srs, "-s", str(folder / "secret")))
        stack.enter_context(running(program("opendkim"), "-f", "-x", str(folder / "opendkim.conf")))
        yield "".join(re.findall(r'"(.*?)"', (folder / "dkim.txt").read_text())).encode()


@pytest.fixture
def wired(mail_site: MailSite, tls_settings: dict[str, str], outside: Outside, key: bytes) -> Iterator[Wired]:
    with wired_postfix(mail_site, tls_settings, outside=f"lmtp:inet:[127.0.0.1]:{outside.port}") as made:
        mail_site.mailbox(ADDRESS)
        aliases.ensure(AWAY, [OUTSIDE], actor=ACTOR)
        made.command("setup", *made.ports, "--srs", "--dkim", "opendkim", "--password-stdin", stdin=granted())
        yield made


def test_what_goes_on_elsewhere_has_a_sender_of_this_host_and_a_bounce_to_it_comes_back(
    wired: Wired, outside: Outside
) -> None:
    assert wired.swaks(AWAY, sender=SENDER).returncode == 0
    sender, _message = outside.message(OUTSIDE)
    assert re.fullmatch(r"SRS0=[^=@]+=[^=@]+=elsewhere\.example=sender@example\.org", sender)

    assert wired.swaks(sender, sender="<>").returncode == 0
    assert outside.message(SENDER)[0] == ""
    assert wired.swaks("SRS0=AAAA=AA=elsewhere.example=sender@example.org", sender="<>").returncode != 0
    assert wired.checked()["srs"]["state"] == "good"


def test_what_a_user_sends_is_signed_and_the_signature_holds(
    wired: Wired, outside: Outside, mail_site: MailSite, key: bytes
) -> None:
    context = mail_site.authority.context()
    context.check_hostname = False  # the address of this Postfix is its own
    with smtplib.SMTP(wired.mta.address, SUBMISSION, timeout=LONGEST_WAIT_SECONDS) as smtp:
        smtp.starttls(context=context)
        smtp.login(ADDRESS, PASSWORD)
        smtp.sendmail(ADDRESS, [OUTSIDE], NOTE)
    sender, message = outside.message(OUTSIDE)
    assert sender == ADDRESS  # its own domain needs no other sender
    asked: list[bytes] = []

    def published(name: bytes, timeout: int = 5) -> bytes:
        asked.append(name)
        return key

    assert dkim.verify(message, dnsfunc=published), message
    assert asked == [b"dkim._domainkey.example.org."]
    assert not dkim.verify(message.replace(b"line", b"lime"), dnsfunc=published)
