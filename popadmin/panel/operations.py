"""Recent operations: bulk jobs, imports, removals, renames, changes of mailboxes and policies; how each is taken back.

Entries of the audit that are part of a job, an import or the rename of a domain are not listed: their operation is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext, pgettext

from mailstore.models import AuditEntry, Job, JobRow, User
from mailstore.transfer import bulk_job
from popadmin.lists.bulk_action import counted
from popadmin.lists.columns import Rows
from popadmin.lists.paging import Cursor
from popadmin.panel import access, audit_subjects, change_undo, undo_ways
from popadmin.panel.bulk_actions import ACTIONS
from popadmin.panel.operation_filters import MOMENT
from popadmin.panel.undo_ways import Way
from popadmin.web import audit_text, people
from popadmin.web.formats import count
from popadmin.web.moment_text import moment_in

# Verbs that are listed always, and those that are listed if one of their fields changed.
_VERBS = (
    "admin.remove", "alias.remove", "domain.purge-asked", "domain.remove", "domain.rename", "grant.remove",
    "mailbox.purge-asked", "mailbox.remove", "mailbox.rename", "mailbox_import.done", "mailbox_import.undone",
    "move.unmark", "policy.change", "policy.remove",
)  # fmt: skip
_WHOLE = ("mailbox_import.done", "mailbox_import.undone")  # entries of an import that stand for all its others
_FIELDS = {
    "admin.change": ["suspended"],
    "domain.change": ["active", "policy"],
    change_undo.VERB: [*sorted(change_undo.FIELDS), "policy"],
}
_CHANGED = reduce(or_, (Q(verb=verb, details__changes__has_any_keys=fields) for verb, fields in _FIELDS.items()))


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the page: `url` is the page of its subject or of its results, and `way` takes it back.

    `pk` is its key in `Operations`. The `subject` of a job is empty.
    """

    pk: int
    at: datetime
    who: str
    text: str
    subject: str
    url: str
    details: list[str]
    way: Way


def jobs(user: User) -> Rows:
    """Return the jobs that this user may see, as far as they are listed."""
    begun = Job.objects.filter(Exists(JobRow.objects.filter(job=OuterRef("pk"))), act__in=ACTIONS)
    rows = begun.select_related("owner").annotate(**{MOMENT: F("created_at")}).filter(created_at__gte=_since())
    return rows if people.is_host(user) else rows.filter(owner=user)


def entries(user: User) -> Rows:
    """Return the entries of the audit that this user may see and that are operations by themselves."""
    single = ~Q(details__has_any_keys=["job", "import", "rename"]) | Q(verb__in=_WHOLE)
    rows = access.audit_entries(user).filter(Q(verb__in=_VERBS) | _CHANGED, single, at__gte=_since())
    return rows.annotate(**{MOMENT: F("at")})


def _since() -> datetime:
    return timezone.now() - timedelta(days=settings.REMOVED_DAYS)


