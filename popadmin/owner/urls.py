"""Addresses of the mailbox owner's pages."""

from django.urls import path

from popadmin.owner.views import usage

urlpatterns = [path("mailbox/", usage.Usage.as_view(), name="mailbox")]
