"""The site of the suites in memory: fake accounts and a fake delivery over the same mailboxes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mailstore.errors import (
    BadCredentials,
    BodyLost,
    MailError,
    MainPasswordBarred,
    PopSwitchedOff,
    QuotaDeferred,
    QuotaRejected,
    RecipientDisabled,
    SendingOff,
    Unavailable,
    UnknownRecipient,
)
from mailstore.ports import Sender
from tests.fakes.lmtp import FakeDelivery
from tests.fakes.policyd import FakeGatekeeper
from tests.fakes.pop3 import FakeAccounts, FakeMaildrop, StoredMessage
from tests.fakes.sasl import FakeSenders
from tests.suites.site import PASSWORD


@dataclass
class FakeMailbox:
    address: str
    stored: list[StoredMessage] = field(default_factory=list)
    sessions: list[FakeMaildrop] = field(default_factory=list)  # that are open under the password of now

    def open(self) -> FakeMaildrop:
        """Return a maildrop of what is stored now; what it removes is gone for later ones."""
        drop = FakeMaildrop(*self.stored, address=self.address, on_remove=self._remove)
        self.sessions.append(drop)
        return drop

    def _remove(self, messages: list[StoredMessage]) -> None:
        self.stored = [message for message in self.stored if message not in messages]


class FakeSite:
    def __init__(self) -> None:
        self.accounts = FakeAccounts()
        self.senders = FakeSenders()
        self.delivery = FakeDelivery(on_delivered=self._delivered)
        self.gatekeeper = FakeGatekeeper()
        self.gatekeeper.recipients["nobody@example.org"] = UnknownRecipient("nobody")
        self._mailboxes: dict[str, FakeMailbox] = {}
        self._secrets: dict[str, str] = {}

    def ask(self, *calls: Callable[[Callable[[Any], None]], object]) -> list[Any]:
        answers: list[list[Any]] = [[] for _call in calls]
        for call, kept in zip(calls, answers, strict=True):
            call(kept.append)
        assert [len(kept) for kept in answers] == [1] * len(calls), "a question has not one answer"
        return [kept[0] for kept in answers]

    def act(self, call: Callable[[], Any]) -> Any:
        return call()

    def until(self, holds: Callable[[], object]) -> None:
        assert holds(), "nothing more will come: a fake answers at once"

    def hold_answers(self) -> None:
        self.accounts.answers.held = self.senders.answers.held = True

    def add_mailbox(self, address: str, password: str = PASSWORD) -> None:
        self._mailboxes[address] = FakeMailbox(address)
        self._open(address, password)
        self.delivery.add(address)

    def suspend(self, address: str) -> None:
        self._answer(address, BadCredentials("suspended"))

    def switch_pop_off(self, address: str) -> None:
        self.accounts.add(address, self._secrets[address], PopSwitchedOff(address))

    def switch_sending_off(self, address: str) -> None:
        self.senders.add(address, self._secrets[address], SendingOff(address))

    def bar_main_password(self, address: str) -> None:
        self._answer(address, MainPasswordBarred(address))

    def change_password(self, address: str, password: str) -> None:
        mailbox = self._mailboxes[address]
        self._open(address, password)
        sessions, mailbox.sessions = mailbox.sessions, []
        for drop in sessions:
            drop.remove_error = BadCredentials("another password")
            if drop.bar is not None:
                drop.bar()

    def stop_receiving(self, address: str) -> None:
        self._object(address, RecipientDisabled(address))

    def leave_no_room(self, address: str, *, reject: bool) -> None:
        full = QuotaRejected(address) if reject else QuotaDeferred(address)
        self._object(address, full)
        self.delivery.outcomes[address] = full

    def lose_body(self, address: str, number: int) -> None:
        self._mailboxes[address].stored[number - 1].error = BodyLost("gone")

    def lose_store(self) -> None:
        for address in self._mailboxes:
            self.delivery.outcomes[address] = Unavailable("the body store is away")

    def _open(self, address: str, password: str) -> None:
        self._secrets[address] = password
        self.accounts.add(address, password, self._mailboxes[address].open)
        self.senders.add(address, password, Sender(address, "main"))

    def _answer(self, address: str, error: MailError) -> None:
        self.accounts.add(address, self._secrets[address], error)
        self.senders.add(address, self._secrets[address], error)

    def _object(self, address: str, error: MailError) -> None:
        self.delivery.refuse(address, error)
        self.gatekeeper.recipients[address] = error

    def _delivered(self, address: str, queue_id: str, wire: bytes) -> None:
        self._mailboxes[address.lower()].stored.append(StoredMessage(wire, queue_id))
