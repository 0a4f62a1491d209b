"""The owner's forward: to whom his mail goes on, where his domain allows that."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.generic import FormView

from mailstore.store import forwards
from mailstore.store.outcomes import Rejected
from popadmin.acting import actor
from popadmin.crumbs import crumb
from popadmin.owner import access
from popadmin.owner.forms.forwards import Forward
from popadmin.signin.access import signed_in


class Forwards(FormView):  # type: ignore[type-arg]  # generic only in its stubs
    template_name = "owner/forwards.html"
    form_class = Forward

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.mailbox = get_object_or_404(access.mailboxes(signed_in(request)))
        if not forwards.allowed(self.mailbox):
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def get_initial(self) -> dict[str, Any]:
        forward = forwards.of(self.mailbox)
        return {"targets": forward.targets, "keep_copy": forward.keep_copy} if forward else {"keep_copy": True}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, crumbs=[crumb(_("Settings"), "settings")])

    def form_valid(self, form: Forward) -> HttpResponse:
        targets = form.cleaned_data["targets"]
        try:
            if targets:
                self._forward(targets, keep_copy=form.cleaned_data["keep_copy"])
            elif forwards.of(self.mailbox):
                forwards.remove_own(self.mailbox, actor=actor(self.request))
        except Rejected as refusal:
            form.add_error("targets", capfirst(str(refusal)))
            return self.form_invalid(form)
        messages.success(self.request, _("Your mail is forwarded.") if targets else _("Nothing is forwarded."))
        return redirect("settings")

    def _forward(self, targets: list[str], *, keep_copy: bool) -> None:
        forwards.ensure_own(self.mailbox, targets, keep_copy=keep_copy, actor=actor(self.request))
