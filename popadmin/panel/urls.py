"""Addresses of the hosting admin's pages."""

from django.urls import path

from popadmin.panel.views import overview

urlpatterns = [path("overview/", overview.Overview.as_view(), name="overview")]
