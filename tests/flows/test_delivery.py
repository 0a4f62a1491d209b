"""Real mail programs deliver by LMTP: swaks, Python's smtplib, and Postfix by TCP and unix socket."""

from __future__ import annotations

import shutil
import smtplib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailstore.directory import aliases, domains
from mailstore.models import Message
from tests.flows.postfix import PORT, Postfix, postfix, required
from tests.installed_program import program
from tests.listeners import ACTOR, LONGEST_WAIT_SECONDS, PASSWORD, Daemon, MailSite, daemon, run
from tests.up.programs import until

pytestmark = pytest.mark.real
ADDRESS, OTHER = "ann@example.org", "bob@example.org"
# 250 characters: Postfix takes longer ones too, and would send a bounce for one that is refused behind it.
LONG_SENDER = f"{'s' * 64}@{'d' * 60}.{'d' * 60}.{'d' * 55}.example"
NOTE = b"From: sender@elsewhere.example\r\nTo: ann@example.org\r\nSubject: note\r\n\r\n.dot\r\nline\r\n"


# --- swaks --------------------------------------------------------------------------------------------------------


def test_swaks_delivers_to_two_recipients(mail_site: MailSite, tmp_path: Path) -> None:
    mail_site.mailbox(ADDRESS)
    mail_site.mailbox(OTHER)
    (tmp_path / "message").write_bytes(NOTE)
    host, port = mail_site.lmtpd.address
    finished = run([
        program("swaks"), "--protocol", "LMTP", "--server", host, "--port", str(port),
        "--from", "sender@elsewhere.example", "--to", f"{ADDRESS},{OTHER}", "--data", f"@{tmp_path}/message",
    ])  # fmt: skip
    assert finished.returncode == 0, finished.stdout
    for address in (ADDRESS, OTHER):
        with mail_site.session(address) as session:
            assert b"\r\n.dot\r\nline\r\n" in session.message(1)


def test_swaks_is_told_at_once_of_an_unknown_recipient(mail_site: MailSite) -> None:
    mail_site.mailbox(ADDRESS)
    host, port = mail_site.lmtpd.address
    finished = run([
        program("swaks"), "--protocol", "LMTP", "--server", host, "--port", str(port),
        "--from", "sender@elsewhere.example", "--to", "nobody@example.org",
    ])  # fmt: skip
    assert finished.returncode == 24  # swaks: no recipient was accepted
    assert b"550 5.1.1" in finished.stdout


# --- smtplib ------------------------------------------------------------------------------------------------------


def test_smtplib_delivers_and_learns_each_recipients_fate(mail_site: MailSite) -> None:
    mail_site.mailbox(ADDRESS)
    mail_site.mailbox(OTHER, receives=False)
    with smtplib.LMTP(*mail_site.lmtpd.address, timeout=30) as lmtp:
        refused = lmtp.sendmail("sender@elsewhere.example", [ADDRESS, OTHER, "nobody@example.org"], NOTE)
    assert {address: reply[0] for address, reply in refused.items()} == {OTHER: 550, "nobody@example.org": 550}
    assert Message.objects.count() == 1


# --- Postfix ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mta(lmtpd: Daemon) -> Iterator[Postfix]:
    """A Postfix that delivers by TCP."""
    with postfix(f"lmtp:inet:[127.0.0.1]:{lmtpd.port}", "example.org", "full.example", "strict.example") as started:
        yield started


def test_postfix_delivers_one_message_to_several_recipients(mail_site: MailSite, mta: Postfix) -> None:
    addresses = [f"user{number}@example.org" for number in range(5)]
    for address in addresses:
        mail_site.mailbox(address)
    mta.submit(NOTE, *addresses, sender="sender@elsewhere.example")
    for address in addresses:
        assert "250 2.0.0" in mta.log_line(address, "sent")
    assert Message.objects.count() == 5
    assert len(set(Message.objects.values_list("body", flat=True))) == 1  # one body serves all


