"""The parts of the site as rows of a table: what each did last, and what is known of its state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailstore.integrity import site_activity
from mailstore.integrity.site_activity import SiteActivity
from popadmin.web import site_parts
from popadmin.web.certificates import Certificate
from popadmin.web.formats import ago, count, day, moment, size
from popadmin.web.site_parts import Disk, Part


@dataclass(frozen=True, slots=True)
class FactRow:
    """A row: `fact` in a few words; `good` is whether the part is at work."""

    label: Promise | str
    good: bool
    fact: str


def rows(parts: Sequence[Part], disks: Sequence[Disk], certificates: Sequence[Certificate]) -> list[FactRow]:
    """Return the parts, the database, the disks that are on this machine or in trouble, and all certificates in one."""
    activity = site_activity.read()
    found = [FactRow(part.label, part.good, _part(part, activity)) for part in parts]
    found.append(FactRow(_("Database"), True, _connections(activity)))
    found += _disks(disks)
    return [*found, _certificates(certificates)] if certificates else found


def summary(found: Sequence[FactRow]) -> str:
    """Return how many of them are at work, in words."""
    wrong = sum(not row.good for row in found)
    if not wrong:
        return _("all is well")
    return ngettext("%(number)s needs a look", "%(number)s need a look", wrong) % {"number": count(wrong)}


def _part(part: Part, activity: SiteActivity) -> str:
    if not part.good:
        return (
            _("not seen yet") if part.seen_at is None else format_html(_("silent since {at}"), at=moment(part.seen_at))
        )
    if part.name == site_parts.LMTP and activity.stored_at is not None:
        return format_html(_("last message stored {at}"), at=ago(activity.stored_at))
    if part.name == site_parts.SWEEP and activity.sweep is not None:
        removed = _("removed %(removed)s, deleted %(purged)s for good") % {
            "removed": count(activity.sweep.removed), "purged": count(activity.sweep.purged)
        }  # fmt: skip
        return format_html("{}, {}", ago(activity.sweep.ended_at), removed)
    return format_html(_("seen {at}"), at=ago(part.seen_at))


def _silence(part: Part) -> str:
    if part.seen_at is None:
        return _("not seen yet")
    return format_html(_("silent since {at}"), at=moment(part.seen_at))


def _connections(activity: SiteActivity) -> str:
    numbers = {"number": count(activity.connections), "most": count(activity.connections_most)}
    return _("%(number)s of %(most)s connections") % numbers


def _disks(disks: Sequence[Disk]) -> list[FactRow]:
    """Return the disks in trouble or on this machine; one row if the database and the mail share a disk."""
    told = [disk for disk in disks if disk.trouble is not None or disk.room.total_octets is not None]
    shared = len(told) > 1 and len({disk.room.device for disk in told}) == 1 and not any(disk.trouble for disk in told)
    return [replace(_disk(told[0]), label=_("Disk"))] if shared else list(map(_disk, told))


def _disk(disk: Disk) -> FactRow:
    free, total = disk.room.free_octets, disk.room.total_octets
    if free is None or not total:
        return FactRow(disk.label, disk.trouble is None, str(disk.trouble))
    room = _("%(free)s of %(total)s free") % {"free": size(free), "total": size(total)}
    return FactRow(disk.label, disk.trouble is None and not disk.room.is_low, str(disk.trouble or room))


def _certificates(certificates: Sequence[Certificate]) -> FactRow:
    wrong = [each for each in certificates if each.wrong]
    valid = len(certificates) - len(wrong)
    facts = [ngettext("%(number)s valid", "%(number)s valid", valid) % {"number": count(valid)}] if valid else []
    if len(wrong) == 1 and wrong[0].ends_at is not None and not wrong[0].ended and not wrong[0].good:
        facts.append(format_html(_("1 ends on {day}"), day=day(wrong[0].ends_at)))
    elif wrong:
        needs = ngettext("%(number)s to replace", "%(number)s to replace", len(wrong))
        facts.append(needs % {"number": count(len(wrong))})
    return FactRow(_("Certificates"), not wrong, format_html(", ".join(["{}"] * len(facts)), *facts))
