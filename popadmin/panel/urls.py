"""Addresses of the hosting admin's pages."""

from django.urls import path

from popadmin.panel import views

urlpatterns = [path("", views.Overview.as_view(), name="overview")]
