"""The devices of a mailbox: the list, and one device with the forms that change it. `connect` creates one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.generic import FormView, TemplateView

from mailstore.directory import devices
from mailstore.directory.outcome import Rejected
from mailstore.models import Device, DiarySession
from mailstore.retention import waiting_mail
from popadmin.connect import program_steps
from popadmin.connect.program_steps import OTHER, page_values
from popadmin.owner import access, device_state, pop_switch
from popadmin.owner.forms import ModeForm, RenameForm
from popadmin.web import device_mode, form_rejection
from popadmin.web.form_fields import Option
from popadmin.web.layout import breadcrumb
from popadmin.web.people import signed_in
from popadmin.web.request_lookup import actor, find

SESSION_ENDS = timedelta(minutes=1)  # a first session that is longer is not waited for


class Devices(TemplateView):
    template_name = "owner/devices.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        mailbox = get_object_or_404(access.mailboxes(user))
        rows = device_state.rows(access.devices(user))
        pop_remedy = "" if mailbox.pop else pop_switch.remedy(mailbox)
        return super().get_context_data(**kwargs, devices=rows, only_main=len(rows) == 1, pop_remedy=pop_remedy)


class DevicePage(TemplateView):
    """One device: its facts, and the forms that change it; each form has a view of its own."""

    template_name = "owner/device.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        device = find_device(request, kwargs["pk"])
        if device.revoked_at is not None:  # an old page, or the back button after revoking
            messages.info(request, _("“%(name)s” is revoked.") % {"name": device.name})
            return redirect("devices")
        self.device = device
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        device, mailbox = self.device, self.device.mailbox
        return {
            **super().get_context_data(
                device=device,
                line=device_state.state_line(device, self.request.META["REMOTE_ADDR"]),
                mailbox=mailbox,
                breadcrumbs=[breadcrumb(_("Devices"), "devices")],
            ),
            **self._program(),
            "mode": device_mode.of(device),
            "sees_messages": mailbox.messages - device.hidden_messages,
            "sees_octets": mailbox.octets - device.hidden_octets,
            "forms": {**self._forms(), **kwargs.get("invalid_forms", {})},
        }

    def _program(self) -> dict[str, Any]:
        """Return the values of a program while the first sign-in is awaited. Nobody knows the secret any more."""
        if self.device.main or self.device.last_sign_in_at is not None:
            return {}
        chosen = program_steps.program(self.request.GET.get("program")) or OTHER
        address = signed_in(self.request).address
        return page_values(chosen, address=address, secret="", may_send=self.device.sends)

    def _forms(self) -> dict[str, Form]:
        return {
            "rename": RenameForm(initial={name: getattr(self.device, name) for name in RenameForm.base_fields}),
            "mode": ModeForm(initial={"mode": device_mode.of(self.device).value}, offered=self.offered()),
        }

    def offered(self) -> tuple[Option, ...]:
        """Return the modes that this device can have."""
        only_main = not access.devices(signed_in(self.request)).filter(main=False).exists()
        return device_mode.offered(self.device, only_main=only_main)


class _DeviceForm(FormView[Form], DevicePage):
    """A form of the device page. An error is shown beside its field, on the same page."""

    template_name = DevicePage.template_name
    form_name: str
    field: str  # beside which a refusal is shown

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return redirect("devices-one", self.device.pk)  # the back button after a form that was refused

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            notice = self.change(form.cleaned_data)
        except Rejected as refusal:
            form_rejection.add_error(form, refusal, otherwise=self.field)
            return self.form_invalid(form)
        messages.success(self.request, notice)
        return redirect("devices-one", self.device.pk)

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(invalid_forms={self.form_name: form}))

    def change(self, values: dict[str, Any]) -> str:
        """Make the change; return the notice for the owner."""
        raise NotImplementedError


class RenameDevice(_DeviceForm):
    form_class, form_name, field = RenameForm, "rename", "name"

    @transaction.atomic
    def change(self, values: dict[str, Any]) -> str:
        address, by = _address(self.device), actor(self.request)
        device = devices.rename(address, self.device.name, values["name"], actor=by)
        kind, may_send = values["kind"] or self.device.kind, values["may_send"]
        if (kind, may_send) == (self.device.kind, self.device.may_send):
            return _("The device is now called “%(name)s”.") % {"name": device.name}
        devices.set_kind(address, device.name, kind, actor=by)
        devices.set_may_send(address, device.name, may_send, actor=by)
        return _("Saved.")


class ChangeMode(_DeviceForm):
    form_class, form_name, field = ModeForm, "mode", "mode"

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "offered": self.offered()}

    def change(self, values: dict[str, Any]) -> str:
        device = devices.set_mode(_address(self.device), self.device.name, values["mode"], actor=actor(self.request))
        device.mailbox.refresh_from_db(fields=["main_pop"])
        return _("Saved: “%(mode)s”.") % {"mode": device_mode.of(device).label}


class RevokeDevice(DevicePage):
    template_name = "owner/revoke.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context["breadcrumbs"].append(breadcrumb(self.device.name, "devices-one", self.device.pk))
        return context

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            devices.revoke(_address(self.device), self.device.name, actor=actor(request))
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
            return redirect("devices-one", self.device.pk)
        messages.success(request, _("“%(name)s” is revoked: it can no longer sign in.") % {"name": self.device.name})
        return redirect("devices")


class DeviceStatus(DevicePage):
    """The part of a page that says whether the device has signed in yet; the page loads it again and again."""

    template_name = "owner/first_sign_in.html"

    def get_context_data(self, **_kwargs: Any) -> dict[str, Any]:
        device = self.device
        if device.last_sign_in_at is None or device.main:
            return {"device": device, "line": device_state.state_line(device, self.request.META["REMOTE_ADDR"])}
        fetches = access.diary(signed_in(self.request)).filter(device=device).exclude(ended=DiarySession.Ended.SENT)
        session = fetches.order_by("-started_at").first()
        long_ago = timezone.now() - device.last_sign_in_at > SESSION_ENDS
        return {
            "device": device,
            "line": device_state.works_line(device, session),
            "is_over": bool(session or long_ago),
        }


def find_device(request: HttpRequest, key: int) -> Device:
    """Return the device with this key if it belongs to the user, revoked or not."""
    return find(request, waiting_mail.with_waiting(access.all_devices(signed_in(request))), pk=key)


def _address(device: Device) -> str:
    return device.mailbox.user.address
