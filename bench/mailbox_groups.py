"""The groups of mailboxes of the benchmark: their users, and the mail in them before anything is measured."""

from __future__ import annotations

from dataclasses import dataclass

from bench import mail


@dataclass(frozen=True, slots=True)
class Group:
    """Mailboxes that are alike. Each gets all messages of `mail` (a name in mail.COLLECTIONS), as copies of its own.

    `copies`: the only message is duplicated until there are so many. `slow_hash`: passwords are stored as argon2id.
    """

    name: str
    count: int
    mail: str | None = None
    copies: int | None = None
    slow_hash: bool = False

    @property
    def users(self) -> tuple[str, ...]:
        return tuple(f"{self.name}-{index}@{mail.DOMAIN}" for index in range(self.count))


POLLED = Group("polled", 16, mail="ordinary")
SLOW_HASHED = Group("slow-hashed", 8, mail="ordinary", slow_hash=True)
LARGE = Group("large", 4, mail="large")
HUGE = Group("huge", 2, mail="tiny", copies=20_000)
DRAINED = Group("drained", 6)
RECIPIENTS = Group("into", 32)
ONE_RECIPIENT = Group("into-one", 1)
