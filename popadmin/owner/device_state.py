"""How each device of an owner stands: what waits for it, whether it works, is silent or was refused, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mailstore.models import Device, DiarySession
from mailstore.retention import waiting_mail
from mailstore.retention.waiting_mail import Waiting
from popadmin.owner import access, network_faults, pop_switch, refusals
from popadmin.web import device_mode
from popadmin.web.form_fields import Option
from popadmin.web.formats import ago, count, day, moment


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device in a list. `note` says how it stands; `warns` if mail stops waiting for it."""

    device: Device
    mode: Option
    waiting: Waiting
    note: SafeString | str
    warns: bool

    @property
    def waits(self) -> int:
        """Return how many messages wait for the device; 0 if mail does not wait for it."""
        return self.waiting.messages if self.waiting.counts else 0

    @property
    def has_all(self) -> bool:
        return self.waiting.counts and not self.waiting.messages


@dataclass(frozen=True, slots=True)
class StateLine:
    """The first line of a device's page. `level` is "", good or warn; `is_open` while the first sign-in is awaited."""

    level: str
    icon: str
    lead: Promise | str
    text: SafeString | str
    is_open: bool = False


def rows(devices: QuerySet[Device]) -> list[DeviceRow]:
    """Return the devices as rows of a list, in the same order. One query."""
    return [_row(device) for device in waiting_mail.with_waiting(devices)]


def _row(device: Device) -> DeviceRow:
    waiting = waiting_mail.of(device)
    warns = _warns(device, waiting)
    note = silence(device, waiting) if warns else _last_use(device)
    return DeviceRow(device, device_mode.of(device), waiting, note, warns)


def _warns(device: Device, waiting: Waiting) -> bool:
    return device.silent_since is not None or (waiting.counts and waiting.quiet and waiting.until is not None)


def silence(device: Device, waiting: Waiting) -> SafeString:
    """Return since when a silent device is silent, and what becomes of the mail that waits for it."""
    heard = device.last_sign_in_at or device.created_at
    if device.silent_since is not None:
        return format_html(_("silent since {day}; mail no longer waits for it"), day=day(heard))
    days = (timezone.now() - heard).days
    text = ngettext(
        "silent for %(days)s day; mail stops waiting on {day}",
        "silent for %(days)s days; mail stops waiting on {day}",
        days,
    ) % {"days": days}
    return format_html(text, day=day(waiting.until or heard))


def _last_use(device: Device) -> SafeString | str:
    if device.main and not device.mailbox.main_pop:
        return _("not for mail programs")
    if device.last_sign_in_at is None:
        return _("not used by a mail program") if device.main else _("has not signed in yet")
    return format_html(_("last sign-in {moment}"), moment=ago(device.last_sign_in_at))


def state_line(device: Device, client: str) -> StateLine:
    """Return how a device `with_waiting` stands, the worst first: POP is off, refused, silent, awaited, works.

    `client` is the address of the owner's browser: what happens in its network is told while a sign-in is awaited.
    """
    if not device.mailbox.pop:
        off = " ".join((_("No mail program can sign in to this mailbox."), pop_switch.remedy(device.mailbox)))
        return StateLine("warn", "exclamation-triangle-fill", gettext_lazy("POP is off"), off)
    if device.main and not device.mailbox.main_pop:
        text = _("Mail programs sign in with device passwords only. These pages still take the main password.")
        return StateLine("", "slash-circle", gettext_lazy("Not for mail programs"), text)
    if device.last_sign_in_at is None:
        return _unused(device, client)
    waiting = waiting_mail.of(device)
    if _warns(device, waiting):
        silent = SafeString(capfirst(silence(device, waiting)))
        text = format_html(_("{silence}. To keep things as they are, fetch mail once with it."), silence=silent)
        return StateLine("warn", "exclamation-triangle-fill", gettext_lazy("Silent"), text)
    return _used(device)


def _unused(device: Device, client: str) -> StateLine:
    if device.main:
        text = _("No mail program has signed in with the main password.")
        return StateLine("", "key", gettext_lazy("Not used by a mail program"), text)
    refusal, fault = refusals.last_refusal(device), network_faults.latest(device, client)
    if fault is not None and (refusal is None or fault.at > refusal.row.ended_at):
        return StateLine("warn", "exclamation-triangle-fill", fault.lead, fault.text, is_open=True)
    if refusal is None:
        text = _("If nothing happens, check the server, the port and the encryption.")
        return StateLine("", "", gettext_lazy("Waiting for its first sign-in"), text, is_open=True)
    text = format_html(
        _("Last try {moment} from {client}: {remedy}"),
        moment=moment(refusal.row.ended_at), client=refusal.row.client or _("this server"), remedy=refusal.remedy,
    )  # fmt: skip
    return StateLine("warn", "exclamation-triangle-fill", refusal.lead, text, is_open=True)


def _used(device: Device) -> StateLine:
    row = _refusal_since(device)
    if row is not None:
        text = format_html(
            _("Last try {moment} from {client}: {remedy}"),
            moment=moment(row.ended_at), client=row.client or _("this server"), remedy=refusals.REMEDIES[row.ended],
        )  # fmt: skip
        return StateLine("warn", "exclamation-triangle-fill", refusals.LEADS[row.ended], text)
    used = ago(device.last_sign_in_at)
    if device.last_client:
        text = format_html(_("Last sign-in {moment} from {client}."), moment=used, client=device.last_client)
    else:
        text = format_html(_("Last sign-in {moment}."), moment=used)
    return StateLine("", "check2", gettext_lazy("Works"), text)


def _refusal_since(device: Device) -> DiarySession | None:
    """Return the last refusal of this device's own password after its last sign-in."""
    refused = access.diary(device.mailbox.user).filter(device=device, ended__in=refusals.REMEDIES)
    return refused.filter(ended_at__gt=device.last_sign_in_at).order_by("-started_at").first()


def works_line(device: Device, session: DiarySession | None) -> StateLine:
    """Return the line that the page of a new device turns to: when it signed in and, once it ended, what it fetched."""
    lead = _("“%(name)s” works") % {"name": device.name}
    if session is None or not session.fetched_messages:
        text = format_html(_("It signed in at {moment}."), moment=moment(device.last_sign_in_at))
    else:
        number = session.fetched_messages
        pattern = ngettext(
            "It signed in at {moment} and fetched {number} message.",
            "It signed in at {moment} and fetched {number} messages.",
            number,
        )
        text = format_html(pattern, moment=moment(session.started_at), number=count(number))
    return StateLine("good", "check-circle-fill", lead, text)
