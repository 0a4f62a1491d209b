"""Invite the owner of a mailbox to choose a password: by mail, or by a letter to print."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.generic import View

from mailstore.directory import mailboxes, recovery_addresses
from mailstore.directory.outcome import Rejected
from popadmin.panel import invitation
from popadmin.panel.row_page import MailboxPage
from popadmin.web import form_rejection, mail_limit, request_lookup
from popadmin.web.mailer import NotSent, send
from popadmin.web.people import signed_in


class Invitation(MailboxPage, View):
    """Mail the owner a link to choose a password. The password stays as it is until they use the link."""

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        try:
            self._refuse()
            send(invitation.mail(request, self.mailbox.user))
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
        except NotSent:
            messages.error(request, _("The mail was not sent: the mail server did not accept it. The log says why."))
        else:
            address = recovery_addresses.invited_at(self.mailbox.user)
            mailboxes.record_invitation(self.mailbox, address, actor=request_lookup.actor(request))
            text = _("A link to choose a password is on its way to %(address)s. It works once, within a week.")
            messages.success(request, text % {"address": recovery_addresses.masked(address)})
        return redirect("mailboxes-one", self.mailbox.pk)

    def _refuse(self) -> None:
        """Refuse to mail where no link may go, and more mails than a person or an admin needs."""
        user, admin = self.mailbox.user, signed_in(self.request)
        if not invitation.mailable(self.mailbox):
            raise Rejected(_("%(address)s has no recovery address to send a link to.") % {"address": user})
        mailboxes.refuse_invitation(self.mailbox, actor=request_lookup.actor(self.request))
        if not mail_limit.may_mail(user.address):
            text = _("No link was sent: %(address)s has had too many within an hour. Wait an hour, then try again.")
            raise Rejected(text % {"address": user})
        if not user.recovery_address and not mail_limit.may_invite(admin.address):
            raise Rejected(
                _("No link was sent: you have sent too many within an hour. Wait an hour, or make a letter.")
            )


class Letter(MailboxPage, View):
    """Show a letter to print, in the language of its reader. Each has a link of its own, so it is asked for by POST."""

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        if not invitation.may_choose(self.mailbox):
            text = _("%(address)s may not use these pages, so a link to choose a password would not work.")
            messages.error(request, text % {"address": self.mailbox.user})
            return redirect("mailboxes-one", self.mailbox.pk)
        try:
            mailboxes.record_letter(self.mailbox, actor=request_lookup.actor(request))
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
            return redirect("mailboxes-one", self.mailbox.pk)
        with translation.override(invitation.language(self.mailbox.user)):
            context = {**invitation.letter(request, self.mailbox.user), "mailbox": self.mailbox}
            return render(request, "panel/mailbox_letter.html", context)
