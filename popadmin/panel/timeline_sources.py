"""The sources of a mailbox's timeline: mail, visits of devices, and people. The timeline merges and folds their rows.

Each gives at most PAGE_ROWS rows before a time, latest first. They have no content of mail: sizes, counts and times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mailstore.messages import mailbox_timeline
from mailstore.models import AuditEntry, Device, DiarySession, Mailbox, Message, TraceEntry, User
from popadmin.lists import diary_list, trace_list
from popadmin.panel import access, change_undo
from popadmin.panel.timeline_event import Event, Undo
from popadmin.web import audit_text, device_kind, session_text, trace_text
from popadmin.web.formats import count, facts, size

PAGE_ROWS = 100  # of each source before what is alike is folded
Ended = DiarySession.Ended

_REFUSED: dict[str, Promise] = {
    Ended.WRONG: gettext_lazy("Sign-in refused: wrong password"),
    Ended.PREVIOUS: gettext_lazy("Sign-in refused: the previous password"),
    Ended.SUSPENDED: gettext_lazy("Sign-in refused: suspended"),
    Ended.POP_OFF: gettext_lazy("Sign-in refused: POP is off"),
    Ended.MAIN_OFF: gettext_lazy("Sign-in refused: mail programs may not use the main password"),
    Ended.SMTP_OFF: gettext_lazy("Sign-in refused: sending is off"),
    Ended.NO_SENDER: gettext_lazy("Sign-in refused: this device may not send mail"),
    Ended.MALFORMED: gettext_lazy("Sign-in refused: the name or the password cannot be read"),
    Ended.THROTTLED: gettext_lazy("Sign-in refused: too many failures"),
}
_WHY: dict[str, Promise] = {
    Message.Why.DELE: gettext_lazy("a device deleted it"),
    Message.Why.EVERY_DEVICE: gettext_lazy("every device has it"),
    Message.Why.SETTLED: gettext_lazy("all devices that count have deleted it"),
    Message.Why.EXPIRED: gettext_lazy("expired by the retention policy"),
    Message.Why.HAD: gettext_lazy("expired: every device has had it for long enough"),
    Message.Why.RELIEF: gettext_lazy("to make room in a full mailbox"),
}
_ICONS = {"recovery": "arrow-counterclockwise", "password": "key", "account": "key"}


# --- mail ---------------------------------------------------------------------------------------------------------


def _deliveries(mailbox: Mailbox, _user: User, before: datetime | None, _kind: str) -> list[Event]:
    rows = mailbox_timeline.deliveries(mailbox.pk, before=before, most=PAGE_ROWS)
    return [_delivery(row) if row.answer == TraceEntry.Answer.DELIVERED else _answer(mailbox, row) for row in rows]


def _delivery(row: TraceEntry) -> Event:
    return Event(
        row.at, row.at, "check-lg", _delivered, alike=("delivery", timezone.localtime(row.at).hour),
        messages=1, octets=row.octets or 0,
    )  # fmt: skip


def _delivered(event: Event) -> str:
    text = ngettext("Delivered %(size)s", "Delivered %(number)s messages, %(size)s", event.messages)
    return text % {"number": count(event.messages), "size": size(event.octets)}


def _answer(mailbox: Mailbox, row: TraceEntry) -> Event:
    told = trace_text.sentence(row)
    url = f"{reverse('trace')}{trace_list.query(mailbox=mailbox.user.address, answer=row.answer)}"
    return Event(
        row.at, row.first_at, told.icon, lambda event: f"{told.text}{_messages(event)}",
        note=_("from %(sender)s") % {"sender": row.sender} if row.sender else "", level=told.level,
        alike=("answer", row.answer, row.reason, row.sender), messages=row.tries, trace_url=url,
    )  # fmt: skip


def _messages(event: Event) -> str:
    if event.messages == 1:
        return ""
    times = ngettext("%(number)s time", "%(number)s times", event.messages)
    return f", {times % {'number': count(event.messages)}}"


def _removals(mailbox: Mailbox, _user: User, before: datetime | None, _kind: str) -> list[Event]:
    undo = reverse("mailboxes-removal-undo", args=[mailbox.pk])
    return [
        Event(
            row.at, row.at, "hourglass-split" if row.device is None else "trash3", _removed, note=_why(row),
            messages=row.messages, octets=row.octets,
            undo=Undo(undo, _fields(row)) if row.resting else None,
        )
        for row in mailbox_timeline.removals(mailbox.pk, before=before, most=PAGE_ROWS)
    ]  # fmt: skip


def _removed(event: Event) -> str:
    text = ngettext("Removed %(number)s message, %(size)s", "Removed %(number)s messages, %(size)s", event.messages)
    return text % {"number": count(event.messages), "size": size(event.octets)}


def _why(row: mailbox_timeline.Removal) -> str:
    why = str(_WHY.get(row.why, row.why))
    if row.why == Message.Why.DELE and row.device is not None:
        why = _("deleted by %(device)s") % {"device": device_kind.named(row.device_name or "", main=row.main)}
    if row.resting == row.messages:
        return _("%(why)s; in recovery") % {"why": why}
    if row.resting:
        resting = ngettext("%(number)s is still in recovery", "%(number)s are still in recovery", row.resting)
        return f"{why}; {resting % {'number': count(row.resting)}}"
    return _("%(why)s; restored since") % {"why": why}


def _fields(row: mailbox_timeline.Removal) -> tuple[tuple[str, str], ...]:
    return (("at", row.at.isoformat()), ("why", row.why), ("device", str(row.device or "")))


# --- visits of devices --------------------------------------------------------------------------------------------


def _sessions(mailbox: Mailbox, _user: User, before: datetime | None, kind: str) -> list[Event]:
    rows = diary_list.light(access.diary(mailbox)).order_by("-started_at", "-pk")
    if before is not None:
        rows = rows.filter(started_at__lt=before)
    if kind:
        refused = Q(ended__in=DiarySession.REFUSED)
        rows = rows.filter(refused if kind == "refused" else ~refused)
    return [_refusal(row) if row.ended in _REFUSED else _visit(row) for row in rows[:PAGE_ROWS]]


def _refusal(row: DiarySession) -> Event:
    words = str(_REFUSED[row.ended])
    return Event(
        row.started_at, row.started_at, "key", lambda event: f"{words}{_times(event)}", note=_origin(row),
        level="warn", alike=("refused", row.ended, row.device_id, row.client, row.tls), times=row.sessions,
    )  # fmt: skip


def _visit(row: DiarySession) -> Event:
    who = capfirst(device_kind.named(row.device.name, main=row.device.main) if row.device else _("an unknown device"))
    icon = device_kind.icon(row.device) if row.device else "download"
    handled = bool(row.fetched_messages or row.removed_messages or row.unremoved_messages)
    listed = None if handled else (row.listed, row.list_requested)
    return Event(
        row.started_at, row.started_at, icon, lambda event: f"{who} {_done(event, row)}{_times(event)}",
        note=_origin(row), level="warn" if row.unremoved_messages else "",
        alike=("visit", row.device_id, row.device_mode, row.client, row.tls, row.ended, handled, listed),
        times=row.sessions, messages=row.fetched_messages, removed=row.removed_messages,
        unremoved=row.unremoved_messages, octets=row.octets_out,
    )  # fmt: skip


def _done(event: Event, row: DiarySession) -> str:
    """Return what the visits of a device did together."""
    together = DiarySession(
        ended=row.ended,
        device_mode=row.device_mode,
        listed=row.listed,
        list_requested=row.list_requested,
        fetched_messages=event.messages,
        removed_messages=event.removed,
        unremoved_messages=event.unremoved,
    )
    return session_text.sentence(together)


def _times(event: Event) -> str:
    times = session_text.times(DiarySession(sessions=event.times))
    return f", {times}" if times else ""


def _origin(row: DiarySession) -> str:
    origin = _("from %(client)s") % {"client": row.client} if row.client else _("from this machine")
    return origin if row.tls else _("%(origin)s, without encryption") % {"origin": origin}


# --- people -------------------------------------------------------------------------------------------------------


def _changes(mailbox: Mailbox, user: User, before: datetime | None, kind: str) -> list[Event]:
    rows = access.changes(mailbox, user).order_by("-at", "-pk")
    if before is not None:
        rows = rows.filter(at__lt=before)
    if kind == "removals":
        rows = rows.filter(verb__in=("recovery.remove", "recovery.purge"))
    entries = list(rows[:PAGE_ROWS])
    refusals = change_undo.refusals(entries, {mailbox.pk: mailbox}, user)
    return [_change(entry, undoable=refusals.get(entry.pk) == "") for entry in entries]


def _change(entry: AuditEntry, *, undoable: bool) -> Event:
    words = format_html("<b>{}</b> {} {}", entry.actor_name, audit_text.verb(entry), entry.subject)
    way = _("at the shell") if entry.via == AuditEntry.Via.SHELL else _("in these pages")
    origin = _("%(way)s, from %(client)s") % {"way": way, "client": entry.client} if entry.client else way
    undo = Undo(reverse("mailboxes-change-undo", args=[entry.mailbox_id, entry.pk])) if undoable else None
    note = facts([*audit_text.details(entry), origin])
    return Event(entry.at, entry.at, _icon(entry), lambda _event: words, note=note, undo=undo)


def _icon(entry: AuditEntry) -> str:
    noun = entry.verb.partition(".")[0]
    if noun == "device":
        return device_kind.ICONS.get(entry.details.get("kind", ""), device_kind.ICONS[Device.Kind.OTHER])
    return _ICONS.get(noun, "key" if entry.verb == "mailbox.password" else "sliders")


def _fillings(mailbox: Mailbox, _user: User, before: datetime | None, _kind: str) -> Sequence[Event]:
    return list(_filled(mailbox, before))


def _filled(mailbox: Mailbox, before: datetime | None) -> Iterator[Event]:
    """Yield that the mailbox was found full, while that holds: the row keeps no more than the last warning."""
    at = mailbox.warned_at
    if at is None or mailbox.warned_percent < 100 or (before is not None and at >= before):
        return
    text = _("Full: no new mail from here on")
    yield Event(
        at, at, "exclamation-octagon-fill", lambda _event: format_html("<b>{}</b>", text),
        note=_("the owner gets a mail once there is room") if mailbox.warning_waits else _("the owner got a mail"),
        level="bad",
    )  # fmt: skip


Source = Callable[[Mailbox, User, datetime | None, str], Sequence[Event]]
ALL: tuple[Source, ...] = (_deliveries, _sessions, _removals, _changes, _fillings)
SOURCES: dict[str, tuple[Source, ...]] = {
    "deliveries": (_deliveries,),
    "fetches": (_sessions,),
    "removals": (_removals, _changes),
    "changes": (_changes,),
    "refused": (_sessions,),
}
