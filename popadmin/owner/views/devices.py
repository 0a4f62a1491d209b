"""The owner's devices: the list, and one device with what can be changed of it. Making one is in `connect`."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.generic import FormView, TemplateView

from mailstore.models import Device
from mailstore.store import devices, mailboxes
from mailstore.store.outcomes import Rejected
from popadmin.acting import actor, find
from popadmin.crumbs import crumb
from popadmin.owner import access, modes
from popadmin.owner.forms.devices import MainPop, Rename
from popadmin.signin.access import signed_in


class Devices(TemplateView):
    template_name = "owner/devices.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        rows = [(device, modes.mode(device.mode)) for device in access.devices(user)]
        mailbox = get_object_or_404(access.mailboxes(user))
        return super().get_context_data(**kwargs, mailbox=mailbox, devices=rows, alone=len(rows) == 1)


class One(TemplateView):
    """One device: its facts, and the forms that change it; each form has a view of its own."""

    template_name = "owner/device.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        device = one(request, kwargs["pk"])
        if device.revoked_at is not None:  # an old page, or the way back after revoking
            messages.info(request, _("“%(name)s” is revoked.") % {"name": device.name})
            return redirect("devices")
        self.device = device
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        device, mailbox = self.device, self.device.mailbox
        forms = {
            "rename": Rename(initial={"name": device.name}),
            "main_pop": MainPop(initial={"main_pop": not mailbox.main_pop}),
        }
        return {
            **super().get_context_data(device=device, mailbox=mailbox, crumbs=[crumb(_("Devices"), "devices")]),
            "mode": modes.mode(device.mode),
            "sees_messages": mailbox.messages - device.hidden_messages,
            "sees_octets": mailbox.octets - device.hidden_octets,
            "forms": {**forms, **kwargs.get("tried", {})},
        }


class _Change(FormView, One):  # type: ignore[type-arg]  # generic only in its stubs
    """What is refused stands beside the field it is about, on the device's own page."""

    template_name = One.template_name
    form: str
    field: str

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return redirect("devices-one", self.device.pk)  # the way back after a form that was refused

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            said = self.change(form.cleaned_data[self.field])
        except Rejected as refusal:
            form.add_error(self.field, capfirst(str(refusal)))
            return self.form_invalid(form)
        messages.success(self.request, said)
        return redirect("devices-one", self.device.pk)

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(tried={self.form: form}))

    def change(self, value: Any) -> str:
        """Do it; returns the notice that says so."""
        raise NotImplementedError


class Named(_Change):
    form_class, form, field = Rename, "rename", "name"

    def change(self, value: str) -> str:
        device = devices.rename(_address(self.device), self.device.name, value, actor=actor(self.request))
        return _("The device is called “%(name)s” now.") % {"name": device.name}


class Main(_Change):
    """Whether mail programs may use the main password; only the main device has this form."""

    form_class, form, field = MainPop, "main_pop", "main_pop"

    def change(self, value: bool) -> str:
        mailboxes.ensure(_address(self.device), actor=actor(self.request), main_pop=value)
        if value:
            return _("Mail programs may use the main password.")
        return _("Mail programs cannot use the main password any more; these pages still take it.")


class Revoke(One):
    template_name = "owner/revoke.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context["crumbs"].append(crumb(self.device.name, "devices-one", self.device.pk))
        return context

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            devices.revoke(_address(self.device), self.device.name, actor=actor(request))
        except Rejected as refusal:
            messages.error(request, capfirst(str(refusal)))
            return redirect("devices-one", self.device.pk)
        messages.success(request, _("“%(name)s” is revoked: it signs in no more.") % {"name": self.device.name})
        return redirect("devices")


class Status(One):
    """Whether the device has signed in yet, for a page that waits for it."""

    template_name = "owner/sighting.html"


def one(request: HttpRequest, key: int) -> Device:
    """The device of this key if it is the person's own, revoked or not."""
    return find(request, access.all_devices(signed_in(request)), pk=key)


def _address(device: Device) -> str:
    return device.mailbox.user.address
