"""The page on which somebody who is signed in changes his password."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.views.generic import FormView

from popadmin.signin import actions
from popadmin.signin.forms.password import ChangePassword


class Password(FormView):  # type: ignore[type-arg]  # generic only in its stubs
    template_name = "signin/password.html"
    form_class = ChangePassword
    success_url = reverse_lazy("password")

    def get_form_kwargs(self) -> dict[str, object]:
        return {**super().get_form_kwargs(), "user": self.request.user, "client": self.request.META["REMOTE_ADDR"]}

    def form_valid(self, form: ChangePassword) -> HttpResponse:
        actions.change_password(form.user, form.cleaned_data["new_password1"])
        update_session_auth_hash(self.request, form.user)  # this session goes on
        messages.success(self.request, _("The password is changed. Everywhere else you have been signed out."))
        return super().form_valid(form)
