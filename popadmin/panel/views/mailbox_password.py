"""Create a mailbox, set a new password, and hand the password over: on a page shown once, or by an invitation."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import FormView, View

from mailstore.directory import mailboxes, recovery_addresses
from mailstore.directory.outcome import Only, Rejected
from mailstore.models import Mailbox
from popadmin.panel import access
from popadmin.panel.forms.mailboxes import MustChange, NewMailbox
from popadmin.panel.row_page import MAILBOXES, MailboxPage
from popadmin.web import form_rejection, mail_limit, password_link, people, request_lookup
from popadmin.web.form_rejection import RejectionMixin
from popadmin.web.mailer import NotSent, send
from popadmin.web.people import signed_in
from popadmin.web.server_settings import server_settings


class New(access.PolicyPage, FormView[NewMailbox]):
    """Create a mailbox. The answer itself shows the result, because the generated password is not stored anywhere."""

    template_name = "panel/mailbox_form.html"
    form_class = NewMailbox

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": signed_in(self.request)}

    def get_initial(self) -> dict[str, Any]:
        domain = self.request.GET.get("domain", "")
        return {"address": f"@{domain}"} if domain else {}

    def form_valid(self, form: NewMailbox) -> HttpResponse:
        password = form.cleaned_data["password"] or None
        try:
            done = mailboxes.ensure(
                form.cleaned_data["address"],
                actor=request_lookup.actor(self.request),
                password=password,
                only=Only.NEW,
                **form.fields_given(),
            )
        except Rejected as refusal:
            form.offer_look_alike(refusal)
            form_rejection.add_error(form, refusal, otherwise="address")
            return self.form_invalid(form)
        return _secret_page(self.request, done.row, done.secret or password, new=True)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, breadcrumbs=[MAILBOXES], host=people.is_host(signed_in(self.request)))


class Password(MailboxPage, RejectionMixin, FormView[MustChange]):
    """Generate a new password. It asks for confirmation: the old password cannot be restored."""

    template_name = "panel/mailbox_password.html"
    form_class = MustChange

    def perform(self, form: MustChange) -> HttpResponse:
        address, must_change = self.mailbox.user.address, form.cleaned_data["must_change_password"]
        secret = mailboxes.set_password(
            address, None, actor=request_lookup.actor(self.request), must_change=must_change
        )
        return _secret_page(self.request, self.mailbox, secret, new=False)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs,
            breadcrumbs=self.above(),
            mailbox=self.mailbox,
            devices=access.devices(self.mailbox).filter(main=False).count(),
            invitable=_invitable(self.mailbox),
        )


class Invitation(MailboxPage, View):
    """Mail the owner a link to choose a password. The password stays as it is until they use the link."""

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        user = self.mailbox.user
        if not _invitable(self.mailbox):
            messages.error(request, _("%(address)s has no recovery address to send a link to.") % {"address": user})
            return redirect("mailboxes-one", self.mailbox.pk)
        if not mail_limit.may_mail(user.address):
            text = _("No link was sent: %(address)s has had too many within an hour. Wait an hour, then try again.")
            messages.error(request, text % {"address": user})
            return redirect("mailboxes-one", self.mailbox.pk)
        try:
            send(password_link.mail(request, user))
        except NotSent:
            messages.error(request, _("The mail was not sent: the mail server did not accept it. The log says why."))
        else:
            mailboxes.record_invitation(self.mailbox, actor=request_lookup.actor(request))
            masked = recovery_addresses.masked(user.recovery_address)
            text = _("A link to choose a password is on its way to %(address)s. It works once, within an hour.")
            messages.success(request, text % {"address": masked})
        return redirect("mailboxes-one", self.mailbox.pk)


def _invitable(mailbox: Mailbox) -> bool:
    """Return whether a link may be mailed: to a recovery address elsewhere, of an owner who may use these pages."""
    user = mailbox.user
    usable = user.is_active and mailbox.domain.active and mailbox.web
    return usable and bool(user.recovery_address) and not recovery_addresses.is_hosted(user)


def _secret_page(request: HttpRequest, mailbox: Mailbox, secret: str | None, *, new: bool) -> HttpResponse:
    context = {
        "mailbox": mailbox,
        "login": mailbox.user.address,
        "secret": secret,
        "new": new,
        "back": reverse("mailboxes-one", args=[mailbox.pk]),
        "server": server_settings(),
        "site": request.build_absolute_uri("/"),
        "invitable": _invitable(mailbox),
        "breadcrumbs": [MAILBOXES],
    }
    return render(request, "panel/mailbox_secret.html", context)
