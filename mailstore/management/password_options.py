"""The options that give a mailbox its password: as a line on standard input, or as the hash of an existing one."""

from __future__ import annotations

from django.core.management.base import CommandError, CommandParser

from mailstore.directory import existing_password
from mailstore.directory.existing_password import ExistingPassword
from mailstore.management.noun_verb import Options
from mailstore.management.shell import EXIT_REFUSED, EXIT_USAGE, line_from_stdin, password_from_stdin
from mailstore.policy import hash_form


def add_password_options(parser: CommandParser) -> None:
    """Add the options. One of the first three is enough; without them a password is generated where one is needed."""
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    one.add_argument(
        "--password-hash", default=None, metavar="HASH", help="the hash of an existing one: {SCHEME}hash, $6$…, $2y$…"
    )
    one.add_argument("--password-hash-stdin", action="store_true", help="read such a hash from standard input")
    parser.add_argument(
        "--existing-passwords",
        action="store_true",
        help="the password existed elsewhere: take it even if it is weak; then the pages ask for a better one",
    )


def password_given(options: Options) -> str | ExistingPassword | None:
    """Return the password, or None if none was given. Rejected for a hash that cannot be used."""
    if options["password_hash"] is not None:
        return existing_password.of_hash(options["password_hash"])
    if options["password_hash_stdin"]:
        return existing_password.of_hash(line_from_stdin("--password-hash-stdin"))
    if options["password_stdin"]:
        password = password_from_stdin()
        if scheme := hash_form.scheme_of(password):
            text = f"this looks like a password hash ({scheme}), not like a password: give it by --password-hash-stdin"
            raise CommandError(text, returncode=EXIT_REFUSED)
        return ExistingPassword(password) if options["existing_passwords"] else password
    if options["existing_passwords"]:
        raise CommandError("--existing-passwords needs --password-stdin", returncode=EXIT_USAGE)
    return None
