"""Connect a device: the owner chooses the program and a name, sees the password once, and sees the first sign-in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import FormView

from mailstore.directory import devices, policies, profile_links
from mailstore.models import Device, Mailbox, RetentionPolicy
from mailstore.policy import device_secret
from popadmin.connect import profile_signature, program_steps
from popadmin.connect.program_steps import GROUPS, OTHER, PROGRAMS, Program, page_values
from popadmin.connect.qr_code import QrCode, qr_code
from popadmin.connect.views.setup import ONLY_FETCH
from popadmin.owner import access, device_state
from popadmin.owner.forms import ConnectForm
from popadmin.web.form_rejection import RejectionMixin
from popadmin.web.layout import breadcrumb
from popadmin.web.people import signed_in
from popadmin.web.request_lookup import actor
from popadmin.web.server_settings import server_settings


@dataclass(frozen=True, slots=True)
class ProfileOffer:
    """How the owner gets the profile of a new device: on this device by its file, on another by a code of a page."""

    file_url: str
    qr: QrCode
    is_verifiable: bool


class Connect(RejectionMixin, FormView[ConnectForm]):
    """Create a device. The answer to the form shows the secret, without a redirect, so that the secret is not stored.

    If the form is sent again, the page says that the device already exists.
    """

    template_name = "owner/connect.html"
    form_class = ConnectForm
    error_field = "name"

    def get_initial(self) -> dict[str, Any]:
        chosen = self._program()
        kind = chosen.kind if chosen else Device.Kind.OTHER
        return {**super().get_initial(), "kind": kind, "may_send": bool(server_settings().smtp_ports)}

    def get_form(self, form_class: type[ConnectForm] | None = None) -> ConnectForm:
        """Return the form, which does not ask about sending where the mailbox may not send at all."""
        form = super().get_form(form_class)
        if not get_object_or_404(access.mailboxes(signed_in(self.request))).smtp:
            del form.fields["may_send"]
        return form

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        mailbox = get_object_or_404(access.mailboxes(signed_in(self.request)))
        crumbs = [breadcrumb(_("Devices"), "devices")]
        programs = {"groups": GROUPS, "chosen": self._program()}
        return super().get_context_data(**kwargs, mailbox=mailbox, breadcrumbs=crumbs, **programs)

    def perform(self, form: Any) -> HttpResponse:
        user = signed_in(self.request)
        mailbox = get_object_or_404(access.mailboxes(user))
        first = not access.devices(user).filter(main=False).exists()
        device, secret = devices.add(user.address, actor=actor(self.request), **form.cleaned_data)
        context = self._created(device, device_secret.shown(secret))
        context["profile"] = self._profile(profile_links.make(device, secret))
        context |= {"main": access.devices(user).get(main=True), "is_first": first, "mailbox": mailbox}
        context["silent_days"] = _silent_days(mailbox)
        return self.response_class(self.request, ["owner/connected.html"], context)

    def _created(self, device: Device, secret: str) -> dict[str, Any]:
        address, chosen = signed_in(self.request).address, self._program() or OTHER
        fragment = urlencode({"user": address, "secret": secret})
        # Behind the #: browsers do not send that part to a server, and cameras do not pass it to a search engine.
        query = "" if device.sends else f"?{urlencode({'only': ONLY_FETCH})}"
        setup_url = self.request.build_absolute_uri(reverse("setup-device")) + f"{query}#{fragment}"

        def shown(program: Program) -> dict[str, Any]:
            return page_values(program, address=address, secret=secret, may_send=device.sends)

        return {
            **shown(chosen),
            "device": device,
            "line": device_state.state_line(device, self.request.META["REMOTE_ADDR"]),
            "others": [shown(other) for other in PROGRAMS if other != chosen],
            "qr": qr_code(setup_url),
            "breadcrumbs": [breadcrumb(_("Devices"), "devices")],
        }

    def _profile(self, token: str) -> ProfileOffer:
        page = self.request.build_absolute_uri(reverse("setup-profile", args=[token]))
        file = reverse("setup-profile-file", args=[token])
        return ProfileOffer(file, qr_code(page), profile_signature.is_verifiable())

    def _program(self) -> Program | None:
        return program_steps.program(self.request.POST.get("program") or self.request.GET.get("program"))


def _silent_days(mailbox: Mailbox) -> int:
    return (policies.in_force(mailbox)[0] or RetentionPolicy()).silent_days
