"""What is unusual about a mailbox, worst first, as lists and state lines say it. What is normal is not mentioned."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection
from dataclasses import dataclass

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from mailstore.directory import domain_usage
from mailstore.models import Mailbox
from popadmin.web.usage_share import FULL_PERCENT, NEAR_PERCENT

NOTICED = datetime.timedelta(minutes=15)  # from the moment when a mailbox is full to the warning by the sweep


@dataclass(frozen=True, slots=True)
class MailboxState:
    """One exception: `word` for a cell of a list, `lead` for a state line; `level` is bad, warn or note."""

    name: str
    level: str
    icon: str
    word: Promise
    lead: Promise


FULL = MailboxState("full", "bad", "exclamation-octagon-fill", _("Refusing: full"), _("Refusing new mail: full"))
DOMAIN_FULL = MailboxState(
    "domain-full",
    "bad",
    "exclamation-octagon-fill",
    _("Refusing: domain full"),
    _("Refusing new mail: the domain is full"),
)
NEAR = MailboxState("near", "warn", "exclamation-triangle-fill", _("Nearly full"), _("Nearly full"))
SUSPENDED = MailboxState(
    "suspended", "note", "pause-circle", pgettext_lazy("mailbox", "Suspended"), pgettext_lazy("mailbox", "Suspended")
)
DOMAIN_SUSPENDED = MailboxState(
    "domain-suspended", "note", "pause-circle", pgettext_lazy("mailbox", "Suspended"), _("Suspended with its domain")
)
CLOSED = MailboxState("closed", "note", "slash-circle", _("Receives nothing"), _("Receives nothing"))
HELD = MailboxState("held", "note", "lock", _("On hold"), _("On hold"))
NO_POP = MailboxState("no-pop", "note", "slash-circle", _("POP is off"), _("POP is off"))
NO_WEB = MailboxState("no-web", "note", "slash-circle", _("Web is off"), _("Web is off"))
NO_SMTP = MailboxState("no-smtp", "note", "slash-circle", _("Sending is off"), _("Sending is off"))
DEVICES_ONLY = MailboxState("devices-only", "note", "phone", _("Devices only"), _("POP only with device passwords"))
NOT_CHOSEN = MailboxState("password", "note", "key", _("Password not chosen"), _("Password not chosen yet"))


def is_full(mailbox: Mailbox) -> bool:
    """Return whether the next delivery is refused: octets or messages have reached their quota."""
    return _reached(mailbox.octets, mailbox.quota_octets) or _reached(mailbox.messages, mailbox.quota_messages)


def is_nearly_full(mailbox: Mailbox) -> bool:
    """Return whether octets or messages have reached NEAR_PERCENT of their quota."""
    octets = _reached(mailbox.octets, mailbox.quota_octets, NEAR_PERCENT)
    return octets or _reached(mailbox.messages, mailbox.quota_messages, NEAR_PERCENT)


def mark_full_domains(mailboxes: Collection[Mailbox]) -> None:
    """Set `domain_full`, without which `states` does not know it. One statement, none if no domain has a quota."""
    full = domain_usage.full({box.domain_id for box in mailboxes if box.domain.quota_octets is not None})
    for mailbox in mailboxes:
        mailbox.domain_full = mailbox.domain_id in full  # type: ignore[attr-defined]  # noted on the row


def is_domain_full(mailbox: Mailbox) -> bool:
    """Return whether the domain's quota is reached, as far as `mark_full_domains` has looked."""
    return getattr(mailbox, "domain_full", False)


def is_switched_off(mailbox: Mailbox) -> bool:
    """Return whether deliveries are refused for good, full or not. That its user is suspended refuses no mail."""
    return not (mailbox.receives and mailbox.domain.active)


def full_by_quota(mailbox: Mailbox) -> datetime.datetime | None:
    """Return when its quota was lowered if that made it full: the warning followed soon, or is still to come."""
    lowered = mailbox.quota_lowered_at
    if lowered is None or not _reached(mailbox.octets, mailbox.quota_octets):
        return None
    seen = warned_full(mailbox) or timezone.now()
    return lowered if datetime.timedelta() <= seen - lowered <= NOTICED else None


def warned_full(mailbox: Mailbox) -> datetime.datetime | None:
    """Return when the sweep found it full; before its next warning nobody has looked."""
    return mailbox.warned_at if mailbox.warned_percent >= FULL_PERCENT else None


def states(mailbox: Mailbox) -> list[MailboxState]:
    """Return all that is unusual, worst first; empty if all is normal. The mailbox has its user and its domain."""
    return [state for state, applies in _CHECKS if applies(mailbox)]


def _reached(used: int, quota: int | None, percent: int = FULL_PERCENT) -> bool:
    return quota is not None and used * 100 >= quota * percent


_CHECKS: tuple[tuple[MailboxState, Callable[[Mailbox], bool]], ...] = (
    (FULL, is_full),
    (DOMAIN_FULL, is_domain_full),
    (NEAR, lambda mailbox: is_nearly_full(mailbox) and not is_full(mailbox)),
    (DOMAIN_SUSPENDED, lambda mailbox: not mailbox.domain.active),
    (SUSPENDED, lambda mailbox: not mailbox.user.is_active),
    (CLOSED, lambda mailbox: not mailbox.receives),
    (HELD, lambda mailbox: mailbox.held),
    (NO_POP, lambda mailbox: not mailbox.pop),
    (NO_SMTP, lambda mailbox: not mailbox.smtp),
    (NO_WEB, lambda mailbox: not mailbox.web),
    (DEVICES_ONLY, lambda mailbox: mailbox.pop and not mailbox.main_pop),
    (NOT_CHOSEN, lambda mailbox: mailbox.user.must_change_password),
)
