"""Recovery: the list of removed messages, and restoring or deleting the selected ones. `messages` shows one message."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import F, Sum
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import FormView, View

from mailstore.directory.outcome import Rejected
from mailstore.messages import recovery
from mailstore.messages.recovery import Choice
from mailstore.models import Message
from mailstore.retention import recovery_terms
from popadmin.lists.columns import Column, Rows
from popadmin.lists.views import DANGER, Bulk
from popadmin.owner import access
from popadmin.owner.forms import RestoreForm
from popadmin.owner.views.mail_list import RESTORED, MailList, SearchFilter, tell_restored
from popadmin.web import form_rejection
from popadmin.web.form_rejection import RejectionMixin
from popadmin.web.formats import count
from popadmin.web.layout import breadcrumb
from popadmin.web.people import signed_in
from popadmin.web.request_lookup import actor

AT_ONCE = "restore-now"  # the button that restores for all devices, without another page


class RecoveryFilters(SearchFilter):
    why = forms.ChoiceField(
        label=gettext_lazy("Reason"), choices=[("", gettext_lazy("Any reason")), *Message.Why.choices]
    )

    def by_why(self, rows: Rows, why: str) -> Rows:
        return rows.filter(removed_why=why)


class Recovery(MailList):
    template_name = "owner/recovery.html"
    name = "recovery"
    filters = RecoveryFilters
    columns = (
        Column("subject", gettext_lazy("Subject")),
        Column("sender", gettext_lazy("From")),
        Column("why", gettext_lazy("Reason"), css="c-more"),
        Column("purged", gettext_lazy("Deleted for good"), css="n c-more c-less"),
        Column("size", gettext_lazy("Size"), css="n c-more"),
        Column("left", gettext_lazy("Removed"), F("removed"), down=True, css="n"),
    )
    bulk = (
        Bulk(AT_ONCE, gettext_lazy("Restore"), "restore/"),
        Bulk("restore", gettext_lazy("Restore for some devices…"), "restore/", rare=True),
        Bulk("purge", gettext_lazy("Delete for good…"), "purge/", DANGER, rare=True),
    )

    def rows(self) -> Rows:
        return access.removed_messages(signed_in(self.request))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Keep the ticks; the button that restores needs no other page, since a restore can be undone."""
        answer = super().post(request, *args, **kwargs)
        if request.POST.get("bulk") != AT_ONCE:
            return answer
        here = self.state_of(QueryDict(request.POST.get("here", "").removeprefix("?")))
        chosen = self.choice(here)
        keys = list(chosen.of(self.rows(), self.found(here)).values_list("pk", flat=True))
        if not keys:
            messages.info(request, _("Select messages first."))
            return redirect(request.path + here.query(cursor=here.cursor))
        try:
            result = recovery.restore(signed_in(request).address, Choice(keys=keys), actor=actor(request))
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
        else:
            tell_restored(request, result, keys)
        chosen.clear()
        return redirect(request.path + here.query())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        mailbox = get_object_or_404(access.mailboxes(signed_in(self.request)))
        terms = recovery_terms.terms(mailbox.pk)
        context = super().get_context_data(**kwargs, mailbox=mailbox, terms=terms)
        for row in context["page"].rows:
            row.purged_at = terms.purged_at(row.removed_at)
            row.called = _("“%(name)s”") % {"name": row.body.subject or row.uidl}
        return context


class SelectedMessages(RejectionMixin, FormView[forms.Form]):
    """An action on the selected messages of the list, or on all messages that its filters find."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.list_page = Recovery()
        self.list_page.setup(request)
        self.selection = self.list_page.choice(self.list_page.state)
        if request.method == "GET" and not self.rows.exists():
            messages.info(request, _("Select messages first."))
            return redirect(self._back())
        self.selection.ask()
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def rows(self) -> Rows:
        return self.selection.of(self.list_page.rows(), self.list_page.found(self.list_page.state))

    @property
    def choice(self) -> Choice:
        return Choice(keys=list(self.rows.values_list("pk", flat=True)))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sums = self.rows.aggregate(octets=Sum("octets"))
        return super().get_context_data(
            **kwargs,
            number=self.rows.count(),
            octets=sums["octets"] or 0,
            back=self._back(),
            breadcrumbs=[breadcrumb(_("Recovery"), "recovery")],
        )

    def _back(self) -> str:
        return f"{reverse('recovery')}{self.list_page.state.query()}"

    def perform(self, form: Any) -> HttpResponse:
        self.do(form)
        self.selection.clear()
        return redirect("recovery")

    def do(self, form: Any) -> None:
        """Do the action, and tell the owner."""
        raise NotImplementedError


class Restore(SelectedMessages):
    template_name = "owner/restore.html"
    form_class = RestoreForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"devices": list(access.devices(signed_in(self.request)))}

    def do(self, form: RestoreForm) -> None:
        choice = self.choice
        result = recovery.restore(
            signed_in(self.request).address,
            choice,
            actor=actor(self.request),
            devices=form.device_names,
            new_uidls=form.as_new,
        )
        tell_restored(self.request, result, choice.keys or ())


class Purge(SelectedMessages):
    template_name = "owner/purge.html"
    form_class = forms.Form

    def do(self, form: forms.Form) -> None:
        result = recovery.purge_now(signed_in(self.request).address, self.choice, actor=actor(self.request))
        text = ngettext(
            "%(number)s message is deleted for good.", "%(number)s messages are deleted for good.", result.messages
        )
        messages.success(self.request, text % {"number": count(result.messages)})


class UndoRestore(View):
    """Put the messages of a restore back into recovery, while it is the latest of the session."""

    def post(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        latest = request.session.get(RESTORED)
        if latest is None or latest["token"] != request.GET.get("restore"):
            messages.error(request, _("This restore cannot be undone any more: only the latest one can, and once."))
            return redirect("recovery")
        del request.session[RESTORED]
        try:
            number = recovery.remove(signed_in(request).address, latest["keys"], actor=actor(request))
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
        else:
            text = ngettext(
                "%(number)s message is back in recovery.", "%(number)s messages are back in recovery.", number
            )
            messages.success(request, text % {"number": count(number)})
        return redirect("recovery")
