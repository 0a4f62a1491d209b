"""The rows that a user has ticked in a list, kept in the session while they search, sort and turn pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.sessions.backends.base import SessionBase

from popadmin.lists.columns import Rows

TICKED_MOST = 5_000  # one by one; a session of 40 KB


class Choice:
    """The selection of one list in one session: single ticked rows, or all that the filters `found_by` find, without
    those that were unticked since."""

    def __init__(self, session: SessionBase, name: str, found_by: str) -> None:
        self._session = session
        self._name = f"chosen:{name}"
        self._found_by = found_by
        kept: dict[str, Any] = session.get(self._name) or {}
        self.keys: set[int] = set(kept.get("keys", ()))
        self.everything: bool = kept.get("found_by") == found_by
        self.but: set[int] = set(kept.get("but", ())) if self.everything else set()
        self._asked = "asked" in kept

    def __bool__(self) -> bool:
        return self.everything or bool(self.keys)

    def keep(self, page_keys: Iterable[int], ticked: Iterable[int]) -> int:
        """Store the boxes of one page: of the rows that were shown, the ticked ones.

        Returns how many were not stored: those of this page beyond TICKED_MOST.
        """
        page_keys, ticked = set(page_keys), set(ticked)
        marked = page_keys - ticked if self.everything else ticked
        marks = self.but if self.everything else self.keys
        before = marks - page_keys
        new = sorted(marked - before)
        room = max(0, TICKED_MOST - len(before))
        kept = before | set(new[:room])
        if kept != marks:
            self._set(kept, everything=self.everything)
        return len(new[room:])

    def choose_all(self) -> None:
        """Select everything that the filters find, including rows that appear later."""
        self._set(set(), everything=True)

    def clear(self) -> None:
        self._set(set(), everything=False)

    def ask(self) -> None:
        """Note that a page asks what to do with the selection. It is for that page: see `end_asked`."""
        if self and not self._asked:
            self._session[self._name] = {**self._session[self._name], "asked": True}

    def end_asked(self) -> None:
        """Clear the selection if a page has asked about it: whoever opens the list again has left that page."""
        if self._asked:
            self.clear()

    def of(self, rows: Rows, found: Rows) -> Rows:
        """Return the selected rows: the ticked ones of `rows`, or those that the filters have `found`."""
        return found.exclude(pk__in=self.but) if self.everything else rows.filter(pk__in=self.keys)

    def has(self, key: int) -> bool:
        return key not in self.but if self.everything else key in self.keys

    def number(self, found: int) -> int:
        """Return how many rows are selected, given how many rows the filters find."""
        return max(0, found - len(self.but)) if self.everything else len(self.keys)

    def _set(self, marks: set[int], *, everything: bool) -> None:
        """Store the marks: the ticked rows, or the unticked ones when everything is selected."""
        self.keys, self.but, self.everything = (set(), marks, True) if everything else (marks, set(), False)
        if self:
            found_by = self._found_by if everything else None
            self._session[self._name] = {"keys": sorted(self.keys), "but": sorted(self.but), "found_by": found_by}
        else:
            self._session.pop(self._name, None)
