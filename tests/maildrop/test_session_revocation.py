"""An open session whose device may no longer use POP is told so within a second, for whatever reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django import Settings

from mailstore.directory import devices, mailbox_removal, mailboxes
from mailstore.errors import BadCredentials
from mailstore.maildrop.session_revocation import POLL_SECONDS
from mailstore.models import Device, Domain, Mailbox, User
from popadmin.signin import actions
from tests.site import counting_hasher
from tests.site.mail import Mail
from tests.site.rows import ACTOR, PASSWORD, a_mailbox
from tests.site.worker import end_lanes

ANN = "ann@example.org"


class Sessions:
    """Open sessions of Ann's, and which of them were told that they may no more."""

    def __init__(self, mail: Mail) -> None:
        self.mail = mail
        self.barred: list[str] = []

    def open(self, name: str, secret: str, end: Callable[[], None] = lambda: None) -> None:
        """Open a session. At its end, `end` is called before the session counts as told."""

        def barred() -> None:
            end()
            self.barred.append(name)

        async def enter() -> None:
            self.drop.watch(barred)

        self.drop = self.mail.open(ANN, secret)
        self.mail.worker.run(enter())

    def wait_for_barred(self, *names: str) -> set[str]:
        """Return the barred sessions as soon as these are among them, or after two polls."""
        now = self.mail.worker.loop.time
        deadline = now() + 2.5 * POLL_SECONDS
        self.mail.worker.until(lambda: now() > deadline or (names and set(self.barred) >= set(names)), "time passes")
        return set(self.barred)


@pytest.fixture
def sessions(mail: Mail) -> Sessions:
    """The main password and a phone are signed in."""
    a_mailbox()
    sessions = Sessions(mail)
    phone = devices.add(ANN, "phone", actor=ACTOR)[1]
    sessions.open("main", PASSWORD)
    sessions.open("phone", phone)
    return sessions


def test_a_session_in_order_is_left_alone(sessions: Sessions) -> None:
    assert sessions.wait_for_barred() == set()


@pytest.mark.parametrize(
    ("act", "barred"),
    [
        (lambda: devices.revoke(ANN, "phone", actor=ACTOR), ["phone"]),
        (lambda: mailboxes.ensure(ANN, actor=ACTOR, main_pop=False), ["main"]),
        (lambda: mailboxes.ensure(ANN, actor=ACTOR, pop=False), ["main", "phone"]),
        (lambda: mailboxes.ensure(ANN, actor=ACTOR, suspended=True), ["main", "phone"]),
        (lambda: Domain.objects.update(active=False), ["main", "phone"]),
        (lambda: mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True), ["main", "phone"]),
    ],
    ids=["revoked", "main password barred", "POP off", "suspended", "domain off", "removed"],
)
def test_a_session_that_lost_its_right_is_told(
    sessions: Sessions, act: Callable[[], object], barred: list[str]
) -> None:
    act()
    assert sessions.wait_for_barred(*barred) == set(barred)


OTHER = "another good pass phrase"


def _set_by_django() -> None:
    """As `manage.py changepassword` does."""
    user = User.objects.get(address=ANN)
    user.set_password(OTHER)
    user.save()


@pytest.mark.parametrize(
    "change",
    [
        lambda: mailboxes.set_password(ANN, OTHER, actor=ACTOR),
        lambda: mailboxes.set_password(ANN, None, actor=ACTOR, must_change=True),
        lambda: mailboxes.ensure(ANN, actor=ACTOR, password=OTHER),
        lambda: actions.change_password(User.objects.get(address=ANN), OTHER, actor=ACTOR),
        lambda: actions.reset_password(User.objects.get(address=ANN), OTHER, client=None),
        _set_by_django,
    ],
    ids=["shell", "generated", "file", "page", "link", "Django's command"],
)
def test_a_changed_password_ends_what_the_old_one_opened_and_no_device(
    sessions: Sessions, change: Callable[[], object]
) -> None:
    change()
    assert sessions.wait_for_barred("main") == {"main"}


def test_a_session_of_the_new_password_goes_on(sessions: Sessions) -> None:
    mailboxes.set_password(ANN, OTHER, actor=ACTOR)
    sessions.open("new", OTHER)
    assert sessions.wait_for_barred("main") == {"main"}
    assert sessions.wait_for_barred() == {"main"}


def test_a_new_hash_of_the_same_password_ends_no_session(sessions: Sessions, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [counting_hasher.PATH, *settings.PASSWORD_HASHERS]
    before = User.objects.get(address=ANN).password
    assert User.objects.get(address=ANN).check_password(PASSWORD)
    assert User.objects.get(address=ANN).password != before
    assert sessions.wait_for_barred() == set()


def test_a_change_while_the_database_was_away_is_seen_when_it_is_back(sessions: Sessions) -> None:
    end_lanes()
    devices.revoke(ANN, "phone", actor=ACTOR)
    sessions.mail.worker.until(lambda: sessions.barred, "the phone is told")
    assert set(sessions.barred) == {"phone"}


def _fail() -> None:
    raise RuntimeError("a bug of ours")


def test_a_session_that_cannot_be_ended_keeps_none_of_the_others_alive(mail: Mail) -> None:
    """The harm: sessions of an old password went on for as long as the broken one was there."""
    a_mailbox()
    sessions = Sessions(mail)
    sessions.open("broken", PASSWORD, end=_fail)
    sessions.open("main", PASSWORD)
    mailboxes.set_password(ANN, OTHER, actor=ACTOR)
    assert sessions.wait_for_barred("main") == {"main"}


def test_a_session_that_ended_is_not_told(sessions: Sessions) -> None:
    sessions.mail.end(sessions.drop)
    devices.revoke(ANN, "phone", actor=ACTOR)
    assert sessions.wait_for_barred() == set()


def test_a_quit_in_the_same_moment_changes_nothing(mail: Mail) -> None:
    """Whatever took the right away: the transaction asks for it too."""
    a_mailbox()
    mail.deliver(ANN)
    for bar in (
        lambda: User.objects.update(is_active=False),
        lambda: Mailbox.objects.update(pop=False),
        lambda: Domain.objects.update(active=False),
    ):
        drop = mail.open(ANN)
        bar()
        assert "is revoked, barred or gone" in str(mail.remove(drop, 1))
        User.objects.update(is_active=True)
        Mailbox.objects.update(pop=True)
        Domain.objects.update(active=True)
    assert Mailbox.objects.get().messages == 1
    assert Device.objects.get().hidden == "{}"


@pytest.mark.parametrize("mode", ["primary", "independent"])
def test_a_quit_of_a_session_whose_password_was_just_changed_removes_and_hides_nothing(mail: Mail, mode: str) -> None:
    a_mailbox()
    mail.deliver(ANN)
    if mode == "independent":
        devices.add(ANN, "phone", actor=ACTOR)
    drop = mail.open(ANN)
    mailboxes.set_password(ANN, OTHER, actor=ACTOR)
    assert isinstance(mail.remove(drop, 1), BadCredentials)
    assert Mailbox.objects.get().messages == 1
    assert Device.objects.get(main=True).hidden == "{}"
    assert mail.remove(mail.open(ANN, OTHER), 1) == 1


def test_a_device_removes_mail_also_when_the_main_password_was_just_changed(mail: Mail) -> None:
    a_mailbox()
    mail.deliver(ANN)
    phone = mail.open(ANN, devices.add(ANN, "phone", actor=ACTOR, mode="primary")[1])
    mailboxes.set_password(ANN, OTHER, actor=ACTOR)
    assert mail.remove(phone, 1) == 1
    assert Mailbox.objects.get().messages == 0
