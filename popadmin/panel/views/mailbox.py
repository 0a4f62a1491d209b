"""One mailbox: its flow, its devices and its settings; suspend it, remove it, undo a change."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import FormView, TemplateView, View

from mailstore.directory import account_name, mailbox_reach, mailbox_removal, mailboxes, row_locks
from mailstore.directory.outcome import Only, Rejected
from mailstore.models import Mailbox
from popadmin.panel import access, change_undo, mailbox_flow, mailbox_line
from popadmin.panel.forms.mailboxes import EditMailbox
from popadmin.panel.row_page import MailboxPage
from popadmin.panel.views.mailbox_tab import MailboxTab
from popadmin.web import form_rejection, mailbox_state, notices, request_lookup
from popadmin.web.edit_conflict import RowLockMixin
from popadmin.web.form_rejection import RejectionMixin
from popadmin.web.people import signed_in

ORPHANS_NAMED = 5  # aliases that a removal would leave without a target; the others are counted


class Detail(MailboxTab, TemplateView):
    """How mail comes to the mailbox and goes on."""

    template_name = "panel/mailbox.html"
    tab = "mailboxes-one"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user, mailbox = signed_in(self.request), self.mailbox
        reach = mailbox_reach.of(mailbox, domains=access.domain_keys(user))
        fetches = access.diary(mailbox).filter(fetched_messages__gt=0).order_by("-started_at")
        last_fetch = fetches.only("started_at", "device").first()
        return super().get_context_data(
            **kwargs,
            flow=mailbox_flow.of(mailbox, reach, self.devices, last_fetch),
            flow_state=next(iter(mailbox_state.states(mailbox)), None),
            sign_in_names=account_name.of_mailbox(mailbox, reach),
            contents=mailbox_line.contents(mailbox),
            findings=access.findings(mailbox),
        )


class Devices(MailboxTab, TemplateView):
    """The devices, what each sees and what waits for it; and what is wrong with how they are set up."""

    template_name = "panel/mailbox_devices.html"
    tab = "mailboxes-devices"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, findings=access.findings(self.mailbox))


class Edit(RowLockMixin, access.PolicyPage, MailboxTab, RejectionMixin, FormView[EditMailbox]):
    """Change the settings. If a quota leaves no room, the page first says what follows, and asks again."""

    template_name = "panel/mailbox_edit.html"
    form_class = EditMailbox
    tab = "mailboxes-edit"

    def get_form_kwargs(self) -> dict[str, Any]:
        own = super().get_form_kwargs()
        del own["initial"]  # the form has the row's values
        return {**own, "user": signed_in(self.request), "mailbox": self.mailbox}

    def row_lock(self) -> AbstractContextManager[None]:
        return row_locks.of_mailbox(self.mailbox)

    def perform(self, form: EditMailbox) -> HttpResponse:
        shortfall = form.shortfall()
        if shortfall and not shortfall.is_accepted(self.request.POST):
            return self.render_to_response(self.get_context_data(form=form, shortfall=shortfall))
        actor, address = request_lookup.actor(self.request), self.mailbox.user.address
        done = mailboxes.ensure(address, actor=actor, only=Only.THERE, **form.changes())
        _tell(self.request, done.row, changed=bool(done.changes))
        return redirect("mailboxes-one", self.mailbox.pk)


class Suspension(MailboxPage, View):
    """Suspend or resume at once; the next page offers to undo it."""

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        suspended = request.POST.get("suspended") == "yes"
        address, actor = self.mailbox.user.address, request_lookup.actor(request)
        try:
            done = mailboxes.ensure(address, actor=actor, only=Only.THERE, suspended=suspended)
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
        else:
            text = _("%(address)s is suspended.") if suspended else _("%(address)s is active again.")
            _done(request, done.row, text % {"address": address}, changed=bool(done.changes))
        return redirect("mailboxes-one", self.mailbox.pk)


class UndoChange(MailboxPage, View):
    """Take back one change that the audit of this mailbox has."""

    def post(self, request: HttpRequest, entry: int, **_kwargs: Any) -> HttpResponse:
        change = get_object_or_404(access.changes(self.mailbox, signed_in(request)), pk=entry)
        try:
            change_undo.undo(change, self.mailbox, signed_in(request), actor=request_lookup.actor(request))
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
        else:
            messages.success(request, _("The change is undone."))
        return redirect("mailboxes-one", self.mailbox.pk)


class Removal(MailboxPage, TemplateView):
    """Say what a removal means, then remove. It can be undone, and the next page offers it."""

    template_name = "panel/mailbox_removal.html"

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        address = self.mailbox.user.address
        try:
            mailbox_removal.remove(address, actor=request_lookup.actor(request), with_mail=True)
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
            return redirect("mailboxes-one", self.mailbox.pk)
        text = _("%(address)s is removed. It rests in “Removed mailboxes”.") % {"address": address}
        notices.undoable(request, text, reverse("mailboxes-restoral", args=[self.mailbox.pk]))
        return redirect("mailboxes")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user, mailbox = signed_in(self.request), self.mailbox
        orphans = mailbox_reach.of(mailbox, domains=access.domain_keys(user)).only_leading_here
        return super().get_context_data(
            **kwargs,
            breadcrumbs=self.above(),
            mailbox=mailbox,
            devices=sum(map(mailbox_flow.in_use, access.devices(mailbox))),
            orphans=orphans[:ORPHANS_NAMED],
            more_orphans=max(0, len(orphans) - ORPHANS_NAMED),
            days=settings.REMOVED_DAYS,
        )


def _tell(request: HttpRequest, mailbox: Mailbox, *, changed: bool) -> None:
    _done(request, mailbox, _("Saved.") if changed else _("Nothing was changed."), changed=changed)


def _done(request: HttpRequest, mailbox: Mailbox, text: str, *, changed: bool) -> None:
    """Tell what was done, with Undo if something was changed that can be undone."""
    undo_url = change_undo.url_of_last(mailbox, signed_in(request)) if changed else ""
    if undo_url:
        notices.undoable(request, text, undo_url)
    else:
        messages.success(request, text)
