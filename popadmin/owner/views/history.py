"""The change history of the owner's mailbox: who changed what, when and from where."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from popadmin.owner import access
from popadmin.web.breadcrumbs import crumb
from popadmin.web.people import signed_in

PAGE_ENTRIES = 50


class History(TemplateView):
    template_name = "owner/history.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        mailbox = get_object_or_404(access.mailboxes(user))
        others = self.request.GET.get("who") == "others"
        entries = access.entries(mailbox, user if others else None)
        page = Paginator(entries, PAGE_ENTRIES).get_page(self.request.GET.get("page"))
        return super().get_context_data(**kwargs, page=page, others=others, crumbs=[crumb(_("Settings"), "settings")])
