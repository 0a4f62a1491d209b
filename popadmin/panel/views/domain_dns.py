"""The DNS records of a domain: wanted against found. The page shows what is known; a part of it asks DNS."""

from __future__ import annotations

import time
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.generic import TemplateView, View

from popadmin.connect.dns import check
from popadmin.panel.row_page import DomainPage
from popadmin.panel.views.domain import DomainTab
from popadmin.web import people
from popadmin.web.mail_limit import RateLimit
from popadmin.web.people import signed_in

LOOKS_A_MINUTE = 10  # of one user, in one web process: each may hold a thread of the pages for seconds
_looks = RateLimit(LOOKS_A_MINUTE, window_seconds=60)


def _may_look(request: HttpRequest) -> bool:
    return _looks.allowed(str(signed_in(request).pk), time.monotonic())


class Records(DomainTab):
    """The page. It never asks DNS: a script loads the answers if those that are kept are old, or a button asks."""

    template_name = "panel/domain_dns.html"
    tab = "dns"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return {**context, "check": check.saved(context["domain"])}


class Found(DomainPage, TemplateView):
    """The part of the page with what was found. It asks DNS if nobody has within the hour."""

    template_name = "panel/domain_dns_found.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        known = check.saved(self.domain)
        found = known if known.is_fresh or not _may_look(self.request) else check.look_up(self.domain)
        host = people.is_host(signed_in(self.request))
        return super().get_context_data(**kwargs, domain=self.domain, host=host, check=found, is_over=True)


class LookAgain(DomainPage, View):
    """Ask DNS now, whatever is kept."""

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        domain = self.domain
        if _may_look(request):
            check.look_up(domain)
        else:
            messages.warning(request, _("DNS was asked too often. Wait a minute, then look again."))
        return redirect("domains-dns", domain.pk)
