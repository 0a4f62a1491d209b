"""A body store without bodies, for tests of the rows that a sweep changes."""

from __future__ import annotations

from collections.abc import Iterator

from mailstore.ports import BodyRef
from mailstore.ports.bodies import QuarantinedBody


class EmptyBodyStore:
    """What the sweep asks of ports.BodyStore."""

    def litter(self, older_than_seconds: float) -> Iterator[str]:
        return iter(())

    def keys(self) -> Iterator[str]:
        return iter(())

    def quarantined(self, older_than_days: float = 0) -> Iterator[QuarantinedBody]:
        return iter(())

    def store_id(self) -> str | None:
        return None

    def set_store_id(self, store_id: str) -> None:
        """It cannot be tied."""

    def verify(self, ref: BodyRef) -> bool:
        """Whole, like all that is not there."""
        return False

    def remove(self, key: str) -> None:
        """Nothing is there."""
