"""The owner's mailbox: the start page, the diary of POP3 sessions, and the history of changes."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from mailstore.directory import policies
from mailstore.messages import mailbox_usage
from mailstore.models import Device, RetentionPolicy
from popadmin.lists import diary_list
from popadmin.lists.columns import Rows
from popadmin.owner import access
from popadmin.web import device_mode
from popadmin.web.layout import breadcrumb
from popadmin.web.mail_program import mail_program_settings
from popadmin.web.people import signed_in

PAGE_ENTRIES = 50  # of the history
SHOWN_DEVICES = 4  # the page of devices has all of them


class Usage(TemplateView):
    """The start page: what the mailbox holds, its devices, and how long mail stays."""

    template_name = "owner/usage.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        devices = [(device, device_mode.of(device)) for device in access.devices(user)]
        mailbox = get_object_or_404(access.mailboxes(user))
        return super().get_context_data(
            **kwargs,
            mailbox=mailbox,
            split=mailbox_usage.split(mailbox.pk),
            devices=devices[:SHOWN_DEVICES],
            more=len(devices[SHOWN_DEVICES:]),
            program=mail_program_settings(),
            policy=policies.in_force(mailbox)[0] or RetentionPolicy(),  # nobody has chosen: the default policy
            findings=access.findings(user),
        )


class Diary(diary_list.DiaryPage):
    """The sessions of mail programs."""

    template_name = "owner/diary.html"

    def rows(self) -> Rows:
        return diary_list.light(access.diary(signed_in(self.request)))

    def devices(self) -> list[Device]:
        return list(access.all_devices(signed_in(self.request)).order_by("-main", "name"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, findings=access.findings(signed_in(self.request)))


class History(TemplateView):
    """Who changed what in the mailbox, when and from where."""

    template_name = "owner/history.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        mailbox = get_object_or_404(access.mailboxes(user))
        others = self.request.GET.get("who") == "others"
        entries = access.audit_entries(mailbox, user if others else None)
        page = Paginator(entries, PAGE_ENTRIES).get_page(self.request.GET.get("page"))
        return super().get_context_data(
            **kwargs, page=page, others=others, breadcrumbs=[breadcrumb(_("Settings"), "settings")]
        )