def test_postfix_delivers_by_a_unix_socket(mail_site: MailSite) -> None:
    mail_site.mailbox("unix@example.org")
    required()
    folder = Path(tempfile.mkdtemp(prefix="popadmin-lmtp-"))
    try:
        shutil.chown(folder, group="postfix")
        folder.chmod(0o2750)  # what is made in it belongs to Postfix' group
        with (
            daemon("lmtpd", LMTP_LISTEN=f"unix:{folder}/lmtp") as listener,
            postfix(f"lmtp:unix:{listener.unix_path}", "example.org") as started,
        ):
            started.submit(NOTE, "unix@example.org", sender="sender@elsewhere.example")
            assert "250 2.0.0" in started.log_line("unix@example.org", "sent")
    finally:
        shutil.rmtree(folder)
    with mail_site.session("unix@example.org") as session:
        assert b".dot\r\n" in session.message(1)


def test_one_recipient_over_quota_waits_in_the_queue_while_the_others_have_their_mail(
    mail_site: MailSite, mta: Postfix
) -> None:
    mail_site.mailbox("empty@full.example")
    mail_site.mailbox("full@full.example", quota_messages=0)
    mta.submit(NOTE, "empty@full.example", "full@full.example", sender="sender@elsewhere.example")
    assert "250 2.0.0" in mta.log_line("empty@full.example", "sent")
    assert "452 4.2.2" in mta.log_line("full@full.example", "deferred")
    waiting = [entry for entry in mta.queue() if entry["recipients"][0]["address"] == "full@full.example"]
    assert len(waiting) == 1
    assert Message.objects.count() == 1


def test_a_domain_that_rejects_when_full_bounces_at_once(mail_site: MailSite, mta: Postfix) -> None:
    mail_site.mailbox("sender@example.org")
    mail_site.mailbox("full@strict.example", quota_messages=0)
    domains.ensure("strict.example", actor=ACTOR, over_quota="reject")
    mta.submit(NOTE, "full@strict.example", sender="sender@example.org")
    assert "552 5.2.2" in mta.log_line("full@strict.example", "bounced")


def test_an_unknown_user_bounces_at_once_and_the_sender_gets_the_notice(mail_site: MailSite, mta: Postfix) -> None:
    mail_site.mailbox("author@example.org")
    mta.submit(NOTE, "nobody@example.org", sender="author@example.org")
    assert "550 5.1.1" in mta.log_line("nobody@example.org", "bounced")
    mta.log_line("author@example.org", "sent")
    with mail_site.session("author@example.org") as session:
        notice = session.message(1)
    assert notice.startswith(b"Return-Path: <>\r\n")
    assert b"nobody@example.org" in notice


def test_an_address_in_utf_8_is_delivered(mail_site: MailSite, mta: Postfix) -> None:
    address = "grüße@example.org"
    mail_site.mailbox(address)
    mta.submit(
        "Subject: Grüße\r\n\r\nüber\r\n".encode(),
        address,
        sender="sender@elsewhere.example",
        options=("SMTPUTF8", "BODY=8BITMIME"),
    )
    mta.log_line(address, "sent")
    with mail_site.session(address) as session:
        message = session.message(1)
    assert "Subject: Grüße\r\n".encode() in message
    assert f"Delivered-To: {address}\r\n".encode() in message


def test_mail_of_eight_bits_arrives_as_it_was_sent(mail_site: MailSite, mta: Postfix) -> None:
    mail_site.mailbox("eight@example.org")
    body = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n\xe4\xf6\xfc\xff\r\n"
    mta.submit(body, "eight@example.org", sender="sender@elsewhere.example", options=("BODY=8BITMIME",))
    mta.log_line("eight@example.org", "sent")
    with mail_site.session("eight@example.org") as session:
        assert session.message(1).endswith(b"\r\n\r\n\xe4\xf6\xfc\xff\r\n")


