"""The owner's diary."""

from __future__ import annotations

from mailstore.models import Device
from popadmin import diary
from popadmin.lists.columns import Rows
from popadmin.owner import access
from popadmin.signin.access import signed_in


class Diary(diary.DiaryPage):
    template_name = "owner/diary.html"

    def rows(self) -> Rows:
        return diary.light(access.diary(signed_in(self.request)))

    def devices(self) -> list[Device]:
        return list(access.all_devices(signed_in(self.request)).order_by("-main", "name"))
