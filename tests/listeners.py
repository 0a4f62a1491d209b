"""Real listeners for tests: `pop3d` and `lmtpd` as processes on ports that the kernel chooses, with accounts and mail.

The listeners live as long as the worker of the test run and use its test database. `mail_site` empties that database
behind each test. A test that needs another listener starts it with `daemon`.
"""

from __future__ import annotations

import os
import re
import signal
import smtplib
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from django.db import connection

from mailstore.directory import devices, domains, mailboxes
from mailstore.directory.audit import Actor
from mailstore.models import Mailbox
from tests.installed_program import program
from tests.pop3_client import LONGEST_WAIT_SECONDS, Pop3Client, connect_to

MANAGE = Path(__file__).resolve().parents[1] / "manage.py"
ACTOR = Actor("tester", "shell")
PASSWORD = "correct horse battery staple"
SENDER = "sender@elsewhere.example"
STOP_SECONDS = 60
_LISTENS = re.compile(r'worker (\d+) listens on ([^"]*)')
_ADDRESS = re.compile(r"^(?:127\.0\.0\.1:(\d+)( with PROXY)?( with TLS)?( from 1\.0)?|unix:(.+))$")


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of the run, and the pair it gave to `localhost` and mail.example.test."""

    ca: trustme.CA
    cert_file: Path
    key_file: Path
    ca_file: Path

    def context(self) -> ssl.SSLContext:
        """What a client that trusts this authority uses."""
        return ssl.create_default_context(cafile=str(self.ca_file))


class Daemon:
    """One listener process with its workers; its log is read as it is written."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.port = self.tls_port = self.proxy_port = self.proxy_tls_port = self.legacy_tls_port = 0
        self.unix_path = ""
        self._lines: list[str] = []
        self._ended = False
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    @property
    def tls_address(self) -> tuple[str, int]:
        return "127.0.0.1", self.tls_port

    @property
    def proxy_address(self) -> tuple[str, int]:
        return "127.0.0.1", self.proxy_port

    @property
    def proxy_tls_address(self) -> tuple[str, int]:
        return "127.0.0.1", self.proxy_tls_port

    def log(self) -> list[str]:
        """The lines so far."""
        with self._news:
            return list(self._lines)

    def logged(self, pattern: str, *, after: int = 0, times: int = 1) -> list[str]:
        """Wait until `times` lines behind the first `after` match, and return them; fails when none come."""
        with self._news:
            found: list[str] = []

            def there() -> bool:
                found[:] = [line for line in self._lines[after:] if re.search(pattern, line)]
                return len(found) >= times or self._ended

            self._news.wait_for(there, LONGEST_WAIT_SECONDS)
            assert len(found) >= times, f"never logged: {pattern}\n" + "\n".join(self._lines[after:])
            return found

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        tasks = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in tasks.read_text().split()]

    def wait_until_listening(self, workers: int) -> None:
        for line in self.logged(_LISTENS.pattern, times=workers):
            self._note_addresses(line)

    def stop(self) -> int:
        """SIGTERM, twice when it takes long; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait(STOP_SECONDS)
        self._reader.join(STOP_SECONDS)
        return code

    def _note_addresses(self, line: str) -> None:
        listens = _LISTENS.search(line)
        for text in listens.group(2).split(", ") if listens else ():
            found = _ADDRESS.match(text)
            assert found, line
            port, proxy, tls, legacy, path = found.groups()
            if path:
                self.unix_path = path
            else:
                name = f"{'proxy_' if proxy else ''}{'legacy_' if legacy else ''}{'tls_' if tls else ''}port"
                setattr(self, name, int(port))

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._tell(line.rstrip("\n"))
        with self._news:
            self._ended = True
            self._news.notify_all()

    def _tell(self, line: str) -> None:
        with self._news:
            self._lines.append(line)
            self._news.notify_all()


@contextmanager
def daemon(
    name: str, *, workers: int = 1, descriptors: int | None = None, trace: Path | None = None, **environment: str
) -> Iterator[Daemon]:
    """A listener (`pop3d`, `lmtpd`) on the test's database until the end of the `with`.

    `descriptors`: how many files each of its processes may have open. `trace`: the file into which strace says what
    they write.

    It listens on ports the kernel chooses and names in the log, so no two tests can want the same.
    """
    settings = connection.settings_dict
    started = Daemon(
        subprocess.Popen(
            [*_limited(descriptors), *_traced(trace), sys.executable, str(MANAGE), name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={
                **os.environ,
                "DATABASE_URL": f"postgres://{settings['USER']}@/{settings['NAME']}"
                f"?host={settings['HOST']}&port={settings['PORT']}",
                "POP3_LISTEN": "127.0.0.1:0",
                "POP3S_LISTEN": "127.0.0.1:0",
                "LMTP_LISTEN": "127.0.0.1:0",
                "SASL_LISTEN": "127.0.0.1:0",
                "POLICY_LISTEN": "127.0.0.1:0",
                "POP3_WORKERS": str(workers),
                "LMTP_WORKERS": str(workers),
                "LOG_LEVEL": "info",
                **environment,
            },
        )
    )
    try:
        started.wait_until_listening(workers)
        yield started
    finally:
        started.stop()


def _limited(descriptors: int | None) -> list[str]:
    return [] if descriptors is None else ["sh", "-c", f'ulimit -n {descriptors}; exec "$@"', "sh"]


def _traced(trace: Path | None) -> list[str]:
    if trace is None:
        return []
    calls = "trace=write,writev,sendto,sendmsg"
    return [program("strace"), "-D", "-f", "-xx", "-s", "1000000", "-e", calls, "-o", str(trace)]


class MailSite:
    """A site with its listeners: makes accounts, hands in mail, opens connections."""

    def __init__(self, pop3d: Daemon, lmtpd: Daemon, authority: Authority) -> None:
        self.pop3d = pop3d
        self.lmtpd = lmtpd
        self.authority = authority

    # --- accounts ---------------------------------------------------------------------------------------------

    def mailbox(self, address: str = "ann@example.org", password: str = PASSWORD, **fields: object) -> Mailbox:
        domains.ensure(address.rpartition("@")[2], actor=ACTOR)
        return mailboxes.ensure(address, actor=ACTOR, password=password, **fields).row

    def device(self, address: str, name: str, *, mode: str | None = None, start: str = "all") -> str:
        """Make a device; returns its secret."""
        return devices.add(address, name, actor=ACTOR, mode=mode, start=start)[1]

    # --- mail in ----------------------------------------------------------------------------------------------

    def deliver(self, message: bytes, *recipients: str, sender: str = SENDER) -> list[tuple[int, str]]:
        """Hand in these octets exactly as they are (RFC 3030 BDAT); returns each recipient's last reply."""
        with smtplib.LMTP(*self.lmtpd.address, timeout=LONGEST_WAIT_SECONDS) as lmtp:
            lmtp.ehlo("client.example")
            assert lmtp.mail(sender)[0] == 250
            replies = [lmtp.rcpt(recipient) for recipient in recipients]
            taken = [index for index, reply in enumerate(replies) if reply[0] == 250]
            if taken:
                lmtp.putcmd(f"BDAT {len(message)} LAST")
                lmtp.send(message)
            for index in taken:
                replies[index] = lmtp.getreply()
        return [(code, text.decode()) for code, text in replies]

    def fill(self, address: str, *messages: bytes) -> None:
        for message in messages:
            assert self.deliver(message, address)[0][0] == 250

    # --- mail out ---------------------------------------------------------------------------------------------

    def dial(self) -> Pop3Client:
        """A connection in clear, behind the greeting."""
        return greeted(connect_to(self.pop3d.address))

    def dial_tls(self) -> Pop3Client:
        """A connection with implicit TLS, behind the greeting."""
        sock = connect_to(self.pop3d.tls_address).sock
        return greeted(Pop3Client(self.authority.context().wrap_socket(sock, server_hostname="localhost")))

    def session(self, address: str = "ann@example.org", password: str = PASSWORD) -> Pop3Client:
        """A session in TRANSACTION."""
        return self.dial().sign_in(address, password)