def test_detail_behind_a_plus_is_kept_in_the_header(mail_site: MailSite, mta: Postfix) -> None:
    mail_site.mailbox("plus@example.org")
    mta.submit(NOTE, "plus+lists@example.org", sender="sender@elsewhere.example")
    mta.log_line("plus+lists@example.org", "sent")
    with mail_site.session("plus@example.org") as session:
        assert b"Delivered-To: plus+lists@example.org\r\n" in session.message(1)


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ('"alice"@example.org', "alice@example.org"),
        ('"x..y"@example.org', "x..y@example.org"),
        ("x.@example.org", "x.@example.org"),
        ('"a b"@full.example', "rest@full.example"),
        ('"x..y"@full.example', "rest@full.example"),
        (f"{'x' * 65}@full.example", "rest@full.example"),
    ],
)
def test_a_name_that_needs_quotes_or_is_too_long_reaches_its_mailbox_or_the_catch_all(
    mail_site: MailSite, mta: Postfix, path: str, owner: str
) -> None:
    mail_site.mailbox(owner)
    mail_site.mailbox("rest@full.example")
    aliases.ensure("@full.example", ["rest@full.example"], actor=ACTOR)
    with smtplib.SMTP(mta.address, PORT, timeout=LONGEST_WAIT_SECONDS) as smtp:
        smtp.ehlo("elsewhere.example")
        smtp.mail(LONG_SENDER)
        assert smtp.docmd("RCPT", f"TO:<{path}>")[0] == 250  # smtplib's own `rcpt` would change the path
        assert smtp.data(NOTE)[0] == 250
    until(Message.objects.exists, f"the mail to {path} is delivered")
    with mail_site.session(owner) as session:
        assert session.message(1).startswith(f"Return-Path: <{LONG_SENDER}>\r\n".encode())


# --- from one end to the other ------------------------------------------------------------------------------------


def test_a_message_goes_from_postfix_to_every_device_and_into_recovery(mail_site: MailSite, mta: Postfix) -> None:
    """Two devices see it; it leaves the live maildrop when the last of them deleted it, and not before."""
    mailbox = mail_site.mailbox("journey@example.org")
    phone = mail_site.device("journey@example.org", "phone")
    mta.submit(NOTE, "journey@example.org", sender="sender@elsewhere.example")
    mta.log_line("journey@example.org", "sent")

    with mail_site.session("journey@example.org") as main, mail_site.session("journey@example.org", phone) as second:
        assert main.uidls() == second.uidls()
        assert main.message(1) == second.message(1)
        assert main.quit().startswith(b"+OK")
        assert second.quit().startswith(b"+OK")
    fetch_and_delete(mail_site, "journey@example.org", PASSWORD)
    assert stat(mail_site, "journey@example.org", PASSWORD) == (0, 0)
    assert stat(mail_site, "journey@example.org", phone)[0] == 1
    assert counts(mailbox) == (1, 0)

    fetch_and_delete(mail_site, "journey@example.org", phone)
    assert stat(mail_site, "journey@example.org", phone) == (0, 0)
    assert counts(mailbox) == (0, 1)
    assert Message.objects.get().removed_why == "every"


def fetch_and_delete(mail_site: MailSite, address: str, password: str) -> None:
    with mail_site.session(address, password) as session:
        assert b"Subject: note" in session.message(1)
        assert session.ask("DELE 1").startswith(b"+OK")
        assert session.quit().startswith(b"+OK")


def stat(mail_site: MailSite, address: str, password: str) -> tuple[int, int]:
    with mail_site.session(address, password) as session:
        _, messages, octets = session.ask("STAT").split()
        return int(messages), int(octets)


def counts(mailbox: object) -> tuple[int, int]:
    """Live messages and those in recovery."""
    rows = Message.objects.filter(mailbox=mailbox)
    return rows.filter(removed=None).count(), rows.exclude(removed=None).count()
