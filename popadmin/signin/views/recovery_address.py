"""The recovery address: set with the password, confirmed by a mailed code."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.generic import FormView

from mailstore.directory import recovery_addresses
from mailstore.directory.outcome import Rejected
from popadmin.signin.forms.settings import RecoveryAddressForm, RecoveryCodeForm
from popadmin.web import form_rejection, mail_limit, people
from popadmin.web.form_rejection import RejectionMixin
from popadmin.web.layout import breadcrumb
from popadmin.web.mailer import NotSent, compose, send
from popadmin.web.people import signed_in
from popadmin.web.request_lookup import actor


class RecoveryAddress(FormView[RecoveryAddressForm]):
    template_name = "signin/recovery_address.html"
    form_class = RecoveryAddressForm

    def get_form_kwargs(self) -> dict[str, object]:
        return {**super().get_form_kwargs(), "user": self.request.user, "client": self.request.META["REMOTE_ADDR"]}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs,
            masked=recovery_addresses.masked(signed_in(self.request).recovery_address),
            hosted=recovery_addresses.is_hosted(signed_in(self.request)),
            gets_digests=people.is_admin(signed_in(self.request)),
            breadcrumbs=[breadcrumb(_("Settings"), "settings")],
        )

    def form_valid(self, form: RecoveryAddressForm) -> HttpResponse:
        user = signed_in(self.request)
        if not form.cleaned_data["address"]:
            recovery_addresses.remove(user, actor=actor(self.request))
            messages.success(self.request, _("You no longer have a recovery address."))
            return redirect("settings")
        try:
            self._mail(form.cleaned_data["address"])
        except Rejected as refusal:
            form_rejection.add_error(form, refusal, otherwise="address")
        except NotSent:
            form.add_error(None, _("The mail server of this site did not accept the mail. Try again later."))
        else:
            return redirect("settings-recovery-code")
        return self.form_invalid(form)

    def _mail(self, address: str) -> None:
        user = signed_in(self.request)
        if not mail_limit.may_mail(f"code {user.pk}"):
            raise Rejected(_("too many codes were sent: wait an hour, then try again"))
        normal, code = recovery_addresses.ask(user, address)
        minutes = recovery_addresses.CODE_MINUTES
        language = user.language or get_language() or ""
        send(compose("recovery_code", normal, language, address=user.address, code=code, minutes=minutes))


class RecoveryCode(RejectionMixin, FormView[RecoveryCodeForm]):
    template_name = "signin/recovery_code.html"
    form_class = RecoveryCodeForm
    error_field = "code"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.pending = recovery_addresses.pending_code(signed_in(request)) if request.user.is_authenticated else None
        if request.method == "GET" and self.pending is None:
            return redirect("settings-recovery-address")
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs,
            pending=self.pending,
            minutes=recovery_addresses.CODE_MINUTES,
            breadcrumbs=[
                breadcrumb(_("Settings"), "settings"),
                breadcrumb(_("Recovery address"), "settings-recovery-address"),
            ],
        )

    def perform(self, form: RecoveryCodeForm) -> HttpResponse:
        recovery_addresses.confirm(signed_in(self.request), form.cleaned_data["code"], actor=actor(self.request))
        messages.success(self.request, _("The recovery address is confirmed."))
        return redirect("settings")
