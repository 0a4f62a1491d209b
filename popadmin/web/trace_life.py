"""The life of a message as the drawer of the trace shows it: tries, delivery, devices, removal, and what is to come.

It has no content of mail: no subject, and no text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from mailstore.messages import message_history, trace_history
from mailstore.messages.message_history import Removal, Return, SessionEvent
from mailstore.messages.trace_history import Tries
from mailstore.models import EarlierStay, Mailbox, Message, TraceEntry
from mailstore.retention import recovery_terms
from mailstore.sql import expiry_rule
from popadmin.web import device_kind, trace_text
from popadmin.web.formats import facts

LIVES_SHOWN = 3  # each takes some statements, and an alias may lead to hundreds of mailboxes
EVENTS_SHOWN = 30  # of one message; a program that fetches it for ever says little new


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened, or that is to come. `level` is "bad", "warn", "good" or ""."""

    text: str
    icon: str
    at: datetime | None = None
    level: str = ""
    lines: tuple[str | Promise, ...] = ()
    note: str = ""
    to_come: bool = False

    @property
    def css(self) -> str:
        return f"icon-{self.level}" if self.level else ""


@dataclass(frozen=True, slots=True)
class Life:
    """The steps in one mailbox; `address` is empty where no mailbox has the message.

    `message` is the key of the message, None once it is deleted for good.
    """

    address: str
    mailbox: int | None
    steps: list[Step]
    message: int | None = None


def lives(entry: TraceEntry, places: Sequence[tuple[Mailbox, str]], tries: Tries | None) -> list[Life]:
    """Return the life of the message in the first LIVES_SHOWN places, or the answers alone where there is none.

    `places` are the mailboxes that the reader may see, each with the UIDL of the message there.
    """
    answers = [*_earlier(entry, tries), _answer(entry)]
    if not places:
        return [Life("", None, answers)]
    return [_life(mailbox, uidl, answers) for mailbox, uidl in places[:LIVES_SHOWN]]


def _life(mailbox: Mailbox, uidl: str, answers: list[Step]) -> Life:
    message = trace_history.message(mailbox.pk, uidl)
    if message is None:
        return Life(mailbox.user.address, mailbox.pk, [*answers, Step(_("Deleted for good since"), "trash3")])
    return Life(mailbox.user.address, mailbox.pk, [*answers, *_stored(mailbox, message)], message.pk)


def _earlier(entry: TraceEntry, tries: Tries | None) -> list[Step]:
    """Return what happened before: in the queue of the MTA, and at earlier tries."""
    rows = trace_history.before_us(entry)
    if tries is not None:
        rows = sorted([*rows, *trace_history.earlier(entry, tries.first_at)], key=lambda row: row.at)
    return [
        Step(str(trace_text.sentence(row).text), "exclamation-triangle-fill", row.at, "warn", note=_wire(row))
        for row in rows
    ]


def _answer(entry: TraceEntry) -> Step:
    told = trace_text.sentence(entry)
    icon = "check-circle-fill" if entry.answer == TraceEntry.Answer.DELIVERED else told.icon
    level = "good" if entry.answer == TraceEntry.Answer.DELIVERED else told.level
    lines = (*trace_text.route(entry), *trace_text.meaning(entry))
    return Step(told.text, icon, entry.at, level, lines=lines, note=_wire(entry))


def _wire(entry: TraceEntry) -> str:
    """Return the reply on the wire, and where the message came from."""
    origin = entry.origin and _("from %(server)s") % {"server": entry.origin}
    return facts([entry.reply, origin])


def _stored(mailbox: Mailbox, message: Message) -> Iterator[Step]:
    events = message_history.events(message)
    for event in events[-EVENTS_SHOWN:]:
        yield _event(event)
    if message.removed_at is None:
        yield from _waiting(message, mailbox)
    else:
        yield _resting(message, message.removed_at)


def _event(event: message_history.Event) -> Step:
    if isinstance(event, SessionEvent):
        return _session(event)
    if isinstance(event, Return):
        text = _("Restored from recovery") if event.restored else _("Added by an import")
        return Step(text, "arrow-counterclockwise", event.at)
    return _removal(event)


def _session(event: SessionEvent) -> Step:
    who = _("a device") if event.device is None else device_kind.named(event.device, main=event.main)
    names = {"device": who}
    if event.fetched and event.deleted:
        return Step(_("Fetched and deleted by %(device)s") % names, "download", event.at)
    if event.deleted:
        return Step(_("Deleted by %(device)s") % names, "trash3", event.at)
    return Step(_("Fetched by %(device)s") % names, "download", event.at)


def _removal(event: Removal) -> Step:
    return Step(
        _("Removed from the mailbox: %(why)s") % {"why": _why(event.stay)},
        "hourglass-split" if event.stay.removed_by_id is None else "trash3", event.at, "warn",
    )  # fmt: skip


def _why(stay: Message | EarlierStay) -> str:
    if stay.removed_why == Message.Why.DELE and stay.removed_by is not None:
        by = device_kind.named(stay.removed_by.name, main=stay.removed_by.main)
        return _("deleted by %(device)s") % {"device": by}
    return str(Message.Why(stay.removed_why).label)


def _resting(message: Message, removed_at: datetime) -> Step:
    purged_at = recovery_terms.terms(message.mailbox_id).purged_at(removed_at)
    if purged_at is None:
        return Step(_("In recovery: the mailbox is on hold"), "arrow-counterclockwise", to_come=True)
    return Step(
        _("In recovery, from where it can be restored, until"), "arrow-counterclockwise", purged_at, to_come=True
    )


def _waiting(message: Message, mailbox: Mailbox) -> Iterator[Step]:
    """Yield what a live message waits for, and when it leaves."""
    for holder in message_history.holders([message.pk])[message.pk]:
        if holder.waits:
            who = device_kind.named(holder.name, main=holder.main)
            yield Step(_("Waits for %(device)s") % {"device": who}, "hourglass-split", to_come=True)
    if not mailbox.user.is_active:
        text = capfirst(_("the mailbox is suspended: mail arrives, but nobody can sign in to fetch it"))
        yield Step(text, "pause-circle", level="warn", to_come=True)
    leaves_at = expiry_rule.leaves_at(mailbox.pk, [message.added], now=timezone.now()).get(message.added)
    if mailbox.held:
        yield Step(_("Stays: the mailbox is on hold"), "lock", to_come=True)
    elif leaves_at is not None:
        yield Step(_("Will be removed by the retention policy"), "hourglass-split", leaves_at, to_come=True)
    else:
        yield Step(_("Stays in the mailbox"), "inbox", to_come=True)
