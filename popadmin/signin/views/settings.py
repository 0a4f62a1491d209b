"""The user's settings: name, language, theme, password, sessions, and links to the other pages."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse, reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from django.views.generic import FormView
from django.views.i18n import set_language

from mailstore.directory import forwards, recovery_addresses
from mailstore.models import Mailbox
from popadmin.signin import actions, sessions
from popadmin.signin.forms.settings import ChangePasswordForm, ProfileForm
from popadmin.web import layout
from popadmin.web.layout import breadcrumb
from popadmin.web.people import signed_in
from popadmin.web.request_lookup import actor


class Settings(FormView[ProfileForm]):
    template_name = "signin/settings.html"
    form_class = ProfileForm
    success_url = reverse_lazy("settings")

    def get_initial(self) -> dict[str, Any]:
        user = signed_in(self.request)
        return {"name": user.name}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        mailbox: Mailbox | None = getattr(user, "mailbox", None)
        may_forward = mailbox is not None and forwards.allowed(mailbox)
        return super().get_context_data(
            **kwargs,
            masked=recovery_addresses.masked(user.recovery_address),
            hosted=recovery_addresses.is_hosted(user),
            sessions=sessions.open_sessions(user, current_key=self.request.session.session_key),
            mailbox=mailbox,
            may_forward=may_forward,
            forward=forwards.of(mailbox) if mailbox is not None and may_forward else None,
        )

    def form_valid(self, form: ProfileForm) -> HttpResponse:
        user, by = signed_in(self.request), actor(self.request)
        actions.set_name(user, form.cleaned_data["name"], actor=by)
        messages.success(self.request, _("Saved."))
        return super().form_valid(form)


@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out the browser of the session that the form names, or all other browsers if it names none."""
    user = signed_in(request)
    keys = sessions.session_keys(user, except_key=request.session.session_key, handle=request.POST.get("session"))
    ended = actions.end_sessions(user, keys, actor=actor(request))
    text = ngettext("%(count)d browser is signed out.", "%(count)d browsers are signed out.", ended) % {"count": ended}
    messages.success(request, text)
    return redirect("settings")


class Password(FormView[ChangePasswordForm]):
    """The page on which signed-in users change their password, because they want to or must."""

    template_name = "signin/password.html"
    form_class = ChangePasswordForm

    def get_form_kwargs(self) -> dict[str, object]:
        return {**super().get_form_kwargs(), "user": self.request.user, "client": self.request.META["REMOTE_ADDR"]}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        parents = [] if signed_in(self.request).must_change_password else [breadcrumb(_("Settings"), "settings")]
        return super().get_context_data(**kwargs, breadcrumbs=parents)

    def form_valid(self, form: ChangePasswordForm) -> HttpResponse:
        self.success_url = reverse("home" if form.user.must_change_password else "settings-password")
        actions.change_password(form.user, form.cleaned_data["new_password1"], actor=actor(self.request))
        update_session_auth_hash(self.request, form.user)  # this session goes on
        messages.success(self.request, _("The password is changed. You are signed out everywhere else."))
        return super().form_valid(form)


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Choose the language; every page has this form, also for users who are not signed in."""
    chosen = request.POST.get("language")
    if chosen not in dict(settings.LANGUAGES):
        raise BadRequest(f"{chosen!r}")
    if request.user.is_authenticated:
        actions.set_language(request.user, chosen, actor=actor(request))
    return set_language(request)


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Choose the theme; every page has this form, also for users who are not signed in."""
    chosen = request.POST.get("theme")
    if chosen not in layout.THEMES:
        raise BadRequest(f"{chosen!r}")
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    response = redirect(back if safe else "home")
    response.set_cookie(layout.THEME_COOKIE, chosen, max_age=settings.THEME_COOKIE_AGE, httponly=True, samesite="Lax")
    return response
