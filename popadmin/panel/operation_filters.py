"""The filters of recent operations. Each narrows both kinds of rows: jobs, and entries of the audit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from django import forms
from django.db.models import Exists, OuterRef, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mailstore.models import AuditEntry, Job, JobRow
from popadmin.lists.columns import Filters, ReadyView, Rows, Search, midnight
from popadmin.panel.search_terms import domain_words, words_in

MOMENT = "moment"  # the annotation of both: when it was done
JOBS = "bulk"
# The operations of each kind by the end of their verb; jobs are a kind of their own.
KINDS: dict[str, tuple[Promise, Q | None]] = {
    JOBS: (_("Bulk changes"), None),
    "import": (_("Imports"), Q(verb__startswith="mailbox_import.")),
    "removal": (_("Removals"), Q(verb__endswith=".remove") | Q(verb__endswith=".purge-asked") | Q(verb="move.unmark")),
    "rename": (_("Renames"), Q(verb__endswith=".rename")),
    "change": (_("Settings and suspensions"), Q(verb__endswith=".change")),
}


def _of_job(query: str) -> Q:
    rows = JobRow.objects.filter(domain_words(query, "subject"), job=OuterRef("pk"))
    return words_in(query, "owner__address", beginnings=["owner__address"]) | Q(Exists(rows))


def _of_entry(query: str) -> Q:
    return words_in(query, "subject", "actor_name", beginnings=["subject", "actor_name"])


_SEARCHES: dict[type, Callable[[str], Q]] = {Job: _of_job, AuditEntry: _of_entry}


class OperationFilters(Filters):
    q = Search(label=_("Search operations"), placeholder=_("Subject or user"))
    kind = forms.ChoiceField(
        label=_("Kind"), choices=[("", _("Any kind")), *((kind, label) for kind, (label, _verbs) in KINDS.items())]
    )
    since = forms.DateField(label=_("From"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    until = forms.DateField(label=_("To"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    @classmethod
    def views(cls) -> tuple[ReadyView, ...]:
        return tuple(ReadyView(label, {"kind": kind}) for kind, (label, _verbs) in KINDS.items())

    def by_q(self, rows: Rows, query: str) -> Rows:
        return rows.filter(_SEARCHES[rows.model](query))

    def by_kind(self, rows: Rows, kind: str) -> Rows:
        _label, verbs = KINDS[kind]
        if rows.model is Job:
            return rows if verbs is None else rows.none()
        return rows.none() if verbs is None else rows.filter(verbs)

    def by_since(self, rows: Rows, day: date) -> Rows:
        return rows.filter(moment__gte=midnight(day))

    def by_until(self, rows: Rows, day: date) -> Rows:
        return rows.filter(moment__lt=midnight(day + timedelta(days=1)))
