"""A Postfix with the configuration of docs/install.md, in front of the LMTP listener."""

from __future__ import annotations

import smtplib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from mailstore.directory import aliases, domains
from mailstore.models import Message
from tests import install_guide
from tests.flows.mta_role import granted
from tests.flows.postfix import PORT, Postfix, postfix
from tests.installed_program import program
from tests.listeners import ACTOR, LONGEST_WAIT_SECONDS, Daemon, MailSite
from tests.up.programs import until

pytestmark = pytest.mark.real
MAIN = "In `/etc/postfix/main.cf`"
MAPS = "This makes its four look-ups"
ORG, NET, ARCHIVE = "example.org", "example.net", "archive@example.com"
NOTE = b"From: sender@elsewhere.example\r\nSubject: note\r\n\r\nline\r\n"
STRANGER = "127.0.0.9"  # in no network of the MTA's own
ALSO = """
mynetworks = 127.0.0.1/32
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
# What would leave this machine is taken and noted in the log.
default_transport = discard:outside
"""


def main_of_the_guide(port: int) -> str:
    """The lines as they stand, but for the port, the folder, and how long an acceptance is remembered."""
    lines = install_guide.settings(MAIN)
    for name in ("address_verify_positive_refresh_time", "address_verify_positive_expire_time"):
        lines[name] = "2s"
    text = "".join(f"{name} = {value}\n" for name, value in lines.items())
    assert "[127.0.0.1]:1024" in text
    assert "pgsql:/etc/postfix/popadmin/aliases.cf" in text
    return text.replace(":1024", f":{port}").replace("/etc/postfix/", "{folder}/etc/")


def maps_of_the_guide(folder: Path) -> None:
    """Make the role as the guide says, and the files of the look-ups with the database of this test."""
    password = granted()
    here = connection.settings_dict
    script = install_guide.block(MAPS)
    for word, mine in (
        ("/etc/postfix/", f"{folder}/etc/"),
        ("127.0.0.1:5433", f"127.0.0.1:{here['PORT']}"),
        ("dbname = popadmin", f"dbname = {here['NAME']}"),
        ("PASSWORD", password),
    ):
        assert word in script
        script = script.replace(word, mine)
    subprocess.run(["sh", "-eu", "-c", script], timeout=60, check=True)


@pytest.fixture(scope="module")
def mta(lmtpd: Daemon) -> Iterator[Postfix]:
    with postfix("", settings=main_of_the_guide(lmtpd.port) + ALSO) as started:
        maps_of_the_guide(started.folder)
        started.reload()
        yield started


def asked(mta: Postfix, recipient: str, *, size: int = 0) -> tuple[int, bytes]:
    """What a server elsewhere is told at MAIL, if that is refused, or at RCPT."""
    with smtplib.SMTP(mta.address, PORT, timeout=LONGEST_WAIT_SECONDS, source_address=(STRANGER, 0)) as smtp:
        smtp.ehlo("elsewhere.example")
        answer = smtp.mail("sender@elsewhere.example", [f"SIZE={size}"] if size else [])
        return answer if answer[0] != 250 else smtp.rcpt(recipient)


def sent(mta: Postfix, *recipients: str, message: bytes = NOTE) -> None:
    """Mail from elsewhere, for one recipient after the other; its size is not announced."""
    for recipient in recipients:
        with smtplib.SMTP(mta.address, PORT, timeout=LONGEST_WAIT_SECONDS, source_address=(STRANGER, 0)) as smtp:
            smtp.ehlo("elsewhere.example")
            answers = smtp.mail("sender@elsewhere.example"), smtp.rcpt(recipient), smtp.data(message)
            assert [code for code, _text in answers] == [250, 250, 250], answers


def test_each_look_up_answers_the_user_of_the_mta(mail_site: MailSite, mta: Postfix) -> None:
    for address in ("ann@example.org", "bob@example.org"):
        mail_site.mailbox(address)
    domains.ensure(NET, actor=ACTOR, stands_for=domains.get(ORG))
    aliases.ensure("list@example.org", ["ann@example.org", "bob@example.org"], actor=ACTOR)
    aliases.ensure("out@example.org", ["bob@example.org", "x@example.com"], actor=ACTOR)
    aliases.ensure("@example.org", [ARCHIVE], actor=ACTOR)
    wanted = {
        ("domains", ORG): ORG,
        ("domains", NET): NET,
        ("domains", "example.com"): "",
        ("mailboxes", "ann@example.org"): "1",
        ("mailboxes", "ann@example.net"): "1",
        ("mailboxes", "list@example.org"): "1",
        ("mailboxes", "out@example.org"): "",
        ("mailboxes", "o'hara@example.org"): "",
        ("aliases", "out@example.net"): "bob@example.org,x@example.com",
        ("aliases", "list@example.org"): "list@example.org",
        ("aliases", "@example.net"): ARCHIVE,
        ("senders", "out@example.org"): "bob@example.org",
        ("senders", "ann@example.net"): "ann@example.org",
        ("senders", "unknown@example.org"): "",
    }
    assert {(name, key): looked_up(mta, name, key) for name, key in wanted} == wanted


def looked_up(mta: Postfix, name: str, key: str) -> str:
    """What postmap finds, run by the user of Postfix, who alone beside root may read the file."""
    file = mta.folder / "etc" / "popadmin" / f"{name}.cf"
    command = [program("postmap"), "-c", str(mta.folder / "etc"), "-q", key, f"pgsql:{file}"]
    done = subprocess.run(
        command, user="postfix", group="postfix", extra_groups=[], capture_output=True, timeout=60, check=False
    )
    assert not done.stderr, done.stderr
    return done.stdout.decode().strip()


