"""Signing in and out, the password, the language and the theme; and `/`, which sends each person to his own page."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django.views.generic import FormView
from django.views.i18n import set_language

from popadmin import layout
from popadmin.signin import actions, forms


def home(request: HttpRequest) -> HttpResponse:
    """The first place of the person's own menu."""
    return redirect(layout.menu(request)[0]["url"])


class SignIn(LoginView):
    template_name = "signin/sign_in.html"
    authentication_form = forms.SignIn
    redirect_authenticated_user = True


class SignOut(LogoutView):
    """By POST only, so that no foreign page can do it by a picture."""


class Password(FormView):  # type: ignore[type-arg]  # generic only in its stubs
    template_name = "signin/password.html"
    form_class = forms.ChangePassword
    success_url = reverse_lazy("password")

    def get_form_kwargs(self) -> dict[str, object]:
        return {**super().get_form_kwargs(), "user": self.request.user, "client": self.request.META["REMOTE_ADDR"]}

    def form_valid(self, form: forms.ChangePassword) -> HttpResponse:
        actions.change_password(form.user, form.cleaned_data["new_password1"])
        update_session_auth_hash(self.request, form.user)  # this session goes on
        messages.success(self.request, _("The password is changed. Everywhere else you have been signed out."))
        return super().form_valid(form)


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    chosen = request.POST.get("language")
    if chosen not in dict(settings.LANGUAGES):
        raise BadRequest(f"{chosen!r}")
    if request.user.is_authenticated:
        actions.choose_language(request.user, chosen)
    return set_language(request)


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    chosen = request.POST.get("theme")
    if chosen not in layout.THEMES:
        raise BadRequest(f"{chosen!r}")
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    response = redirect(back if safe else "home")
    response.set_cookie(layout.THEME_COOKIE, chosen, max_age=settings.THEME_COOKIE_AGE, httponly=True, samesite="Lax")
    return response
