"""Create a mailbox, set a new password, and hand the password over on a page that is shown once."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.generic import FormView

from mailstore.directory import mailboxes, recovery_addresses
from mailstore.directory.outcome import Only, Rejected
from mailstore.models import Mailbox
from popadmin.panel import access, invitation
from popadmin.panel.forms.mailboxes import MustChange, NewMailbox
from popadmin.panel.row_page import MAILBOXES, MailboxPage
from popadmin.web import form_rejection, people, request_lookup
from popadmin.web.form_rejection import RejectionMixin
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
            invitable=invitation.mailable(self.mailbox),
            invitation_address=recovery_addresses.masked(self.mailbox.user.invitation_address),
            may_choose=invitation.may_choose(self.mailbox),
        )


def _secret_page(request: HttpRequest, mailbox: Mailbox, secret: str | None, *, new: bool) -> HttpResponse:
    address = mailbox.user.invitation_address
    context = {
        "mailbox": mailbox,
        "login": mailbox.user.address,
        "secret": secret,
        "new": new,
        "back": reverse("mailboxes-one", args=[mailbox.pk]),
        "server": server_settings(),
        "site": request.build_absolute_uri("/"),
        "invitable": invitation.mailable(mailbox),
        "invitation_address": address if new else recovery_addresses.masked(address),
        "may_choose": invitation.may_choose(mailbox),
        "breadcrumbs": [MAILBOXES],
    }
    return render(request, "panel/mailbox_secret.html", context)
