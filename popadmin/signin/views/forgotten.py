"""A forgotten password: a link is mailed to the recovery address, and is valid for one new password.

Strangers learn nothing here. Whatever was typed, the page looks up, writes and answers the same; the only difference,
that a mail is sent, happens after the answer.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.mail import EmailMessage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.generic import FormView, TemplateView

from mailstore.directory import recovery_addresses
from mailstore.models import User
from popadmin.signin import actions, mail_limit, reset_token, sign_in_log
from popadmin.signin.forms.forgotten import Forgotten as ForgottenForm
from popadmin.signin.forms.password import ResetPassword
from popadmin.web import people
from popadmin.web.mailer import letter, postman

NOBODY = User(pk=0, address="nobody@invalid", recovery_address="nobody@invalid", password="!")  # noqa: S106 - unusable


@method_decorator(login_not_required, name="dispatch")
class Forgotten(FormView[ForgottenForm]):
    template_name = "signin/forgotten.html"
    form_class = ForgottenForm

    def form_valid(self, form: ForgottenForm) -> HttpResponse:
        client, name = self.request.META["REMOTE_ADDR"], people.signs_in_as(form.cleaned_data["address"])
        if not mail_limit.from_network(client):
            sign_in_log.forgotten(client, name, sign_in_log.MANY)
            form.add_error(None, _("Too many requests from your network. Wait an hour, then try again."))
            return self.form_invalid(form)
        user = people.people().annotate(hosted=recovery_addresses.hosted()).filter(address=name).first()
        message, why_not = self._letter(user or NOBODY), _why_not(user)
        if not mail_limit.for_account(name):
            why_not = why_not or "too many for this account"
        if why_not is None:
            postman.take(message)
        sign_in_log.forgotten(client, name, why_not or sign_in_log.MAILED)
        return redirect("password-mailed")

    def _letter(self, user: User) -> EmailMessage:
        uid, token = reset_token.of(user)
        link = self.request.build_absolute_uri(reverse("password-reset", args=[uid, token]))
        language = user.language or get_language() or ""
        return letter("new_password", user.recovery_address, language, address=user.address, link=link)


@method_decorator(login_not_required, name="dispatch")
class Mailed(TemplateView):
    """A separate page, so that going back or reloading sends no second request."""

    template_name = "signin/link_sent.html"


@method_decorator(login_not_required, name="dispatch")
class Reset(FormView[ResetPassword]):
    """The page of the link. It opens no session: after the change, the user signs in with the new password."""

    template_name = "signin/reset.html"
    form_class = ResetPassword

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        self.user = reset_token.whose(kwargs["uid"], kwargs["token"])
        if self.user is None:
            return self.response_class(request, ["signin/link_invalid.html"], {}, status=410)
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, object]:
        return {**super().get_form_kwargs(), "user": self.user}

    def form_valid(self, form: ResetPassword) -> HttpResponse:
        actions.reset_password(form.user, form.cleaned_data["new_password1"], client=self.request.META["REMOTE_ADDR"])
        messages.success(
            self.request, _("The password is changed, and you are signed out everywhere. Sign in with the new one.")
        )
        return redirect("sign-in")


def _why_not(user: User | None) -> str | None:
    """Return why no mail is sent, for the log."""
    if user is None:
        return sign_in_log.UNKNOWN
    if people.suspended(user) or people.web_switched_off(user):
        return sign_in_log.SUSPENDED
    if not user.recovery_address:
        return sign_in_log.NO_ADDRESS
    return sign_in_log.HOSTED_ADDRESS if user.hosted else None  # type: ignore[attr-defined]  # annotated
