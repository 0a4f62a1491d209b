"""A body store without bodies, for tests of what a sweep does to rows."""

from __future__ import annotations

from collections.abc import Iterator


class Bodiless:
    """What the sweep asks of ports.BodyStore."""

    def litter(self, older_than_seconds: float) -> Iterator[str]:
        return iter(())

    def remove(self, key: str) -> None:
        """Nothing is there."""
