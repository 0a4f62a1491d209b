"""`mailbox`: ensures, lists, shows and removes mailboxes and sets their passwords; the rules are the store's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import QuerySet

from mailstore.management import tables
from mailstore.management.shell import UNSET, actor, count, password_from_stdin, size, switch
from mailstore.management.verbs import NounCommand, Options, Verb
from mailstore.models import Mailbox
from mailstore.policy.quota import format_octets
from mailstore.store import domains, mailboxes

FIELDS = ("name", "suspended", "quota_octets", "quota_messages", "receives", "pop", "web", "main_pop", "held")
HEADINGS = ("ADDRESS", "MESSAGES", "SIZE", "QUOTA", "STATE", "NAME")
# What a state is called, when it is not the usual one.
STATES = (
    ("suspended", True, "suspended"),
    ("receives", False, "no mail in"),
    ("pop", False, "no POP"),
    ("web", False, "no web"),
    ("main_pop", False, "devices only"),
    ("held", True, "on hold"),
)


class Command(NounCommand):
    help = "Manage mailboxes."
    example = "popadmin mailbox ensure ann@example.org --quota 2GB"

    def verbs(self) -> tuple[Verb, ...]:
        return (
            Verb(
                "ensure",
                "Make a mailbox unless it is there, and set what is given. A new one gets a generated password.",
                "popadmin mailbox ensure ann@example.org --name 'Ann Smith' --quota 2GB",
                _ensure_arguments,
                self.ensure,
            ),
            Verb(
                "list",
                "List the mailboxes of a domain, or all.",
                "popadmin mailbox list --domain example.org",
                _list_arguments,
                self.listing,
            ),
            Verb("show", "Show one mailbox.", "popadmin mailbox show ann@example.org", _address, self.show),
            Verb(
                "set-password",
                "Replace the main password, by a generated one or by the line on standard input.",
                "popadmin mailbox set-password ann@example.org",
                _password_arguments,
                self.set_password,
            ),
            Verb(
                "remove",
                "Remove a mailbox with its user and devices; one that holds mail only with --with-mail.",
                "popadmin mailbox remove ann@example.org --with-mail",
                _remove_arguments,
                self.remove,
            ),
        )

    def ensure(self, options: Options) -> None:
        fields = {name: options[name] for name in FIELDS if name in options}
        password = password_from_stdin() if options["password_stdin"] else None
        done = mailboxes.ensure(options["address"], actor=actor(), password=password, **fields)
        self.say_ensured(done.row.user.address, done, json=options["json"])

    def listing(self, options: Options) -> None:
        rows = Mailbox.objects.order_by("domain__name", "user__address")
        if options["domain"] is not None:
            rows = rows.filter(domain=domains.get(options["domain"]))
        if options["json"]:
            self.say_json_list(_told(rows))
            return
        for line in tables.lines(HEADINGS, (_cells(told) for told in _told(rows))):
            self.stdout.write(line)

    def show(self, options: Options) -> None:
        (told,) = _told(Mailbox.objects.filter(pk=mailboxes.get(options["address"]).pk))
        if options["json"]:
            self.say_json(told)
            return
        for name, value in told.items():
            self.stdout.write(f"{name.replace('_', ' ')}: {tables.dash(value)}")

    def set_password(self, options: Options) -> None:
        chosen = password_from_stdin() if options["password_stdin"] else None
        secret = mailboxes.set_password(options["address"], chosen, actor=actor())
        if options["json"]:
            self.say_json({"address": options["address"], **({"password": secret} if secret else {})})
            return
        self.stdout.write(f"{options['address']}: password changed")
        if secret:
            self.stdout.write(f"  password: {secret}  (shown this once)")

    def remove(self, options: Options) -> None:
        messages = mailboxes.remove(options["address"], actor=actor(), with_mail=options["with_mail"])
        if options["json"]:
            self.say_json({"address": options["address"], "removed": True, "messages": messages})
        else:
            self.stdout.write(f"{options['address']}: removed, with {messages} messages")


def _address(parser: CommandParser) -> None:
    parser.add_argument("address", metavar="ADDRESS")


def _ensure_arguments(parser: CommandParser) -> None:
    _password_arguments(parser)
    parser.add_argument("--name", default=UNSET, help="the owner's name")
    parser.add_argument(
        "--quota", dest="quota_octets", type=size, default=UNSET, metavar="SIZE|none", help="such as 2GB or 500MB"
    )
    parser.add_argument("--quota-messages", type=count, default=UNSET, metavar="N|none", help="messages at most")
    switch(parser, "pop", "--pop", "--no-pop", help="may sign in to POP")
    switch(parser, "receives", "--receive", "--no-receive", help="takes mail in")
    switch(parser, "web", "--web", "--no-web", help="may sign in to the web pages")
    switch(parser, "main_pop", "--main-pop", "--no-main-pop", help="the main password signs in to POP too")
    switch(parser, "suspended", "--suspend", "--activate", help="may not sign in anywhere; mail still comes in")
    switch(parser, "held", "--hold", "--no-hold", help="nothing is expired or purged while it stands")


def _list_arguments(parser: CommandParser) -> None:
    parser.add_argument("--domain", default=None, metavar="NAME", help="only this domain's")


def _password_arguments(parser: CommandParser) -> None:
    _address(parser)
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")


def _remove_arguments(parser: CommandParser) -> None:
    _address(parser)
    parser.add_argument("--with-mail", action="store_true", help="destroy its mail too, recovery included")


def _told(rows: QuerySet[Mailbox]) -> Iterator[dict[str, Any]]:
    """Yield each mailbox as JSON tells it."""
    for box in rows.select_related("user", "domain").iterator():
        yield {
            "address": box.user.address,
            "name": box.user.name,
            "domain": box.domain.name,
            "messages": box.messages,
            "octets": box.octets,
            "quota": format_octets(box.quota_octets),
            "quota_octets": box.quota_octets,
            "quota_messages": box.quota_messages,
            "suspended": not box.user.is_active,
            "receives": box.receives,
            "pop": box.pop,
            "web": box.web,
            "main_pop": box.main_pop,
            "held": box.held,
            "created_at": box.created_at.isoformat(),
        }


def _cells(told: dict[str, Any]) -> tuple[object, ...]:
    states = [text for name, unusual, text in STATES if told[name] is unusual]
    return (
        told["address"],
        told["messages"],
        tables.about(told["octets"]),
        told["quota"],
        ", ".join(states) or "active",
        told["name"],
    )