def test_a_mailbox_beside_a_catch_all_that_leads_elsewhere_keeps_its_mail(mail_site: MailSite, mta: Postfix) -> None:
    mail_site.mailbox("beside@example.org")
    mail_site.mailbox("team@example.org")
    aliases.ensure("group@example.org", ["team@example.org"], actor=ACTOR)
    aliases.ensure("@example.org", [ARCHIVE], actor=ACTOR)
    sent(mta, "beside@example.org", "beside+news@example.org", "group@example.org", "unknown@example.org")
    for recipient in ("beside@example.org", "beside+news@example.org", "group@example.org"):
        assert "250 2.0.0" in mta.log_line(recipient, "sent")
    until(lambda: "orig_to=<unknown@example.org>" in mta.log_line(ARCHIVE, "sent"), "its catch-all")
    assert Message.objects.count() == 3


def test_an_alias_domain_has_the_aliases_and_the_mailboxes_of_the_other(mail_site: MailSite, mta: Postfix) -> None:
    mail_site.mailbox("paul@example.org")
    domains.ensure(NET, actor=ACTOR, stands_for=domains.get(ORG))
    aliases.ensure("press@example.org", ["paul@example.org", "agency@example.com"], actor=ACTOR)
    aliases.ensure("copy@example.org", ["press@example.org"], actor=ACTOR)
    aliases.ensure("@example.org", [ARCHIVE], actor=ACTOR)
    sent(mta, "paul@example.net")
    assert "250 2.0.0" in mta.log_line("paul@example.net", "sent")
    sent(mta, "press@example.net")
    assert "orig_to=<press@example.net>" in mta.log_line("agency@example.com", "sent")
    assert "orig_to=<press@example.net>" in mta.log_line("paul@example.org", "sent")
    sent(mta, "copy@example.net", "other@example.net")
    until(
        lambda: "orig_to=<copy@example.net>" in mta.log_line("agency@example.com", "sent"),
        "an alias of an alias",
    )
    until(lambda: "orig_to=<other@example.net>" in mta.log_line(ARCHIVE, "sent"), "its catch-all")
    assert Message.objects.count() == 3


def test_a_forward_keeps_a_copy_or_none_and_what_is_off_or_expired_leads_nowhere(
    mail_site: MailSite, mta: Postfix
) -> None:
    for name in ("keeps", "gives", "stops"):
        mail_site.mailbox(f"{name}@example.org")
    aliases.ensure("keeps@example.org", ["k@example.com"], actor=ACTOR, keep_copy=True)
    aliases.ensure("gives@example.org", ["g@example.com"], actor=ACTOR, keep_copy=False)
    aliases.ensure("stops@example.org", ["s@example.com"], actor=ACTOR, keep_copy=False, active=False)
    sent(mta, "keeps@example.org", "gives@example.org", "stops@example.org")
    for address in ("k@example.com", "g@example.com", "keeps@example.org", "stops@example.org"):
        mta.log_line(address, "sent")
    assert Message.objects.count() == 2


def test_a_new_mailbox_is_reached_seconds_after_its_address_was_refused(mail_site: MailSite, mta: Postfix) -> None:
    mail_site.mailbox("someone@example.org")
    assert asked(mta, "new@example.org")[0] == 550
    assert asked(mta, "new@example.org")[0] == 550  # remembered
    mail_site.mailbox("new@example.org")
    until(lambda: asked(mta, "new@example.org")[0] == 250, "the new mailbox is known")
    sent(mta, "new@example.org")
    mta.log_line("new@example.org", "sent")


def test_a_full_mailbox_is_refused_at_rcpt_also_when_it_was_accepted_before(mail_site: MailSite, mta: Postfix) -> None:
    mail_site.mailbox("filling@example.org", quota_messages=1)
    mail_site.mailbox("strict@full.example", quota_messages=0)
    assert asked(mta, "filling@example.org")[0] == 250
    sent(mta, "filling@example.org")
    mta.log_line("filling@example.org", "sent")
    until(lambda: asked(mta, "filling@example.org")[0] == 450, "the full mailbox is refused")
    domains.ensure(ORG, actor=ACTOR, over_quota="reject")
    until(lambda: asked(mta, "filling@example.org")[0] == 550, "its domain rejects")


def test_a_message_above_our_limit_is_refused_when_it_is_announced(mail_site: MailSite, mta: Postfix) -> None:
    mail_site.mailbox("large@example.org")
    code, text = asked(mta, "large@example.org", size=60 * 2**20)
    assert (code, text[:5]) == (552, b"5.3.4")


def test_the_largest_message_that_postfix_takes_is_one_that_lmtp_takes(mail_site: MailSite, mta: Postfix) -> None:
    limit = int(install_guide.settings(MAIN)["message_size_limit"])
    assert limit < settings.MAX_MESSAGE_OCTETS
    assert limit >= settings.MAX_MESSAGE_OCTETS * 0.97
    mail_site.mailbox("large@example.org")
    line = b"x" * 76 + b"\r\n"  # of base64, RFC 2045 §6.8
    sent(mta, "large@example.org", message=NOTE + line * ((limit - 2000) // len(line)))
    assert "250 2.0.0" in mta.log_line("large@example.org", "sent")


def test_mail_of_the_pages_leaves_by_it(mta: Postfix) -> None:
    with smtplib.SMTP(mta.address, PORT, timeout=LONGEST_WAIT_SECONDS) as smtp:
        assert smtp.sendmail("postmaster@mail.example.org", ["owner@example.com"], NOTE) == {}
    mta.log_line("owner@example.com", "sent")
