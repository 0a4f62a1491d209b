"""Sign in, sign out, and `/`, which sends users to their start page."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import csrf

from popadmin.signin import resubmit
from popadmin.signin.forms.sign_in import SignInForm
from popadmin.web import layout
from popadmin.web.people import signed_in

RETRY_SECONDS = 5  # for a client whose password could not be checked in time


def home(request: HttpRequest) -> HttpResponse:
    """Return the first page of the user's menu."""
    return redirect(layout.menu(request).groups[0].links[0].url)


class SignIn(LoginView):
    """The sign-in page. A form whose session had ended travels along as `sent`, and is offered after the sign-in."""

    template_name = "signin/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        sent = resubmit.unseal(self.request.POST.get("sent", ""))
        return (
            response
            if sent is None or signed_in(self.request).must_change_password
            else resubmit.offer(self.request, sent)
        )

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        if form.has_error(NON_FIELD_ERRORS, "busy"):
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
            response["Retry-After"] = str(RETRY_SECONDS)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sent = resubmit.unseal(self.request.POST.get("sent", ""))
        return super().get_context_data(**kwargs, sent=sent.seal() if sent else "")


class SignOut(LogoutView):
    """Sign out by POST only, so that no foreign page can do it with an image."""


def sign_in_again(request: HttpRequest, sent: resubmit.SentForm) -> HttpResponse:
    """Return the sign-in page in answer to a form whose sender was no longer signed in."""
    form = SignInForm(request)
    return render(request, SignIn.template_name, {"form": form, "next": sent.path, "sent": sent.seal()})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form with a wrong token (Django's CSRF_FAILURE_VIEW).

    A page from before the sign-in has an old token. If the browser says that the page is ours, which no script can
    forge, its form is offered again.
    """
    ours = request.headers.get("Sec-Fetch-Site") == "same-origin"
    sent = resubmit.sent_form(request) if ours and request.user.is_authenticated else None
    return csrf.csrf_failure(request, reason) if sent is None else resubmit.offer(request, sent, status=403)
