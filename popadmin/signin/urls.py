"""Addresses of signing in, and of what everybody may set for himself."""

from django.urls import path

from popadmin.signin.views import choices, password, session

urlpatterns = [
    path("", session.home, name="home"),
    path("sign-in/", session.SignIn.as_view(), name="sign-in"),
    path("sign-out/", session.SignOut.as_view(), name="sign-out"),
    path("password/", password.Password.as_view(), name="password"),
    path("language/", choices.language, name="language"),
    path("theme/", choices.theme, name="theme"),
]
