"""Records refused sign-ins, after the reply is decided: of existing mailboxes in the diary, others by name.

A refused password that was right before the last change has an entry of its own kind: a device has missed the change.
To find out takes a second slow hash, unless this process has verified it before. It is made only while no sign-in waits
for a hash. Each wrong password waits a moment for its answer anyway, so mostly the log can say it too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mailstore.errors import MailError
from mailstore.maildrop.diary_record import DiaryEntry, SessionOrigin, address
from mailstore.maildrop.diary_writer import Diary
from mailstore.maildrop.password_check import Answer, Check, Passwords
from mailstore.maildrop.refused_names import RefusedNames
from mailstore.maildrop.shared_throttle import SharedThrottle
from mailstore.models import DiarySession
from mailstore.pg.pipeline import StatementFailed
from mailstore.policy.addresses import BadAddress, normal_address
from mailstore.policy.hash_queue import QueueName
from mailstore.ports import Credentials
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.sql.statements.diary import PREVIOUS_PASSWORD
from mailstore.sql.statements.sign_in import MAILBOX_OF

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

log = logging.getLogger("popadmin.signin")

Why = DiarySession.Ended


@dataclass(frozen=True, slots=True)
class SignInRefusals:
    """The refused sign-ins of one worker."""

    lanes: ConnectionPool
    passwords: Passwords
    throttle: SharedThrottle
    diary: Diary
    names: RefusedNames

    def record(self, why: str, mailbox: int, credentials: Credentials, device: int | None = None) -> None:
        """Record a refusal; `device` is the one whose secret was right, if any was."""
        now = datetime.now(UTC)
        origin = SessionOrigin(mailbox, device, address(credentials.client), credentials.tls or "")
        self.diary.add(DiaryEntry(origin, now, now, why))

    def record_malformed(self, credentials: Credentials) -> None:
        """Record a sign-in whose secret could not be read, if its name is that of a mailbox."""

        def found(answer: PGresult | MailError) -> None:
            if isinstance(answer, StatementFailed):
                log.error("the mailbox of a sign-in could not be read: %s", answer)
            if not isinstance(answer, MailError) and answer.ntuples:
                self.record(Why.MALFORMED.value, int(answer.get_value(0, 0) or 0), credentials)

        with suppress(BadAddress, UnicodeEncodeError):
            address = normal_address(credentials.address).encode()
            self.lanes.read(MAILBOX_OF, MAILBOX_OF.values(address=address), found)

    def record_wrong_password(self, mailbox: int, credentials: Credentials, *, was_right: Callable[[], None]) -> None:
        """Record a wrong password, after checking if it is the previous one; then call `was_right` too."""

        def compare(answer: PGresult | MailError) -> None:
            if isinstance(answer, StatementFailed):
                log.error("a previous password could not be read: %s", answer)
            if isinstance(answer, MailError) or not answer.ntuples:
                self.record(Why.WRONG.value, mailbox, credentials)
                return
            encoded = (answer.get_value(0, 0) or b"").decode()
            if self.passwords.known(credentials.secret, encoded):  # it was tried before
                checked(True)
            elif self.passwords.busy():
                self.record(Why.WRONG.value, mailbox, credentials)
            else:
                self.passwords.check(_check(credentials, encoded, checked))

        def checked(right: bool | MailError) -> None:
            if right is True:
                was_right()
                self.throttle.forgive(credentials.client, credentials.address, self.passwords.guess(credentials.secret))
            self.record(Why.PREVIOUS.value if right is True else Why.WRONG.value, mailbox, credentials)

        self.lanes.read(PREVIOUS_PASSWORD, PREVIOUS_PASSWORD.values(mailbox_id=b"%d" % mailbox), compare)


def _check(credentials: Credentials, encoded: str, done: Answer) -> Check:
    """Return a check that waits until no other waits."""
    return Check(
        account=credentials.address,
        network=None,
        queue=QueueName.LAST,
        secret=credentials.secret,
        encoded=encoded,
        done=done,
    )
