"""Export mailboxes with their password hashes, to move to another server: for hosting admins, with audit entries."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.generic import TemplateView

from mailstore.directory import password_export
from mailstore.models import Mailbox
from mailstore.transfer import csv_table
from mailstore.transfer.mailbox_columns import COLUMNS, NOT_EXPORTED, PASSWORD_HASH, cell
from popadmin.lists.columns import Rows
from popadmin.panel import access
from popadmin.panel.mailbox_filters import MailboxFilters
from popadmin.panel.row_page import MAILBOXES
from popadmin.web import request_lookup
from popadmin.web.people import signed_in

FIELDS = [field for field in COLUMNS if field not in NOT_EXPORTED] + [PASSWORD_HASH]
CHUNK_ROWS = 2000


class HashExport(access.HostPage, TemplateView):
    """Say what the file holds, and hand it out. The filters of the list in the query string choose the mailboxes."""

    of = Mailbox
    template_name = "panel/mailbox_hashes.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, total=self._rows().count(), breadcrumbs=[MAILBOXES])

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        rows = self._rows().select_related("policy").order_by("user__address")
        password_export.record(rows, actor=request_lookup.actor(request))
        cells = ([cell(field, row) for field in FIELDS] for row in rows.iterator(CHUNK_ROWS))
        file = b"".join(csv_table.write([str(COLUMNS[field].heading) for field in FIELDS], cells))
        response = HttpResponse(file, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="mailboxes-with-hashes.csv"'
        return response

    def _rows(self) -> Rows:
        user = signed_in(self.request)
        return MailboxFilters(self.request.GET, user=user).narrow(access.mailboxes(user))
