"""The diary of one mailbox for admins: devices, times and counts, never the content of messages."""

from __future__ import annotations

from typing import Any

from mailstore.models import Device
from popadmin.lists import diary_list
from popadmin.lists.columns import Rows
from popadmin.panel import access
from popadmin.panel.views.mailbox import LIST, OfMailbox
from popadmin.web.layout import breadcrumb


class Diary(OfMailbox, diary_list.DiaryPage):
    template_name = "panel/mailbox_diary.html"

    def rows(self) -> Rows:
        return diary_list.light(access.diary(self.mailbox))

    def devices(self) -> list[Device]:
        return list(access.devices(self.mailbox))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        one = breadcrumb(self.mailbox.user.address, "mailboxes-one", self.mailbox.pk)
        return super().get_context_data(
            **kwargs, mailbox=self.mailbox, findings=access.findings(self.mailbox), breadcrumbs=[LIST, one]
        )
