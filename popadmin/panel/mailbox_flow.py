"""How mail comes to a mailbox and goes on, as stops and the wires between them. The page draws it as SVG and lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, npgettext

from mailstore.directory.mailbox_reach import LeadingAlias, Reach, StandingDomain
from mailstore.models import Device, DiarySession, Mailbox
from mailstore.policy.addresses import shown_domain, shown_name
from popadmin.web import device_kind
from popadmin.web.formats import count, moment

STOPS_MOST = 8  # in one column; the others are counted
STOP_HEIGHT = 48  # of a stop with its gap, in the units of the drawing; it is stretched to the height of the columns


@dataclass(frozen=True, slots=True)
class Stop:
    """An address or other words, with a line about it. The address is split, so that its local part stands out."""

    note: SafeString | str
    local: str = ""
    domain: str = ""
    words: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Flow:
    """The stops before and after the mailbox. `height` is that of the drawing; each stop has one wire, a path."""

    before: tuple[Stop, ...]
    after: tuple[Stop, ...]
    height: int
    wires_before: tuple[str, ...]
    wires_after: tuple[str, ...]


def of(mailbox: Mailbox, reach: Reach, devices: Sequence[Device], last_fetch: DiarySession | None) -> Flow:
    """Return the flow of a mailbox: what leads to it, and its devices and forwards."""
    before = _shortened(list(_leading(mailbox, reach)), mailbox, cut=reach.cut)
    after = [_devices(mailbox, devices, last_fetch), *_forwards(reach.forward)]
    after = _shortened(after, mailbox, cut=False)
    height = max(len(before), len(after), 2) * STOP_HEIGHT - 4
    return Flow(
        tuple(before),
        tuple(after),
        height,
        tuple(f"M0 {y:g}C20 {y:g} 12 {height / 2:g} 32 {height / 2:g}" for y in _centres(len(before), height)),
        tuple(f"M0 {height / 2:g}C20 {height / 2:g} 12 {y:g} 32 {y:g}" for y in _centres(len(after), height)),
    )


def in_use(device: Device) -> bool:
    """Return whether somebody uses the device, or may: the main password is none before it signs in."""
    return not device.main or device.last_sign_in_at is not None


def _centres(number: int, height: int) -> list[float]:
    return [height / 2 + (place - (number - 1) / 2) * STOP_HEIGHT for place in range(number)]


def _leading(mailbox: Mailbox, reach: Reach) -> list[Stop]:
    own = _stop(mailbox.user.address, _own_note(mailbox, reach.forward))
    aliases = [alias for alias in reach.aliases if not alias.address.startswith("@")]
    catch_alls = [alias for alias in reach.aliases if alias.address.startswith("@")]
    return [
        own,
        *(_stop(alias.address, _alias_note(alias), reverse("aliases-one", args=[alias.alias])) for alias in aliases),
        *(_standing(domain) for domain in reach.domains),
        *(_catch_all(alias) for alias in catch_alls),
    ]


def _stop(address: str, note: SafeString | str, url: str = "") -> Stop:
    local, _at, domain = shown_name(address).rpartition("@")
    return Stop(note, local, domain, url=url)


def _own_note(mailbox: Mailbox, forward: LeadingAlias | None) -> str:
    if not mailbox.receives or not mailbox.domain.active:
        return _("its own address, switched off")
    return _("its own address") if forward is None or forward.keep_copy else _("its own address, forwarded only")


def _alias_note(alias: LeadingAlias) -> str:
    if alias.forward:
        return _("forwards here, a copy stays there") if alias.keep_copy else _("forwards here")
    if alias.via:
        return _("alias, through %(address)s") % {"address": shown_name(alias.via)}
    number = len(alias.targets)
    return npgettext("mail flow", "alias", "alias of %(number)s addresses", number) % {"number": count(number)}


def _standing(domain: StandingDomain) -> Stop:
    words = _("the same names at %(domain)s") % {"domain": shown_domain(domain.name)}
    return Stop(_("alias domain"), words=words, url=reverse("domains-one", args=[domain.domain]))


def _catch_all(alias: LeadingAlias) -> Stop:
    domain = shown_domain(alias.address.removeprefix("@"))
    note = _("catch-all of %(domain)s") % {"domain": domain}
    return Stop(note, words=_("any other address"), url=reverse("aliases-one", args=[alias.alias]))


def _devices(mailbox: Mailbox, devices: Sequence[Device], last_fetch: DiarySession | None) -> Stop:
    url = reverse("mailboxes-devices", args=[mailbox.pk])
    number = sum(map(in_use, devices))
    if not mailbox.pop:
        return Stop(_("POP is off"), words=_("No device"), url=url)
    if not number:
        return Stop(_("nobody has fetched mail yet"), words=_("No device yet"), url=url)
    words = ngettext("%(number)s device by POP", "%(number)s devices by POP", number) % {"number": count(number)}
    return Stop(_last_fetched(devices, last_fetch), words=words, url=url)


def _last_fetched(devices: Sequence[Device], last_fetch: DiarySession | None) -> SafeString | str:
    """Return the last fetch in the diary, else the last sign-in."""
    if last_fetch is not None:
        fetched_by = next((device for device in devices if device.pk == last_fetch.device_id), None)
        if fetched_by is not None:
            name = device_kind.named(fetched_by.name, main=fetched_by.main)
            return format_html(_("last fetched {} by {}"), moment(last_fetch.started_at), name)
        return format_html(_("last fetched {}"), moment(last_fetch.started_at))
    seen = max((device.last_sign_in_at for device in devices if device.last_sign_in_at), default=None)
    return _no_fetch(seen)


def _no_fetch(seen: datetime | None) -> SafeString | str:
    return (
        _("nobody has signed in yet") if seen is None else format_html(_("last sign-in {}, fetched none"), moment(seen))
    )


def _forwards(forward: LeadingAlias | None) -> list[Stop]:
    if forward is None:
        return []
    note = _("forward, a copy is kept here") if forward.keep_copy else _("forward, no copy is kept here")
    return [_stop(target, note, reverse("aliases-one", args=[forward.alias])) for target in forward.targets]


def _shortened(stops: list[Stop], mailbox: Mailbox, *, cut: bool) -> list[Stop]:
    """Return at most STOPS_MOST stops; the last one then counts the others, and leads to the list of aliases."""
    if len(stops) <= STOPS_MOST and not cut:
        return stops
    shown = stops[: STOPS_MOST - 1]
    more = len(stops) - len(shown)
    text = _("and more than %(number)s others") if cut else ngettext("and %(number)s more", "and %(number)s more", more)
    url = f"{reverse('aliases')}?{urlencode({'q': mailbox.user.address})}"
    return [*shown, Stop(_("in the list of aliases"), words=text % {"number": count(more)}, url=url)]
