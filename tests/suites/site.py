"""The site that the suites of accounts, maildrops and deliveries run on: what a test may do to it, and ask of it.

There are two: `tests.fakes.site.FakeSite` in memory, and `tests.site.stored_site.StoredSite` on Postgres and files. A
test module subclasses a suite and provides the fixture `site`. On both, addresses are of example.org.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from mailstore.errors import MailError
from mailstore.ports import (
    Accounts,
    Credentials,
    Delivered,
    Delivery,
    Envelope,
    Gatekeeper,
    Maildrop,
    Message,
    Recipient,
    Senders,
)

ANN, BOB = "ann@example.org", "bob@example.org"
PASSWORD = "correct horse battery staple"
WIRE = b"Subject: hello\r\n\r\n..dot\r\n.. two\r\nplain\r\n"
WIRE_OCTETS = len(WIRE) - 2  # two of its dots are doubled
ENVELOPE = Envelope(
    sender="sender@elsewhere.example",
    client_name="mx.elsewhere.example",
    client="192.0.2.25",
    encrypted=False,
    protocol="LMTP",
)


class Site(Protocol):
    accounts: Accounts
    senders: Senders
    delivery: Delivery
    gatekeeper: Gatekeeper

    def ask(self, *calls: Callable[[Callable[[Any], None]], object]) -> list[Any]:
        """Make the calls at the same time; return their answers in order, each given exactly once."""

    def act(self, call: Callable[[], Any]) -> Any:
        """Make a call where the ports are used, on the loop where there is one; return what it returns."""

    def until(self, holds: Callable[[], object]) -> None:
        """Return once the condition holds; fail if that takes too long."""

    def hold_answers(self) -> None:
        """See to it that a question is not answered in the call that asks it."""

    def add_mailbox(self, address: str, password: str = PASSWORD) -> None: ...

    def suspend(self, address: str) -> None: ...

    def switch_pop_off(self, address: str) -> None: ...

    def switch_sending_off(self, address: str) -> None: ...

    def bar_main_password(self, address: str) -> None: ...

    def change_password(self, address: str, password: str) -> None: ...

    def stop_receiving(self, address: str) -> None: ...

    def leave_no_room(self, address: str, *, reject: bool) -> None:
        """Set a quota that is used up; `reject` says whether the domain rejects or defers then."""

    def lose_body(self, address: str, number: int) -> None:
        """Destroy the body of the message with this number, behind the store's back."""

    def lose_store(self) -> None:
        """Take the body store away, as a disk that is no longer mounted."""


# --- what the suites do on it -----------------------------------------------------------------------------------------


def credentials(secret: str = PASSWORD, address: str = ANN) -> Credentials:
    return Credentials(address, secret, "192.0.2.7", loopback=False)


def sign_in(site: Site, secret: str = PASSWORD, address: str = ANN) -> Any:
    """Return a maildrop, or the error."""
    (answer,) = site.ask(lambda done: site.accounts.sign_in(credentials(secret, address), done))
    return answer


def opened(site: Site, address: str = ANN) -> Maildrop:
    answer = sign_in(site, address=address)
    assert not isinstance(answer, MailError), answer
    return answer


def recipient(site: Site, address: str = ANN, octets: int | None = None) -> Any:
    (answer,) = site.ask(lambda done: site.delivery.recipient(address, octets, done))
    return answer


def hand_in(site: Site, recipients: Sequence[Recipient], *pieces: bytes) -> list[Delivered | MailError]:
    """Hand one message in; return one answer for each recipient, in their order."""
    answers: dict[int, Delivered | MailError] = {}

    def answered(index: int, answer: Delivered | MailError) -> None:
        assert index not in answers, "a recipient was answered twice"
        answers[index] = answer

    def begin() -> None:
        intake = site.delivery.begin(ENVELOPE)
        for piece in pieces:
            intake.write(piece)
        wire = b"".join(pieces)
        intake.commit(recipients, len(wire) - (b"\r\n" + wire).count(b"\r\n."), answered)

    site.act(begin)
    site.until(lambda: len(answers) == len(recipients))
    return [answers[index] for index in range(len(recipients))]


def deliver(site: Site, address: str = ANN, wire: bytes = WIRE) -> Delivered | MailError:
    return hand_in(site, [recipient(site, address)], wire)[0]


def message(site: Site, drop: Maildrop, number: int) -> Message | MailError:
    (answer,) = site.ask(lambda done: drop.message(number, done))
    return answer


def read(site: Site, drop: Maildrop, number: int) -> bytes:
    """Return the wire form of a message; it must be as long as announced."""
    found = message(site, drop, number)
    assert isinstance(found, Message), found
    wire = found.prefix + found.body.read(0, found.body.wire_octets + 1)
    found.body.close()
    assert len(wire) == len(found.prefix) + found.body.wire_octets
    assert len(wire) - (b"\r\n" + wire).count(b"\r\n.") == found.octets
    return wire


def uidls(site: Site, drop: Maildrop) -> list[str]:
    (listing,) = site.ask(drop.listing)
    assert (len(listing), sum(listing.octets)) == (drop.messages, drop.octets)
    return list(listing.uidls)


def remove(site: Site, drop: Maildrop, *numbers: int) -> Any:
    uidls(site, drop)
    (answer,) = site.ask(lambda done: drop.remove(numbers, done))
    return answer
