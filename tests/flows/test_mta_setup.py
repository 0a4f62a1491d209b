"""`mta setup` and `mta check` with a real Postfix: from its bare configuration to mail that comes in and goes out."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator

import pytest

from mailstore.models import Mailbox, MailFlow, Message
from mailstore.mta import program
from tests.flows.mta_role import granted
from tests.flows.wired import SUBMISSION, Wired, wired_postfix
from tests.listeners import LONGEST_WAIT_SECONDS, PASSWORD, MailSite

pytestmark = pytest.mark.real
ADDRESS, OTHER = "ann@example.org", "bob@example.org"
NOTE = b"From: ann@example.org\r\nSubject: note\r\n\r\nline\r\n"


@pytest.fixture
def wired(mail_site: MailSite, tls_settings: dict[str, str]) -> Iterator[Wired]:
    with wired_postfix(mail_site, tls_settings) as made:
        mail_site.mailbox(ADDRESS)
        mail_site.mailbox(OTHER)
        yield made


def test_from_a_bare_postfix_to_mail_in_and_out_and_back_again(wired: Wired, mail_site: MailSite) -> None:
    files = {path: path.read_bytes() for path in wired.directory.rglob("*") if path.is_file()}
    diff = wired.command("setup", "--dry-run", *wired.ports)
    assert "+virtual_transport = lmtp:inet:[127.0.0.1]" in diff
    assert "+lmtp_send_xforward_command = yes" in diff
    assert {path: path.read_bytes() for path in wired.directory.rglob("*") if path.is_file()} == files

    told = wired.command("setup", *wired.ports, "--password-stdin", stdin=granted())
    assert f"wrote {wired.directory}/main.cf" in told
    assert "calls itself mail.example.test now, and no longer mta.example.test" in told
    assert MailFlow.objects.get().mta == "postfix"

    # In by SMTP, from a server elsewhere; an unknown address is refused at RCPT.
    assert wired.swaks(ADDRESS).returncode == 0
    wired.mta.log_line(ADDRESS, "sent")
    assert b"550 5.1.1" in wired.swaks("nobody@example.org").stdout

    # Out by submission, with the password of the mailbox.
    context = mail_site.authority.context()
    context.check_hostname = False  # the address of this Postfix is its own
    with smtplib.SMTP(wired.mta.address, SUBMISSION, timeout=LONGEST_WAIT_SECONDS) as smtp:
        smtp.starttls(context=context)
        smtp.login(ADDRESS, PASSWORD)
        smtp.sendmail(ADDRESS, [OTHER], NOTE)
    wired.mta.log_line(OTHER, "sent")
    assert Message.objects.count() == 2

    results = wired.checked()
    assert {name: each["fault"] for name, each in results.items() if each["state"] == "bad"} == {}
    skipped = {name for name, each in results.items() if each["state"] == "skipped"}
    assert skipped == {"srs"}  # no alias leads elsewhere
    assert sorted(Mailbox.objects.values_list("user__address", flat=True)) == [ADDRESS, OTHER]  # it cleans up
    assert Message.objects.count() == 2
    assert [each["name"] for each in MailFlow.objects.get().results] == list(results)

    # Each classic fault that somebody plants is named.
    ours = {path: path.read_bytes() for path in (wired.directory / "main.cf", wired.directory / "popadmin/senders.cf")}
    for line in (
        "mydestination=example.org",
        "recipient_delimiter=-",
        "message_size_limit=0",
        "virtual_mailbox_maps=",
        "myhostname=mta",
    ):
        program.run(["postconf", "-c", str(wired.directory), "-e", line])
    (wired.directory / "popadmin/senders.cf").chmod(0o600)
    faults = {name: each["fault"] for name, each in wired.checked().items() if each["state"] == "bad"}
    assert faults.keys() >= {"own-name", "destinations", "delimiter", "size-limit", "map-senders"}
    refused = wired.process("undo")
    assert refused.returncode == 1
    assert f"{wired.directory}/main.cf has changed since the setup" in refused.stderr.decode()
    for path, data in ours.items():
        path.write_bytes(data)

    assert f"as before: {wired.directory}/main.cf" in wired.command("undo")
    assert {path: path.read_bytes() for path in wired.directory.rglob("*") if path.is_file()} == files
    assert MailFlow.objects.get().mta == ""
