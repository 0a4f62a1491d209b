"""Who signed in last, and from where: kept for a moment and written in batches, so that a poll writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from mailstore.store import literals
from mailstore.store.lanes import Lanes
from mailstore.store.statements import SIGHTINGS

BATCH_LIMIT = 2000  # devices told in one statement; a busier moment is written earlier


def _ignore(_answer: object) -> None:
    """The lane has logged what went wrong."""


class Sightings:
    """Call `flush` every second or so and at the end. The newest sighting of a device wins; losing one is harmless."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._seen: dict[int, tuple[datetime, str | None]] = {}

    def add(self, device: int, client: str) -> None:
        """Note a sign-in from an IP address, or from "unix"."""
        self._seen[device] = (datetime.now(UTC), _inet(client))
        if len(self._seen) >= BATCH_LIMIT:
            self.flush()

    def flush(self, done: Callable[[object], None] = _ignore) -> None:
        """Write what was seen; `done` is called once, whatever came of it."""
        if not self._seen:
            done(None)
            return
        seen, self._seen = self._seen, {}
        times = literals.texts(at.isoformat() for at, _ in seen.values())
        clients = literals.texts(client for _, client in seen.values())
        self._lanes.write(((SIGHTINGS, (literals.bigints(seen), times, clients)),), done)


def _inet(client: str) -> str | None:
    """As Postgres takes it: an address without the name of its link (RFC 4007 §11), NULL for a unix socket."""
    return None if client == "unix" else client.partition("%")[0]
