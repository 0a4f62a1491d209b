"""Over the wire: passwords that Dovecot hashed open at POP3, and so do those with letters outside ASCII."""

from __future__ import annotations

from base64 import b64encode

import pytest

from mailstore.directory import existing_password, mailboxes
from mailstore.models import DiarySession, User
from mailstore.policy import foreign_hash
from tests import doveadm
from tests.listeners import ACTOR, MailSite
from tests.pop3_client import Pop3Client
from tests.site.page_users import an_admin, signed_in
from tests.up.programs import until

ANN, SECRET = "ann@example.org", "Café2026!xk"
OCTETS = [b"Caf\xe92026!xk", b"Caf\xc3\xa92026!xk", b"Cafe\xcc\x812026!xk"]
REFUSAL = b"-ERR [AUTH] wrong user name or password"


def answer(client: Pop3Client, how: str, name: bytes, secret: bytes) -> bytes:
    if how == "USER":
        client.ask(b"USER " + name)
        return client.ask(b"PASS " + secret)
    if how == "PLAIN":
        return client.ask(b"AUTH PLAIN " + b64encode(b"\0" + name + b"\0" + secret))
    client.ask(b"AUTH LOGIN")
    client.ask(b64encode(name))
    return client.ask(b64encode(secret))


@pytest.mark.real
@pytest.mark.parametrize("scheme", doveadm.SCHEMES)
def test_the_password_of_every_scheme_of_dovecot_opens_at_pop3_and_is_hashed_anew(
    mail_site: MailSite, scheme: str
) -> None:
    mail_site.mailbox()
    mailboxes.set_password(ANN, existing_password.of_hash(doveadm.hash_of(scheme, SECRET)), actor=ACTOR)
    with mail_site.dial() as client:
        assert answer(client, "USER", ANN.encode(), b"x" + SECRET.encode()) == REFUSAL
        assert answer(client, "PLAIN", ANN.encode(), SECRET.encode()).startswith(b"+OK")
        client.quit()
    # Another worker may answer, and has to know the password by the hash of now.
    for octets in OCTETS:
        with mail_site.dial() as client:
            assert answer(client, "USER", ANN.encode(), octets).startswith(b"+OK")
    assert not foreign_hash.is_stored(User.objects.get(address=ANN).password)


@pytest.mark.parametrize("how", ["USER", "PLAIN", "LOGIN"])
def test_a_password_set_on_the_page_opens_in_the_octets_of_any_program(mail_site: MailSite, how: str, client) -> None:
    mail_site.mailbox()
    client.post("/sign-in/", {"username": ANN, "password": "correct horse battery staple"})
    form = {"old_password": "correct horse battery staple", "new_password1": SECRET, "new_password2": SECRET}
    assert client.post("/password/", form).status_code == 302
    for octets in OCTETS:
        with mail_site.dial() as session:
            assert answer(session, how, ANN.encode(), octets).startswith(b"+OK")
    with mail_site.dial() as session:
        assert answer(session, how, ANN.encode(), b"Caf\xe82026!xk") == REFUSAL


@pytest.mark.parametrize("how", ["USER", "PLAIN", "LOGIN"])
@pytest.mark.parametrize("form", ["{} ", " {}", "\u00a0{}\u00a0"])
def test_blanks_around_a_name_are_dropped(mail_site: MailSite, how: str, form: str) -> None:
    mail_site.mailbox()
    with mail_site.dial() as session:
        assert answer(session, how, form.format(ANN).encode(), b"correct horse battery staple").startswith(b"+OK")


def test_what_cannot_be_read_is_in_the_log_the_diary_and_on_the_page_of_sign_ins(mail_site: MailSite) -> None:
    mail_site.mailbox()
    seen = len(mail_site.pop3d.log())
    with mail_site.dial() as session:
        session.ask(f"USER {ANN}")
        assert session.ask(b"PASS se\x1bcret").startswith(b"-ERR ")
        assert session.ask(b"AUTH PLAIN " + b64encode(b"\0" + ANN.encode() + b"\0")).startswith(b"-ERR ")
        assert session.ask(b"AUTH PLAIN !!!!").startswith(b"-ERR ")
    lines = mail_site.pop3d.logged("sign-in refused .*Malformed", after=seen, times=3)
    assert sum(ANN in line for line in lines) == 2
    assert not any("cret" in line.partition("cause=")[2] for line in lines)
    until(lambda: diary_count("malformed") == 2, "the diary has both")
    an_admin()
    assert "the name or the password cannot be read" in signed_in("root").get("/sign-ins/").content.decode()


def test_octets_that_are_no_utf_8_are_refused_like_any_wrong_password(mail_site: MailSite) -> None:
    mail_site.mailbox()
    seen = len(mail_site.pop3d.log())
    with mail_site.dial() as session:
        for octets in (b"\xff\xfe", b"\x81\x8d", b"\xed\xa0\x80"):
            assert answer(session, "PLAIN", ANN.encode(), octets) == REFUSAL
        assert answer(session, "USER", b"\xff@example.org", b"secret") == REFUSAL
    lines = mail_site.pop3d.logged("sign-in refused .*BadCredentials", after=seen, times=4)
    assert sum(f"address={ANN}" in line for line in lines) == 3
    until(lambda: diary_count("wrong") == 3, "the diary has them")


def diary_count(ended: str) -> int:
    """How many sign-ins it has that were refused so; those of one hour share a row."""
    return sum(DiarySession.objects.filter(ended=ended).values_list("sessions", flat=True))
