"""A real Postfix asks who may send, and swaks submits mail through it."""

from __future__ import annotations

import shutil
import smtplib
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailstore.directory import devices, mailboxes
from mailstore.models import DiarySession, Message
from tests import install_guide
from tests.flows.postfix import PORT, Postfix, postfix, required
from tests.installed_program import program
from tests.listeners import ACTOR, LONGEST_WAIT_SECONDS, PASSWORD, Daemon, MailSite, daemon, run
from tests.up.programs import until

pytestmark = pytest.mark.real
ANN, BOB = "ann@example.org", "bob@example.org"
GUIDE = "where the path is below the queue's folder:"
ALSO = """
mynetworks =
smtpd_sasl_auth_enable = yes
smtpd_relay_restrictions = permit_sasl_authenticated, reject
"""


def settings_of_the_guide(socket: str) -> str:
    """The lines as they stand, but for the path, and without TLS."""
    lines = install_guide.settings(GUIDE) | {"smtpd_sasl_path": socket, "smtpd_tls_auth_only": "no"}
    return ALSO + "".join(f"{name} = {value}\n" for name, value in lines.items())


@pytest.fixture(scope="module")
def authd(django_db_setup: None) -> Iterator[Daemon]:
    """The listener by a unix socket, in a folder like that of the guide."""
    required()
    folder = Path(tempfile.mkdtemp(prefix="popadmin-auth-"))
    try:
        shutil.chown(folder, group="postfix")
        folder.chmod(0o2750)
        with daemon("authd", SASL_LISTEN=f"unix:{folder}/auth") as started:
            yield started
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def mta(authd: Daemon, lmtpd: Daemon) -> Iterator[Postfix]:
    settings = settings_of_the_guide(authd.unix_path)
    with postfix(f"lmtp:inet:[127.0.0.1]:{lmtpd.port}", "example.org", settings=settings) as started:
        yield started


def submitted(mta: Postfix, mechanism: str, secret: str = PASSWORD, user: str = ANN) -> str:
    """What swaks said and heard."""
    finished = run([
        program("swaks"), "--server", mta.address, "--port", str(PORT), "--auth", mechanism, "--auth-user", user,
        "--auth-password", secret, "--from", ANN, "--to", BOB, "--header", "Subject: sent", "--auth-plaintext",
    ])  # fmt: skip
    return finished.stdout.decode()


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_mailbox_sends_with_its_password(mail_site: MailSite, mta: Postfix, mechanism: str) -> None:
    mail_site.mailbox(ANN)
    mail_site.mailbox(BOB)
    assert "235 2.7.0" in submitted(mta, mechanism)
    until(Message.objects.exists, "the message is delivered")
    until(DiarySession.objects.filter(ended=DiarySession.Ended.SENT).exists, "the diary tells of the sender")
    entry = DiarySession.objects.get()
    assert (entry.mailbox.user.address, entry.device.name, entry.client[:4]) == (ANN, "main", "127.")


def test_refusals_have_their_reason_in_words_after_the_right_password_alone(mail_site: MailSite, mta: Postfix) -> None:
    mail_site.mailbox(ANN)
    secret, refused = mail_site.device(ANN, "Phone"), "535 5.7.8 Error: authentication failed: "
    assert f"{refused}this device password may not send mail" in submitted(mta, "PLAIN", secret)
    devices.set_may_send(ANN, "Phone", True, actor=ACTOR)
    assert "235 2.7.0" in submitted(mta, "PLAIN", secret)
    mailboxes.ensure(ANN, actor=ACTOR, smtp=False)
    assert f"{refused}sending is switched off for this mailbox" in submitted(mta, "LOGIN", secret)
    for user in (ANN, "nobody@example.org"):
        assert f"{refused}wrong user name or password" in submitted(mta, "LOGIN", "wrong", user)


def test_plain_without_an_initial_response_and_a_sign_in_that_is_given_up(mail_site: MailSite, mta: Postfix) -> None:
    mail_site.mailbox(ANN)
    response = b64encode(f"\0{ANN}\0{PASSWORD}".encode()).decode()
    with smtplib.SMTP(mta.address, PORT, timeout=LONGEST_WAIT_SECONDS) as smtp:
        smtp.ehlo("client.example")
        assert smtp.docmd("AUTH", "LOGIN") == (334, b"VXNlcm5hbWU6")
        assert smtp.docmd("*")[0] == 501
        assert smtp.docmd("AUTH", "PLAIN") == (334, b"")
        assert smtp.docmd(response)[0] == 235


def test_a_listener_that_is_gone_is_a_temporary_matter(mail_site: MailSite, lmtpd: Daemon) -> None:
    mail_site.mailbox(ANN)
    response = b64encode(f"\0{ANN}\0{PASSWORD}".encode()).decode()
    with daemon("authd") as listener:
        settings = settings_of_the_guide(f"inet:127.0.0.1:{listener.port}")
        with (
            postfix(f"lmtp:inet:[127.0.0.1]:{lmtpd.port}", "example.org", settings=settings) as mta,
            smtplib.SMTP(mta.address, PORT, timeout=LONGEST_WAIT_SECONDS) as smtp,
        ):
            smtp.ehlo("client.example")
            assert listener.stop() == 0
            assert smtp.docmd("AUTH", f"PLAIN {response}")[0] == 454
