"""The public pages for people who set up a mail program. They know no secret, and not who asks."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.generic import TemplateView

from popadmin.connect import program_steps
from popadmin.connect.program_steps import OTHER
from popadmin.connect.qr_code import qr_code

ONLY_FETCH = "fetch"  # in the query string


@method_decorator(login_not_required, name="dispatch")
class Setup(TemplateView):
    """Choose the program, then its steps and values. On paper, or by its QR code on a phone, it is the same page."""

    template_name = "connect/setup.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        chosen = program_steps.program(self.request.GET.get("program"))
        here = self.request.build_absolute_uri(reverse("setup"))
        return {
            **super().get_context_data(**kwargs),
            **program_steps.page_values(chosen or OTHER, address="", secret=""),
            "chosen": chosen,
            "qr": qr_code(f"{here}?program={chosen.name}" if chosen else here),
        }


@method_decorator(login_not_required, name="dispatch")
class DeviceSetup(TemplateView):
    """The page that a device's QR code opens. User name and password never reach the server: a script shows them.

    With `?only=fetch` it is for a password that may not send.
    """

    template_name = "connect/device.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_send = self.request.GET.get("only") != ONLY_FETCH
        shown = program_steps.page_values(OTHER, address="", secret="", may_send=may_send)
        return super().get_context_data(**kwargs, **shown)
