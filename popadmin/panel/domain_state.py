"""The state of a domain as its page says it: what is wrong, since when, what follows, and the remedy. Worst first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from mailstore.models import AuditEntry, Domain, Mailbox, User
from popadmin.panel import domain_rooms
from popadmin.panel.usage_filters import used
from popadmin.web import people
from popadmin.web.formats import ago, count, moment, size
from popadmin.web.usage_share import FULL_PERCENT, NEAR_PERCENT, share_percent

BAD, WARN, NOTE = "bad", "warn", "note"
_ICONS = {BAD: "exclamation-octagon-fill", WARN: "exclamation-triangle-fill", NOTE: "slash-circle"}
_ORDER = (BAD, NOTE, WARN)  # what is switched says more than what will happen


@dataclass(frozen=True, slots=True)
class Remedy:
    """A link, or with `field` a button that sends it."""

    label: str
    url: str
    field: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class StateLine:
    """One line: its level, what is the matter, what follows, and what can be done."""

    level: str
    lead: str
    text: str
    remedies: tuple[Remedy, ...] = ()
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Cap:
    """How much of a limit is used; without a `limit` there is none. `said` says it in words.

    `of_nothing`: a limit of 0 is reached although nothing is used.
    """

    label: str
    used: int
    limit: int | None
    said: str
    of_nothing: bool = False

    @property
    def percent(self) -> int | None:
        return share_percent(self.used, self.limit) if self.limit != 0 or self.is_near else 0

    @property
    def is_near(self) -> bool:
        return domain_rooms.is_near(self.used, self.limit, of_nothing=self.of_nothing)

    @property
    def is_reached(self) -> bool:
        return self.limit is not None and self.is_near and self.used >= self.limit


@dataclass(frozen=True, slots=True)
class Caps:
    octets: Cap
    allotment: Cap
    mailboxes: Cap
    aliases: Cap

    def __iter__(self) -> Any:
        return iter((self.octets, self.mailboxes, self.aliases, self.allotment))


def caps(domain: Any) -> Caps:
    """Return the limits of a domain and their use; the row is annotated by `domain_usage.counted`."""
    return Caps(
        _octets(_("Storage"), domain.octets, domain.quota_octets, of_nothing=domain.mailboxes > 0),
        _octets(_("Quotas given"), domain.allotted_octets, domain.allotment_octets),
        _rows(_("Mailboxes"), domain.mailboxes, domain.mailbox_limit),
        _rows(_("Aliases"), domain.aliases, domain.alias_limit),
    )


def lines(domain: Any, limits: Caps, user: User) -> list[StateLine]:
    """Return what is unusual, worst first, else a calm line. `domain` has `other` of `access.naming_other`."""
    host = people.is_host(user)
    found = [*_mailboxes(domain), *_octet_lines(domain, limits.octets, host)]
    found += [*_standing(domain), *_empty(domain, limits), *_cap_lines(domain, limits, host)]
    found = [*_suspended(domain, host), *sorted(found, key=lambda line: _ORDER.index(line.level))]
    return found or [_calm(domain)]


def _line(level: str, lead: str, text: str, *remedies: Remedy, icon: str = "") -> StateLine:
    return StateLine(level, lead, text, remedies, icon or _ICONS[level])


def _mailboxes(domain: Domain) -> Iterable[StateLine]:
    rows = Mailbox.objects.filter(domain=domain, removed_at=None)
    sums = rows.aggregate(full=Count("pk", filter=used(FULL_PERCENT)), near=Count("pk", filter=used(NEAR_PERCENT)))
    full, near = sums["full"], sums["near"] - sums["full"]
    listed = f"{reverse('mailboxes')}?domain={domain.name}&usage="
    if full:
        lead = ngettext("%(count)s mailbox is refusing mail: full", "%(count)s mailboxes are refusing mail: full", full)
        remedy = Remedy(ngettext("Show it", "Show them", full), f"{listed}100")
        text = _("Raise the quota, or make room by removing mail that every device has.")
        yield _line(BAD, lead % {"count": count(full)}, text, remedy)
    if near:
        lead = ngettext("%(count)s mailbox is nearly full", "%(count)s mailboxes are nearly full", near)
        remedy = Remedy(ngettext("Show it", "Show them", near), f"{listed}{NEAR_PERCENT}")
        text = _("New mail is refused once the quota is reached.")
        yield _line(WARN, lead % {"count": count(near)}, text, remedy)


def _octet_lines(domain: Domain, cap: Cap, host: bool) -> Iterable[StateLine]:
    if cap.is_reached:
        text = _("It stores %(used)s. Remove mail, or raise the storage limit.") % {"used": cap.said}
        yield _line(BAD, _("Refusing new mail: the domain is full"), text + _ask(host), *_raise(domain, host))
    elif cap.is_near:
        text = _("It stores %(used)s. Once that is reached, new mail is refused in all its mailboxes.")
        text = text % {"used": cap.said} + _ask(host)
        yield _line(WARN, _("The domain is nearly full"), text, *_raise(domain, host))


def _cap_lines(domain: Domain, limits: Caps, host: bool) -> Iterable[StateLine]:
    texts = (
        (limits.mailboxes, _("No room for another mailbox"), _("Few mailboxes are left to create")),
        (limits.aliases, _("No room for another alias"), _("Few aliases are left to create")),
        (limits.allotment, _("No quota is left to give"), _("Little quota is left to give")),
    )
    for cap, reached, near in texts:
        if cap.is_reached or cap.is_near:
            text = _("%(what)s: %(used)s.") % {"what": cap.label, "used": cap.said} + _ask(host)
            yield _line(WARN, reached if cap.is_reached else near, text, *_raise(domain, host))


def _raise(domain: Domain, host: bool) -> tuple[Remedy, ...]:
    """Only hosting admins raise limits."""
    return (Remedy(_("Raise the limit…"), reverse("domains-edit", args=[domain.pk])),) if host else ()


def _ask(host: bool) -> str:
    return "" if host else " " + _("Ask a hosting admin to raise the limit.")


def _suspended(domain: Domain, host: bool) -> Iterable[StateLine]:
    if domain.active:
        return
    changes = AuditEntry.objects.filter(domain=domain, verb="domain.change", details__changes__has_key="active")
    entry = changes.order_by("-at").first()
    lead, text = (
        pgettext("domain", "Suspended"),
        _("New mail is refused, and nobody here can sign in. Stored mail stays."),
    )
    if entry is not None:
        lead = _("Suspended by %(who)s") % {"who": entry.actor_name}
        text = format_html("{} {}", format_html(_("Since {moment}."), moment=moment(entry.at)), text)
    url = reverse("domains-suspension", args=[domain.pk])
    remedies = (Remedy(_("Resume"), url, ("active", "yes")),) if host else ()
    yield _line(NOTE, lead, text, *remedies, icon="pause-circle")


def _standing(domain: Any) -> Iterable[StateLine]:
    if domain.stands_for_id is None:
        return
    lead = _("Alias of %(domain)s") % {"domain": domain.other} if domain.other else _("Alias of another domain")
    text = _("Every address here is the same address there. It has no mailboxes or aliases of its own.")
    remedies = (Remedy(_("Open it"), reverse("domains-one", args=[domain.stands_for_id])),) if domain.other else ()
    yield _line(NOTE, lead, text, *remedies, icon="globe2")


def _empty(domain: Domain, limits: Caps) -> Iterable[StateLine]:
    if domain.stands_for_id is None and not limits.mailboxes.used:
        text = _("Mail to this domain is refused, except for its aliases.")
        yield _line(NOTE, _("No mailbox yet"), text, icon="inbox")


def _calm(domain: Any) -> StateLine:
    text = ngettext("%(count)s message in 30 days", "%(count)s messages in 30 days", domain.delivered)
    received = text % {"count": count(domain.delivered)}
    if domain.counted_at is None:
        return StateLine("", _("Receiving"), _("Deliveries are not counted yet."), (), "check-lg")
    told = format_html(_("{messages}, counted {at}"), messages=received, at=ago(domain.counted_at))
    return StateLine("", _("Receiving"), told, (), "check-lg")


def _octets(label: str, used_octets: int, limit: int | None, *, of_nothing: bool = False) -> Cap:
    said = _said(size(used_octets), None if limit is None else size(limit))
    return Cap(label, used_octets, limit, said, of_nothing)


def _rows(label: str, number: int, limit: int | None) -> Cap:
    return Cap(label, number, limit, _said(count(number), None if limit is None else count(limit)))


def _said(used_text: str, limit_text: str | None) -> str:
    if limit_text is None:
        return _("%(used)s, no limit") % {"used": used_text}
    return _("%(used)s of %(limit)s") % {"used": used_text, "limit": limit_text}
