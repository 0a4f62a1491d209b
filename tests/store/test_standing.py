"""An open session whose device may use POP no more is told so within a second, whatever took its right away."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mailstore.models import Device, Domain, Mailbox, User
from mailstore.store import devices, mailbox_removal, mailboxes
from mailstore.store.standing import LOOK_SECONDS
from tests.store.mail import Mail
from tests.store.site import ACTOR, PASSWORD, a_mailbox
from tests.store.worker import end_lanes

ANN = "ann@example.org"


class Sessions:
    """Open sessions of Ann's, and which of them were told that they may no more."""

    def __init__(self, mail: Mail) -> None:
        self.mail = mail
        self.barred: list[str] = []

    def open(self, name: str, secret: str) -> None:
        async def enter() -> None:
            self.drop.watch(lambda: self.barred.append(name))

        self.drop = self.mail.open(ANN, secret)
        self.mail.worker.run(enter())

    def told(self, *names: str) -> set[str]:
        """Who was told, as soon as these were, or after two looks."""
        now = self.mail.worker.loop.time
        looks = now() + 2.5 * LOOK_SECONDS
        self.mail.worker.until(lambda: now() > looks or (names and set(self.barred) >= set(names)), "time passes")
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
    assert sessions.told() == set()


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
def test_whoever_may_no_more_is_told(sessions: Sessions, act: Callable[[], object], barred: list[str]) -> None:
    act()
    assert sessions.told(*barred) == set(barred)


def test_a_change_while_the_database_was_away_is_seen_when_it_is_back(sessions: Sessions) -> None:
    end_lanes()
    devices.revoke(ANN, "phone", actor=ACTOR)
    sessions.mail.worker.until(lambda: sessions.barred, "the phone is told")
    assert set(sessions.barred) == {"phone"}


def test_a_session_that_ended_is_not_told(sessions: Sessions) -> None:
    sessions.mail.end(sessions.drop)
    devices.revoke(ANN, "phone", actor=ACTOR)
    assert sessions.told() == set()


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
