"""The domains whose old server is asked for passwords: all refusals in them take the same time."""

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
        self.names: set[str] = set()

    def refresh(self) -> None:
        """Read the names again."""
        self._lanes.read(MOVING_DOMAINS, (), self._found)

    def _found(self, answer: PGresult | MailError) -> None:
        if isinstance(answer, StatementFailed):
            log.error("the domains that move could not be read: %s", answer)
        elif not isinstance(answer, MailError):
            self.names = {(answer.get_value(row, 0) or b"").decode() for row in range(answer.ntuples)}
