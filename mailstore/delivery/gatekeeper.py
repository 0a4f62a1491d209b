"""What popadmin has to say before an MTA accepts a recipient, or a message of a user. It changes no mail."""

from __future__ import annotations

import re

from mailstore.delivery import recipient_lookup, sending_limit
from mailstore.errors import AliasOutside, Done, MailError, UnknownRecipient
from mailstore.ports import Recipient
from mailstore.sql.connection_pool import ConnectionPool

# A sender that SRS has rewritten (SRS0=HASH=TT=domain=local-part@ours): bounces come to it, and the MTA knows the way.
_REWRITTEN = re.compile(r"srs[01][-+=]", re.IGNORECASE)


class StoredGatekeeper:
    """ports.Gatekeeper over Postgres, for one worker, on its loop."""

    def __init__(self, lanes: ConnectionPool, hostname: str) -> None:
        self._lanes = lanes
        self._hostname = hostname
        self._renames = recipient_lookup.SeenRenames()

    def may_receive(self, address: str, octets: int | None, done: Done[None]) -> None:
        if _REWRITTEN.match(address):
            done(None)
            return

        def found(answer: Recipient | MailError) -> None:
            done(answer if isinstance(answer, MailError) and _is_ours(answer) else None)

        recipient_lookup.find(
            self._lanes, address, octets, found, hostname=self._hostname, seen=self._renames, advisory=True
        )

    def may_send(self, login: str, done: Done[None]) -> None:
        sending_limit.take(self._lanes, login, done)


def _is_ours(error: MailError) -> bool:
    """Return whether we know all about a recipient: not of one elsewhere, nor of an alias that the MTA expands."""
    return not (isinstance(error, AliasOutside) or (isinstance(error, UnknownRecipient) and error.elsewhere))
