"""Addresses of the mailbox owner's pages."""

from django.urls import path

from popadmin.owner import views

urlpatterns = [path("", views.Usage.as_view(), name="mailbox")]
