"""The heading of an owner's start page: one sentence, made from the worst that is true of the mailbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mailstore.messages.mailbox_usage import Split
from mailstore.models import Domain, Mailbox
from popadmin.owner.device_state import DeviceRow
from popadmin.web import mailbox_state
from popadmin.web.formats import count
from popadmin.web.mailbox_state import MailboxState

_WORST: dict[str, Promise] = {  # in the order of a delivery: the switch is judged before the quotas
    "closed": gettext_lazy("New mail is refused: receiving is switched off."),
    "full": gettext_lazy("New mail is refused: your mailbox is full."),
    "domain-full": gettext_lazy("New mail is refused: the space of your domain is used up."),
    "no-pop": gettext_lazy("POP is off: your mail programs cannot fetch mail."),
}
_REMEDIES: dict[str, Promise] = {
    "near": gettext_lazy("When it is full, new mail is refused. Delete what you no longer need."),
    "closed": gettext_lazy("Senders get an error. Your administrator switches it on."),
    "no-pop": gettext_lazy("Mail still arrives and waits. Your administrator switches POP on."),
    "no-smtp": gettext_lazy("Your mail programs cannot send mail. Your administrator switches sending on."),
    "held": gettext_lazy("Nothing is removed automatically, and nothing is deleted for good."),
}
_FULL_AND_CLOSED = gettext_lazy("Delete what you no longer need, or ask your administrator for more space.")
_DOMAIN_FULL: dict[str, Promise] = {
    Domain.OverQuota.DEFER: gettext_lazy("Senders try again later. Your administrator can make room in the domain."),
    Domain.OverQuota.REJECT: gettext_lazy("Senders get an error. Your administrator can make room in the domain."),
}
_FULL: dict[str, Promise] = {
    Domain.OverQuota.DEFER: gettext_lazy(
        "Senders try again later. Delete what you no longer need, or ask your administrator for more space."
    ),
    Domain.OverQuota.REJECT: gettext_lazy(
        "Senders get an error. Delete what you no longer need, or ask your administrator for more space."
    ),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """A state line of the start page: what is unusual, and what the owner can do about it."""

    state: MailboxState
    remedy: Promise

    @property
    def makes_room(self) -> bool:
        return self.state.name in ("full", "near")


def notices(mailbox: Mailbox) -> list[Notice]:
    """Return what the owner should know, worst first. What is a choice of their own is said where they chose it."""
    does = mailbox.domain.over_quota
    full = _FULL[does] if mailbox.receives else _FULL_AND_CLOSED
    remedies = {**_REMEDIES, "full": full}
    if mailbox.receives:
        remedies["domain-full"] = _DOMAIN_FULL[does]
    return [Notice(state, remedies[state.name]) for state in mailbox_state.states(mailbox) if state.name in remedies]


def sentence(found: Sequence[Notice], rows: Sequence[DeviceRow], split: Split) -> str:
    """Return the heading: what is worst, else that mail arrives, and for what it waits."""
    names = {notice.state.name for notice in found}
    worst = next((text for name, text in _WORST.items() if name in names), None)
    return str(worst) if worst is not None else " ".join((_("Mail arrives."), _waiting(rows, split)))


def _waiting(rows: Sequence[DeviceRow], split: Split) -> str:
    if not any(row.waiting.counts for row in rows):
        return _("No mail program fetches it yet.")
    behind = [row for row in rows if row.waits and not row.warns]
    if not behind:
        return (
            _("Your devices have all of it.") if not any(row.waits for row in rows) else _waits(split.waiting.messages)
        )
    return _waits(behind[0].waits, behind[0]) if len(behind) == 1 else _waits(split.waiting.messages)


def _waits(number: int, row: DeviceRow | None = None) -> str:
    if row is None:
        text = ngettext("%(number)s message waits for a device.", "%(number)s messages wait for a device.", number)
        return text % {"number": count(number)}
    if row.device.main:
        text = ngettext(
            "%(number)s message waits for the main password.", "%(number)s messages wait for the main password.", number
        )
        return text % {"number": count(number)}
    text = ngettext("%(number)s message waits for “%(name)s”.", "%(number)s messages wait for “%(name)s”.", number)
    return text % {"number": count(number), "name": row.device.name}
