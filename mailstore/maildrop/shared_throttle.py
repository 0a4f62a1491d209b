"""One budget for guessers over all workers of POP3 and SASL: each tells the others what it counts.

A worker decides by its own memory, so no sign-in waits for another worker. It writes its failures, and reads those of
the others, once a second, by way of a small table. So a guesser who goes from one worker to the next gains a second.
What was written while a worker could not read it is lost to that worker.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from mailstore.errors import MailError
from mailstore.pg import array_literals
from mailstore.pg.pipeline import StatementFailed
from mailstore.policy.addresses import BadAddress, normal_address
from mailstore.policy.throttle import Throttle
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.sql.statements.shared_failures import FAILURES, FORGET_FAILURES, SHARE_FAILURES

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from mailstore.pg.statement import Parameters

log = logging.getLogger("popadmin.signin")

WAITING_AT_MOST = 1000  # news of one second; a flood beyond it is counted where it came in
NAME_OCTETS = 16  # of the digest that stands for a name that is no address


class Kind(StrEnum):
    """What a worker tells the others."""

    FAILED = "failed"
    FORGIVEN = "forgiven"
    SUCCEEDED = "succeeded"


class News(NamedTuple):
    """One thing that the others should count, as the arguments of Throttle."""

    kind: Kind
    client: str
    account: str
    secret: bytes = b""
    unknown: bool = False
    loopback: bool = False


class SharedThrottle(Throttle):
    """The throttle of one worker. Call `exchange` every second. Without a key of the site it counts alone."""

    def __init__(self, lanes: ConnectionPool, site_key: bytes | None) -> None:
        super().__init__()
        self._lanes = lanes
        self._key = site_key or os.urandom(32)
        self._writer = str(uuid4()).encode()
        self._waiting: list[News] = []
        self._seen: set[int] = set()  # news that were counted and may be read again

    def failed(self, client: str, account: str, secret: bytes, now: float, *, unknown: bool, loopback: bool) -> float:
        self._tell(News(Kind.FAILED, client, account, secret, unknown, loopback))
        return super().failed(client, account, secret, now, unknown=unknown, loopback=loopback)

    def forgive(self, client: str, account: str, secret: bytes) -> None:
        self._tell(News(Kind.FORGIVEN, client, account, secret))
        super().forgive(client, account, secret)

    def share_success(self, client: str, account: str) -> None:
        """Tell the others of the first good sign-in of this account from there within a day."""
        self._tell(News(Kind.SUCCEEDED, client, account))

    def exchange(self) -> None:
        """Write what is news here, and count what is news elsewhere."""
        if self._waiting:
            news, self._waiting = self._waiting, []
            steps = ((SHARE_FAILURES, self._parameters(news)), (FORGET_FAILURES, ()))
            self._lanes.write(steps, self._written)
        self._lanes.read(FAILURES, FAILURES.values(writer=self._writer), self._read)

    def _tell(self, news: News) -> None:
        if len(self._waiting) < WAITING_AT_MOST:
            self._waiting.append(news._replace(account=self._shared_name(news.account)))

    def _shared_name(self, account: str) -> str:
        """Return an address as it is, and a digest of any other text: it may be a password in the wrong field."""
        try:
            if normal_address(account) == account:
                return account
        except (BadAddress, UnicodeEncodeError):
            pass
        data = account.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(data, key=self._key, digest_size=NAME_OCTETS).hexdigest()

    def _parameters(self, news: list[News]) -> Parameters:
        return SHARE_FAILURES.values(
            writer=self._writer,
            kinds=array_literals.texts(one.kind for one in news),
            clients=array_literals.texts(one.client for one in news),
            accounts=array_literals.texts(one.account for one in news),
            secrets=array_literals.data(one.secret for one in news),
            unknown=array_literals.booleans(one.unknown for one in news),
            loopback=array_literals.booleans(one.loopback for one in news),
        )

    def _written(self, answer: PGresult | MailError) -> None:
        if isinstance(answer, StatementFailed):
            log.error("failed sign-ins were not told to the other workers: %s", answer)

    def _read(self, answer: PGresult | MailError) -> None:
        if isinstance(answer, StatementFailed):
            log.error("the failed sign-ins of the other workers could not be read: %s", answer)
        if isinstance(answer, MailError):
            return
        rows = {int(answer.get_value(row, 0) or 0): row for row in range(answer.ntuples)}
        for row in (row for key, row in rows.items() if key not in self._seen):
            self._count(_news(answer, row))
        self._seen = set(rows)

    def _count(self, news: News) -> None:
        now = asyncio.get_running_loop().time()
        if news.kind is Kind.SUCCEEDED:
            super().succeeded(news.client, news.account, now)
        elif news.kind is Kind.FORGIVEN:
            super().forgive(news.client, news.account, news.secret)
        else:
            super().failed(
                news.client, news.account, news.secret, now, unknown=news.unknown, loopback=news.loopback
            )  # fmt: skip


def _news(answer: PGresult, row: int) -> News:
    kind, client, account, secret, unknown, loopback = (answer.get_value(row, at) or b"" for at in range(1, 7))
    return News(
        Kind(kind.decode()),
        client.decode(),
        account.decode(),
        bytes.fromhex(secret[2:].decode()),
        unknown=unknown == b"t",
        loopback=loopback == b"t",
    )