def greeted(client: Pop3Client) -> Pop3Client:
    greeting = client.line()
    assert greeting.startswith(b"+OK"), greeting
    return client


def numbered(count: int, octets: int = 300) -> list[bytes]:
    """Messages that differ, of about so many octets."""
    filler = (b"x" * 70 + b"\r\n") * (octets // 72)
    return [b"Subject: message %d\r\n\r\nline\r\n" % number + filler for number in range(1, count + 1)]


def run(
    command: Sequence[str], *, stdin: bytes = b"", seconds: float = 60, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a mail program to its end."""
    return subprocess.run(
        command, input=stdin, capture_output=True, timeout=seconds, check=False, env={**os.environ, **environment}
    )


# --- fixtures -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("authority")
    root = trustme.CA()
    ca = root.create_child_ca()
    pair = ca.issue_cert("localhost", "127.0.0.1", "mail.example.test", common_name="localhost")
    made = Authority(ca, folder / "cert.pem", folder / "key.pem", folder / "ca.pem")
    root.cert_pem.write_to_path(str(made.ca_file))
    for blob in pair.cert_chain_pems:
        blob.write_to_path(str(made.cert_file), append=True)
    pair.private_key_pem.write_to_path(str(made.key_file))
    return made


@pytest.fixture(scope="session")
def tls_settings(authority: Authority) -> dict[str, str]:
    return {"TLS_CERT_FILE": str(authority.cert_file), "TLS_KEY_FILE": str(authority.key_file)}


@pytest.fixture(scope="session")
def pop3d(django_db_setup: None, tls_settings: dict[str, str]) -> Iterator[Daemon]:
    """The POP3 listener with two workers, for all tests of this worker of the run."""
    with daemon("pop3d", workers=2, **tls_settings) as started:
        yield started


@pytest.fixture(scope="session")
def lmtpd(django_db_setup: None) -> Iterator[Daemon]:
    """The LMTP listener, for all tests of this worker of the run."""
    with daemon("lmtpd") as started:
        yield started


@pytest.fixture
def mail_site(pop3d: Daemon, lmtpd: Daemon, authority: Authority, transactional_db: None) -> MailSite:
    """An empty site with its listeners; whatever the test makes is gone behind it."""
    return MailSite(pop3d, lmtpd, authority)
