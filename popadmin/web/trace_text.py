"""The words of the trace: what a sender was answered, what that means, and what helps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mailstore.amount_text import NBSP
from mailstore.messages.trace_history import Tries
from mailstore.models import TraceEntry
from popadmin.web.formats import count, lasted, size

LATE_SECONDS = 60  # a second try within it delays nobody
HOUR_SECONDS = 3600
HOURS_SAID = 72
Answer = TraceEntry.Answer
Reason = TraceEntry.Reason

LEVELS = {Answer.DELIVERED: "", Answer.DEFERRED: "warn", Answer.REFUSED: "bad", Answer.UNRECORDED: "warn"}
ICONS = {
    Answer.DELIVERED: "check-lg",
    Answer.DEFERRED: "exclamation-triangle-fill",
    Answer.REFUSED: "x-circle-fill",
    Answer.UNRECORDED: "exclamation-triangle-fill",
}
_TRIES_AGAIN = gettext_lazy("The sender's server was told to try again, and does so for some days.")
_TOLD = gettext_lazy("The sender was told so at once, by a mail from their own server.")
# What follows from an answer, and what helps. Where the answer is deferred, _TRIES_AGAIN precedes it; else _TOLD.
_MEANINGS: dict[str, Promise] = {
    Reason.FULL: gettext_lazy("Make room in the mailbox, or raise its quota."),
    Reason.DOMAIN_FULL: gettext_lazy("The mailboxes of the domain have used up its quota."),
    Reason.DISK: gettext_lazy("The disk of the mail store has no room. A hosting admin must make some."),
    Reason.DATABASE: gettext_lazy("The database or the mail store could not be reached. Nothing is lost."),
    Reason.BUSY: gettext_lazy("The server had too much to do at that moment."),
    Reason.OUTSIDE: gettext_lazy(
        "An alias of this address leads to another server. The mail server must follow it before it delivers here."
    ),
    Reason.TROUBLE: gettext_lazy("An error of our own. The log has its cause."),
    Reason.MANY: gettext_lazy("The message had too many recipients. The rest follows in another one."),
    Reason.UNKNOWN: gettext_lazy("No mailbox and no alias has this address."),
    Reason.NO_DOMAIN: gettext_lazy("The mail server passed on mail for a domain that is not hosted here."),
    Reason.REMOVED: gettext_lazy("The mailbox was removed. It can be restored for some time."),
    Reason.ALIAS_EXPIRED: gettext_lazy("The alias of this address has expired. Give it another day, or none."),
    Reason.ALIAS_OFF: gettext_lazy("The alias of this address is switched off."),
    Reason.CLOSED: gettext_lazy("The mailbox is set to receive nothing."),
    Reason.DOMAIN_OFF: gettext_lazy("The domain is suspended, so none of its mailboxes receives mail."),
    Reason.LOOP: gettext_lazy("It was here before: forwards lead to each other, or a program sends it again."),
    Reason.ADDRESS: gettext_lazy("It is not written like an address."),
    Reason.UTF8: gettext_lazy("The sending server did not say that it can send addresses with such letters."),
    Reason.REJECTED: gettext_lazy("The mail server refused it, so it never came here."),
    Reason.QUEUED: gettext_lazy("The mail server has it, and tries again by itself."),
    Reason.BOUNCED: gettext_lazy("The mail server gave it up and returned it to the sender."),
    Reason.SENT: gettext_lazy("It waited in the queue of the mail server, and then another server took it."),
}
_OF_MTA = frozenset({Reason.REJECTED, Reason.QUEUED, Reason.BOUNCED, Reason.SENT})  # their words say who does what


@dataclass(frozen=True, slots=True)
class Sentence:
    """An answer in a line: its text, its icon, and how bad it is ("bad", "warn" or "")."""

    text: str
    icon: str
    level: str


def sentence(entry: TraceEntry, tries: Tries | None = None) -> Sentence:
    """Return the answer in a line of the list; `tries` are those before it."""
    return Sentence(_text(entry, tries), ICONS[Answer(entry.answer)], LEVELS[Answer(entry.answer)])


def _text(entry: TraceEntry, tries: Tries | None) -> str:
    if entry.reason == Reason.SENT:
        return _late(_("Sent on"), entry.first_at, entry.at)
    if entry.answer == Answer.DELIVERED:
        return _delivered(entry, tries)
    if entry.answer == Answer.UNRECORDED:
        text = ngettext("%(number)s answer was not recorded", "%(number)s answers were not recorded", entry.tries)
        return text % {"number": count(entry.tries)}
    names = {"answer": entry.get_answer_display(), "reason": _reason(entry)}
    text = _("%(answer)s: %(reason)s") % names
    if entry.tries > 1:
        times = ngettext("%(number)s time", "%(number)s times", entry.tries) % {"number": count(entry.tries)}
        return _("%(text)s, %(times)s") % {"text": text, "times": times}
    if tries is not None:
        return _("%(text)s, try %(number)s") % {"text": text, "number": count(tries.count + 1)}
    return text


def _delivered(entry: TraceEntry, tries: Tries | None) -> str:
    text = _by_way(entry)
    if entry.mailbox_count > 1:
        text = ngettext("Delivered to %(number)s mailbox", "Delivered to %(number)s mailboxes", entry.mailbox_count) % {
            "number": count(entry.mailbox_count)
        }
    return text if tries is None else _late(text, tries.first_at, entry.at)


def _late(text: str, first_at: datetime, at: datetime) -> str:
    if (at - first_at).total_seconds() < LATE_SECONDS:
        return text
    return _("%(text)s, %(time)s late") % {"text": text, "time": _lateness(first_at, at)}


def _lateness(first_at: datetime, at: datetime) -> str:
    """Return hours up to three days: "41 hours" says more than "1 day"."""
    hours = int((at - first_at).total_seconds() // HOUR_SECONDS)
    if not 0 < hours < HOURS_SAID:
        return lasted(first_at, at)
    return (ngettext("%(number)d hour", "%(number)d hours", hours) % {"number": hours}).replace(" ", NBSP)


def _by_way(entry: TraceEntry) -> str:
    via = next((step for step in entry.via if "@" in step), "")
    if not via:
        return _("Delivered")
    if via.startswith("@"):
        return _("Delivered by catch-all")
    if via == entry.recipient.lower():
        return _("Delivered, by an alias or forward")
    return _("Delivered by alias %(alias)s") % {"alias": via}


def _reason(entry: TraceEntry) -> str:
    if entry.reason == Reason.TOO_LARGE:
        octets = entry.octets or entry.announced_octets
        limit = size(settings.MAX_MESSAGE_OCTETS)
        if octets:
            return _("%(size)s, larger than %(limit)s") % {"size": size(octets), "limit": limit}
        return _("larger than %(limit)s") % {"limit": limit}
    return str(Reason(entry.reason).label) if entry.reason else _("no reason given")


def meaning(entry: TraceEntry) -> list[Promise | str]:
    """Return what follows from the answer, and what helps, in sentences."""
    if entry.answer == Answer.DELIVERED and entry.reason != Reason.SENT:
        return []
    if entry.answer == Answer.UNRECORDED:
        return [_("The database was away, and more answers waited for it than there is room for.")]
    is_of_mta = entry.source == TraceEntry.Source.MTA and entry.reason in _OF_MTA
    found: list[Promise | str] = [] if is_of_mta else [_told(entry)]
    if entry.reason in _MEANINGS:
        found.append(_MEANINGS[entry.reason])
    return found


def _told(entry: TraceEntry) -> Promise:
    return _TRIES_AGAIN if entry.answer == Answer.DEFERRED else _TOLD


def route(entry: TraceEntry) -> list[str]:
    """Return how the address led to the mailbox, a line for each step."""
    return [_step(step, entry) for step in entry.via]


def _step(step: str, entry: TraceEntry) -> str:
    if "@" not in step:
        return _("The domain is an alias of another one: %(domain)s.") % {"domain": step}
    if step.startswith("@"):
        return _("The catch-all of %(domain)s took it.") % {"domain": step[1:]}
    if step == entry.recipient.lower():
        return _("The address is an alias, or forwards its mail.")
    return _("The alias %(alias)s took it.") % {"alias": step}
