"""The pages of what audit entries are about, as far as it still exists and this user may see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from mailstore.models import AuditEntry, Job, User
from popadmin.panel import access

_NEVER = frozenset({"site"})  # kinds whose subject has no page


@dataclass(frozen=True, slots=True)
class Subjects:
    """The keys of the rows that have a page, by what names them in the audit."""

    mailboxes: frozenset[int]
    domains: frozenset[int]
    aliases: dict[str, int]
    admins: dict[str, int]
    policies: dict[str, int]
    imports: frozenset[int]
    jobs: frozenset[int]

    def url(self, entry: AuditEntry) -> str:
        """Return the page of the subject; empty if there is none."""
        kind = kind_of(entry)
        if kind in _NEVER:
            return ""
        return _OF_KIND.get(kind, _by_person)(self, entry)

    def operation_url(self, entry: AuditEntry) -> str:
        """Return the page of the job or the import that the entry was part of; empty if it was a single act."""
        job, upload = entry.details.get("job"), entry.details.get("import")
        if job in self.jobs:
            return reverse("mailboxes-results", args=[job])
        return reverse("mailboxes-import", args=[upload]) if upload in self.imports else ""


def kind_of(entry: AuditEntry) -> str:
    """Return what the verb is about, such as "mailbox"."""
    return entry.verb.partition(".")[0]


def of(entries: Sequence[AuditEntry], user: User) -> Subjects:
    """Look up the subjects of these entries, with one statement for each kind of row."""
    names = [entry.subject for entry in entries]
    addresses = [name for name in names if "@" in name]
    persons = [entry.subject for entry in entries if kind_of(entry) not in ("policy", "domain", "mailbox_import")]
    policies = [entry.subject for entry in entries if kind_of(entry) == "policy"]
    jobs = Job.objects.filter(owner=user)
    return Subjects(
        _keys(access.mailboxes(user), (entry.mailbox_id for entry in entries)),
        _keys(access.domains(user), (entry.domain_id for entry in entries)),
        _keys_by("address", access.aliases(user), addresses),
        _keys_by("address", access.admins(user), persons),
        _keys_by("name", access.policies(user), policies),
        _keys(access.mailbox_imports(user), (entry.details.get("import") for entry in entries)),
        _keys(jobs, (entry.details.get("job") for entry in entries)),
    )


def _keys(rows: QuerySet[Any], wanted: Iterable[int | None]) -> frozenset[int]:
    keys = {key for key in wanted if key is not None}
    return frozenset(rows.filter(pk__in=keys).values_list("pk", flat=True)) if keys else frozenset()


def _keys_by(column: str, rows: QuerySet[Any], wanted: Sequence[str]) -> dict[str, int]:
    return dict(rows.filter(**{f"{column}__in": set(wanted)}).values_list(column, "pk")) if wanted else {}


def _page(name: str, key: int | None) -> str:
    return "" if key is None else reverse(name, args=[key])


def _by_mailbox(subjects: Subjects, entry: AuditEntry) -> str:
    return _page("mailboxes-one", entry.mailbox_id) if entry.mailbox_id in subjects.mailboxes else ""


def _by_domain(subjects: Subjects, entry: AuditEntry) -> str:
    return _page("domains-one", entry.domain_id) if entry.domain_id in subjects.domains else ""


def _by_alias(subjects: Subjects, entry: AuditEntry) -> str:
    return _page("aliases-one", subjects.aliases.get(entry.subject))


def _by_person(subjects: Subjects, entry: AuditEntry) -> str:
    return _by_mailbox(subjects, entry) or _page("admins-one", subjects.admins.get(entry.subject))


def _by_import(subjects: Subjects, entry: AuditEntry) -> str:
    return subjects.operation_url(entry)


def _by_policy(subjects: Subjects, entry: AuditEntry) -> str:
    return _page("policies-one", subjects.policies.get(entry.subject))


def _by_anything(subjects: Subjects, entry: AuditEntry) -> str:
    return _by_mailbox(subjects, entry) or _by_alias(subjects, entry) or _by_domain(subjects, entry)


_OF_KIND: dict[str, Callable[[Subjects, AuditEntry], str]] = {
    "mailbox": _by_mailbox,
    "domain": _by_domain,
    "alias": _by_alias,
    "policy": _by_policy,
    "mailbox_import": _by_import,
    "denied": _by_anything,
}
