"""The owner's mailbox: the start page, the diary of POP3 sessions, and the history of changes."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from mailstore.directory import policies
from mailstore.messages import mailbox_usage, message_file, message_summary
from mailstore.models import Device, Message, RetentionPolicy
from popadmin.lists import diary_list
from popadmin.lists.columns import Rows
from popadmin.owner import access, device_state, trace_summary, verdict
from popadmin.owner.space import space
from popadmin.web import mailbox_state
from popadmin.web.layout import breadcrumb
from popadmin.web.people import signed_in
from popadmin.web.server_settings import server_settings

PAGE_ENTRIES = 50  # of the history
SHOWN_DEVICES = 6  # the page of devices has all of them
SHOWN_SESSIONS = 5  # the diary has all of them


class Home(TemplateView):
    """The start page: a verdict, what waits for which device, the space, and who signed in last."""

    template_name = "owner/home.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        mailbox = get_object_or_404(mailbox_state.with_full_domain(access.mailboxes(user)))
        rows = device_state.rows(access.devices(user))
        split, notices = mailbox_usage.split(mailbox.pk), verdict.notices(mailbox)
        return super().get_context_data(
            **kwargs,
            mailbox=mailbox,
            verdict=verdict.sentence(notices, rows, split),
            notices=notices,
            trace_summary=trace_summary.sentence(mailbox, now=timezone.now()),
            newest=self._newest(),
            devices=rows[:SHOWN_DEVICES],
            more=len(rows[SHOWN_DEVICES:]),
            split=split,
            space=space(mailbox, split),
            may_forward=mailbox.domain.owner_forwards,
            sessions=diary_list.light(access.diary(user)).order_by("-started_at")[:SHOWN_SESSIONS],
            policy=policies.in_force(mailbox)[0] or RetentionPolicy(),  # nobody has chosen: the default policy
            findings=access.findings(user),
            server=server_settings(),
        )

    def _newest(self) -> Message | None:
        """Return the live message that arrived last, without imported and restored ones; with its sender."""
        arrived = access.live_messages(signed_in(self.request)).filter(aged_from=None)
        newest = arrived.order_by("-added").first()
        if newest is not None:
            message_summary.fill(message_file.site_store(), [newest])
        return newest


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
