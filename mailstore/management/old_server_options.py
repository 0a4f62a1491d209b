"""The options that name an account on an old server: its URL, user, password, and whose certificate to trust."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from mailstore.management.shell import EXIT_USAGE, password_from_stdin
from mailstore.policy import old_server
from mailstore.policy.old_server import BadOldServer, OldServer
from mailstore.transfer.sources.pop3_client import Account

_ONLY_FOR_SERVERS = ("user", "password_stdin", "plaintext", "ca_file")


def add_account_options(parser: CommandParser) -> None:
    """Add the options. Only with a URL do they mean something."""
    parser.add_argument("--user", metavar="USER", help="the user on the old server; default: ADDRESS")
    parser.add_argument("--password-stdin", action="store_true", help="read the password there from standard input")
    parser.add_argument("--ca-file", metavar="FILE", type=Path, help="trust the certificates in this file alone")
    parser.add_argument(
        "--plaintext", action="store_true", help="use pop3:// without TLS if the server has none: others may read along"
    )


def account_of(url: str, address: str, options: Mapping[str, Any]) -> Account:
    """Return the account that the options name. Reads the password."""
    server = server_of(url)
    if server.implicit_tls and options["plaintext"]:
        raise CommandError("--plaintext contradicts pop3s://: write pop3://", returncode=EXIT_USAGE)
    if not options["password_stdin"]:
        raise CommandError("give the password on the old server with --password-stdin", returncode=EXIT_USAGE)
    if options["ca_file"] is not None and not options["ca_file"].is_file():
        raise CommandError(f"--ca-file: {options['ca_file']} is not a file", returncode=EXIT_USAGE)
    return Account(
        server, options["user"] or address, password_from_stdin(), options["ca_file"], plaintext=options["plaintext"]
    )


def server_of(url: str) -> OldServer:
    """Read the URL of an old server, such as a command gets it."""
    try:
        return old_server.parse(url)
    except BadOldServer as error:
        text = f"{url!r} is no URL of a POP3 server: write pop3s://HOST, pop3://HOST or either with :PORT"
        raise CommandError(text, returncode=EXIT_USAGE) from error


def path_of(place: str, options: Mapping[str, Any]) -> Path:
    """Return a path. The options of an account are refused beside it."""
    for name in _ONLY_FOR_SERVERS:
        if options[name]:
            option = name.replace("_", "-")
            raise CommandError(f"--{option} goes with pop3s://HOST, not with a path", returncode=EXIT_USAGE)
    return Path(place)
