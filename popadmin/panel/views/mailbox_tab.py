"""The base of the tabs of a mailbox: its state line, the links to the other tabs, and the rail beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext_lazy, pgettext_lazy

from mailstore.directory import policies
from mailstore.messages import mailbox_usage
from mailstore.messages.mailbox_usage import Split
from mailstore.models import Device, Mailbox
from mailstore.policy.addresses import shown_domain
from mailstore.retention import waiting_mail
from popadmin.panel import access, mailbox_line
from popadmin.panel.mailbox_flow import in_use
from popadmin.panel.row_page import MAILBOXES, MailboxPage
from popadmin.web import mailbox_state
from popadmin.web.layout import Breadcrumb, breadcrumb
from popadmin.web.people import signed_in

TABS: dict[str, Promise] = {
    "mailboxes-one": gettext_lazy("Mail flow"),
    "mailboxes-devices": gettext_lazy("Devices"),
    "mailboxes-diary": gettext_lazy("Timeline"),
    "mailboxes-recovery": gettext_lazy("Recovery"),
    "mailboxes-edit": pgettext_lazy("tab", "Settings"),
}


QUIET_TABS = ("mailboxes-one", "mailboxes-devices", "mailboxes-diary")  # without a primary button of their own


@dataclass(frozen=True, slots=True)
class Tab:
    label: Promise
    url: str
    current: bool
    count: int | None = None


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """A device that may still sign in, and what it sees. `waiting` is None if mail does not wait for it."""

    device: Device
    visible: int
    waiting: int | None


class MailboxTab(MailboxPage):
    """A tab of the mailbox whose key is in the URL. `tab` is its URL name. List it before the class of the view."""

    tab: str

    @cached_property
    def mailbox(self) -> Mailbox:
        user = signed_in(self.request)
        rows = access.mailboxes(user).select_related("user", "domain__policy", "policy", "move")
        rows = mailbox_state.with_full_domain(access.with_history(rows))
        return self.find(rows, removed=access.removed_mailboxes(user))

    @cached_property
    def split(self) -> Split:
        return mailbox_usage.split(self.mailbox.pk)

    @cached_property
    def devices(self) -> list[Device]:
        return list(waiting_mail.with_waiting(access.devices(self.mailbox)))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        policy, source = policies.in_force(self.mailbox)
        context: dict[str, Any] = super().get_context_data(  # type: ignore[misc]  # the view's
            **kwargs,
            breadcrumbs=self.above(),
            mailbox=self.mailbox,
            line=mailbox_line.of(self.mailbox, signed_in(self.request), self.split, primary=self.tab in QUIET_TABS),
            tabs=list(self._tabs()),
            split=self.split,
            devices=self._device_uses(),
            policy=policy,
            policy_source=source,
            policy_choice=mailbox_line.policy_choice(self.mailbox),
        )
        return context

    def _device_uses(self) -> list[DeviceUse]:
        return [_use(device, self.mailbox.messages) for device in self.devices]

    def above(self) -> list[Breadcrumb]:
        return [MAILBOXES, breadcrumb(shown_domain(self.mailbox.domain.name), "domains-one", self.mailbox.domain_id)]

    def _tabs(self) -> list[Tab]:
        counts = {
            "mailboxes-devices": sum(map(in_use, self.devices)),
            "mailboxes-recovery": self.mailbox.recovery_messages,
        }
        return [
            Tab(label, reverse(name, args=[self.mailbox.pk]), name == self.tab, counts.get(name))
            for name, label in TABS.items()
        ]


def _use(device: Device, stored: int) -> DeviceUse:
    waiting = waiting_mail.of(device)
    return DeviceUse(device, stored - device.hidden_messages, waiting.messages if waiting.counts else None)
