"""What stands on the other sides of a session of the policy service. No sockets."""

from __future__ import annotations

from mailstore.errors import Done, MailError
from mailstore.policyd.session import Session
from tests.fakes.lmtp import FakeTrace
from tests.fakes.pop3 import Answers, FakeJournal, FakePeer


class FakeGatekeeper:
    """Recipients and senders by address; None is no objection. `error` is the answer to all while it is set."""

    def __init__(self) -> None:
        self.answers = Answers()
        self.recipients: dict[str, MailError | None] = {}
        self.senders: dict[str, MailError | None] = {}
        self.asked: list[tuple[str, int | None] | str] = []
        self.error: MailError | None = None

    def may_receive(self, address: str, octets: int | None, done: Done[None]) -> None:
        self.asked.append((address, octets))
        self.answers.give(done, self.error or self.recipients.get(address))

    def may_send(self, login: str, done: Done[None]) -> None:
        self.asked.append(login)
        self.answers.give(done, self.error or self.senders.get(login))


class Conversation:
    """A session with all its fakes."""

    def __init__(self) -> None:
        self.peer = FakePeer(client="unix", encrypted=False)
        self.gatekeeper = FakeGatekeeper()
        self.journal = FakeJournal()
        self.trace = FakeTrace()
        self.session = Session(self.peer, self.gatekeeper, self.journal, self.trace)
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
        self.gatekeeper.answers.release()
        return bytes(self.peer.sent[before:])
