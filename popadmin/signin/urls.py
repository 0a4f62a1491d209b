"""Addresses of signing in, and of what everybody may set for himself."""

from django.urls import path

from popadmin.signin import views

urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("sign-out/", views.SignOut.as_view(), name="sign-out"),
    path("password/", views.Password.as_view(), name="password"),
    path("language/", views.language, name="language"),
    path("theme/", views.theme, name="theme"),
]
