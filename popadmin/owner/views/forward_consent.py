"""The page of the link that asks an address elsewhere whether mail may be forwarded there. It needs no sign-in.

Programs that scan mail open links, so only the button of the page agrees.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.generic import TemplateView

from mailstore.directory import target_confirmation
from mailstore.directory.audit import Actor
from mailstore.models import Alias
from mailstore.policy.addresses import shown_name
from popadmin.owner import forward_letter


@method_decorator(login_not_required, name="dispatch")
class ForwardConsent(TemplateView):
    template_name = "owner/forward_consent.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = forward_letter.read(kwargs["token"])
        if asked is None:
            return self._invalid()
        forward = Alias.objects.filter(pk=asked.forward_id, targets__contains=[asked.target]).first()
        if forward is None:
            return self._invalid()
        return self._page(forward.address, asked.target, waits=asked.target in forward.unconfirmed)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = forward_letter.read(kwargs["token"])
        actor = Actor(asked.target if asked else "", "web", client=request.META["REMOTE_ADDR"] or None)
        if asked is None or not target_confirmation.confirm(asked.forward_id, asked.target, actor=actor):
            return self._invalid()
        return self._page(Alias.objects.get(pk=asked.forward_id).address, asked.target, waits=False)

    def _page(self, address: str, target: str, *, waits: bool) -> HttpResponse:
        context = {"address": shown_name(address), "target": shown_name(target), "waits": waits}
        return self.render_to_response(self.get_context_data(**context))

    def _invalid(self) -> HttpResponse:
        context = {"days": forward_letter.LINK_DAYS}
        return self.response_class(self.request, ["owner/forward_consent_invalid.html"], context, status=410)
