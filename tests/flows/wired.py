"""A real Postfix in front of the site, with the parts that `mta setup` wires: what the tests of it share."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.flows.postfix import PORT, Postfix, postfix, required
from tests.installed_program import program
from tests.listeners import MailSite, daemon, run
from tests.management.command_runner import process

SUBMISSION, SUBMISSIONS = 2587, 2465
# As a fresh Postfix: nothing hosted, and no way to LMTP.
BARE = """
virtual_mailbox_domains =
virtual_transport = virtual
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
mydestination = localhost, example.org
mynetworks = 127.0.0.1/32
default_transport = {outside}
inet_interfaces = all
smtputf8_enable = no
"""


@dataclass(frozen=True, slots=True)
class Wired:
    """A Postfix in front of the site, and the environment of its commands."""

    mta: Postfix
    directory: Path
    settings: dict[str, str]

    @property
    def ports(self) -> tuple[str, ...]:
        host = self.mta.address
        return ("--submission", f"{host}:{SUBMISSION}", "--submissions", f"{host}:{SUBMISSIONS}")

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

    def swaks(
        self, recipient: str, *options: str, sender: str = "sender@elsewhere.example"
    ) -> subprocess.CompletedProcess[bytes]:
        """Send a message from elsewhere."""
        server = ("--server", self.mta.address, "--port", str(PORT), "--local-interface", "127.0.0.9")
        return run([program("swaks"), *server, "--from", sender, "--to", recipient, *options])


@contextmanager
def wired_postfix(
    mail_site: MailSite, tls_settings: dict[str, str], *, outside: str = "discard:outside"
) -> Iterator[Wired]:
    """Start one that hands mail for elsewhere to the transport `outside`. Setup is left to the test."""
    required()
    bare = BARE.replace("{outside}", outside)
    with daemon("authd") as authd, daemon("policyd") as policyd, postfix("", settings=bare) as mta:
        settings = {
            "LMTP_LISTEN": f"127.0.0.1:{mail_site.lmtpd.port}",
            "SASL_LISTEN": f"127.0.0.1:{authd.port}",
            "POLICY_LISTEN": f"127.0.0.1:{policyd.port}",
            "POP3_LISTEN": f"127.0.0.1:{mail_site.pop3d.port}",
            "POP3S_LISTEN": f"127.0.0.1:{mail_site.pop3d.tls_port}",
            **tls_settings,
        }
        yield Wired(mta, mta.folder / "etc", settings)