class Operations:
    """The operations of some jobs and entries in the order of their moments: a `paging.Listing`.

    The key of an operation is twice the key of its row; of a job, one more.
    """

    def __init__(self, jobs: Rows, entries: Rows, user: User) -> None:
        self._jobs, self._entries, self._user = jobs, entries, user

    def keys(self, *, down: bool, most: int, beyond: Cursor | None = None) -> list[tuple[int, datetime]]:
        """Find the keys of both kinds with one statement."""
        minus = "-" if down else ""
        found = _keyed(self._entries, 0, beyond, down).union(_keyed(self._jobs, 1, beyond, down), all=True)
        return list(found.order_by(f"{minus}{MOMENT}", f"{minus}key")[:most])

    def has(self, cursor: Cursor) -> bool:
        return moment_in(cursor.value) is not None

    def read(self, keys: Sequence[int]) -> dict[int, Operation]:
        jobs = list(self._jobs.filter(pk__in=[key // 2 for key in keys if key % 2]))
        entries = list(self._entries.filter(pk__in=[key // 2 for key in keys if not key % 2]))
        return {**_of_jobs(jobs, self._user), **_of_entries(entries, self._user)}


def _keyed(rows: Rows, odd: int, beyond: Cursor | None, down: bool) -> Rows:
    keyed: Rows = rows.order_by().select_related(None).annotate(key=F("pk") * 2 + odd)
    if beyond is not None:
        way, moment = "lt" if down else "gt", moment_in(beyond.value)
        later = Q(**{f"{MOMENT}__{way}": moment}) | Q(**{f"key__{way}": beyond.key})
        keyed = keyed.filter(later, **{f"{MOMENT}__{way}e": moment})
    return keyed.values_list("key", MOMENT)


def _of_jobs(jobs: Sequence[Job], user: User) -> dict[int, Operation]:
    by_job = bulk_job.counts_of(jobs)
    return {_job_key(job): _of_job(job, by_job[job.pk], user) for job in jobs}


def _job_key(job: Job) -> int:
    return int(job.pk) * 2 + 1


def _of_job(job: Job, sums: Mapping[str, int], user: User) -> Operation:
    mine = job.owner_id == user.pk
    action, changed = ACTIONS[job.act], sums["undoable"] + sums["undone"]
    text = counted(action.outcome, changed) if changed else str(action.label)
    url = reverse("mailboxes-results", args=[job.pk]) if mine else ""
    return Operation(
        _job_key(job),
        job.created_at,
        job.owner.address,
        text,
        "",
        url,
        list(_counts(sums)),
        undo_ways.of_job(job, sums, mine),
    )


def _counts(sums: Mapping[str, int]) -> Iterable[str]:
    texts = (
        ("refused", ngettext("%(count)s refused", "%(count)s refused", sums["refused"])),
        ("undone", ngettext("%(count)s undone", "%(count)s undone", sums["undone"])),
        ("waiting", ngettext("%(count)s not done yet", "%(count)s not done yet", sums["waiting"])),
    )
    yield from (text % {"count": count(sums[name])} for name, text in texts if sums[name])


def _of_entries(entries: Sequence[AuditEntry], user: User) -> dict[int, Operation]:
    subjects, ways = audit_subjects.of(entries, user), undo_ways.of_entries(entries, user)
    return {entry.pk * 2: _of_entry(entry, subjects.url(entry), ways[entry.pk]) for entry in entries}


def _of_entry(entry: AuditEntry, url: str, way: Way) -> Operation:
    return Operation(
        entry.pk * 2, entry.at, entry.actor_name, _text(entry), entry.subject, url, list(_details(entry)), way
    )


def _details(entry: AuditEntry) -> Iterator[str]:
    """Yield what else changed than the text says, or the facts of a removal or an import that are not zero."""
    changes = entry.details.get("changes")
    if changes is None:
        facts = {name: fact for name, fact in entry.details.items() if fact != 0}
        yield from audit_text.details(AuditEntry(verb=entry.verb, details=facts))
        return
    kind = audit_subjects.kind_of(entry)
    listed = set(changes) if kind == "policy" else {*_FIELDS[entry.verb]} - _said(changes)
    for name, (old, new) in changes.items():
        if name in listed and not name.endswith("_since"):
            yield audit_text.change(name, old, new, kind=kind)


def _said(changes: Mapping[str, object]) -> set[str]:
    """Return the change that the verb says, of a suspension or its end alone."""
    return set(changes) if len(changes) == 1 and changes.keys() <= {"active", "suspended"} else set()


def _text(entry: AuditEntry) -> str:
    """Return what was done to the subject, which follows it on the page."""
    if _said(entry.details.get("changes", {})):
        return (
            pgettext("who did it to whom", "suspended")
            if undo_ways.suspends(entry)
            else pgettext("who did it to whom", "resumed")
        )
    return audit_text.verb(entry)
