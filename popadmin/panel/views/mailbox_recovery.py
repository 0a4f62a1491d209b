"""Recovery of one mailbox for admins: what was removed on which day and why; restored by date and number."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.generic import FormView

from mailstore.messages import recovery
from mailstore.retention import recovery_terms
from popadmin.panel import overview_stats
from popadmin.panel.forms.mailboxes import RestoreByDate
from popadmin.panel.views.mailbox_tab import MailboxTab
from popadmin.web import request_lookup
from popadmin.web.form_rejection import RejectionMixin
from popadmin.web.formats import count, size

DAYS_SHOWN = 100  # rows of day and reason


class Recovery(MailboxTab, RejectionMixin, FormView[RestoreByDate]):
    template_name = "panel/mailbox_recovery.html"
    form_class = RestoreByDate
    tab = "mailboxes-recovery"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs,
            terms=recovery_terms.terms(self.mailbox.pk),
            days=overview_stats.removed_by_day(self.mailbox, DAYS_SHOWN),
        )

    def perform(self, form: RestoreByDate) -> HttpResponse:
        done = recovery.restore(
            self.mailbox.user.address,
            form.choice,
            actor=request_lookup.actor(self.request),
            new_uidls=form.cleaned_data["again"],
        )
        text = ngettext(
            "%(number)s message (%(size)s) is restored; the owner sees that you did it.",
            "%(number)s messages (%(size)s) are restored; the owner sees that you did it.",
            done.messages,
        )
        messages.success(self.request, text % {"number": count(done.messages), "size": size(done.octets)})
        if done.above_quota:
            messages.warning(
                self.request, _("The mailbox is now over its quota: new mail is refused until there is room again.")
            )
        return redirect("mailboxes-recovery", self.mailbox.pk)
