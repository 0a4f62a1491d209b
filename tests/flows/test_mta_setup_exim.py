"""`mta setup exim` with a real Exim: mail comes in, goes to its mailbox, and goes out with the same password."""

from __future__ import annotations

import json
import smtplib
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mailstore.directory import aliases
from mailstore.models import Mailbox, Message, TraceEntry
from mailstore.mta_log import log_source
from mailstore.mta_log.log_reader import LogReader
from tests.flows.exim import Exim, exim
from tests.flows.mta_role import granted
from tests.listeners import ACTOR, LONGEST_WAIT_SECONDS, PASSWORD, MailSite, daemon
from tests.management.command_runner import MANAGE, environment
from tests.up.programs import until

pytestmark = pytest.mark.real
ADDRESS, OTHER = "ann@example.org", "bob@example.org"
SMTP, SUBMISSION, SUBMISSIONS = 2525, 587, 465  # Exim tells the ports for programs by their numbers
STRANGER = "127.0.0.9"  # in no network of the MTA's own
SENDER = "sender@elsewhere.example"
NOTE = b"From: ann@example.org\r\nSubject: note\r\n\r\nline\r\n"


@dataclass(frozen=True, slots=True)
class Wired:
    """An Exim in front of the site, and the environment of its commands."""

    mta: Exim
    settings: dict[str, str]

    def checked(self) -> dict[str, str]:
        """Run the check; return what each found. Port 25 is not ours, so mail by SMTP is tried below."""
        command = [sys.executable, str(MANAGE), "mta", "check", "exim", "--config-directory", str(self.mta.directory)]
        done = self.mta.run(*command, "--json", **self.settings)
        return {each["name"]: each["state"] for each in json.loads(done.stdout)}


@pytest.fixture
def wired(mail_site: MailSite, tls_settings: dict[str, str]) -> Iterator[Wired]:
    """An Exim that runs with the configuration of `mta setup`."""
    with tempfile.TemporaryDirectory(prefix="popadmin-auth-") as sockets, exim() as made:
        Path(sockets).chmod(0o755)
        with daemon("authd", SASL_LISTEN=f"unix:{sockets}/auth"), daemon("policyd") as policyd:
            Path(sockets, "auth").chmod(0o666)
            settings = environment(
                LMTP_LISTEN=f"127.0.0.1:{mail_site.lmtpd.port}",
                SASL_LISTEN=f"unix:{sockets}/auth",
                POLICY_LISTEN=f"127.0.0.1:{policyd.port}",
                **tls_settings,
            )
            command = [sys.executable, str(MANAGE), "mta", "setup", "exim", "--config-directory", str(made.directory)]
            refused = made.run(*command, **settings)
            assert f"Exim reads {tls_settings['TLS_CERT_FILE']} as the user Debian-exim" in refused.stderr
            settings |= {name: str(made.own(Path(file))) for name, file in tls_settings.items()}
            done = made.run(*command, "--srs", "--dkim", "exim", "--password-stdin", stdin=granted(), **settings)
            assert done.returncode == 0, done.stderr
            assert (made.directory / "exim4.conf").stat().st_mode & 0o777 == 0o640
            assert "unchanged" in made.run(*command, "--srs", "--dkim", "exim", **settings).stdout
            with made.running([SMTP, SUBMISSION, SUBMISSIONS]):
                yield Wired(made, settings)


def asked(mta: Exim, recipient: str) -> tuple[int, bytes]:
    """What a server elsewhere is told at RCPT."""
    with smtplib.SMTP(mta.address, SMTP, timeout=LONGEST_WAIT_SECONDS, source_address=(STRANGER, 0)) as smtp:
        smtp.ehlo("elsewhere.example")
        smtp.mail(SENDER)
        return smtp.rcpt(recipient)


def test_mail_comes_in_and_goes_out_with_the_password_of_the_mailbox(mail_site: MailSite, wired: Wired) -> None:
    mta = wired.mta
    mail_site.mailbox(ADDRESS)
    mail_site.mailbox(OTHER)
    aliases.ensure("away@example.org", [OTHER, "x@outside.example"], actor=ACTOR)
    assert [asked(mta, f"{name}@example.org")[0] for name in ("ann", "ANN+lists", "away", "nobody")] == [
        250, 250, 250, 550,
    ]  # fmt: skip
    assert asked(mta, "x@outside.example")[0] == 550  # no relay
    mail_site.mailbox("full@example.org", quota_messages=0)
    assert asked(mta, "full@example.org")[0] == 452  # so says the policy service

    tried = (
        "configuration",
        "own-name",
        "size-limit",
        "srs",
        "map-domains",
        "map-mailboxes",
        "map-senders",
        "policy-full",
        "queue",
    )
    assert {name: state for name, state in wired.checked().items() if name in tried} == dict.fromkeys(tried, "good")

    with smtplib.SMTP(mta.address, SMTP, timeout=LONGEST_WAIT_SECONDS) as smtp:
        assert "auth" not in smtp.esmtp_features
        smtp.sendmail(SENDER, [ADDRESS], NOTE)
    context = mail_site.authority.context()
    context.check_hostname = False  # the address of this Exim is its own
    with smtplib.SMTP(mta.address, SUBMISSION, timeout=LONGEST_WAIT_SECONDS) as smtp:
        smtp.ehlo("client.example")
        assert smtp.mail(ADDRESS)[0] == 530
        smtp.rset()
        smtp.starttls(context=context)
        smtp.login(ADDRESS, PASSWORD)
        assert smtp.mail(OTHER)[0] == 553
        smtp.rset()
        smtp.sendmail(ADDRESS, [OTHER], NOTE)
    until(lambda: Message.objects.count() == 2, f"both messages are there: {mta.log()}")
    with mail_site.session(OTHER) as session:
        assert b"line\r\n" in session.message(1)
    refusals_are_traced(mta)


def refusals_are_traced(mta: Exim) -> None:
    """What the policy service refused has its row, and the log adds the others with their reasons."""
    with smtplib.SMTP(mta.address, SMTP, timeout=LONGEST_WAIT_SECONDS) as smtp:
        smtp.ehlo("elsewhere.example")
        assert smtp.mail(SENDER, [f"SIZE={100 * 2**20}"])[0] == 552
        smtp.sendmail(SENDER, [ADDRESS], b"Received: from a by b; Mon, 30 Nov 2026 09:12:00 +0100\r\n" * 31 + NOTE)
    until(lambda: "suspected mail loop" in mta.log(), "the circle is in the log")
    LogReader(log_source.source(str(mta.folder / "log/exim4/mainlog"))).read()
    rows = TraceEntry.objects.filter(sender=SENDER, source__in=["policy", "mta"])
    assert {(row.source, row.recipient, row.answer, row.reason) for row in rows} == {
        ("mta", "nobody@example.org", "refused", "unknown"),
        ("policy", "full@example.org", "deferred", "full"),
        ("mta", "", "refused", "too-large"),
        ("mta", ADDRESS, "refused", "loop"),
    }
    assert Mailbox.objects.get(user__address=ADDRESS).looped_at is not None
