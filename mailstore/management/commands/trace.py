"""`trace`: what senders were answered, by an address of sender or recipient, known or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import Q, QuerySet

from mailstore.directory import nearest_addresses
from mailstore.management import text_table
from mailstore.management.shell import EXIT_USAGE, ShellCommand
from mailstore.messages.trace_history import SEARCH_CHARACTERS, containing
from mailstore.models import Alias, Mailbox, TraceEntry
from mailstore.policy.addresses import BadAddress, normal_address

NEWEST = 100
HEADINGS = ("TIME", "ANSWER", "REASON", "FROM", "TO", "SIZE", "QUEUE ID", "REPLY")


class Command(ShellCommand):
    help = (
        "Show what senders were answered: each recipient of each message that came, newest first. ADDRESS is that of "
        "a sender or of a recipient, whether it exists or not, or a part of it. Of a mailbox, it finds also what came "
        "by an alias or by a former name."
    )
    example = "popadmin trace ann@example.org --answer deferred"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", metavar="ADDRESS", help="such as ann@example.org, or @example.org")
        parser.add_argument("--answer", choices=TraceEntry.Answer.values, help="only these answers")
        parser.add_argument("--newest", type=int, default=NEWEST, metavar="N", help=f"at most so many ({NEWEST})")
        parser.add_argument("--json", action="store_true", help="one JSON array")

    def handle(self, *_args: Any, **options: Any) -> None:
        address = options["address"].strip()
        if len(address) < SEARCH_CHARACTERS:
            raise CommandError(
                f"{address}: too short to be searched, write {SEARCH_CHARACTERS} or more letters", returncode=EXIT_USAGE
            )
        if options["newest"] < 1:
            raise CommandError(f"--newest {options['newest']}: write a number from 1 up", returncode=EXIT_USAGE)
        rows = _found(address, options["answer"])[: options["newest"]]
        if options["json"]:
            near = _near(rows)
            self.say_json_list(_values(row) | {"did_you_mean": near.get(_name(row), [])} for row in rows)
            return
        if not rows:
            self.stdout.write(f"{address}: no answer is recorded")
            return
        for line in text_table.lines(HEADINGS, _cells(rows)):
            self.stdout.write(line)


def _found(address: str, answer: str | None) -> QuerySet[TraceEntry]:
    named = containing(address, "recipient")
    rows = TraceEntry.objects.filter(
        Q(copy=False) & (containing(address, "sender") | named)
        | Q(mailbox__in=_mailboxes(address)) & ~(Q(copy=True) & named)  # of those, the first row says it
    )
    if answer:
        rows = rows.filter(answer=answer)
    return rows.select_related("mailbox__user").order_by("-at", "-pk")


def _mailboxes(address: str) -> list[int]:
    """Return the key of the mailbox with this address, if there is one."""
    try:
        return list(Mailbox.objects.filter(user__address=normal_address(address)).values_list("pk", flat=True))
    except BadAddress:
        return []


def _values(row: TraceEntry) -> dict[str, Any]:
    return {
        "at": row.at.isoformat(),
        "first_at": row.first_at.isoformat(),
        "count": row.tries,
        "source": row.source,
        "answer": row.answer,
        "reason": row.reason,
        "reply": row.reply,
        "sender": row.sender,
        "recipient": row.recipient,
        "mailbox": row.mailbox.user.address if row.mailbox_id and row.mailbox else None,
        "mailboxes": row.mailbox_count,
        "via": row.via,
        "octets": row.octets,
        "message_id": row.message_id,
        "uidl": row.uidl,
        "queue_id": row.queue_id,
        "mta_id": row.mta_id,
        "client": row.client,
        "sending_server": row.origin,
    }


def _near(rows: Iterable[TraceEntry]) -> dict[str, list[str]]:
    """Return the addresses that were probably meant by the names that nobody has."""
    names = dict.fromkeys(_name(row) for row in rows if row.reason == TraceEntry.Reason.UNKNOWN and row.recipient)
    mailboxes, aliases = Mailbox.objects.filter(removed_at=None), Alias.objects.filter(domain__removed_at=None)
    found = nearest_addresses.of(names, mailboxes, aliases)
    return {name: [near.address for near in nearest] for name, nearest in found.items()}


def _name(row: TraceEntry) -> str:
    try:
        return normal_address(row.recipient)
    except BadAddress:
        return ""


def _cells(rows: Iterable[TraceEntry]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        octets = row.octets or row.announced_octets
        yield (
            f"{row.at:%Y-%m-%d %H:%M:%S}",
            row.answer if row.tries == 1 else f"{row.answer} x{row.tries}",
            text_table.dash(row.reason),
            row.sender or "<>",
            text_table.dash(row.recipient),
            text_table.about(octets) if octets else "-",
            text_table.dash(row.mta_id or row.queue_id),
            row.reply,
        )
