"""Who may send mail, for one worker: the sign-ins of POP3 with another purpose. One sign-in is in `sign_in`."""

from __future__ import annotations

from mailstore.maildrop.last_sign_in import LastSignIns
from mailstore.maildrop.sign_in import StoredSignIn
from mailstore.maildrop.sign_in_context import SignInContext
from mailstore.maildrop.sign_in_purpose import Sending
from mailstore.ports import Credentials, Done, OldServers, Sender, SignIn
from mailstore.sql.connection_pool import ConnectionPool


class StoredSenders:
    """ports.Senders over Postgres. Lives in one worker, on its loop.

    The loop calls `refresh`, `throttle.exchange` and the parts' `flush`. Workers with the same `site_key` share what
    they know of guessers.
    """

    def __init__(
        self,
        lanes: ConnectionPool,
        last_sign_ins: LastSignIns,
        old_servers: OldServers | None = None,
        *,
        site_key: bytes | None = None,
    ) -> None:
        self._context = SignInContext.of(lanes, last_sign_ins, old_servers, protocol="smtp", site_key=site_key)
        self.throttle = self._context.throttle
        self.diary = self._context.refusals.diary
        self.refused_names = self._context.refusals.names
        self._purpose = Sending(self.diary)

    def sign_in(self, credentials: Credentials, done: Done[Sender]) -> SignIn:
        sign_in = StoredSignIn(self._context, self._purpose, credentials, done)
        sign_in.begin()
        return sign_in

    def note_malformed(self, address: str, client: str, tls: str | None) -> None:
        self._context.refusals.record_malformed(Credentials(address, "", client, loopback=False, tls=tls))

    def refresh(self) -> None:
        """Read which domains move. Called every half minute."""
        self._context.moving_domains.refresh()

    def close(self) -> None:
        """End the threads."""
        self._context.passwords.close()
