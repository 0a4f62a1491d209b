"""Domains whose quota is used up, or nearly, and domains that have come to another cap."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from popadmin.panel import full_days
from popadmin.panel.attention.fault import BAD, NAMED_MOST, WARN, Evidence, Fault, Rank, since_day
from popadmin.panel.domain_rooms import ALIASES, ALLOTTED, MAILBOXES, STORED, CapUse
from popadmin.web.formats import count, used_of
from popadmin.web.usage_share import FULL_PERCENT, NEAR_PERCENT


def full(evidence: Evidence) -> Iterator[Fault]:
    """Yield a row for each domain that takes no mail, or for the first ones and one for the others."""
    reached = [use for use in evidence.totals.caps if use.kind == STORED and use.is_reached]
    named = reached if len(reached) <= NAMED_MOST else reached[: NAMED_MOST - 1]
    since_days = full_days.since(named, FULL_PERCENT, now=evidence.now) if named else {}
    yield from (_full(use, since_days.get(use.domain)) for use in named)
    if number := len(reached) - len(named):
        text = ngettext("%(number)s more domain is full", "%(number)s more domains are full", number)
        yield Fault(
            rank=Rank.DOMAIN_FULL,
            level=BAD,
            text=text % {"number": count(number)},
            consequence=_("All their mailboxes refuse new mail."),
            remedy=_("All %(total)s") % {"total": count(len(reached))},
            url=f"{reverse('domains')}?usage=full",
            count=number,
        )


def near(evidence: Evidence) -> Iterator[Fault]:
    uses = [use for use in evidence.totals.caps if use.kind == STORED and not use.is_reached]
    if uses:
        number = len(uses)
        text = ngettext("%(number)s domain is nearly full", "%(number)s domains are nearly full", number)
        only = _("%(domain)s is nearly full") % {"domain": uses[0].name}
        several = text % {"number": count(number)}
        since_days = full_days.since(uses, NEAR_PERCENT, now=evidence.now) if number == 1 else {}
        yield _several(
            uses,
            Rank.DOMAIN_NEAR,
            only if number == 1 else several,
            url=f"{reverse('domains')}?usage=near",
            when=since_day(since_days.get(uses[0].domain)),
        )


def caps(evidence: Evidence) -> Iterator[Fault]:
    """Yield one row for all domains that can have few more mailboxes, aliases or quotas, or none."""
    uses = [use for use in evidence.totals.caps if use.kind != STORED]
    uses.sort(key=lambda use: not use.is_reached)
    first = {use.domain: use for use in reversed(uses)}  # one cap of each domain
    if first:
        number = len(first)
        text = ngettext(
            "%(number)s domain is near a limit", "%(number)s domains are near a limit", number
        ) % {"number": count(number)}  # fmt: skip
        is_reached = any(use.is_reached for use in uses)
        near_one = _("%(domain)s has reached a limit") if is_reached else _("%(domain)s is near a limit")
        only = near_one % {"domain": uses[0].name}
        named = [use for use in uses if first[use.domain] is use]
        yield _several(named, Rank.CAP, only if number == 1 else text, url=reverse("domains"))


def _full(use: CapUse, day: date | None) -> Fault:
    text = _("%(domain)s refuses mail: its quota is full") % {"domain": use.name}
    answer = _("No mailbox of the domain gets new mail.")
    return Fault(
        rank=Rank.DOMAIN_FULL,
        level=BAD,
        text=text,
        consequence=f"{_amount(use)} {answer}",
        remedy=_("See domain"),
        url=reverse("domains-one", args=[use.domain]),
        when=since_day(day),
    )


def _several(uses: Sequence[CapUse], rank: Rank, text: str, *, url: str, when: str = "") -> Fault:
    """Return one row for one domain, or for several, of which it names the first."""
    alone = len(uses) == 1
    amounts = [_amount(use) if alone else f"{use.name}: {_amount(use)}" for use in uses[:NAMED_MOST]]
    return Fault(
        rank=rank,
        level=WARN,
        text=text,
        consequence=" ".join(amounts),
        remedy=_("See domain") if alone else _("See domains"),
        url=reverse("domains-one", args=[uses[0].domain]) if alone else url,
        when=when,
    )


def _amount(use: CapUse) -> str:
    """Return how much of the cap is used, as a sentence."""
    if use.kind in _SIZES:
        return str(_SIZES[use.kind]) % {"amount": used_of(use.used, use.cap)}
    return _NUMBERS[use.kind](use.cap) % {"used": count(use.used), "cap": count(use.cap)}


_SIZES: dict[str, Promise] = {
    STORED: gettext_lazy("%(amount)s stored."),
    ALLOTTED: gettext_lazy("%(amount)s given out as quotas."),
}
_NUMBERS: dict[str, Callable[[int], str]] = {
    MAILBOXES: lambda cap: ngettext("%(used)s of %(cap)s mailbox.", "%(used)s of %(cap)s mailboxes.", cap),
    ALIASES: lambda cap: ngettext("%(used)s of %(cap)s alias.", "%(used)s of %(cap)s aliases.", cap),
}
