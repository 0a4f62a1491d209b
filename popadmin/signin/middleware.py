"""Middleware: a sign-in first, then a new password if one must be chosen; and when a session was last used."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from popadmin.signin import resubmit
from popadmin.signin.sessions import USER_AGENT_CHARACTERS
from popadmin.signin.views.sign_in import sign_in_again
from popadmin.web.middleware import GetResponse

LAST_SEEN_SECONDS = 300  # how exact "last seen" is: a page that is opened earlier writes nothing


class RequireSignIn(LoginRequiredMiddleware):
    """Send users who are not signed in to the sign-in page, then back. A form that they sent is kept for them."""

    def handle_no_permission(  # type: ignore[override]  # Django's stub knows no page here
        self, request: HttpRequest, view_func: Any
    ) -> HttpResponse:
        sent = resubmit.sent_form(request)
        return super().handle_no_permission(request, view_func) if sent is None else sign_in_again(request, sent)


class RequireNewPassword:
    """Let users who must choose a new password do that or sign out, and nothing else."""

    ALLOWED = frozenset({"settings-password", "sign-out", "language", "theme"})

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any) -> HttpResponse | None:
        if not request.user.is_authenticated or not request.user.must_change_password:
            return None
        here = request.resolver_match.view_name if request.resolver_match else None
        open_to_all = not getattr(view, "login_required", True)
        return None if open_to_all or here in self.ALLOWED else redirect("settings-password")


class RecordSessionUse:
    """Record in the session when it was last used, from where and with which browser."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if SESSION_KEY in request.session:
            _record_use(request)
        return response


def _record_use(request: HttpRequest) -> None:
    now, session = int(time.time()), request.session
    session.setdefault("since", now)
    client = request.META.get("REMOTE_ADDR", "")
    if now - session.get("seen", 0) >= LAST_SEEN_SECONDS or session.get("client") != client:
        session.update(
            {"seen": now, "client": client, "agent": request.headers.get("User-Agent", "")[:USER_AGENT_CHARACTERS]}
        )
