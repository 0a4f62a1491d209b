"""The diary page for owners and admins: which device connected when, and what it did. Subclasses provide the rows."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import F, Q
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.models import Device, DiarySession
from popadmin.lists.columns import Column, Exported, Filters, ReadyView, Rows
from popadmin.lists.views import ListPage

_UNSERVED = Q(ended__in=(DiarySession.Ended.SENT, *DiarySession.REFUSED))  # no session of POP3
_HANDLED = Q(fetched_messages__gt=0) | Q(removed_messages__gt=0) | Q(unremoved_messages__gt=0)
KINDS: dict[str, tuple[Promise, Q]] = {
    "mail": (gettext_lazy("Mail was fetched or deleted"), _HANDLED),
    "polls": (
        gettext_lazy("Nothing was fetched"),
        ~_HANDLED & ~_UNSERVED,
    ),
    "sent": (gettext_lazy("Signed in to send"), Q(ended=DiarySession.Ended.SENT)),
    "refused": (gettext_lazy("Refused sign-ins"), Q(ended__in=DiarySession.REFUSED)),
}


class DiaryFilters(Filters):
    device = forms.ChoiceField(label=gettext_lazy("Device"))
    kind = forms.ChoiceField(
        label=gettext_lazy("What happened"),
        choices=[("", gettext_lazy("Everything")), *((name, label) for name, (label, _rows) in KINDS.items())],
    )

    def __init__(self, *args: Any, devices: list[Device], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("Any device")), *((str(device.pk), device_name(device)) for device in devices)]
        self.fields["device"].choices = choices  # type: ignore[attr-defined]  # of a choice field

    def by_device(self, rows: Rows, key: str) -> Rows:
        return rows.filter(device=int(key))

    def by_kind(self, rows: Rows, kind: str) -> Rows:
        return rows.filter(KINDS[kind][1])


class DiaryPage(ListPage):
    """A page of diary rows; subclasses provide the rows and the devices."""

    name = "diary"
    views = tuple(ReadyView(label, {"kind": name}) for name, (label, _rows) in KINDS.items())
    columns = (Column("began", gettext_lazy("Started"), F("started_at"), down=True),)
    exported = (
        Exported(gettext_lazy("Started"), lambda row: row.started_at.isoformat()),
        Exported(gettext_lazy("Ended"), lambda row: row.ended_at.isoformat()),
        Exported(gettext_lazy("Device"), lambda row: device_name(row.device) if row.device else ""),
        Exported(gettext_lazy("Address"), lambda row: row.client),
        Exported(gettext_lazy("Encryption"), lambda row: row.tls),
        Exported(gettext_lazy("How it ended"), lambda row: row.get_ended_display()),
        Exported(gettext_lazy("Sessions"), lambda row: row.sessions),
        Exported(gettext_lazy("Visible"), lambda row: row.listed),
        Exported(gettext_lazy("Fetched"), lambda row: row.fetched_messages),
        Exported(gettext_lazy("Removed"), lambda row: row.removed_messages),
        Exported(gettext_lazy("Deletions not carried out"), lambda row: row.unremoved_messages),
        Exported(gettext_lazy("Bytes sent"), lambda row: row.octets_out),
    )

    def devices(self) -> list[Device]:
        """Return the devices to choose from, including revoked ones."""
        raise NotImplementedError

    def filters_of(self, query: QueryDict) -> Filters:
        return DiaryFilters(query, devices=self.devices())


def light(rows: Rows) -> Rows:
    """Load the rows with their devices, but without long columns: views, and the lists of handled messages."""
    views = ("device__hidden", "device__skipped", "device__confirmed")
    return rows.select_related("device").defer("fetched", "deleted", *views)


def device_name(device: Device) -> str:
    return _("Main password") if device.main else device.name
