"""The accounts of one worker: puts together what every sign-in needs. One sign-in is in `sign_in`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mailstore.errors import MailError
from mailstore.maildrop.last_sign_in import LastSignIns
from mailstore.maildrop.listing_cache import Listings
from mailstore.maildrop.maildrop import MaildropContext
from mailstore.maildrop.session_revocation import SessionRevocation
from mailstore.maildrop.sign_in import StoredSignIn
from mailstore.maildrop.sign_in_context import SignInContext
from mailstore.maildrop.sign_in_purpose import Fetching
from mailstore.models import RefusedName
from mailstore.pg.pipeline import StatementFailed
from mailstore.ports import BodyStore, Credentials, Done, Maildrop, OldServers, SignIn, WrongStart
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.sql.statements.sign_in import SITE_EXPIRY

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

log = logging.getLogger("popadmin.signin")


class StoredAccounts:
    """ports.Accounts over Postgres. Lives in one worker, on its loop.

    The loop calls `refresh`, `throttle.exchange` and the parts' `flush`. Workers with the same `site_key` share what
    they know of guessers.
    """

    def __init__(
        self,
        lanes: ConnectionPool,
        bodies: BodyStore,
        last_sign_ins: LastSignIns,
        old_servers: OldServers | None = None,
        *,
        site_key: bytes | None = None,
    ) -> None:
        self._lanes = lanes
        listings = Listings()
        lanes.on_return(listings.clear)
        self._context = SignInContext.of(lanes, last_sign_ins, old_servers, protocol="pop3", site_key=site_key)
        self.throttle = self._context.throttle
        self.diary = self._context.refusals.diary
        self.refused_names = self._context.refusals.names
        self._passwords = self._context.passwords
        self._revocation = SessionRevocation(lanes)
        maildrops = MaildropContext(lanes, bodies, listings, self.diary, self._revocation)
        self._purpose = Fetching(maildrops, last_sign_ins, old_servers)
        self._site_expire_days: tuple[int | None, bool] | None = None

    def sign_in(self, credentials: Credentials, done: Done[Maildrop]) -> SignIn:
        sign_in = StoredSignIn(self._context, self._purpose, credentials, done)
        sign_in.begin()
        return sign_in

    def note_malformed(self, address: str, client: str, tls: str | None) -> None:
        self._context.refusals.record_malformed(Credentials(address, "", client, loopback=False, tls=tls))

    def note_wrong_start(self, start: WrongStart, client: str) -> None:
        self.refused_names.misled(client, RefusedName.Reason(start.value))

    def site_expire_days(self) -> tuple[int | None, bool] | None:
        return self._site_expire_days

    def refresh(self) -> None:
        """Read the expiry that CAPA announces before a sign-in, and which domains move. Called every half minute."""
        self._lanes.read(SITE_EXPIRY, (), self._refreshed)
        self._context.moving_domains.refresh()

    def close(self) -> None:
        """End timers and threads."""
        self._revocation.close()
        self._passwords.close()

    def _refreshed(self, answer: PGresult | MailError) -> None:
        if isinstance(answer, StatementFailed):
            log.error("the site's expiry could not be read: %s", answer)
        elif not isinstance(answer, MailError):
            days = answer.get_value(0, 0)
            self._site_expire_days = (int(days) if days else None, answer.get_value(0, 1) == b"t")
