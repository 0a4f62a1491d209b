"""Language and theme, which users can choose on every page."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from popadmin.signin import actions
from popadmin.web import layout
from popadmin.web.request_lookup import actor


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    chosen = request.POST.get("language")
    if chosen not in dict(settings.LANGUAGES):
        raise BadRequest(f"{chosen!r}")
    if request.user.is_authenticated:
        actions.choose_language(request.user, chosen, actor=actor(request))
    return set_language(request)


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    chosen = request.POST.get("theme")
    if chosen not in layout.THEMES:
        raise BadRequest(f"{chosen!r}")
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    response = redirect(back if safe else "home")
    response.set_cookie(layout.THEME_COOKIE, chosen, max_age=settings.THEME_COOKIE_AGE, httponly=True, samesite="Lax")
    return response
