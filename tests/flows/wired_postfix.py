"""A Postfix in front of a site with all its listeners, bare until `mta setup` has configured it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.flows.postfix import Postfix, postfix, required
from tests.listeners import MailSite, daemon
from tests.management.command_runner import process

ADDRESS, OTHER = "ann@example.org", "bob@example.org"
SUBMISSION, SUBMISSIONS = 2587, 2465
# As a fresh Postfix: nothing hosted, and no way to LMTP.
BARE = """
virtual_mailbox_domains =
virtual_transport = virtual
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
mydestination = localhost, example.org
default_transport = discard:outside
inet_interfaces = all
smtputf8_enable = no
"""


@dataclass(frozen=True, slots=True)
class Wired:
    """A Postfix in front of the site, and the environment of its commands."""

    mta: Postfix
    directory: Path
    settings: dict[str, str]

    def process(self, verb: str, *options: str, stdin: str = "") -> subprocess.CompletedProcess[bytes]:
        where = ("postfix", "--config-directory", str(self.directory))
        return process("mta", verb, *where, *options, stdin=stdin.encode(), **self.settings)

    def command(self, verb: str, *options: str, stdin: str = "") -> str:
        """Run a verb of `mta`, which must succeed."""
        done = self.process(verb, *options, stdin=stdin)
        assert done.returncode == 0, (done.stdout.decode(), done.stderr.decode())
        return done.stdout.decode()

    def checked(self) -> dict[str, dict[str, str]]:
        """Run the check; return its results by name."""
        return {each["name"]: each for each in json.loads(self.process("check", "--json").stdout)}


@contextmanager
def wired_postfix(mail_site: MailSite, tls_settings: dict[str, str], *, more: str = "") -> Iterator[Wired]:
    """Start one with two mailboxes; `more` are further lines of its main.cf."""
    required()
    with daemon("authd") as authd, daemon("policyd") as policyd, postfix("", settings=BARE + more) as mta:
        settings = {
            "LMTP_LISTEN": f"127.0.0.1:{mail_site.lmtpd.port}",
            "SASL_LISTEN": f"127.0.0.1:{authd.port}",
            "POLICY_LISTEN": f"127.0.0.1:{policyd.port}",
            "POP3_LISTEN": f"127.0.0.1:{mail_site.pop3d.port}",
            "POP3S_LISTEN": f"127.0.0.1:{mail_site.pop3d.tls_port}",
            **tls_settings,
        }
        mail_site.mailbox(ADDRESS)
        mail_site.mailbox(OTHER)
        yield Wired(mta, mta.folder / "etc", settings)


def ports(wired: Wired) -> tuple[str, ...]:
    host = wired.mta.address
    return ("--submission", f"{host}:{SUBMISSION}", "--submissions", f"{host}:{SUBMISSIONS}")
