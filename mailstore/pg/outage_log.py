"""What a worker's log says of its database: once that it is away, once that it is back; it changes nothing."""

from __future__ import annotations

import logging

log = logging.getLogger("popadmin.database")


class OutageLog:
    """Shared by the lanes of a worker: what happens to the server happens to all of them at about the same moment."""

    def __init__(self) -> None:
        self._away: set[object] = set()

    def lost(self, lane: object, why: str) -> None:
        """Call whenever a lane has no connection and gets none."""
        if not self._away:
            log.error("the database cannot be reached, trying again until it can: %s", why)
        self._away.add(lane)

    def came(self, lane: object) -> None:
        """Call whenever a lane has a new connection."""
        if lane not in self._away:
            return
        self._away.discard(lane)
        if not self._away:
            log.info("the database is back")
