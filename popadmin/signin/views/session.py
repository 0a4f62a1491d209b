"""Signing in and out; and `/`, which sends each person to his own page."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from popadmin import layout
from popadmin.signin.forms import sign_in


def home(request: HttpRequest) -> HttpResponse:
    """The first place of the person's own menu."""
    return redirect(layout.menu(request)[0]["url"])


class SignIn(LoginView):
    template_name = "signin/sign_in.html"
    authentication_form = sign_in.SignIn
    redirect_authenticated_user = True


class SignOut(LogoutView):
    """By POST only, so that no foreign page can do it by a picture."""
