"""Take the administration of a domain from somebody, and give it back: the notice and recent operations have Undo."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from mailstore.directory import grants
from mailstore.directory.audit import Actor
from mailstore.models import AuditEntry, DomainGrant, User
from popadmin.panel import access
from popadmin.panel.entry_undo import EntryUndo
from popadmin.web import notices, request_lookup


def withdraw(request: HttpRequest, rows: QuerySet[DomainGrant], key: int) -> None:
    """End the right with this key, which is one of the rows, and offer Undo."""
    grant = request_lookup.find(request, rows.select_related("user", "domain"), pk=key)
    entry = grants.revoke(grant.user.address, grant.domain.name, actor=request_lookup.actor(request))
    text = _("%(login)s no longer administers %(domain)s.") % {"login": grant.user, "domain": grant.domain}
    if entry is None:
        messages.success(request, text)
    else:
        notices.undoable(request, text, reverse("admins-grant-restoral", args=[entry.pk]))


class Restoral(access.HostPage, EntryUndo):
    """Undo such a removal."""

    of = AuditEntry
    list_name = "admins"

    def entries(self, _user: User) -> QuerySet[AuditEntry]:
        return AuditEntry.objects.filter(verb="grant.remove")

    def undo(self, entry: AuditEntry, actor: Actor) -> tuple[str, HttpResponse]:
        grant = grants.restore(entry, actor=actor)
        text = _("%(login)s administers %(domain)s.") % {"login": grant.user, "domain": grant.domain}
        return text, redirect("admins-one", grant.user_id)
