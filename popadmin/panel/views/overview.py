"""The first page of an admin."""

from __future__ import annotations

from typing import Any

from django.views.generic import TemplateView

from popadmin.panel import access, figures
from popadmin.signin.access import signed_in


class Overview(access.AdminPage, TemplateView):
    template_name = "panel/overview.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        return super().get_context_data(
            **kwargs,
            totals=figures.totals(user),
            near_percent=figures.NEAR_PERCENT,
            deliveries=figures.deliveries(user),
            fullest=figures.fullest(user),
            domains=figures.largest(user),
        )
