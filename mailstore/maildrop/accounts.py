"""The accounts of one worker: puts together what every sign-in needs. One sign-in is in `sign_in`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mailstore.errors import MailError
from mailstore.maildrop.diary_writer import Diary
from mailstore.maildrop.last_sign_in import LastSignIns
from mailstore.maildrop.listing_cache import Listings
from mailstore.maildrop.maildrop import MaildropContext
from mailstore.maildrop.password_check import Passwords
from mailstore.maildrop.refused_names import RefusedNames
from mailstore.maildrop.session_revocation import SessionRevocation
from mailstore.maildrop.sign_in import SignInContext, StoredSignIn
from mailstore.maildrop.sign_in_refusal import SignInRefusals
from mailstore.pg.pipeline import StatementFailed
from mailstore.policy.networks import KnownPairs
from mailstore.policy.throttle import Throttle
from mailstore.ports import BodyStore, Credentials, Done, Maildrop, OldServers, SignIn
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.sql.statements.sign_in import MOVING_DOMAINS, SITE_EXPIRY

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

log = logging.getLogger("popadmin.signin")


class StoredAccounts:
    """ports.Accounts over Postgres. Lives in one worker, on its loop, which calls `refresh` and the parts' `flush`."""

    def __init__(
        self,
        lanes: ConnectionPool,
        bodies: BodyStore,
        last_sign_ins: LastSignIns,
        old_servers: OldServers | None = None,
    ) -> None:
        self._lanes = lanes
        listings = Listings()
        lanes.on_return(listings.clear)
        self.diary = Diary(lanes)
        self.refused_names = RefusedNames(lanes)
        self._revocation = SessionRevocation(lanes)
        self._passwords = Passwords()
        self._moving_domains: set[str] = set()
        throttle = Throttle()
        self._context = SignInContext(
            MaildropContext(lanes, bodies, listings, self.diary, self._revocation),
            last_sign_ins,
            self._passwords,
            throttle,
            SignInRefusals(lanes, self._passwords, throttle, self.diary, self.refused_names),
            KnownPairs(),
            old_servers,
            self._moving_domains,
        )
        self._site_expire_days: tuple[int | None, bool] | None = None

    def sign_in(self, credentials: Credentials, done: Done[Maildrop]) -> SignIn:
        sign_in = StoredSignIn(self._context, credentials, done)
        sign_in.begin()
        return sign_in

    def note_malformed(self, address: str, client: str, tls: str | None) -> None:
        self._context.refusals.record_malformed(Credentials(address, "", client, loopback=False, tls=tls))

    def site_expire_days(self) -> tuple[int | None, bool] | None:
        return self._site_expire_days

    def refresh(self) -> None:
        """Read the expiry that CAPA announces before a sign-in, and which domains move. Called every half minute."""
        self._lanes.read(SITE_EXPIRY, (), self._refreshed)
        self._lanes.read(MOVING_DOMAINS, (), self._moving_found)

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

    def _moving_found(self, answer: PGresult | MailError) -> None:
        if isinstance(answer, StatementFailed):
            log.error("the domains that move could not be read: %s", answer)
        elif not isinstance(answer, MailError):
            self._moving_domains.clear()
            self._moving_domains.update((answer.get_value(row, 0) or b"").decode() for row in range(answer.ntuples))
