"""The mailboxes of the benchmark as data: who they are and what lies in them before anything is measured."""

from __future__ import annotations

from dataclasses import dataclass

from bench import mail


@dataclass(frozen=True, slots=True)
class Group:
    """Mailboxes alike. Each gets the whole `mail` (a name of mail.COLLECTIONS), one by one, as copies of its own.

    `multiplied`: its only message is then made so many by any means. `slow_hash`: its passwords' hash is argon2id.
    """

    name: str
    count: int
    mail: str | None = None
    multiplied: int | None = None
    slow_hash: bool = False

    @property
    def users(self) -> tuple[str, ...]:
        return tuple(f"{self.name}-{index}@{mail.DOMAIN}" for index in range(self.count))


POLLED = Group("polled", 16, mail="ordinary")
SLOW_HASHED = Group("slow-hashed", 8, mail="ordinary", slow_hash=True)
LARGE = Group("large", 4, mail="large")
HUGE = Group("huge", 2, mail="tiny", multiplied=20_000)
DRAINED = Group("drained", 6)
INTO = Group("into", 32)
INTO_ONE = Group("into-one", 1)
