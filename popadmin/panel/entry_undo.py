"""The button that undoes what one entry of the audit tells."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import View

from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.models import AuditEntry, User
from popadmin.web import form_rejection, request_lookup
from popadmin.web.people import signed_in


class EntryUndo(View):
    """Undo an entry by its key. A refusal is told on the page `list_name`. Subclasses give the access, too."""

    list_name: ClassVar[str]

    def entries(self, user: User) -> QuerySet[AuditEntry]:
        """Return the entries that this user may undo."""
        raise NotImplementedError

    def undo(self, entry: AuditEntry, actor: Actor) -> tuple[str, HttpResponse]:
        """Undo it; return the notice, and the page where it is shown. Rejected if it cannot be undone any more."""
        raise NotImplementedError

    def post(self, request: HttpRequest, key: int) -> HttpResponse:
        entry = request_lookup.find(request, self.entries(signed_in(request)), pk=key)
        try:
            notice, page = self.undo(entry, request_lookup.actor(request))
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
            return redirect(self.list_name)
        messages.success(request, notice)
        return page
