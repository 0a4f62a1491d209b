"""The last sign-in of each device: kept for a moment and written in batches, so that a poll writes nothing itself."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from mailstore.errors import MailError
from mailstore.maildrop import diary_record
from mailstore.pg import array_literals
from mailstore.pg.pipeline import StatementFailed
from mailstore.pg.statement import Parameters, Statement
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.sql.statements.sign_in import KNOWN_NETWORKS, SIGHTINGS

log = logging.getLogger("popadmin.signin")

BATCH_LIMIT = 2000  # devices in one statement; with so many it is written at once
KEPT_LIMIT = BATCH_LIMIT // 2  # devices kept of batches that failed; others are written at their next sign-in
REFUSALS_AT_MOST = 3  # a batch may meet a lock or a deadlock; one that the server refuses so often is given up


@dataclass(frozen=True, slots=True)
class _LastSignIn:
    at: datetime
    client: str | None
    refusals: int = 0


@dataclass(frozen=True, slots=True)
class _KnownNetwork:
    at: datetime
    lost: Callable[[], None]


class LastSignIns:
    """The last sign-ins of one worker. Call `flush` every second or so and at the end. Losing one is harmless."""

    def __init__(self, lanes: ConnectionPool) -> None:
        self._lanes = lanes
        self._seen: dict[int, _LastSignIn] = {}
        self._networks: dict[tuple[int, str], _KnownNetwork] = {}  # by user and network

    def add(self, device: int, client: str) -> None:
        """Note that a device signed in from an IP address or from "unix"; it replaces an earlier one."""
        self._seen[device] = _LastSignIn(datetime.now(UTC), diary_record.address(client))
        if len(self._seen) >= BATCH_LIMIT:
            self.flush()

    def know(self, user: int, network: str, *, lost: Callable[[], None]) -> None:
        """Note that a user signed in from a network. Call it before `add`, which may write both.

        `lost` is called where it will not be written; then a later sign-in has to note it again.
        """
        if len(self._networks) < KEPT_LIMIT:
            self._networks[user, network] = _KnownNetwork(datetime.now(UTC), lost)
        else:
            lost()

    def flush(self, done: Callable[[object], None] = lambda _: None) -> None:
        """Write what was noted. `done` is called once, even if writing failed; then it is kept for the next time."""
        if not (self._seen or self._networks):
            done(None)
            return
        seen, self._seen = self._seen, {}
        networks, self._networks = self._networks, {}

        def written(answer: object) -> None:
            if isinstance(answer, MailError):
                self._take_back(seen, networks, answer)
            done(answer)

        steps = [*([_sightings(seen)] if seen else []), *([_known(networks)] if networks else [])]
        self._lanes.write(steps, written)

    def _take_back(
        self, seen: dict[int, _LastSignIn], networks: dict[tuple[int, str], _KnownNetwork], error: MailError
    ) -> None:
        """Keep what was not written. Networks that the server refused are lost: a later sign-in notes them again.

        Only a refusal is logged here; the connection logs that the server is away.
        """
        refused = isinstance(error, StatementFailed)
        if refused:
            log.error("the last sign-ins of %d devices were not written: %s", len(seen), error)
            seen = {device: replace(one, refusals=one.refusals + 1) for device, one in seen.items()}
        for key, network in networks.items():
            if refused or len(self._networks) >= KEPT_LIMIT:
                network.lost()
            else:
                self._networks.setdefault(key, network)
        for device, one in seen.items():
            if len(self._seen) >= KEPT_LIMIT:
                return
            if one.refusals < REFUSALS_AT_MOST:
                self._seen.setdefault(device, one)


def _sightings(seen: dict[int, _LastSignIn]) -> tuple[Statement, Parameters]:
    times = array_literals.texts(one.at.isoformat() for one in seen.values())
    clients = array_literals.texts(one.client for one in seen.values())
    return SIGHTINGS, SIGHTINGS.values(device_ids=array_literals.bigints(seen), times=times, clients=clients)


def _known(networks: dict[tuple[int, str], _KnownNetwork]) -> tuple[Statement, Parameters]:
    users = array_literals.bigints(user for user, _network in networks)
    names = array_literals.texts(network for _user, network in networks)
    times = array_literals.texts(one.at.isoformat() for one in networks.values())
    return KNOWN_NETWORKS, KNOWN_NETWORKS.values(user_ids=users, networks=names, times=times)
