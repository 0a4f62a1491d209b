"""Take the administration of a domain from somebody, and give it back: the notice and recent operations have Undo."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import View

from mailstore.directory import grants
from mailstore.directory.outcome import Rejected
from mailstore.models import AuditEntry, DomainGrant
from popadmin.panel import access
from popadmin.web import form_rejection, notices, request_lookup


def withdraw(request: HttpRequest, rows: QuerySet[DomainGrant], key: int) -> None:
    """End the right with this key, which is one of the rows, and offer Undo."""
    grant = request_lookup.find(request, rows.select_related("user", "domain"), pk=key)
    entry = grants.revoke(grant.user.address, grant.domain.name, actor=request_lookup.actor(request))
    text = _("%(login)s no longer administers %(domain)s.") % {"login": grant.user, "domain": grant.domain}
    if entry is None:
        messages.success(request, text)
    else:
        notices.undoable(request, text, reverse("admins-grant-restoral", args=[entry.pk]))


class Restoral(access.HostPage, View):
    """Undo such a removal; the key is that of its entry in the audit."""

    of = AuditEntry

    def post(self, request: HttpRequest, key: int) -> HttpResponse:
        entry = request_lookup.find(request, AuditEntry.objects.filter(verb="grant.remove"), pk=key)
        try:
            grant = grants.restore(entry, actor=request_lookup.actor(request))
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
            return redirect("admins")
        text = _("%(login)s administers %(domain)s.") % {"login": grant.user, "domain": grant.domain}
        messages.success(request, text)
        return redirect("admins-one", grant.user_id)
