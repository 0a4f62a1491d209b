"""The timeline of a mailbox: mail, visits of devices, removals and people's changes in one list, latest first.

Each source gives a bounded number of rows before a time; what is alike and adjacent is folded. It has no content of
mail: sizes, counts and times only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

from mailstore.models import Mailbox, User
from popadmin.panel.timeline_event import Event
from popadmin.panel.timeline_sources import ALL, PAGE_ROWS, SOURCES

KINDS: dict[str, Promise] = {
    "": pgettext_lazy("timeline", "Everything"),
    "deliveries": gettext_lazy("Deliveries"),
    "fetches": gettext_lazy("Fetches"),
    "removals": gettext_lazy("Removals"),
    "changes": gettext_lazy("Changes by people"),
    "refused": gettext_lazy("Refused sign-ins"),
}


@dataclass(frozen=True, slots=True)
class Day:
    """The rows of one day of the reader."""

    date: date
    events: list[Event]


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of it. `older` is the time before which the next page begins; None on the last page."""

    days: list[Day]
    older: datetime | None


def page(mailbox: Mailbox, user: User, *, kind: str, before: datetime | None) -> Timeline:
    """Return the events before that time; `kind` is one of KINDS."""
    sources = [source(mailbox, user, before, kind) for source in SOURCES.get(kind, ALL)]
    events = sorted((event for source in sources for event in source), key=lambda event: event.at, reverse=True)
    taken = _complete(events, sources)
    older = taken[-1].at if (taken and len(taken) < len(events)) or (any(map(_is_cut, sources)) and taken) else None
    days = groupby(taken, key=lambda event: timezone.localtime(event.at).date())
    return Timeline([Day(day, _folded(list(rows))) for day, rows in days], older)


def _is_cut(source: Sequence[Event]) -> bool:
    return len(source) >= PAGE_ROWS


def _complete(events: list[Event], sources: Iterable[Sequence[Event]]) -> list[Event]:
    """Return a page of events, down to where a source may miss some; what happened at one time stays together."""
    horizon = max((source[-1].at for source in sources if _is_cut(source)), default=None)
    known = [event for event in events if horizon is None or event.at > horizon] or events
    if len(known) <= PAGE_ROWS:
        return known
    last = known[PAGE_ROWS - 1].at
    return [event for event in known if event.at >= last]


def _folded(events: list[Event]) -> list[Event]:
    rows: list[Event] = []
    for event in events:
        if rows and event.alike and rows[-1].alike == event.alike:
            rows[-1] = _joined(rows[-1], event)
        else:
            rows.append(event)
    return rows


def _joined(later: Event, earlier: Event) -> Event:
    return replace(
        later,
        since=earlier.since,
        times=later.times + earlier.times,
        messages=later.messages + earlier.messages,
        removed=later.removed + earlier.removed,
        unremoved=later.unremoved + earlier.unremoved,
        octets=later.octets + earlier.octets,
    )
