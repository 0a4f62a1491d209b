"""The bases of the pages about one row: they find it, and give the breadcrumbs above a mailbox or a domain."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from mailstore.models import Domain, Mailbox
from mailstore.policy.addresses import shown_domain, shown_name
from popadmin.panel import access
from popadmin.web import request_lookup
from popadmin.web.layout import Breadcrumb, breadcrumb
from popadmin.web.people import signed_in

MAILBOXES = breadcrumb(_("Mailboxes"), "mailboxes")
DOMAINS = breadcrumb(_("Domains"), "domains")


Row = TypeVar("Row", bound=Model)


class RowPage(access.AdminPage):
    """A page of the row whose key is in the URL."""

    request: HttpRequest
    kwargs: dict[str, Any]

    def find(self, rows: QuerySet[Row], *, removed: QuerySet[Any] | None = None) -> Row:
        """Return the row, which must be one of these; see `request_lookup.find`."""
        return request_lookup.find(self.request, rows, removed=removed, pk=self.kwargs["key"])


class MailboxPage(RowPage):
    """A page of the mailbox whose key is in the URL."""

    @cached_property
    def mailbox(self) -> Mailbox:
        user = signed_in(self.request)
        rows = access.mailboxes(user).select_related("user", "domain__policy", "policy")
        return self.find(rows, removed=access.removed_mailboxes(user))

    def above(self) -> list[Breadcrumb]:
        """Return the breadcrumbs of the pages of this mailbox."""
        return [MAILBOXES, breadcrumb(shown_name(self.mailbox.user.address), "mailboxes-one", self.mailbox.pk)]


class DomainPage(RowPage):
    """A page of the domain whose key is in the URL."""

    of: type[Model] = Domain

    @cached_property
    def domain(self) -> Domain:
        user = signed_in(self.request)
        rows = access.naming_other(access.domains(user).select_related("stands_for", "policy"), user)
        return self.find(rows, removed=access.removed_domains(user))

    def above(self) -> list[Breadcrumb]:
        """Return the breadcrumbs of the pages of this domain."""
        return [DOMAINS, breadcrumb(shown_domain(self.domain.name), "domains-one", self.domain.pk)]
