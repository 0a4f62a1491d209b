"""What stands on the other sides of a session with an MTA that asks about passwords. No sockets."""

from __future__ import annotations

from mailstore.policy.login_name import LoginNames
from mailstore.ports import Sender
from mailstore.sasl.protocol import Identity, Rules
from mailstore.sasl.session import Session
from tests.fakes.pop3 import FakeAccounts, FakeJournal, FakePeer

RULES = Rules(login_names=LoginNames(None, {}, ""))
IDENTITY = Identity(4711, 7, "0123456789abcdef0123456789abcdef")
HELLO = b"VERSION\t1\t0\nCPID\t4242\n"


class FakeSenders(FakeAccounts):
    """Accounts whose right secret opens no maildrop, but lets send."""


class Conversation:
    """A session with all its fakes, where anna@example.org has the password secret; the greetings are over."""

    def __init__(self, *, rules: Rules = RULES) -> None:
        self.peer = FakePeer(client="unix", encrypted=False)
        self.senders = FakeSenders()
        self.senders.add("anna@example.org", "secret", Sender("anna@example.org", "main"))
        self.journal = FakeJournal()
        self.session = Session(self.peer, self.senders, self.journal, rules, IDENTITY)
        self.peer.session = self.session
        self.session.connected()

    def send(self, data: bytes) -> bytes:
        """Receive octets, and return what was sent because of them."""
        before = len(self.peer.sent)
        self.session.receive(data)
        return bytes(self.peer.sent[before:])

    def release(self) -> bytes:
        """Give the answers that wait, and return what was sent because of them."""
        before = len(self.peer.sent)
        self.senders.answers.release()
        return bytes(self.peer.sent[before:])
