"""One mailbox: show it and its diary, create, edit, new password, suspend, remove."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import FormView, TemplateView, View

from mailstore.directory import mailbox_removal, mailboxes, policies, row_locks
from mailstore.directory.outcome import Only, Rejected
from mailstore.messages import mailbox_usage
from mailstore.models import Device, Mailbox
from popadmin.lists import diary_list
from popadmin.lists.columns import Rows
from popadmin.panel import access, overview_stats
from popadmin.panel.forms.mailboxes import EditMailbox, MustChange, NewMailbox
from popadmin.panel.row_page import MAILBOXES, MailboxPage
from popadmin.web import form_rejection, request_lookup
from popadmin.web.edit_conflict import RowLockMixin
from popadmin.web.form_rejection import RejectionMixin
from popadmin.web.formats import size
from popadmin.web.people import signed_in

ENTRIES = 10  # of the audit; the rest is behind a link
SESSIONS = 6  # of the diary, the same
REMOVED_DAYS = 4  # rows of day and reason, the same


class Detail(MailboxPage, TemplateView):
    template_name = "panel/mailbox.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user, mailbox = signed_in(self.request), self.mailbox
        policy, source = policies.in_force(mailbox)
        return super().get_context_data(
            **kwargs,
            breadcrumbs=[MAILBOXES],
            mailbox=mailbox,
            split=mailbox_usage.split(mailbox.pk),
            devices=access.devices(mailbox),
            policy=policy,
            policy_source=source,
            findings=access.findings(mailbox),
            sessions=diary_list.light(access.diary(mailbox)).order_by("-started_at")[:SESSIONS],
            removed_days=overview_stats.removed_by_day(mailbox, REMOVED_DAYS),
            entries=access.audit_entries(user).filter(mailbox=mailbox).order_by("-at")[:ENTRIES],
        )


class Diary(MailboxPage, diary_list.DiaryPage):
    """The diary for admins: devices, times and counts, never the content of messages."""

    template_name = "panel/mailbox_diary.html"

    def rows(self) -> Rows:
        return diary_list.light(access.diary(self.mailbox))

    def devices(self) -> list[Device]:
        return list(access.devices(self.mailbox))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs, mailbox=self.mailbox, findings=access.findings(self.mailbox), breadcrumbs=self.above()
        )


class New(access.PolicyPage, FormView[NewMailbox]):
    """Create a mailbox. The answer itself shows the result, because the generated password is not stored anywhere."""

    template_name = "panel/mailbox_form.html"
    form_class = NewMailbox

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": signed_in(self.request)}

    def get_initial(self) -> dict[str, Any]:
        domain = self.request.GET.get("domain", "")
        return {"address": f"@{domain}"} if domain else {}

    def form_valid(self, form: NewMailbox) -> HttpResponse:
        password = form.cleaned_data["password"] or None
        try:
            done = mailboxes.ensure(
                form.cleaned_data["address"],
                actor=request_lookup.actor(self.request),
                password=password,
                only=Only.NEW,
                **form.fields_given(),
            )
        except Rejected as refusal:
            form.offer_look_alike(refusal)
            form_rejection.add_error(form, refusal, otherwise="address")
            return self.form_invalid(form)
        return _secret_page(self.request, done.row, done.secret or password, new=True)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, breadcrumbs=[MAILBOXES])


class Edit(RowLockMixin, access.PolicyPage, MailboxPage, RejectionMixin, FormView[EditMailbox]):
    template_name = "panel/mailbox_form.html"
    form_class = EditMailbox

    def get_form_kwargs(self) -> dict[str, Any]:
        own = super().get_form_kwargs()
        del own["initial"]  # the form has the row's values
        return {**own, "user": signed_in(self.request), "mailbox": self.mailbox}

    def row_lock(self) -> AbstractContextManager[None]:
        return row_locks.of_mailbox(self.mailbox)

    def perform(self, form: EditMailbox) -> HttpResponse:
        actor, address = request_lookup.actor(self.request), self.mailbox.user.address
        done = mailboxes.ensure(address, actor=actor, only=Only.THERE, **form.changes())
        _tell(self.request, done.row, changed=bool(done.changes))
        return redirect("mailboxes-one", self.mailbox.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, breadcrumbs=self.above(), mailbox=self.mailbox)


class Password(MailboxPage, RejectionMixin, FormView[MustChange]):
    """Generate a new password. It asks for confirmation: the old password cannot be restored."""

    template_name = "panel/mailbox_password.html"
    form_class = MustChange

    def perform(self, form: MustChange) -> HttpResponse:
        address, must_change = self.mailbox.user.address, form.cleaned_data["must_change_password"]
        secret = mailboxes.set_password(
            address, None, actor=request_lookup.actor(self.request), must_change=must_change
        )
        return _secret_page(self.request, self.mailbox, secret, new=False)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, breadcrumbs=self.above(), mailbox=self.mailbox)


class Suspension(MailboxPage, View):
    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        suspended = request.POST.get("suspended") == "yes"
        address, actor = self.mailbox.user.address, request_lookup.actor(request)
        try:
            mailboxes.ensure(address, actor=actor, only=Only.THERE, suspended=suspended)
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
        else:
            text = _("%(address)s is suspended.") if suspended else _("%(address)s is active again.")
            messages.success(request, text % {"address": address})
        return redirect("mailboxes-one", self.mailbox.pk)


class Removal(MailboxPage, View):
    """Remove a mailbox without a question, because it can be undone: the next page shows how."""

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        address = self.mailbox.user.address
        try:
            mailbox_removal.remove(address, actor=request_lookup.actor(request), with_mail=True)
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
            return redirect("mailboxes-one", self.mailbox.pk)
        text = _("%(address)s is removed. You can restore it here.")
        messages.success(request, text % {"address": address})
        return redirect("mailboxes-removed")


def _secret_page(request: HttpRequest, mailbox: Mailbox, secret: str | None, *, new: bool) -> HttpResponse:
    back = reverse("mailboxes-one", args=[mailbox.pk])
    context = {"mailbox": mailbox, "login": mailbox.user.address, "secret": secret, "new": new, "back": back}
    return render(request, "panel/mailbox_secret.html", {**context, "breadcrumbs": [MAILBOXES]})


def _tell(request: HttpRequest, mailbox: Mailbox, *, changed: bool) -> None:
    messages.success(request, _("Saved.") if changed else _("Nothing was changed."))
    quota = mailbox.quota_octets
    if changed and quota is not None and mailbox.octets > quota:
        text = _("It contains %(size)s, more than its quota: it accepts no mail until there is room again.")
        messages.warning(request, text % {"size": size(mailbox.octets)})
