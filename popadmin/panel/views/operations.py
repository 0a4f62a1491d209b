"""The page of recent operations: what was done lately, by whom, and how to take it back."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.views.generic import TemplateView

from popadmin.panel import access, operations
from popadmin.web.moment_text import moment_in
from popadmin.web.people import signed_in


class Operations(access.AdminPage, TemplateView):
    template_name = "panel/operations.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        before = moment_in(self.request.GET.get("before", ""))
        page = operations.page(signed_in(self.request), before=before)
        return super().get_context_data(**kwargs, page=page, later=before is not None, days=settings.REMOVED_DAYS)
