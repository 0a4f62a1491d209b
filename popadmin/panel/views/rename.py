"""Give a mailbox or a domain another name. The page says what follows; the next one offers to undo it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import FormView, View

from mailstore.directory import domain_removal, domain_rename, mailbox_rename, rename_undo
from mailstore.directory.outcome import Rejected
from mailstore.models import AuditEntry
from mailstore.policy.addresses import shown_name
from popadmin.panel import access, change_undo, newest_entries
from popadmin.panel.forms.confirm_name import LookAlikeForm
from popadmin.panel.forms.rename import RenameDomain, RenameMailbox
from popadmin.panel.row_page import DomainPage, MailboxPage
from popadmin.web import form_rejection, notices, request_lookup
from popadmin.web.form_rejection import RejectionMixin
from popadmin.web.people import signed_in


class RenameMixin(RejectionMixin):
    """A form for a new name: when the name looks like another one, it offers to take it all the same."""

    request: HttpRequest

    def rename(self, form: Any) -> tuple[str, str]:
        """Rename the row; return the sentence for the next page, and the URL that undoes it; "" if nothing does.

        Rejected if the name cannot be given.
        """
        raise NotImplementedError

    def target(self) -> HttpResponse:
        """Return the answer that leads to the page of the row."""
        raise NotImplementedError

    def perform(self, form: LookAlikeForm) -> HttpResponse:
        try:
            text, undo_url = self.rename(form)
        except Rejected as refusal:
            form.offer_look_alike(refusal)
            raise
        if undo_url:
            notices.undoable(self.request, text, undo_url)
        else:
            messages.success(self.request, text)
        return self.target()


class OfMailbox(MailboxPage, RenameMixin, FormView[RenameMailbox]):
    template_name = "panel/mailbox_rename.html"
    form_class = RenameMailbox
    error_field = "address"

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": signed_in(self.request)}

    def get_initial(self) -> dict[str, Any]:
        return {"address": shown_name(self.mailbox.user.address), "keep_alias": True}

    def rename(self, form: RenameMailbox) -> tuple[str, str]:
        old, values = self.mailbox.user.address, form.cleaned_data
        renamed = mailbox_rename.rename(
            old,
            values["address"],
            actor=request_lookup.actor(self.request),
            keep_alias=values["keep_alias"],
            look_alike=values["look_alike"],
        )
        text = _("%(old)s is now %(new)s.") % {"old": shown_name(old), "new": shown_name(renamed.user.address)}
        return text, change_undo.url_of_last(renamed, signed_in(self.request))

    def target(self) -> HttpResponse:
        return redirect("mailboxes-one", self.mailbox.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, breadcrumbs=self.above(), mailbox=self.mailbox)


class OfDomain(access.HostPage, DomainPage, RenameMixin, FormView[RenameDomain]):
    template_name = "panel/domain_rename.html"
    form_class = RenameDomain
    error_field = "name"

    def get_initial(self) -> dict[str, Any]:
        return {"name": shown_name(self.domain.name)}

    def rename(self, form: RenameDomain) -> tuple[str, str]:
        old, values = self.domain.name, form.cleaned_data
        actor = request_lookup.actor(self.request)
        done = domain_rename.rename(old, values["name"], actor=actor, look_alike=values["look_alike"])
        text = _("%(old)s is now %(new)s, and the old name is an alias of it.")
        entry = newest_entries.latest(rename_undo.OF_DOMAIN, done.domain.name)
        undo_url = reverse("domains-rename-undo", args=[self.domain.pk, entry])
        return text % {"old": shown_name(old), "new": shown_name(done.domain.name)}, undo_url

    def target(self) -> HttpResponse:
        return redirect("domains-one", self.domain.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        contents = domain_removal.contents(self.domain)
        return super().get_context_data(**kwargs, breadcrumbs=self.above(), domain=self.domain, contents=contents)


class UndoOfDomain(access.HostPage, DomainPage, View):
    """Take back one rename that the audit of this domain has."""

    def post(self, request: HttpRequest, entry: int, **_kwargs: Any) -> HttpResponse:
        rows = AuditEntry.objects.filter(domain=self.domain, verb=rename_undo.OF_DOMAIN)
        rename = get_object_or_404(rows, pk=entry)
        try:
            rename_undo.of_domain(rename, actor=request_lookup.actor(request))
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
        else:
            messages.success(request, _("The rename is undone."))
        return redirect("domains-one", self.domain.pk)
