"""The list of recent operations: what was done lately, by whom, and how to take it back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db.models import F
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from popadmin.lists import counting, paging
from popadmin.lists.columns import Column, Exported, ReadyView, Rows
from popadmin.lists.counting import Count, Counts
from popadmin.lists.views import EXPORT_CHUNK_ROWS, ListPage
from popadmin.panel import access, operations
from popadmin.panel.operation_filters import MOMENT, OperationFilters
from popadmin.panel.operations import Operation
from popadmin.web.formats import facts
from popadmin.web.people import signed_in


class Operations(access.AdminPage, ListPage):
    """Its rows are the entries of the audit, among which the jobs are listed."""

    template_name = "panel/operations.html"
    name = "operations"
    filters = OperationFilters
    columns = (
        Column("at", _("When"), F(MOMENT), down=True),
        Column("what", _("Who did what")),
        Column("undo", _("Undo")),
    )
    exported = (
        Exported(_("When"), lambda row: row.at.isoformat()),
        Exported(_("Who"), lambda row: row.who),
        Exported(_("Action"), lambda row: row.text),
        Exported(_("Subject"), lambda row: row.subject),
        Exported(_("Details"), lambda row: facts(row.details)),
        Exported(_("Undo"), lambda row: row.way.label or row.way.why),
    )

    def rows(self) -> Rows:
        return operations.entries(signed_in(self.request))

    @cached_property
    def jobs(self) -> Rows:
        return operations.jobs(signed_in(self.request))

    def listing(self, found: Rows, _count: Count) -> operations.Operations:
        return operations.Operations(self.state.filters.narrow(self.jobs), found, signed_in(self.request))

    def count_rows(self, found: Rows, views: Sequence[ReadyView]) -> tuple[Count, Counts]:
        """Count the jobs too."""
        filters, jobs = self.state.filters, self.jobs
        of_jobs, job_counts = counting.count(
            filters.narrow(jobs), lambda: [filters.narrowed(jobs, view.given) for view in views]
        )
        of_entries, entry_counts = super().count_rows(found, views)
        total = Count(of_entries.rows + of_jobs.rows, exact=of_entries.exact and of_jobs.exact)
        return total, [_sum(*pair) for pair in zip(job_counts, entry_counts, strict=True)]

    def exported_rows(self) -> Iterable[Operation]:
        listing, cursor = self.listing(self.found(self.state), Count(0)), None
        while True:
            page = paging.page(listing, cursor, down=self.state.order.down, size=EXPORT_CHUNK_ROWS, count=Count(0))
            yield from page.rows
            cursor = page.after
            if cursor is None:
                return

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, days=settings.REMOVED_DAYS)


def _sum(jobs: int | None, entries: int | None) -> int | None:
    return None if jobs is None or entries is None else jobs + entries
