"""The list of mailboxes."""

from __future__ import annotations

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from popadmin.lists.columns import Column, Rows
from popadmin.lists.views import ListPage
from popadmin.panel import access
from popadmin.panel.filters import MailboxFilters
from popadmin.signin.access import signed_in


class Mailboxes(access.AdminPage, ListPage):
    template_name = "panel/mailboxes.html"
    name = "mailboxes"
    filters = MailboxFilters
    columns = (
        Column("address", _("Address"), F("user__address")),
        Column("state", _("State")),
        Column("size", _("Quota"), F("octets"), down=True),
        Column("messages", _("Messages"), F("messages"), down=True, css="number"),
    )

    def rows(self) -> Rows:
        return access.mailboxes(signed_in(self.request))
