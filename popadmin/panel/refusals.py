"""What was refused lately at the sign-in to POP, summed by the reason, above the list of sign-ins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Sum
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy
from django_stubs_ext import StrOrPromise

from mailstore.models import DiarySession, User
from mailstore.policy.throttle import UNKNOWN_ACCOUNTS_AN_HOUR, WRONG_PASSWORDS_A_DAY
from popadmin.panel import access
from popadmin.web.formats import count

ENTRIES = 1000  # the latest of the diary: they are read by an index, however long it is
FAULT = "exclamation-triangle-fill"  # the icon of a reason for which somebody should act
Ended = DiarySession.Ended


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason: how often, what it means, and the list of these sign-ins. `is_fault`: somebody should act."""

    icon: str
    is_fault: bool
    text: str
    meaning: str
    url: str


@dataclass(frozen=True, slots=True)
class Refusals:
    """What the latest entries tell; the first of them began at `since`, None if there is none."""

    rows: Sequence[Refusal]
    since: datetime | None


def lately(user: User, *, entries: int = ENTRIES) -> Refusals:
    """Sum up the latest entries of the mailboxes that the user sees, in one statement."""
    latest = access.diary_sessions(user).order_by("-started_at").values("pk")[:entries]
    sums = DiarySession.objects.filter(pk__in=latest).order_by().values("ended").annotate(
        attempts=Sum("sessions"), mailboxes=Count("mailbox", distinct=True),
        clients=Count("client", distinct=True), since=Min("started_at"),
    )  # fmt: skip
    found: dict[str, dict[str, Any]] = {row["ended"]: dict(row) for row in sums}
    rows = [_refusal(reason, found[reason.ended]) for reason in _REASONS if reason.ended in found]
    return Refusals(rows, min((row["since"] for row in found.values()), default=None))


def _refusal(reason: _Reason, row: dict[str, Any]) -> Refusal:
    attempts = reason.attempts % {"attempts": row["attempts"], "number": count(row["attempts"])}
    return Refusal(
        icon=reason.icon,
        is_fault=reason.icon == FAULT,
        text=_("%(attempts)s: %(where)s") % {"attempts": attempts, "where": _where(row)},
        meaning=reason.meaning % {"names": UNKNOWN_ACCOUNTS_AN_HOUR, "passwords": WRONG_PASSWORDS_A_DAY},
        url=f"{reverse('visits')}?ended={reason.ended}",
    )


def _where(row: dict[str, Any]) -> str:
    mailboxes = ngettext("%(number)s mailbox", "%(number)s mailboxes", row["mailboxes"])
    clients = ngettext("from %(number)s address", "from %(number)s addresses", row["clients"])
    named = f"{mailboxes % {'number': count(row['mailboxes'])}}"
    return f"{named}, {clients % {'number': count(row['clients'])}}" if row["clients"] else named


@dataclass(frozen=True, slots=True)
class _Reason:
    ended: str
    icon: str
    attempts: Any  # a lazy text that chooses its plural by `attempts`; Django has no public type for it
    meaning: StrOrPromise


_REASONS = (
    _Reason(
        Ended.THROTTLED,
        FAULT,
        ngettext_lazy("%(number)s attempt met a limit", "%(number)s attempts met a limit", "attempts"),
        gettext_lazy(
            "A network is refused for the rest of an hour after %(names)d names that do not exist, an account for the "
            "rest of a day after %(passwords)d different wrong passwords from one network."
        ),
    ),
    _Reason(
        Ended.PREVIOUS,
        FAULT,
        ngettext_lazy(
            "%(number)s attempt with an old password", "%(number)s attempts with an old password", "attempts"
        ),
        gettext_lazy("A program has missed a change of the password. It gets no mail until it has the new one."),
    ),
    _Reason(
        Ended.WRONG,
        "key",
        ngettext_lazy(
            "%(number)s attempt with a wrong password", "%(number)s attempts with a wrong password", "attempts"
        ),
        gettext_lazy("Somebody mistyped it or guesses, or a program has another one."),
    ),
    _Reason(
        Ended.MALFORMED,
        FAULT,
        ngettext_lazy("%(number)s attempt that cannot be read", "%(number)s attempts that cannot be read", "attempts"),
        gettext_lazy("A program sends a name or a password that is no text."),
    ),
    _Reason(
        Ended.SUSPENDED,
        "pause-circle",
        ngettext_lazy(
            "%(number)s attempt at a suspended mailbox", "%(number)s attempts at suspended mailboxes", "attempts"
        ),
        gettext_lazy("The program gets the same answer as for a wrong password."),
    ),
    _Reason(
        Ended.POP_OFF,
        "slash-circle",
        ngettext_lazy("%(number)s attempt while POP was off", "%(number)s attempts while POP was off", "attempts"),
        gettext_lazy("The password was right, but POP is off for the mailbox."),
    ),
    _Reason(
        Ended.MAIN_OFF,
        "phone",
        ngettext_lazy(
            "%(number)s attempt with the main password, which was not allowed",
            "%(number)s attempts with the main password, which was not allowed",
            "attempts",
        ),
        gettext_lazy("The password was right, but this mailbox takes only device passwords."),
    ),
    _Reason(
        Ended.SMTP_OFF,
        "slash-circle",
        ngettext_lazy(
            "%(number)s attempt to send while sending was off",
            "%(number)s attempts to send while sending was off",
            "attempts",
        ),
        gettext_lazy("The password was right, but the mailbox may not send mail."),
    ),
    _Reason(
        Ended.NO_SENDER,
        "phone",
        ngettext_lazy(
            "%(number)s attempt to send by a device that may not",
            "%(number)s attempts to send by devices that may not",
            "attempts",
        ),
        gettext_lazy("The password was right, but it is for fetching alone. The owner can allow the device to send."),
    ),
)
