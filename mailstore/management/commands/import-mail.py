"""`import-mail`: import the mail of an old server from files or over POP3. A second run imports only what is new."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from mailstore.management.old_server_options import account_of, add_account_options, path_of
from mailstore.management.progress import bars
from mailstore.management.shell import EXIT_USAGE, ShellCommand, actor
from mailstore.policy import old_server
from mailstore.transfer import mail_import, uidl_comparison
from mailstore.transfer.mail_import import Choices, ImportResult
from mailstore.transfer.sources.pop3_client import Account

UIDLS_NAMED = 20  # of each kind; --json names all


class Command(ShellCommand):
    help = (
        "Import a Maildir, a folder of Cyrus, an mbox, or a mailbox of an old server over POP3, with arrival dates and "
        "UIDLs. A second run imports nothing twice; one that was interrupted goes on. The quota does not apply, and "
        "nothing is removed there."
    )
    example = "popadmin import-mail ann@example.org /srv/old/ann/Maildir"
    silences_log = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", metavar="ADDRESS")
        parser.add_argument("place", metavar="PATH-OR-URL", nargs="?", help="a folder, a file, or pop3s://HOST[:PORT]")
        parser.add_argument(
            "--compare",
            metavar="URL",
            help="import nothing; say whether this server shows the same UIDLs in this order",
        )
        add_account_options(parser)
        parser.add_argument("--format", choices=mail_import.FORMATS, default=None, help="default: by the look of it")
        parser.add_argument(
            "--uidl-format",
            metavar="FORMAT",
            help="the pop3_uidl_format of the old Dovecot, such as %%v-%%u or %%f; default: %%08Xu%%08Xv",
        )
        parser.add_argument(
            "--uidlist",
            metavar="FILE",
            type=Path,
            help="the dovecot-uidlist, courierpop3dsizelist or cyrus.index, if it does not lie beside the messages",
        )
        parser.add_argument(
            "--folder", metavar="NAME", action="append", default=[], help="import this folder of the Maildir too"
        )
        parser.add_argument("--all-folders", action="store_true", help="import all folders of the Maildir")
        parser.add_argument(
            "--with-deleted", action="store_true", help="import messages too that are marked as deleted"
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *_args: str, address: str, place: str | None, json: bool, **options: Any) -> None:
        compare = options["compare"]
        if (place is None) == (compare is None):
            raise CommandError("name a PATH or URL to import, or a URL to --compare", returncode=EXIT_USAGE)
        if place is None:
            self._compare(address, account_of(compare, address, options), json=json)
            return
        source = account_of(place, address, options) if old_server.is_url(place) else path_of(place, options)
        with bars() as progress:
            done = mail_import.run(
                address, source, actor=actor(), choices=_choices(options), progress=progress.show, warn=self._warn
            )
        if json:
            self.say_json(asdict(done))
        else:
            self._say(address, done)
        if done.failed or done.refused:
            count = done.failed + sum(done.refused.values())
            raise CommandError(f"{_messages(count)} could not be read")

    def _compare(self, address: str, account: Account, *, json: bool) -> None:
        found = uidl_comparison.run(address, account)
        if json:
            self.say_json(asdict(found))
        else:
            self.stdout.write(f"{address}: {found.same} of {found.there} as the old server shows them")
            for what, uidls in (("missing", found.missing), ("extra", found.extra), ("other order", found.moved)):
                self._say_uidls(what, uidls)
        if not found.equal:
            raise CommandError(f"{_messages(len(found.missing + found.extra + found.moved))} differ")

    def _say_uidls(self, what: str, uidls: list[str]) -> None:
        if uidls:
            more = f" and {len(uidls) - UIDLS_NAMED} more" if len(uidls) > UIDLS_NAMED else ""
            named = " ".join(ascii(uidl)[1:-1] for uidl in uidls[:UIDLS_NAMED])
            self.stdout.write(f"  {what}: {len(uidls)} ({named}{more})")

    def _say(self, address: str, done: ImportResult) -> None:
        self.stdout.write(f"{address}: imported {done.imported}, already there {done.present}")
        if done.deleted:
            self.stdout.write(f"  left out, marked as deleted: {done.deleted}; --with-deleted brings them")
        if done.refused:
            self.stdout.write(f"  not imported, though it may be mail: {_listed(done.refused)}")
        if done.passed_over:
            self.stdout.write(f"  skipped, as it is not mail: {_listed(done.passed_over)}")
        for name, count in done.folders.items():
            them = "it" if count == 1 else "them"
            self.stdout.write(f"  {name}: {_messages(count)} not imported; --folder {shlex.quote(name)} brings {them}")
        if done.over_quota:
            self.stdout.write("  the mailbox is now above its quota")

    def _warn(self, text: str) -> None:
        self.stderr.write(f"popadmin: {text}")


def _choices(options: Mapping[str, Any]) -> Choices:
    return Choices(
        kind=options["format"],
        uidl_format=options["uidl_format"],
        uidlist=options["uidlist"],
        with_deleted=options["with_deleted"],
        folders=tuple(options["folder"]),
        all_folders=options["all_folders"],
    )


def _messages(count: int) -> str:
    return f"{count} {'message' if count == 1 else 'messages'}"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
