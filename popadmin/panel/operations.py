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
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext, pgettext

from mailstore.models import AuditEntry, Job, User
from mailstore.transfer import bulk_job
from popadmin.lists.bulk_action import counted
from popadmin.panel import access, audit_subjects, change_undo, undo_ways
from popadmin.panel.bulk_actions import ACTIONS
from popadmin.panel.undo_ways import Way
from popadmin.web import audit_text, people
from popadmin.web.formats import count

PAGE_OPERATIONS = 50
# Verbs that are listed always, and those that are listed if one of their fields changed.
_VERBS = (
    "admin.remove", "alias.remove", "domain.purge-asked", "domain.remove", "domain.rename", "mailbox.purge-asked",
    "mailbox.remove", "mailbox.rename", "mailbox_import.done", "mailbox_import.undone", "policy.change",
    "policy.remove",
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
    """One row of the page. `url` is the page of its subject or of its results; `way` takes it back."""

    at: datetime
    who: str
    text: str
    subject: str
    url: str
    details: list[str]
    way: Way


@dataclass(frozen=True, slots=True)
class Page:
    """Some operations, latest first; `older` is the moment at which the next page begins, None on the last page."""

    operations: list[Operation]
    older: datetime | None


def page(user: User, *, before: datetime | None) -> Page:
    """Return the latest operations that this user may see, before this moment; at most PAGE_OPERATIONS."""
    until = before or timezone.now() + timedelta(minutes=1)
    since = timezone.now() - timedelta(days=settings.REMOVED_DAYS)
    jobs = list(_jobs(user, since, until))
    entries = list(_entries(user, since, until))
    moments = sorted([*(job.created_at for job in jobs), *(entry.at for entry in entries)], reverse=True)
    last = moments[PAGE_OPERATIONS - 1] if len(moments) > PAGE_OPERATIONS else None
    if last is not None:
        jobs, entries = [job for job in jobs if job.created_at >= last], [each for each in entries if each.at >= last]
    found = [*_of_jobs(jobs, user), *_of_entries(entries, user)]
    return Page(sorted(found, key=lambda each: each.at, reverse=True), last)


def _jobs(user: User, since: datetime, until: datetime) -> Iterable[Job]:
    rows = Job.objects.select_related("owner").filter(created_at__gte=since, created_at__lt=until)
    rows = rows if people.is_host(user) else rows.filter(owner=user)
    return rows.order_by("-created_at")[: PAGE_OPERATIONS + 1]


def _entries(user: User, since: datetime, until: datetime) -> Iterable[AuditEntry]:
    single = ~Q(details__has_any_keys=["job", "import", "rename"]) | Q(verb__in=_WHOLE)
    rows = access.audit_entries(user).filter(Q(verb__in=_VERBS) | _CHANGED, single, at__gte=since, at__lt=until)
    return rows.order_by("-at")[: PAGE_OPERATIONS + 1]


def _of_jobs(jobs: Sequence[Job], user: User) -> Iterable[Operation]:
    by_job = bulk_job.counts_of(jobs)
    for job in jobs:
        if job.act in ACTIONS and by_job.get(job.pk, {}).get("rows"):
            yield _of_job(job, by_job[job.pk], user)


def _of_job(job: Job, sums: Mapping[str, int], user: User) -> Operation:
    mine = job.owner_id == user.pk
    action, changed = ACTIONS[job.act], sums["undoable"] + sums["undone"]
    text = counted(action.outcome, changed) if changed else str(action.label)
    url = reverse("mailboxes-results", args=[job.pk]) if mine else ""
    return Operation(
        job.created_at, job.owner.address, text, "", url, list(_counts(sums)), undo_ways.of_job(job, sums, mine)
    )


def _counts(sums: Mapping[str, int]) -> Iterable[str]:
    texts = (
        ("refused", ngettext("%(count)s refused", "%(count)s refused", sums["refused"])),
        ("undone", ngettext("%(count)s undone", "%(count)s undone", sums["undone"])),
        ("waiting", ngettext("%(count)s not done yet", "%(count)s not done yet", sums["waiting"])),
    )
    yield from (text % {"count": count(sums[name])} for name, text in texts if sums[name])


def _of_entries(entries: Sequence[AuditEntry], user: User) -> Iterable[Operation]:
    subjects, ways = audit_subjects.of(entries, user), undo_ways.of_entries(entries, user)
    for entry in entries:
        text, details = _text(entry), list(_details(entry))
        yield Operation(entry.at, entry.actor_name, text, entry.subject, subjects.url(entry), details, ways[entry.pk])


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
