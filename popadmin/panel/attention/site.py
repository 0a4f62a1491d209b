"""Faults of the site itself: parts that are silent, certificates, disks, stored mail. Only hosting admins see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db.models import Min
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mailstore.messages import damaged_bodies
from popadmin.panel.attention.fault import BAD, NAMED_MOST, WARN, Fault, Rank, SiteEvidence, found, since
from popadmin.web import site_parts
from popadmin.web.certificates import Certificate
from popadmin.web.formats import count, day, size
from popadmin.web.site_parts import Disk

HOSTS_NAMED = 3
# What follows from the silence of a part.
_CONSEQUENCES = {
    site_parts.POP3: gettext_lazy("No program can fetch mail."),
    site_parts.LMTP: gettext_lazy("No mail is delivered. Other servers try again later."),
    site_parts.SASL: gettext_lazy("No program can send mail."),
    site_parts.POLICY: gettext_lazy("Mail for a full mailbox is taken first, and no limit of sending holds."),
    site_parts.MTA_LOG: gettext_lazy("The trace lacks what the mail server rejects or holds. It may not read its log."),
}
DAY_SECONDS = 86400


def disks(evidence: SiteEvidence) -> Iterator[Fault]:
    """Yield the disks that take no writes, and those with little room, each disk once."""
    low: set[int | None] = set()
    for disk in evidence.disks:
        if disk.trouble is not None:
            yield _broken_disk(disk)
        elif disk.room.is_low and disk.room.device not in low:
            low.add(disk.room.device)
            yield _low_disk(disk)


def listeners(evidence: SiteEvidence) -> Iterator[Fault]:
    for part in evidence.parts:
        if not part.good and part.name != site_parts.SWEEP:
            yield Fault(
                rank=Rank.LISTENER,
                level=BAD if part.name in site_parts.SERVING else WARN,
                text=_("%(part)s is silent") % {"part": part.label},
                consequence=str(_CONSEQUENCES[part.name]),
                remedy=_("See parts"),
                url=reverse("overview-parts"),
                when=since(part.seen_at),
            )


def sweep(evidence: SiteEvidence) -> Iterator[Fault]:
    for part in evidence.parts:
        if not part.good and part.name == site_parts.SWEEP:
            never = part.seen_at is None
            yield Fault(
                rank=Rank.SWEEP,
                level=WARN,
                text=_("The sweep has never run") if never else _("The sweep does not run"),
                consequence=_("No mail expires, and nobody is warned about a full mailbox."),
                remedy=_("See parts"),
                url=reverse("overview-parts"),
                when=since(part.seen_at),
            )


def certificates(evidence: SiteEvidence) -> Iterator[Fault]:
    """Yield the certificates that a person must replace; many share one row."""
    wrong = sorted((each for each in evidence.certificates if each.wrong), key=lambda each: not each.ended)
    named = wrong if len(wrong) <= NAMED_MOST else wrong[: NAMED_MOST - 1]
    yield from (_certificate(each, evidence) for each in named)
    if number := len(wrong) - len(named):
        yield _other_certificates(wrong[len(named) :], number, len(wrong))


def stored_mail(evidence: SiteEvidence) -> Iterator[Fault]:
    if not evidence.damaged:
        return
    bodies = damaged_bodies.bodies()
    first = bodies.aggregate(at=Min("damaged_at"))["at"]
    number = bodies.count()
    text = ngettext("%(number)s stored message is damaged", "%(number)s stored messages are damaged", number)
    yield Fault(
        rank=Rank.STORED_MAIL,
        level=WARN,
        text=text % {"number": count(number)},
        consequence=_("A program that fetches it gets an error. Restore the file from the backup."),
        remedy=_("See messages"),
        url=f"{reverse('overview-parts')}#stored-mail",
        when=found(first),
    )


def _broken_disk(disk: Disk) -> Fault:
    return Fault(
        rank=Rank.DISK,
        level=BAD,
        text=_("%(disk)s: %(trouble)s") % {"disk": disk.label, "trouble": disk.trouble},
        consequence=_("No mail can be stored. Place: %(place)s") % {"place": disk.place},
        remedy=_("See disks"),
        url=f"{reverse('overview-parts')}#disks",
    )


def _low_disk(disk: Disk) -> Fault:
    free, total = size(disk.room.free_octets or 0), size(disk.room.total_octets or 0)
    return Fault(
        rank=Rank.DISK_LOW,
        level=WARN,
        text=_("%(disk)s: little room is left") % {"disk": disk.label},
        consequence=_("%(free)s of %(total)s are free. A full disk takes no mail.") % {"free": free, "total": total},
        remedy=_("See disks"),
        url=f"{reverse('overview-parts')}#disks",
    )


def _certificate(certificate: Certificate, evidence: SiteEvidence) -> Fault:
    """Return the row of one certificate, by the worst that is wrong with it."""
    text, consequence, when = _judgement(certificate, evidence)
    return Fault(
        rank=Rank.CERTIFICATE_ENDED if certificate.ended else Rank.CERTIFICATE,
        level=BAD if certificate.ended else WARN,
        text=text,
        consequence=consequence,
        remedy=_("See certificate"),
        url=f"{reverse('overview-parts')}#certificates",
        when=when,
    )


def _judgement(certificate: Certificate, evidence: SiteEvidence) -> tuple[str, str, str]:
    name, ends_at = certificate.name, certificate.ends_at
    if ends_at is not None and certificate.fault is not None and certificate.served and not certificate.ended:
        unusable = _("The renewed certificate of %(name)s cannot be used") % {"name": name}
        old = format_html(
            _("Until the file is repaired, POP3 serves the old certificate, which ends on {day}."), day=day(ends_at)
        )
        return unusable, format_html("{}. {}", certificate.reason, old), ""
    if ends_at is None or (certificate.fault is not None and not certificate.served):
        unusable = _("The certificate of %(name)s cannot be used") % {"name": name}
        reason = certificate.reason or _("its file cannot be read")
        return unusable, _("%(reason)s. POP3 cannot load it at its next start.") % {"reason": reason}, ""
    if certificate.ended:
        ended = format_html(_("The certificate of {name} ended on {day}"), name=name, day=day(ends_at))
        return ended, _("Programs refuse to connect."), since(ends_at)
    if not certificate.good:
        ends = format_html(_("The certificate of {name} ends on {day}"), name=name, day=day(ends_at))
        return ends, _unchanged(certificate), _days_left((ends_at - evidence.now).total_seconds())
    other = _("The certificate of %(name)s is for other hosts") % {"name": name}
    hosts = ", ".join(certificate.hosts[:HOSTS_NAMED])
    return other, _("It is for %(hosts)s. Programs warn or refuse to connect.") % {"hosts": hosts}, ""


def _unchanged(certificate: Certificate) -> str:
    refused = _("From then on programs refuse to connect.")
    if certificate.changed_at is None:
        return refused
    unchanged = format_html(_("Its file has not changed since {day}."), day=day(certificate.changed_at))
    return format_html("{} {}", unchanged, refused)


def _days_left(seconds: float) -> str:
    number = int(seconds // DAY_SECONDS)
    if not number:
        return _("within a day")
    return ngettext("in %(number)d day", "in %(number)d days", number) % {"number": number}


def _other_certificates(others: Sequence[Certificate], number: int, total: int) -> Fault:
    ended = any(each.ended for each in others)
    text = ngettext("%(number)s more certificate is wrong", "%(number)s more certificates are wrong", number)
    return Fault(
        rank=Rank.CERTIFICATE_ENDED if ended else Rank.CERTIFICATE,
        level=BAD if ended else WARN,
        text=text % {"number": count(number)},
        consequence=_("Programs refuse to connect, or soon will."),
        remedy=_("All %(total)s") % {"total": count(total)},
        url=f"{reverse('overview-parts')}#certificates",
        count=number,
    )
