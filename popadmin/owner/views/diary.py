"""The owner's diary."""

from __future__ import annotations

from typing import Any

from mailstore.models import Device
from popadmin.lists import diary_list
from popadmin.lists.columns import Rows
from popadmin.owner import access
from popadmin.web.people import signed_in


class Diary(diary_list.DiaryPage):
    template_name = "owner/diary.html"

    def rows(self) -> Rows:
        return diary_list.light(access.diary(signed_in(self.request)))

    def devices(self) -> list[Device]:
        return list(access.all_devices(signed_in(self.request)).order_by("-main", "name"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, findings=access.findings(signed_in(self.request)))
