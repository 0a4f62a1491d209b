"""The state line on the pages of a mailbox: what is wrong, since when, what follows, and what helps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mailstore.messages import trace_history
from mailstore.messages.mailbox_usage import Split
from mailstore.models import Domain, Mailbox, User
from mailstore.policy.addresses import shown_domain
from popadmin.lists import trace_list
from popadmin.web import formats, mailbox_state, people
from popadmin.web.formats import count, moment, size, used_of
from popadmin.web.mailbox_state import MailboxState
from popadmin.web.usage_share import share_percent

DEFERRED_DAYS = 7  # that are looked through where it is not known since when the mailbox is full
_FOLLOWS_WHEN_FULL: dict[str, Promise] = {
    Domain.OverQuota.DEFER: gettext_lazy("New mail is deferred (452): the senders' servers try again for some days."),
    Domain.OverQuota.REJECT: gettext_lazy("New mail is rejected (552): the senders are told at once."),
}
_WILL_FOLLOW: dict[str, Promise] = {
    Domain.OverQuota.DEFER: gettext_lazy("When it is full, new mail is deferred (452)."),
    Domain.OverQuota.REJECT: gettext_lazy("When it is full, new mail is rejected (552)."),
}


@dataclass(frozen=True, slots=True)
class Remedy:
    """A link that leads to something that helps."""

    label: str
    url: str
    css: str = "btn-quiet"


@dataclass(frozen=True, slots=True)
class StateLine:
    """The worst state with its text and its remedies, and the other states. `resume`: a button ends a suspension."""

    level: str
    icon: str
    lead: str
    text: SafeString | str
    remedies: tuple[Remedy, ...] = ()
    resume: bool = False
    others: tuple[MailboxState, ...] = ()


def of(mailbox: Mailbox, user: User, split: Split, *, primary: bool) -> StateLine:
    """Return the line for this user. Without `primary` the page has a primary button of its own.

    The mailbox has the annotations of `access.with_history`.
    """
    states = mailbox_state.states(mailbox)
    if not states:
        return StateLine("note", "check-lg", _receiving(split), _usage(mailbox))
    worst, *others = states
    text = _TEXTS[worst.name](mailbox, split)
    remedies = _remedies(worst, mailbox, user, primary=primary)
    if worst is mailbox_state.FULL and (deferred := trace_history.deferrals(mailbox, since=_full_since(mailbox))[0]):
        text = _sentences([text, _deferred(mailbox, deferred)])
        remedies.append(_shown(mailbox, deferred))
    suspended = worst is mailbox_state.SUSPENDED
    lead = _suspended_lead(mailbox) if suspended else str(worst.lead)
    return StateLine(
        worst.level,
        worst.icon,
        lead,
        text,
        tuple(remedies),
        suspended,
        tuple(others),
    )


def policy_choice(mailbox: Mailbox) -> str:
    """Return the URL of the page where its policy is chosen, with a preview of what the choice removes."""
    of = {"of": mailbox.user.address, "policy": mailbox.policy_id or ""}
    return f"{reverse('policies-choice')}?{urlencode(of)}"


def _receiving(split: Split) -> str:
    if split.last_arrival_at is None:
        return _("Ready to receive, no message yet")
    return _("Receiving")


def _usage(mailbox: Mailbox) -> SafeString | str:
    percent = share_percent(mailbox.octets, mailbox.quota_octets)
    if percent is None or mailbox.quota_octets is None:
        return _("%(size)s stored, no limit.") % {"size": size(mailbox.octets)}
    return _("%(percent)s of %(quota)s used.") % {
        "percent": formats.percent(percent),
        "quota": size(mailbox.quota_octets),
    }


def _full(mailbox: Mailbox, split: Split) -> SafeString:
    parts: list[SafeString | str] = [f"{_contents(mailbox)}."]
    if (lowered := mailbox_state.full_by_quota(mailbox)) is not None:
        parts.append(format_html(_("Full since {}, when its quota was lowered."), moment(lowered)))
    elif (warned := mailbox_state.warned_full(mailbox)) is not None:
        parts.append(format_html(_("Full since {} or shortly before."), moment(warned)))
    parts.append(_new_mail(mailbox))
    if split.kept.octets:
        parts.append(_("Every device already has %(size)s of it.") % {"size": size(split.kept.octets)})
    return _sentences(parts)


def _known_full_since(mailbox: Mailbox) -> datetime | None:
    return mailbox_state.full_by_quota(mailbox) or mailbox_state.warned_full(mailbox)


def _full_since(mailbox: Mailbox) -> datetime:
    """Return since when it is known to be full; without a warning yet, the last week."""
    known = _known_full_since(mailbox)
    return known - mailbox_state.NOTICED if known else timezone.now() - timedelta(days=DEFERRED_DAYS)


def _deferred(mailbox: Mailbox, number: int) -> str:
    if _known_full_since(mailbox):
        text = ngettext("%(number)s message was deferred since.", "%(number)s messages were deferred since.", number)
        return text % {"number": count(number)}
    text = ngettext(
        "%(number)s message was deferred in the last %(days)d days.",
        "%(number)s messages were deferred in the last %(days)d days.",
        number,
    )
    return text % {"number": count(number), "days": DEFERRED_DAYS}


def _shown(mailbox: Mailbox, number: int) -> Remedy:
    url = f"{reverse('trace')}{trace_list.query(mailbox=mailbox.user.address, answer='deferred')}"
    return Remedy(ngettext("Show it", "Show the %(number)s", number) % {"number": count(number)}, url)


def contents(mailbox: Mailbox) -> str:
    """Return what it contains: `2.4 GB of 500 MB, 8,760 messages`."""
    messages = ngettext("%(number)s message", "%(number)s messages", mailbox.messages)
    used = size(mailbox.octets) if mailbox.quota_octets is None else used_of(mailbox.octets, mailbox.quota_octets)
    return f"{used}, {messages % {'number': count(mailbox.messages)}}"


def _near(mailbox: Mailbox, _split: Split) -> SafeString:
    off = mailbox_state.is_switched_off(mailbox)
    return _sentences([
        f"{_contents(mailbox)}.",
        _new_mail(mailbox) if off else str(_WILL_FOLLOW[mailbox.domain.over_quota]),
    ])  # fmt: skip


def _new_mail(mailbox: Mailbox) -> str:
    """Return what a delivery does now, judged in its order: the switches, then the quotas."""
    if not mailbox.domain.active:
        return _("New mail is refused: the domain is suspended.")
    if not mailbox.receives:
        return _("New mail is refused: the mailbox receives nothing.")
    if mailbox_state.is_full(mailbox) or mailbox_state.is_domain_full(mailbox):
        return str(_FOLLOWS_WHEN_FULL[mailbox.domain.over_quota])
    return _("New mail still arrives.")


def _domain_full(mailbox: Mailbox, _split: Split) -> SafeString:
    names = {"domain": shown_domain(mailbox.domain.name), "quota": size(mailbox.domain.quota_octets or 0)}
    reached = _("The mailboxes of %(domain)s have reached its quota of %(quota)s, which a hosting admin can raise.")
    return _sentences([reached % names, _new_mail(mailbox)])


def _contents(mailbox: Mailbox) -> str:
    """Return what the quotas say that there are: octets, messages, or both."""
    parts = []
    if mailbox.quota_octets is not None:
        parts.append(used_of(mailbox.octets, mailbox.quota_octets))
    if mailbox.quota_messages is not None:
        number, most = count(mailbox.messages), count(mailbox.quota_messages)
        text = ngettext("%(number)s of %(most)s message", "%(number)s of %(most)s messages", mailbox.quota_messages)
        parts.append(text % {"number": number, "most": most})
    return ", ".join(parts)


def _suspended_lead(mailbox: Mailbox) -> str:
    who: str | None = mailbox.suspended_by  # type: ignore[attr-defined]  # annotated
    return str(mailbox_state.SUSPENDED.lead) if who is None else _("Suspended by %(who)s") % {"who": who}


def _suspended(mailbox: Mailbox, _split: Split) -> SafeString:
    parts: list[SafeString | str] = [*_while_suspended(mailbox)]
    since = mailbox.suspended_at  # type: ignore[attr-defined]  # annotated
    return _sentences(parts if since is None else [format_html(_("Since {}."), moment(since)), *parts])


def _while_suspended(mailbox: Mailbox) -> list[str]:
    return [_("Nobody can sign in."), _new_mail(mailbox), _("Stored mail stays.")]


def _sentences(parts: Iterable[SafeString | str]) -> SafeString:
    return format_html_join(" ", "{}", ((part,) for part in parts))


_TEXTS: dict[str, Callable[[Mailbox, Split], SafeString | str]] = {
    mailbox_state.FULL.name: _full,
    mailbox_state.NEAR.name: _near,
    mailbox_state.SUSPENDED.name: _suspended,
    mailbox_state.DOMAIN_FULL.name: _domain_full,
    mailbox_state.DOMAIN_SUSPENDED.name: lambda mailbox, _split: _sentences(_while_suspended(mailbox)),
    mailbox_state.CLOSED.name: lambda _mailbox, _split: _("New mail is refused; stored mail stays."),
    mailbox_state.HELD.name: lambda _mailbox, _split: _("Nothing expires, is removed or is deleted for good."),
    mailbox_state.NO_POP.name: lambda _mailbox, _split: _("No mail program can fetch mail. New mail still arrives."),
    mailbox_state.NO_SMTP.name: lambda _mailbox, _split: _("No mail program can send mail. New mail still arrives."),
    mailbox_state.NO_WEB.name: lambda _mailbox, _split: _("The owner cannot sign in to these pages."),
    mailbox_state.DEVICES_ONLY.name: lambda _mailbox, _split: _("Mail programs cannot use the main password."),
    mailbox_state.NOT_CHOSEN.name: lambda _mailbox, _split: _(
        "The owner must choose a password at the next sign-in to these pages."
    ),
}


def _remedies(state: MailboxState, mailbox: Mailbox, user: User, *, primary: bool) -> list[Remedy]:
    edit = reverse("mailboxes-edit", args=[mailbox.pk])
    if state in (mailbox_state.FULL, mailbox_state.NEAR):
        return _remedies_of_full(
            mailbox, user, edit, css="btn-primary" if primary and state is mailbox_state.FULL else "btn-quiet"
        )
    if state is mailbox_state.DOMAIN_FULL and people.is_host(user):
        raising = f"{reverse('domains-edit', args=[mailbox.domain_id])}#id_quota_octets"
        return [Remedy(_("Raise the domain's quota…"), raising, "btn-primary" if primary else "btn-quiet")]
    if state in (mailbox_state.DOMAIN_SUSPENDED, mailbox_state.DOMAIN_FULL):
        return [Remedy(_("Open the domain"), reverse("domains-one", args=[mailbox.domain_id]))]
    if state is mailbox_state.HELD and not people.is_host(user):
        return []
    return [] if state in (mailbox_state.SUSPENDED, mailbox_state.NOT_CHOSEN) else [Remedy(_("Change…"), edit)]


def _remedies_of_full(mailbox: Mailbox, user: User, edit: str, *, css: str) -> list[Remedy]:
    """Return what this user can do: raise the quota below their cap, and let a policy remove mail unless it is held."""
    most = None if people.is_host(user) else mailbox.domain.mailbox_quota_most
    found = []
    if most is None or mailbox.quota_octets is None or mailbox.quota_octets < most:
        found.append(Remedy(_("Raise quota…"), f"{edit}#id_quota_octets", css))
    if not mailbox.held:
        found.append(Remedy(_("Make room…"), policy_choice(mailbox)))
    return found
