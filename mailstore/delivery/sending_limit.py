"""Takes each message that a user sends from the budget of the mailbox and from that of its domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mailstore.errors import Done, MailError, SendingLimitReached, SendingOff
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.sql.statements.sending import LOCK_BUDGETS, OPEN_BUDGETS, SENDING_LIMITS, TAKE_FROM_BUDGETS

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult


class _Limits(NamedTuple):
    """The row of SENDING_LIMITS, as Postgres printed it, but its last column; None is no limit."""

    mailbox_id: bytes | None
    domain_id: bytes | None
    mailbox_hourly: bytes | None
    mailbox_daily: bytes | None
    domain_hourly: bytes | None
    domain_daily: bytes | None

    @property
    def any(self) -> bool:
        return any(limit is not None for limit in self[2:])


_MAY_SEND = len(_Limits._fields)  # the last column


def take(lanes: ConnectionPool, login: str, done: Done[None]) -> None:
    """Take one message, if there are limits. A login of nobody here has none.

    SendingLimitReached, Unavailable; SendingOff for a user who may send no more since the sign-in.
    """

    def found(answer: PGresult | MailError) -> None:
        if isinstance(answer, MailError):
            done(answer)
        elif not answer.ntuples:
            done(None)
        elif answer.get_value(0, _MAY_SEND) != b"t":
            done(SendingOff(login))
        elif (limits := _limits(answer)).any:
            _take(lanes, login, limits, done)
        else:
            done(None)

    lanes.read(SENDING_LIMITS, SENDING_LIMITS.values(address=login.encode("utf-8", "replace")), found)


def _limits(answer: PGresult) -> _Limits:
    return _Limits(*(answer.get_value(0, column) for column in range(len(_Limits._fields))))


def _take(lanes: ConnectionPool, login: str, limits: _Limits, done: Done[None]) -> None:
    def taken(answer: PGresult | MailError) -> None:
        if isinstance(answer, MailError):
            done(answer)
        elif answer.get_value(0, 0) == b"t":
            done(None)
        else:
            done(SendingLimitReached(login))

    holders = {"mailbox_id": limits.mailbox_id, "domain_id": limits.domain_id}
    steps = (
        (OPEN_BUDGETS, OPEN_BUDGETS.values(**holders)),
        (LOCK_BUDGETS, LOCK_BUDGETS.values(**holders)),
        (TAKE_FROM_BUDGETS, TAKE_FROM_BUDGETS.values(**limits._asdict())),
    )
    lanes.write(steps, taken)
