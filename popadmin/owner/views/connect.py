"""Connect a device: the owner names it, sees its password once, and sees the first sign-in arrive."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.generic import FormView, TemplateView

from mailstore.directory import devices
from mailstore.models import Device
from mailstore.policy import device_secret
from popadmin.owner import access
from popadmin.owner.device_setup import qr_code
from popadmin.owner.forms import ConnectForm
from popadmin.web.form_rejection import RejectionMixin
from popadmin.web.layout import breadcrumb
from popadmin.web.mail_program import mail_program_settings
from popadmin.web.people import signed_in
from popadmin.web.request_lookup import actor


class Connect(RejectionMixin, FormView[ConnectForm]):
    """Create a device. The answer to the form shows the secret, without a redirect, so that the secret is not stored.

    If the form is sent again, the page says that the device already exists.
    """

    template_name = "owner/connect.html"
    form_class = ConnectForm
    error_field = "name"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        mailbox = get_object_or_404(access.mailboxes(signed_in(self.request)))
        return super().get_context_data(**kwargs, mailbox=mailbox, breadcrumbs=[breadcrumb(_("Devices"), "devices")])

    def perform(self, form: Any) -> HttpResponse:
        user = signed_in(self.request)
        get_object_or_404(access.mailboxes(user))
        first = not access.devices(user).filter(main=False).exists()
        values = form.cleaned_data
        device, secret = devices.add(
            user.address, values["name"], actor=actor(self.request), mode=values["mode"], start=values["start"]
        )
        return self.response_class(self.request, ["owner/connected.html"], self._created(device, secret, first=first))

    def _created(self, device: Device, secret: str, *, first: bool) -> dict[str, Any]:
        secret_text = device_secret.shown(secret)
        fragment = urlencode({"user": signed_in(self.request).address, "secret": secret_text})
        # Behind the #: browsers do not send that part to a server, and cameras do not pass it to a search engine.
        setup_url = self.request.build_absolute_uri(reverse("setup-device")) + f"#{fragment}"
        return {
            "device": device,
            "secret": secret_text,
            "program": mail_program_settings(),
            "qr": qr_code(setup_url),
            "main": access.devices(signed_in(self.request)).get(main=True) if first else None,
            "breadcrumbs": [breadcrumb(_("Devices"), "devices")],
        }


@method_decorator(login_not_required, name="dispatch")
class Setup(TemplateView):
    """The page that the QR code opens. The user name and the password never reach the server: a script shows them."""

    template_name = "owner/setup.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, program=mail_program_settings())
