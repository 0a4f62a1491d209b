"""Give a mailbox or a domain another name. The page says what follows; a second rename takes back the first."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.generic import FormView

from mailstore.directory import domain_removal, domain_rename, mailbox_rename
from mailstore.directory.outcome import Rejected
from mailstore.policy.addresses import shown_name
from popadmin.panel import access
from popadmin.panel.forms.confirm_name import LookAlikeForm
from popadmin.panel.forms.rename import RenameDomain, RenameMailbox
from popadmin.panel.row_page import DomainPage, MailboxPage
from popadmin.web import request_lookup
from popadmin.web.form_rejection import RejectionMixin
from popadmin.web.people import signed_in


class RenameMixin(RejectionMixin):
    """A form for a new name: when the name looks like another one, it offers to take it all the same."""

    request: HttpRequest

    def rename(self, form: Any) -> str:
        """Rename the row; return the sentence for the next page. Rejected if the name cannot be given."""
        raise NotImplementedError

    def target(self) -> HttpResponse:
        """Return the answer that leads to the page of the row."""
        raise NotImplementedError

    def perform(self, form: LookAlikeForm) -> HttpResponse:
        try:
            text = self.rename(form)
        except Rejected as refusal:
            form.offer_look_alike(refusal)
            raise
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

    def rename(self, form: RenameMailbox) -> str:
        old, values = self.mailbox.user.address, form.cleaned_data
        renamed = mailbox_rename.rename(
            old,
            values["address"],
            actor=request_lookup.actor(self.request),
            keep_alias=values["keep_alias"],
            look_alike=values["look_alike"],
        )
        return _("%(old)s is now %(new)s.") % {"old": shown_name(old), "new": shown_name(renamed.user.address)}

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

    def rename(self, form: RenameDomain) -> str:
        old, values = self.domain.name, form.cleaned_data
        actor = request_lookup.actor(self.request)
        done = domain_rename.rename(old, values["name"], actor=actor, look_alike=values["look_alike"])
        text = _("%(old)s is now %(new)s, and the old name is an alias of it.")
        return text % {"old": shown_name(old), "new": shown_name(done.domain.name)}

    def target(self) -> HttpResponse:
        return redirect("domains-one", self.domain.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        contents = domain_removal.contents(self.domain)
        return super().get_context_data(**kwargs, breadcrumbs=self.above(), domain=self.domain, contents=contents)
