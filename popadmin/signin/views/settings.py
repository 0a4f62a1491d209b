"""The user's settings: name, language, sessions, and links to the other pages."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from django.views.generic import FormView

from mailstore.directory import forwards, recovery_addresses
from mailstore.models import Mailbox
from popadmin.signin import actions, sessions
from popadmin.signin.forms.settings import Myself
from popadmin.web.people import signed_in
from popadmin.web.request_lookup import actor


class Settings(FormView[Myself]):
    template_name = "signin/settings.html"
    form_class = Myself
    success_url = reverse_lazy("settings")

    def get_initial(self) -> dict[str, Any]:
        user = signed_in(self.request)
        return {"name": user.name, "language": user.language or translation.get_language()}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        mailbox: Mailbox | None = getattr(user, "mailbox", None)
        may_forward = mailbox is not None and forwards.allowed(mailbox)
        return super().get_context_data(
            **kwargs,
            masked=recovery_addresses.masked(user.recovery_address),
            hosted=recovery_addresses.is_hosted(user),
            sessions=sessions.of(user, here=self.request.session.session_key),
            mailbox=mailbox,
            may_forward=may_forward,
            forward=forwards.of(mailbox) if mailbox is not None and may_forward else None,
        )

    def form_valid(self, form: Myself) -> HttpResponse:
        user, by = signed_in(self.request), actor(self.request)
        actions.choose_name(user, form.cleaned_data["name"], actor=by)
        actions.choose_language(user, form.cleaned_data["language"], actor=by)
        with translation.override(form.cleaned_data["language"]):  # the next page is in it
            messages.success(self.request, _("Saved."))
        return super().form_valid(form)


@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out the browser with this handle, or all others if there is none."""
    user = signed_in(request)
    keys = sessions.keys(user, but=request.session.session_key, handle=request.POST.get("session"))
    ended = actions.end_sessions(user, keys, actor=actor(request))
    said = ngettext("%(count)d browser is signed out.", "%(count)d browsers are signed out.", ended) % {"count": ended}
    messages.success(request, said)
    return redirect("settings")
