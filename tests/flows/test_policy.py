"""A real Postfix asks before it accepts mail, with the lines of docs/install.md."""

from __future__ import annotations

import shutil
import smtplib
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailstore.directory import aliases, domains, mailboxes
from mailstore.models import TraceEntry
from tests import install_guide
from tests.flows.postfix import PORT, Postfix, postfix, required
from tests.listeners import ACTOR, LONGEST_WAIT_SECONDS, PASSWORD, Daemon, MailSite, daemon
from tests.up.programs import until

pytestmark = pytest.mark.real
ANN, BOB, TEAM = "ann@example.org", "bob@example.org", "team@example.org"
GUIDE = "in the place of `reject_unverified_recipient`:"
STRANGER = "127.0.0.9"  # in no network of the MTA's own


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder like that of the guide, which Postfix reaches."""
    required()
    made = Path(tempfile.mkdtemp(prefix="popadmin-policy-"))
    shutil.chown(made, group="postfix")
    made.chmod(0o2750)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def mta(folder: Path, lmtpd: Daemon) -> Iterator[Postfix]:
    lines = install_guide.settings(GUIDE)
    policies = "".join(f"{name} = {value}\n" for name, value in lines.items())
    settings = f"""
mynetworks =
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {folder}/auth
{policies.replace("unix:popadmin/", f"unix:{folder}/")}"""
    with (
        daemon("authd", SASL_LISTEN=f"unix:{folder}/auth"),
        daemon("policyd", POLICY_LISTEN=f"unix:{folder}/policy"),
        postfix(f"lmtp:inet:[127.0.0.1]:{lmtpd.port}", "example.org", settings=settings) as started,
    ):
        yield started


def client(mta: Postfix) -> smtplib.SMTP:
    smtp = smtplib.SMTP(mta.address, PORT, timeout=LONGEST_WAIT_SECONDS, source_address=(STRANGER, 0))
    smtp.ehlo("elsewhere.example")
    return smtp


def test_recipients_are_refused_at_rcpt_by_one_connection_to_the_service(mail_site: MailSite, mta: Postfix) -> None:
    mail_site.mailbox(ANN, quota_octets=100_000)
    mail_site.mailbox(BOB, receives=False)
    aliases.ensure(TEAM, [ANN, BOB], actor=ACTOR)
    with client(mta) as smtp:
        assert smtp.mail("sender@elsewhere.example", ["SIZE=2000000"])[0] == 250
        code, text = smtp.rcpt(ANN)
        assert (code, b"4.2.2" in text) == (452, True)
        assert smtp.rset()[0] == 250
        assert smtp.mail("sender@elsewhere.example")[0] == 250
        told = {address: smtp.rcpt(address) for address in (ANN, TEAM, BOB, "nobody@example.org")}
        assert {address: code for address, (code, _text) in told.items()} == {
            ANN: 250, TEAM: 250, BOB: 550, "nobody@example.org": 550,
        }  # fmt: skip
        assert b"5.2.1" in told[BOB][1]
        assert b"5.1.1" in told["nobody@example.org"][1]
        mail_site.mailbox("nobody@example.org")
        assert smtp.rcpt("nobody@example.org")[0] == 250  # at once
        domains.ensure("example.org", actor=ACTOR, over_quota="reject")
        mailboxes.ensure(ANN, actor=ACTOR, quota_messages=0)
        assert smtp.rcpt(ANN)[0] == 552
    until(lambda: TraceEntry.objects.filter(source="policy").count() == 4, "the trace has each refusal")


def test_a_user_above_the_limit_is_told_to_wait(mail_site: MailSite, mta: Postfix) -> None:
    mail_site.mailbox(ANN, send_hourly=1)
    with client(mta) as smtp:
        assert smtp.docmd("AUTH", "PLAIN " + b64encode(f"\0{ANN}\0{PASSWORD}".encode()).decode())[0] == 235
        for wanted in (250, 450):
            assert [smtp.mail(ANN)[0], smtp.rcpt(ANN)[0]] == [250, 250]
            code, text = smtp.data(b"Subject: one\r\n\r\nx\r\n")
            assert code == wanted, text
    assert b"4.7.1" in text


def test_without_the_service_mail_comes_in(mail_site: MailSite, lmtpd: Daemon, folder: Path) -> None:
    mail_site.mailbox(ANN)
    lines = install_guide.settings(GUIDE) | {"mynetworks": "", "smtpd_relay_restrictions": "reject_unauth_destination"}
    settings = "".join(f"{name} = {value}\n" for name, value in lines.items())
    settings = settings.replace("unix:popadmin/policy", f"unix:{folder}/gone")
    transport = f"lmtp:inet:[127.0.0.1]:{lmtpd.port}"
    with postfix(transport, "example.org", settings=settings) as started, client(started) as smtp:
        assert smtp.mail("sender@elsewhere.example")[0] == 250
        assert smtp.rcpt(ANN)[0] == 250
