"""Replaces hashes that other servers made by our own, at the first right password. No sign-in waits for it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mailstore.errors import MailError
from mailstore.pg.pipeline import StatementFailed
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.sql.statements.sign_in import OWN_HASH

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

log = logging.getLogger("popadmin.signin")


def store(lanes: ConnectionPool, user: int, *, foreign: str, own: str) -> None:
    """Store `own` if the user still has the hash `foreign`. If it is not stored, the next sign-in tries again."""
    parameters = OWN_HASH.values(user_id=b"%d" % user, foreign=foreign.encode(), own=own.encode())
    lanes.write(((OWN_HASH, parameters),), _stored)


def _stored(answer: PGresult | MailError) -> None:
    if isinstance(answer, StatementFailed):
        log.error("the new hash of an imported password was not stored: %s", answer)
