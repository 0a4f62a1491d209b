"""Devices over real connections: what a session confirms, what the diary tells, and how a revoked one ends."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import pytest

from mailstore.directory import devices, existing_password, mailboxes
from mailstore.models import Device, DiarySession, Message, User
from mailstore.policy import foreign_hash
from tests.listeners import ACTOR, PASSWORD, MailSite, numbered
from tests.up.programs import until

ADDRESS = "ann@example.org"


@pytest.fixture
def filled(mail_site: MailSite) -> MailSite:
    mail_site.mailbox()
    mail_site.fill(ADDRESS, *numbered(3))
    return mail_site


def test_what_was_fetched_and_followed_is_confirmed_also_when_the_line_drops_then(filled: MailSite) -> None:
    phone = filled.device(ADDRESS, "phone")
    with filled.session(password=phone) as session:
        session.message(1)
        session.message(2)
    until(lambda: Device.objects.get(name="phone").confirmed != "{}", "the batch is written")
    row = DiarySession.objects.get()
    first, second, _third = Message.objects.order_by("added").values_list("added", flat=True)
    assert Device.objects.get(name="phone").confirmed == f"{{[0,{second})}}"
    assert (row.fetched_messages, row.ended, row.device.name) == (2, "lost", "phone")
    assert row.fetched == f"{{[{first},{second + 1})}}"


@pytest.mark.parametrize("clients", [1, 4])
def test_a_revoked_device_is_cut_off_in_every_worker(filled: MailSite, clients: int) -> None:
    phone = filled.device(ADDRESS, "phone")
    open_ones = [filled.session(password=phone) for _ in range(clients)]
    for session in open_ones:
        session.ask("DELE 1")
    with filled.session() as main:
        devices.revoke(ADDRESS, "phone", actor=ACTOR)
        for session in open_ones:
            assert session.rest() == b""
        assert main.ask("NOOP").startswith(b"+OK")
    assert Message.objects.filter(removed=None).count() == 3
    until(
        lambda: sum(DiarySession.objects.filter(ended="barred").values_list("sessions", flat=True)) == clients, "told"
    )


@pytest.mark.parametrize("clients", [1, 4])
def test_a_changed_password_cuts_off_what_the_old_one_opened_in_every_worker_and_no_device(
    filled: MailSite, clients: int
) -> None:
    phone = filled.device(ADDRESS, "phone")
    open_ones = [filled.session() for _ in range(clients)]
    for session in open_ones:
        session.ask("DELE 1")
    with filled.session(password=phone) as device:
        mailboxes.set_password(ADDRESS, "another good pass phrase", actor=ACTOR)
        for session in open_ones:
            assert session.rest() == b""
        assert device.ask("NOOP").startswith(b"+OK")
        with filled.session(password="another good pass phrase") as later:
            assert later.ask("STAT").startswith(b"+OK 3 ")
    assert Message.objects.filter(removed=None).count() == 3
    until(lambda: DiarySession.objects.filter(ended="barred").exists(), "the diary tells it")


def test_a_password_changed_on_the_page_ends_the_session_that_the_old_one_opened(filled: MailSite, client) -> None:
    client.post("/sign-in/", {"username": ADDRESS, "password": PASSWORD})
    with filled.session() as session:
        assert session.ask("DELE 1").startswith(b"+OK")
        new = "another good pass phrase"
        form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        assert client.post("/password/", form).status_code == 302
        assert session.rest() == b""
    assert Message.objects.filter(removed=None).count() == 3


def test_a_password_that_is_hashed_anew_at_its_first_sign_in_ends_no_session(filled: MailSite) -> None:
    """A device that is revoked later shows that all sessions were looked at again meanwhile."""
    old = "{SHA256}" + b64encode(hashlib.sha256(PASSWORD.encode()).digest()).decode()
    mailboxes.set_password(ADDRESS, existing_password.of_hash(old), actor=ACTOR)
    phone = filled.device(ADDRESS, "phone")
    with filled.session() as main, filled.session() as second, filled.session(password=phone) as device:
        until(lambda: not foreign_hash.is_stored(User.objects.get(address=ADDRESS).password), "the hash is our own")
        devices.revoke(ADDRESS, "phone", actor=ACTOR)
        assert device.rest() == b""
        for session in (main, second):
            assert session.ask("NOOP").startswith(b"+OK")
            assert session.quit().startswith(b"+OK")


def test_pop_that_is_switched_off_ends_all_sessions_of_the_mailbox_and_no_other(filled: MailSite) -> None:
    filled.mailbox("bob@example.org")
    with filled.session() as ann, filled.session("bob@example.org", PASSWORD) as bob:
        mailboxes.ensure(ADDRESS, actor=ACTOR, pop=False)
        assert ann.rest() == b""
        assert bob.ask("NOOP").startswith(b"+OK")
