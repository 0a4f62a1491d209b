"""The life of a message as the drawer of the trace shows it: tries, delivery, devices, removal, and what is to come.

It has no content of mail: no subject, and no text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from mailstore.messages import message_history, trace_history
from mailstore.messages.message_history import Event, Removal, Return, SessionEvent
from mailstore.messages.trace_history import Kin
from mailstore.models import EarlierStay, Mailbox, Message, TraceEntry
from mailstore.retention import message_outlook
from mailstore.retention.message_outlook import Outlook
from popadmin.web import device_kind, trace_text
from popadmin.web.formats import facts

LIVES_SHOWN = 3  # an alias may lead to hundreds of mailboxes, and each life takes a screen
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


def lives(entry: TraceEntry, kin: Kin) -> list[Life]:
    """Return the life of the message in the first LIVES_SHOWN places, or the answers alone where there is none."""
    answers = [*map(_earlier, kin.earlier), _answer(entry)]
    shown = [(place.mailbox, place.uidl) for place in kin.places[:LIVES_SHOWN] if place.mailbox is not None]
    if not shown:
        return [Life("", None, answers)]
    outlooks = message_outlook.outlooks(trace_history.messages((mailbox.pk, uidl) for mailbox, uidl in shown))
    # Where a message in recovery has the same UIDL, the live one counts.
    outlooks.sort(key=lambda outlook: outlook.message.removed is None)
    found = {(outlook.message.mailbox_id, outlook.message.uidl): outlook for outlook in outlooks}
    events = message_history.events([outlook.message for outlook in found.values()])
    return [_life(mailbox, found.get((mailbox.pk, uidl)), answers, events) for mailbox, uidl in shown]


def _life(
    mailbox: Mailbox, outlook: Outlook | None, answers: Sequence[Step], events: Mapping[int, Sequence[Event]]
) -> Life:
    if outlook is None:
        return Life(mailbox.user.address, mailbox.pk, [*answers, Step(_("Deleted for good since"), "trash3")])
    message = outlook.message
    done = [_event(event) for event in events[message.pk][-EVENTS_SHOWN:]]
    to_come = _waiting(outlook, mailbox) if message.removed_at is None else [_resting(outlook)]
    return Life(mailbox.user.address, mailbox.pk, [*answers, *done, *to_come], message.pk)


def _earlier(row: TraceEntry) -> Step:
    """Return what happened before, in the queue of the MTA or at an earlier try."""
    return Step(str(trace_text.sentence(row).text), "exclamation-triangle-fill", row.at, "warn", note=_wire(row))


def _answer(entry: TraceEntry) -> Step:
    sentence = trace_text.sentence(entry)
    icon = "check-circle-fill" if entry.answer == TraceEntry.Answer.DELIVERED else sentence.icon
    level = "good" if entry.answer == TraceEntry.Answer.DELIVERED else sentence.level
    lines = (*trace_text.route(entry), *trace_text.meaning(entry))
    return Step(sentence.text, icon, entry.at, level, lines=lines, note=_wire(entry))


def _wire(entry: TraceEntry) -> str:
    """Return the reply on the wire, and where the message came from."""
    origin = entry.origin and _("from %(server)s") % {"server": entry.origin}
    return facts([entry.reply, origin])


def _event(event: Event) -> Step:
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


def _resting(outlook: Outlook) -> Step:
    if outlook.purged_at is None:
        return Step(_("In recovery: the mailbox is on hold"), "arrow-counterclockwise", to_come=True)
    text = _("In recovery, from where it can be restored, until")
    return Step(text, "arrow-counterclockwise", outlook.purged_at, to_come=True)


def _waiting(outlook: Outlook, mailbox: Mailbox) -> Iterator[Step]:
    """Yield what a live message waits for, and when it leaves."""
    for name in outlook.waiting:
        who = device_kind.named(name or "", main=name is None)
        yield Step(_("Waits for %(device)s") % {"device": who}, "hourglass-split", to_come=True)
    if not mailbox.user.is_active:
        text = capfirst(_("the mailbox is suspended: mail arrives, but nobody can sign in to fetch it"))
        yield Step(text, "pause-circle", level="warn", to_come=True)
    if mailbox.held:
        yield Step(_("Stays: the mailbox is on hold"), "lock", to_come=True)
    elif outlook.leaves_at is not None:
        text = _("Will be removed by the retention policy")
        yield Step(text, "hourglass-split", outlook.leaves_at, to_come=True)
    else:
        yield Step(_("Stays in the mailbox"), "inbox", to_come=True)
