"""What stands on the other sides of an LMTP session in tests: deliveries, intakes, a conversation. No sockets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mailstore.errors import MailError, UnknownRecipient
from mailstore.lmtp.protocol import Rules
from mailstore.lmtp.session import Session
from mailstore.ports import Answer, Delivered, Done, Envelope, MessageMarks, Recipient
from mailstore.wire import message_marks
from tests.fakes.pop3 import FakeJournal, FakePeer

RULES = Rules(hostname="mx.example.org", max_message_octets=100_000)


class FakeIntake:
    """A message in memory: `wire` is what was written, `committed` what it was committed with."""

    def __init__(self, delivery: FakeDelivery, envelope: Envelope) -> None:
        self.envelope = envelope
        self.wire = b""
        self.aborted = False
        self.committed: tuple[list[str], int] | None = None
        self.most_written = 0
        self._delivery = delivery

    def write(self, wire: bytes) -> None:
        assert not self.aborted, "octets after the end"
        assert self.committed is None, "octets after the end"
        self.wire += wire
        self.most_written = max(self.most_written, len(wire))

    def marks(self) -> MessageMarks:
        return message_marks.marks(self.wire)

    def commit(
        self, recipients: Sequence[Recipient], octets: int, done: Callable[[int, Delivered | MailError], None]
    ) -> None:
        assert not self.aborted, "a commit after the end"
        assert self.committed is None, "a second commit"
        self.committed = ([recipient.address for recipient in recipients], octets)
        copies: set[int] = set()
        for index, recipient in enumerate(recipients):
            again = copies.issuperset(recipient.mailboxes)
            copies.update(recipient.mailboxes)
            self._delivery.decide(index, recipient.address, self.wire, done, again=again)

    def abort(self) -> None:
        self.aborted = True


class FakeTrace:
    """The answers that were reported, in order."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []

    def answered(self, answer: Answer) -> None:
        self.answers.append(answer)


class FakeDelivery:
    """Mailboxes by address in any case.

    `recipients` decides at RCPT, `outcomes` after the message; an address in neither is unknown, one in `recipients`
    alone gets its mail. While `held` is True answers wait in `waiting`, to be given in any order. `on_delivered` gets
    the address, the queue id and the wire form of each message that was delivered.
    """

    def __init__(self, on_delivered: Callable[[str, str, bytes], None] = lambda *_message: None) -> None:
        self._on_delivered = on_delivered
        self._delivered = 0
        self.recipients: dict[str, object] = {}
        self.outcomes: dict[str, object] = {}
        self.asked: list[tuple[str, int | None]] = []
        self.intakes: list[FakeIntake] = []
        self.held = False
        self.waiting: list[Callable[[], None]] = []

    def add(self, *addresses: str) -> None:
        for number, address in enumerate(addresses, start=len(self.recipients) + 1):
            self.recipients[address.lower()] = (number,)

    def refuse(self, address: str, error: object) -> None:
        self.recipients[address.lower()] = error

    def recipient(self, address: str, octets: int | None, done: Done[Recipient]) -> None:
        self.asked.append((address, octets))
        known = self.recipients.get(address.lower(), UnknownRecipient(address))
        self._give(lambda: done(Recipient(address, known) if isinstance(known, tuple) else known))

    def begin(self, envelope: Envelope) -> FakeIntake:
        self.intakes.append(FakeIntake(self, envelope))
        return self.intakes[-1]

    def decide(
        self,
        index: int,
        address: str,
        wire: bytes,
        done: Callable[[int, Delivered | MailError], None],
        *,
        again: bool = False,
    ) -> None:
        """Answer for one recipient. `again`: its mailboxes have a copy of the message."""
        outcome = self.outcomes.get(address.lower(), Delivered(f"q{self._delivered}"))
        if isinstance(outcome, Delivered) and not again:
            self._delivered += 1
            self._on_delivered(address, outcome.queue_id, wire)
        self._give(lambda: done(index, outcome))

    def release(self, *numbers: int) -> None:
        """Give the answers that wait, in this order; all of them when none is named."""
        chosen = [self.waiting[number] for number in numbers] if numbers else list(self.waiting)
        self.waiting = [give for give in self.waiting if give not in chosen]
        for give in chosen:
            give()

    def _give(self, give: Callable[[], None]) -> None:
        if self.held:
            self.waiting.append(give)
        else:
            give()


class Conversation:
    """A session with all its fakes. `send` gives octets and returns what was written because of them."""

    def __init__(
        self, *, delivery: FakeDelivery | None = None, rules: Rules = RULES, peer: FakePeer | None = None
    ) -> None:
        self.peer = peer or FakePeer(client="192.0.2.7", encrypted=False)
        self.delivery = delivery or FakeDelivery()
        self.journal = FakeJournal()
        self.trace = FakeTrace()
        self.session = Session(self.peer, self.delivery, self.journal, self.trace, rules)
        self.session.connected()

    def send(self, *pieces: bytes) -> bytes:
        before = len(self.peer.sent)
        for piece in pieces:
            self.session.receive(piece)
        return bytes(self.peer.sent[before:])

    def say(self, *lines: str) -> list[str]:
        """Send lines in one piece; return the replies' lines without CRLF."""
        return self.send("".join(f"{line}\r\n" for line in lines).encode()).decode().splitlines()

    def codes(self, *lines: str) -> list[str]:
        """As `say`, but only the codes: `250 2.1.0`."""
        return [" ".join(line.split(" ")[:2]) for line in self.say(*lines)]

    def open(self, *recipients: str, sender: str = "s@example.net") -> None:
        """LHLO, MAIL and RCPTs, all of which are accepted."""
        self.delivery.add(*recipients)
        self.say("LHLO mta.example.net")
        assert self.codes(f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{address}>" for address in recipients)) == [
            "250 2.1.0",
            *["250 2.1.5"] * len(recipients),
        ]

    @property
    def intake(self) -> FakeIntake:
        return self.delivery.intakes[-1]
