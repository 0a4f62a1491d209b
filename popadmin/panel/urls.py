"""Addresses of the admins' pages."""

from django.urls import path

from popadmin.panel.views import audit, mailboxes, overview

urlpatterns = [
    path("overview/", overview.Overview.as_view(), name="overview"),
    path("audit/", audit.Audit.as_view(), name="audit"),
    path("mailboxes/", mailboxes.Mailboxes.as_view(), name="mailboxes"),
]
