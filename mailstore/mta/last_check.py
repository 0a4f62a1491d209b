"""What is remembered of the MTA: when it was set up, and what the last check found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from mailstore.directory import audit
from mailstore.directory.audit import Actor
from mailstore.models import MailFlow
from mailstore.mta.checks.result import Result, State, from_json

CHECK_AGE = timedelta(days=7)  # after a setup, a check that is older says little
_ROW = 1


@dataclass(frozen=True, slots=True)
class LastCheck:
    """The MTA that was set up (empty: none), and the last check; None where there was none."""

    mta: str
    set_up_at: datetime | None
    checked_at: datetime | None
    results: tuple[Result, ...]

    @property
    def bad(self) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.state is State.BAD)

    def is_overdue(self, now: datetime) -> bool:
        """Return whether the MTA was set up and nobody has checked the mail flow for a week."""
        if self.set_up_at is None:
            return False
        return now - max(self.set_up_at, self.checked_at or self.set_up_at) > CHECK_AGE


NOTHING = LastCheck("", None, None, ())


def last() -> LastCheck:
    row = MailFlow.objects.filter(pk=_ROW).first()
    return NOTHING if row is None else LastCheck(row.mta, row.set_up_at, row.checked_at, _results(row.results))


def read(text: str | None) -> LastCheck:
    """Return the row as values, from the JSON that Postgres makes of it; None: there is none."""
    if text is None:
        return NOTHING
    row = json.loads(text)
    return LastCheck(row["mta"], _moment(row["set_up_at"]), _moment(row["checked_at"]), _results(row["results"]))


def note_setup(mta: str, files: Sequence[str], *, actor: Actor) -> None:
    """Remember that this MTA was set up now."""
    with transaction.atomic():
        MailFlow.objects.update_or_create(pk=_ROW, defaults={"mta": mta, "set_up_at": timezone.now()})
        audit.record(actor, "site.mta-setup", mta, files=list(files))


def note_undo(mta: str, files: Sequence[str], *, is_last: bool, actor: Actor) -> None:
    """Remember that a setup was taken back. After the last one, no MTA is set up."""
    with transaction.atomic():
        if is_last:
            MailFlow.objects.filter(pk=_ROW).update(mta="", set_up_at=None)
        audit.record(actor, "site.mta-undo", mta, files=list(files))


def note_check(results: Sequence[Result]) -> None:
    """Remember what a check found now."""
    values = {"checked_at": timezone.now(), "results": [result.to_json() for result in results]}
    MailFlow.objects.update_or_create(pk=_ROW, defaults=values)


def _results(rows: Iterable[dict[str, Any]]) -> tuple[Result, ...]:
    return tuple(map(from_json, rows))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
