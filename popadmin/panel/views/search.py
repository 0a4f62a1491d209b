"""The search of the whole panel: a page, and the same results as the palette of Ctrl K shows them."""

from __future__ import annotations

from typing import Any

from django.views.generic import TemplateView

from popadmin.panel import access, site_search
from popadmin.web.layout import menu
from popadmin.web.people import signed_in

QUERY_CHARACTERS = 254  # an address has no more
PART = "part"  # in the query string: the results alone, for the palette


class Search(access.AdminPage, TemplateView):
    template_name = "panel/search.html"

    def get_template_names(self) -> list[str]:
        return ["panel/search_results.html" if PART in self.request.GET else self.template_name]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        query = self.request.GET.get("q", "").replace("\0", "").strip()[:QUERY_CHARACTERS]
        pages = [link for group in menu(self.request).groups for link in group.links]
        groups = site_search.search(signed_in(self.request), query, pages) if query else []
        return super().get_context_data(**kwargs, query=query, groups=groups)
