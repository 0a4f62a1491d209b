"""The MTA that a verb of `mta` is about: its arguments, and the values of this site for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.core.management.base import CommandParser

from mailstore import conf
from mailstore.management.noun_verb import Options
from mailstore.mta import mtas, site_server
from mailstore.mta.mail_server import MailServer


@dataclass(frozen=True, slots=True)
class Target:
    """An MTA and its configuration directory."""

    name: str
    directory: Path

    @property
    def kind(self) -> mtas.Kind:
        return mtas.MTAS[self.name]

    @property
    def queue(self) -> Path:
        return self.kind.queue(self.directory)

    def server(self, password: str | None) -> MailServer:
        """Return the parts of this site. The MTA signs in to the database with this password."""
        return site_server.read(conf.load(), self.queue, password)


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("mta", nargs="?", choices=[*mtas.MTAS], metavar="MTA", help=" or ".join(mtas.MTAS))
    parser.add_argument("--config-directory", metavar="FOLDER", help="of the MTA; default: that of its package")


def chosen(options: Options) -> Target:
    """Return the MTA of the arguments; see `mtas.chosen`."""
    name = mtas.chosen(options["mta"])
    return Target(name, Path(options["config_directory"] or mtas.MTAS[name].directory))
