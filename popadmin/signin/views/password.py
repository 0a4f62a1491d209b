"""The page on which signed-in users change their password, because they want to or must."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import FormView

from popadmin.signin import actions
from popadmin.signin.forms.password import ChangePassword
from popadmin.web.breadcrumbs import crumb
from popadmin.web.people import signed_in
from popadmin.web.request_lookup import actor


class Password(FormView[ChangePassword]):
    template_name = "signin/password.html"
    form_class = ChangePassword

    def get_form_kwargs(self) -> dict[str, object]:
        return {**super().get_form_kwargs(), "user": self.request.user, "client": self.request.META["REMOTE_ADDR"]}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        above = [] if signed_in(self.request).must_change_password else [crumb(_("Settings"), "settings")]
        return super().get_context_data(**kwargs, crumbs=above)

    def form_valid(self, form: ChangePassword) -> HttpResponse:
        self.success_url = reverse("home" if form.user.must_change_password else "settings-password")
        actions.change_password(form.user, form.cleaned_data["new_password1"], actor=actor(self.request))
        update_session_auth_hash(self.request, form.user)  # this session goes on
        messages.success(self.request, _("The password is changed. You are signed out everywhere else."))
        return super().form_valid(form)
