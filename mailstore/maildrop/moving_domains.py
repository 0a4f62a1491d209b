"""The domains whose old server is asked for passwords: all refusals in them take the same time and get one reply."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mailstore.errors import MailError
from mailstore.pg.pipeline import StatementFailed
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.sql.statements.sign_in import MOVING_DOMAINS

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

log = logging.getLogger("popadmin.signin")


class MovingDomains:
    """The domains as one worker knows them. Call `refresh` every half minute or so."""

    def __init__(self, lanes: ConnectionPool) -> None:
        self._lanes = lanes
        self.servers: dict[str, str | None] = {}  # by domain, the URL; None: names in it may lead to any that moves

    def refresh(self) -> None:
        """Read them again."""
        self._lanes.read(MOVING_DOMAINS, (), self._found)

    def _found(self, answer: PGresult | MailError) -> None:
        if isinstance(answer, StatementFailed):
            log.error("the domains that move could not be read: %s", answer)
        elif not isinstance(answer, MailError):
            rows = ((answer.get_value(row, 0), answer.get_value(row, 1)) for row in range(answer.ntuples))
            self.servers = {(name or b"").decode(): server.decode() if server else None for name, server in rows}
