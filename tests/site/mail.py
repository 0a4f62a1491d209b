"""Mail through the real delivery and maildrops, and a check of all counters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.db import connection

from mailstore.delivery.delivery import StoredDelivery
from mailstore.errors import MailError
from mailstore.maildrop.accounts import StoredAccounts
from mailstore.ports import (
    Credentials,
    Delivered,
    Envelope,
    Handled,
    Intake,
    Maildrop,
    Message,
    Recipient,
    SessionRecord,
)
from tests.site.rows import PASSWORD
from tests.site.worker import Ask, Worker

ENVELOPE = Envelope(
    sender="sender@elsewhere.example",
    client_name="mx.elsewhere.example",
    client="192.0.2.25",
    encrypted=False,
    protocol="LMTP",
)


class Mail:
    """What an MTA and mail programs do, on one worker."""

    def __init__(self, worker: Worker, delivery: StoredDelivery, accounts: StoredAccounts) -> None:
        self.worker = worker
        self.delivery = delivery
        self.accounts = accounts

    # --- in -------------------------------------------------------------------------------------------------------

    def recipient(self, address: str, octets: int | None = None) -> Recipient | MailError:
        return self.worker.ask(lambda done: self.delivery.recipient(address, octets, done))

    def intake(self, wire: bytes, envelope: Envelope = ENVELOPE) -> Intake:
        intake = self.delivery.begin(envelope)
        intake.write(wire)
        return intake

    def commit(self, recipients: Sequence[Recipient], wire: bytes, **envelope: object) -> list[Delivered | MailError]:
        """Hand a message in for recipients accepted before; return the answer of each."""
        return self.commits((recipients, wire), **envelope)[0]

    def commits(
        self, *messages: tuple[Sequence[Recipient], bytes], **envelope: object
    ) -> list[list[Delivered | MailError]]:
        """The same for several messages at the same time."""
        answers: list[dict[int, Delivered | MailError]] = [{} for _ in messages]

        async def begin() -> None:
            for kept, (recipients, wire) in zip(answers, messages, strict=True):
                intake = self.intake(wire, replace(ENVELOPE, **envelope))
                intake.commit(recipients, len(wire), lambda index, answer, kept=kept: _keep(kept, index, answer))

        self.worker.run(begin())
        complete = [len(recipients) for recipients, _ in messages]
        self.worker.until(lambda: [len(kept) for kept in answers] == complete, "every recipient has an answer")
        return [[kept[index] for index in sorted(kept)] for kept in answers]

    def deliver(self, address: str, wire: bytes = b"Subject: hello\r\n\r\nthere\r\n") -> Delivered | MailError:
        """Both steps for one recipient; what RCPT refuses is the answer."""
        found = self.recipient(address)
        return found if isinstance(found, MailError) else self.commit([found], wire)[0]

    # --- out ------------------------------------------------------------------------------------------------------

    def opening(self, address: str, secret: str = PASSWORD) -> Ask:
        credentials = Credentials(address, secret, "192.0.2.7", loopback=False)
        return lambda done: self.accounts.sign_in(credentials, done)

    def open(self, address: str, secret: str = PASSWORD) -> Maildrop:
        return self.worker.get(self.opening(address, secret))

    def uidls(self, maildrop: Maildrop) -> list[str]:
        listing = self.worker.get(maildrop.listing)
        assert (len(listing), sum(listing.octets)) == (maildrop.messages, maildrop.octets)
        return list(listing.uidls)

    def message(self, maildrop: Maildrop, number: int) -> Message | MailError:
        return self.worker.ask(lambda done: maildrop.message(number, done))

    def read(self, maildrop: Maildrop, number: int) -> bytes:
        """The wire form of one message; it must be as long as announced."""
        message = self.message(maildrop, number)
        assert not isinstance(message, MailError), message
        wire = message.prefix + message.body.read(0, message.body.wire_octets)
        message.body.close()
        return wire

    def remove(self, maildrop: Maildrop, *numbers: int) -> int | MailError:
        self.worker.get(maildrop.listing)
        return self.worker.ask(lambda done: maildrop.remove(numbers, done))

    def end(
        self,
        maildrop: Maildrop,
        *,
        fetched: Sequence[int] = (),
        confirmed: int | None = None,
        removed: Sequence[int] = (),
        reason: str = "quit",
        unremoved: int = 0,
        listed: bool = True,
    ) -> None:
        """The session is over, and the diary has it; the client has all it fetched unless `confirmed` says how many."""
        self.worker.get(maildrop.listing)
        record = SessionRecord("192.0.2.7", reason=reason, octets_out=1000)
        had = len(fetched) if confirmed is None else confirmed
        maildrop.ended(record, Handled(fetched, had, removed, unremoved, listed))
        self.flush()

    def flush(self) -> None:
        """Write the diary. What a batch passes over, because a sighting locks its row just then, is in the next one."""
        for _batch in range(2):
            self.worker.ask(lambda done: self.accounts.diary.flush(lambda: done(None), every=True))

    def fetch(self, address: str, secret: str, *numbers: int) -> None:
        """A session that fetches and quits."""
        self.end(self.open(address, secret), fetched=numbers)


def _keep(kept: dict[int, Delivered | MailError], index: int, answer: Delivered | MailError) -> None:
    assert index not in kept, "a recipient was answered twice"
    kept[index] = answer


_SUMS = """
SELECT x.id, x.messages, x.octets, count(m.id), coalesce(sum(m.octets), 0)
  FROM mailstore_mailbox x LEFT JOIN mailstore_message m ON m.mailbox_id = x.id AND m.removed IS NULL
 GROUP BY x.id
"""
_RECOVERY_SUMS = """
SELECT x.id, x.recovery_messages, x.recovery_octets, count(m.id), coalesce(sum(m.octets), 0)
  FROM mailstore_mailbox x LEFT JOIN mailstore_message m ON m.mailbox_id = x.id AND m.removed IS NOT NULL
 GROUP BY x.id
"""
_HIDDEN_SUMS = """
SELECT d.id, d.hidden_messages, d.hidden_octets, count(m.id), coalesce(sum(m.octets), 0)
  FROM mailstore_device d
  LEFT JOIN mailstore_message m ON m.mailbox_id = d.mailbox_id AND m.removed IS NULL AND d.hidden @> m.added
 GROUP BY d.id
"""


def assert_counters_are_sums() -> None:
    """Law 3: the counters of mailboxes, recovery and views equal the sums over their rows."""
    with connection.cursor() as cursor:
        for statement in (_SUMS, _RECOVERY_SUMS, _HIDDEN_SUMS):
            cursor.execute(statement)
            for key, messages, octets, rows, row_octets in cursor.fetchall():
                assert (key, messages, octets) == (key, rows, row_octets)
