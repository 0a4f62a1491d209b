"""The link of a new device: a page that leads to its profile, and the profile itself, once."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.generic import View

from mailstore.directory import profile_links
from mailstore.policy import device_secret
from popadmin.connect import apple_profile, profile_signature
from popadmin.connect.apple_profile import CONTENT_TYPE, Account
from popadmin.web.server_settings import server_settings


@method_decorator(login_not_required, name="dispatch")
class ProfilePage(View):
    """The page that the device opens by its QR code. To look at it uses nothing up."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        device = profile_links.device_of(token)
        if device is None:
            return _ended(request)
        context = {"device": device, "token": token, "is_verifiable": profile_signature.is_verifiable()}
        return render(request, "connect/profile.html", context)


@method_decorator(login_not_required, name="dispatch")
class ProfileFile(View):
    """The profile with the device's password. The link ends with it, so a HEAD does not ask for it."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        taken = profile_links.take(token, client=request.META.get("REMOTE_ADDR") or None)
        if taken is None:
            return _ended(request)
        device, secret = taken
        user = device.mailbox.user
        account = Account(user.address, user.name, device_secret.shown(secret), device.pk, device.sends)
        data = profile_signature.signed(apple_profile.document(account, server_settings()))
        headers = {"Content-Disposition": 'attachment; filename="mail.mobileconfig"'}
        return HttpResponse(data, content_type=CONTENT_TYPE, headers=headers)


def _ended(request: HttpRequest) -> HttpResponse:
    return render(request, "connect/profile_ended.html", status=410)
