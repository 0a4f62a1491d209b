"""What all sign-ins of a worker use: the database, the throttle, the hashes, the logs."""

from __future__ import annotations

from dataclasses import dataclass

from mailstore.maildrop.diary_writer import Diary
from mailstore.maildrop.last_sign_in import LastSignIns
from mailstore.maildrop.moving_domains import MovingDomains
from mailstore.maildrop.password_check import Passwords
from mailstore.maildrop.refused_names import RefusedNames
from mailstore.maildrop.shared_throttle import SharedThrottle
from mailstore.maildrop.sign_in_refusal import SignInRefusals
from mailstore.policy.networks import KnownPairs
from mailstore.ports import OldServers
from mailstore.sql.connection_pool import ConnectionPool


@dataclass(frozen=True, slots=True)
class SignInContext:
    """What all sign-ins of a worker use."""

    lanes: ConnectionPool
    last_sign_ins: LastSignIns
    passwords: Passwords
    throttle: SharedThrottle
    refusals: SignInRefusals
    known_pairs: KnownPairs
    old_servers: OldServers | None  # None: nobody moves here
    moving_domains: MovingDomains

    @classmethod
    def of(
        cls,
        lanes: ConnectionPool,
        last_sign_ins: LastSignIns,
        old_servers: OldServers | None,
        *,
        protocol: str,
        site_key: bytes | None,
    ) -> SignInContext:
        """Make the context of one worker; `protocol` is the word for it in RefusedName.

        Workers with the same `site_key` count the failures of all of them; None: this one counts alone.
        """
        passwords, throttle = Passwords(site_key), SharedThrottle(lanes, site_key)
        refusals = SignInRefusals(lanes, passwords, throttle, Diary(lanes), RefusedNames(lanes, protocol))
        moving_domains = MovingDomains(lanes)
        return cls(lanes, last_sign_ins, passwords, throttle, refusals, KnownPairs(), old_servers, moving_domains)
