"""The list of mailboxes, and the bulk actions on it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db.models import F, Prefetch, Value
from django.db.models.functions import Coalesce
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from mailstore.models import Finding
from mailstore.transfer.mailbox_columns import COLUMNS, NOT_EXPORTED, cell
from popadmin.lists.bulk_preview import BulkPage
from popadmin.lists.bulk_results import ResultsPage, ResultsStep, ResultsUndo
from popadmin.lists.columns import Column, Exported, Filters, Rows
from popadmin.lists.views import BARE, DANGER, EXPORT, Bulk, ListPage
from popadmin.panel import access
from popadmin.panel.bulk_actions import ACTIONS
from popadmin.panel.mailbox_filters import VIEWS, MailboxFilters
from popadmin.panel.row_page import MAILBOXES
from popadmin.templatetags.mailboxes import state_words
from popadmin.web import mailbox_state, people
from popadmin.web.finding_text import kinds
from popadmin.web.people import signed_in

FREQUENT = ("suspend", "quota")  # actions that have a place on every screen
# Of the actions that ask for more, or for a confirmation.
LABELS = {
    "quota": _("Quota…"), "policy": _("Retention…"), "switches": _("Services…"), "remove": _("Remove…"),
}  # fmt: skip
NEVER = Value(datetime(1, 1, 1, tzinfo=UTC))  # before any sign-in, so that those who never did come together


def _column(field: str) -> Exported:
    """Return a column as the import expects it, so that an exported file can be imported."""
    return Exported(COLUMNS[field].heading, lambda row: cell(field, row))


class Mailboxes(access.AdminPage, ListPage):
    template_name = "panel/mailboxes.html"
    name = "mailboxes"
    columns = (
        Column("address", _("Address"), F("user__address")),
        Column("name", _("Name"), css="c-name"),
        Column("state", _("State")),
        Column("usage", _("Usage"), F("octets"), down=True),
        Column("messages", _("Messages"), F("messages"), down=True, css="n c-more c-less"),
        Column("seen", _("Last sign-in"), Coalesce("last_sign_in_at", NEVER), down=True, css="n c-more"),
    )
    exported = (
        *(_column(field) for field in COLUMNS if field not in NOT_EXPORTED),
        Exported(_("State"), lambda row: ", ".join(state_words(row))),
        Exported(_("Problems"), lambda row: ", ".join(kinds(row.found))),
        Exported(_("Size"), lambda row: row.octets),
        Exported(_("Messages"), lambda row: row.messages),
        Exported(_("Last sign-in"), lambda row: row.last_sign_in_at and row.last_sign_in_at.isoformat()),
    )
    row_fields = (
        "user__address", "user__name", "user__is_active", "user__must_change_password", "domain__active",
        "domain__quota_octets", "held", "receives", "pop", "smtp", "web", "main_pop", "octets", "quota_octets",
        "messages", "quota_messages", "last_sign_in_at",
    )  # fmt: skip
    views = VIEWS
    bulk = tuple(
        Bulk(
            name,
            LABELS.get(name, action.label),
            f"bulk/{name}/",
            DANGER if action.danger else BARE,
            rare=name not in FREQUENT,
        )
        for name, action in ACTIONS.items()
    )

    def rows(self) -> Rows:
        """Return the mailboxes with the findings (`found`) of each."""
        found = Prefetch("finding_set", Finding.objects.order_by("kind").only("kind", "mailbox"), to_attr="found")
        rows = access.mailboxes(signed_in(self.request)).prefetch_related(found)
        return rows.select_related("policy") if EXPORT in self.request.GET else rows

    def every_row(self) -> Rows:
        return access.mailboxes(signed_in(self.request), removed=True)

    def filters_of(self, query: QueryDict) -> Filters:
        return MailboxFilters(query, user=signed_in(self.request))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        context = super().get_context_data(**kwargs, domains=access.domains(user), host=people.is_host(user))
        mailbox_state.mark_full_domains(context["page"].rows)
        return context


class UnderList:
    """A page below the list, with a link back to it."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs, breadcrumbs=[MAILBOXES])  # type: ignore[misc]  # the view's
        return context


class MailboxBulk(access.PolicyPage, UnderList, BulkPage):
    list_page = Mailboxes
    actions = ACTIONS


class MailboxResults(access.AdminPage, UnderList, ResultsPage):
    list_page = Mailboxes
    actions = ACTIONS


class MailboxResultsStep(access.AdminPage, ResultsStep):
    list_page = Mailboxes
    actions = ACTIONS


class MailboxResultsUndo(access.AdminPage, ResultsUndo):
    list_page = Mailboxes
    actions = ACTIONS
