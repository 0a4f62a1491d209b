"""A row of the timeline of a mailbox, whatever its source is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils.safestring import SafeString


@dataclass(frozen=True, slots=True)
class Undo:
    """A POST to `url` with these fields takes back what the row says."""

    url: str
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """A row. `at` is its latest time and `since` its earliest; `times` says how many visits it stands for.

    `trace_url` is the page of the trace with its answers. Adjacent rows of one day with the same `alike` are folded:
    messages and octets are added, and `words` says it anew.
    """

    at: datetime
    since: datetime
    icon: str
    words: Callable[[Event], SafeString | str]
    note: str = ""
    level: str = ""
    alike: tuple[object, ...] = ()
    times: int = 1
    messages: int = 0
    removed: int = 0
    unremoved: int = 0
    octets: int = 0
    undo: Undo | None = None
    trace_url: str = ""

    @property
    def css(self) -> str:
        """Return the class of its icon."""
        return f"icon-{self.level}" if self.level else ""

    @property
    def lasting(self) -> bool:
        """Return whether its rows are more than a minute apart."""
        return self.at.replace(second=0, microsecond=0) > self.since.replace(second=0, microsecond=0)

    @property
    def text(self) -> SafeString | str:
        return self.words(self)
