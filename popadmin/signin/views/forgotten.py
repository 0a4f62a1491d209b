"""A forgotten password: a link is mailed to the recovery address, and is valid for one new password.

Strangers learn nothing here. For every address, the page looks up, writes and answers the same. The only difference is
a mail, and it is sent after the answer.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.tokens import default_token_generator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.encoding import force_str
from django.utils.http import urlsafe_base64_decode
from django.utils.translation import gettext as _
from django.views.generic import FormView, TemplateView

from mailstore.directory import recovery_addresses
from mailstore.models import User
from popadmin.signin import actions, sign_in_log
from popadmin.signin.forms.sign_in import ForgottenPasswordForm, ResetPasswordForm
from popadmin.web import mail_limit, password_link, people
from popadmin.web.mailer import mail_queue

NOBODY = User(pk=0, address="nobody@invalid", recovery_address="nobody@invalid", password="!")  # noqa: S106 - unusable


@method_decorator(login_not_required, name="dispatch")
class ForgottenPassword(FormView[ForgottenPasswordForm]):
    template_name = "signin/forgotten.html"
    form_class = ForgottenPasswordForm

    def form_valid(self, form: ForgottenPasswordForm) -> HttpResponse:
        client, name = self.request.META["REMOTE_ADDR"], people.own_address(self.request, form.cleaned_data["address"])
        if not mail_limit.may_request_mail(client):
            sign_in_log.password_request(client, name, sign_in_log.TOO_MANY)
            form.add_error(None, _("Too many requests from your network. Wait an hour, then try again."))
            return self.form_invalid(form)
        user = people.users_with_rights().annotate(hosted=recovery_addresses.hosted()).filter(address=name).first()
        message, obstacle = password_link.mail(self.request, user or NOBODY), _obstacle(user)
        if not mail_limit.may_mail(name):
            obstacle = obstacle or "too many for this account"
        if obstacle is None:
            mail_queue.put(message)
        sign_in_log.password_request(client, name, obstacle or sign_in_log.MAILED)
        return redirect("password-mailed")


@method_decorator(login_not_required, name="dispatch")
class LinkSent(TemplateView):
    """The answer to a request. It is a page of its own, so that a reload sends no second request."""

    template_name = "signin/link_sent.html"


@method_decorator(login_not_required, name="dispatch")
class ResetPassword(FormView[ResetPasswordForm]):
    """The page of the link. It opens no session: after the change, the user signs in with the new password."""

    template_name = "signin/reset.html"
    form_class = ResetPasswordForm

    invalid_template = "signin/link_invalid.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        self.user = self.user_of_link(**kwargs)
        if self.user is None:
            return self.response_class(request, [self.invalid_template], {}, status=410)
        return super().dispatch(request, *args, **kwargs)

    def user_of_link(self, **link: str) -> User | None:
        """Return the user of a valid link. None for any other link, and for users who may not use the web."""
        try:
            key = int(force_str(urlsafe_base64_decode(link["uid"])))
        except (ValueError, OverflowError):
            return None
        user = user_with_pages(key)
        return user if default_token_generator.check_token(user, link["token"]) else None

    def get_form_kwargs(self) -> dict[str, object]:
        return {**super().get_form_kwargs(), "user": self.user}

    def form_valid(self, form: ResetPasswordForm) -> HttpResponse:
        self.set_password(form.user, form.cleaned_data["new_password1"])
        messages.success(
            self.request, _("The password is changed, and you are signed out everywhere. Sign in with the new one.")
        )
        return redirect("sign-in")

    def set_password(self, user: User, password: str) -> None:
        actions.reset_password(user, password, client=self.request.META["REMOTE_ADDR"])


def _obstacle(user: User | None) -> str | None:
    """Return why no mail is sent, for the log."""
    if user is None:
        return sign_in_log.UNKNOWN
    if people.suspended(user) or people.web_switched_off(user):
        return sign_in_log.SUSPENDED
    if not user.recovery_address:
        return sign_in_log.NO_ADDRESS
    return sign_in_log.HOSTED_ADDRESS if user.hosted else None  # type: ignore[attr-defined]  # annotated


def user_with_pages(key: int) -> User | None:
    """Return the user with this key who may use the web."""
    user = people.users_with_rights().filter(pk=key).first() if 0 < key < 2**63 else None
    if user is None or people.suspended(user) or people.web_switched_off(user):
        return None
    return user
