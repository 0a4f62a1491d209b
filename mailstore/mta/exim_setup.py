"""Setup of Exim: its one file, how it is tested and taken up."""

from __future__ import annotations

import os
import pwd
import re
import secrets
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from mailstore.directory.outcome import Rejected
from mailstore.mta import exim_files, program
from mailstore.mta.installation import Installation, NewFile
from mailstore.mta.mail_server import Choices, Dkim, MailServer
from mailstore.mta.program import Outcome
from mailstore.mta.setup import HIDDEN

DIRECTORY = Path("/etc/exim4")
PROGRAMS = ("exim4", "exim")
USERS = ("Debian-exim", "exim", "mail")  # of Debian, of others, of those that make none
SOCKETS = Path("/var/lib/popadmin/sockets")  # where the unit of popadmin may make them
FILE_MODE = 0o640
SECRET_OCTETS = 24
_SRS_SECRET = re.compile(r"(SRS_SECRET = )(\w+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class EximSetup:
    """Setup for one configuration directory."""

    directory: Path

    @property
    def file(self) -> Path:
        return self.directory / exim_files.FILE

    @property
    def installation(self) -> Installation:
        return Installation(self.directory / exim_files.FOLDER)

    def files(self, server: MailServer, choices: Choices, *, may_replace: bool) -> list[NewFile]:
        """Return the file as it is to be. Rejected for what Exim cannot do. `may_replace` has no meaning here."""
        _refuse(server, choices)
        secret = (self._secret() or secrets.token_hex(SECRET_OCTETS)) if choices.srs else None
        text = exim_files.config(server, choices, self.directory, user=user(), srs_secret=secret)
        return [NewFile(self.file, text.encode(), FILE_MODE, user())]

    def facts(self, files: list[NewFile]) -> dict[str, Any]:
        return {}

    def socket_folders(self, server: MailServer) -> Iterator[tuple[Path, str]]:
        """Yield the folders of the sockets, and the group that must get in."""
        for address in (server.lmtp, server.sasl, server.policy):
            if address is not None and address.path is not None:
                yield address.path.parent, user()

    def without_secrets(self, line: str) -> str:
        """Return the line without the secret of the senders that are rewritten."""
        return _SRS_SECRET.sub(rf"\1{HIDDEN}", line)

    def test(self) -> Outcome:
        """Let Exim read its file."""
        return program.run([binary(), "-C", str(self.file), "-bV"])

    def reload(self) -> bool:
        """Let a running Exim read its file; return whether one runs."""
        pid = running(self.file)
        if pid is None:
            return False
        os.kill(pid, signal.SIGHUP)
        return True

    def _secret(self) -> str | None:
        """Return the secret of the senders that were rewritten so far: bounces to them come for days."""
        try:
            found = _SRS_SECRET.search(self.file.read_text())
        except OSError:
            return None
        return found[2] if found else None


def binary() -> str:
    return next((name for name in PROGRAMS if program.find(name)), PROGRAMS[0])


def user() -> str:
    """Return the user, and the group, of Exim."""
    for name in USERS:
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    return USERS[0]


def running(file: Path) -> int | None:
    """Return the process id of the daemon with this file; None if none runs."""
    said = program.run([binary(), "-C", str(file), "-bP", "pid_file_path"])
    path = Path(said.output.rpartition("=")[2].strip() or "/run/exim4/exim.pid")
    try:
        pid = int(path.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    except (OSError, ValueError):
        return None
    return pid if Path(os.fsdecode(command)).name in PROGRAMS else None


def _refuse(server: MailServer, choices: Choices) -> None:
    """Refuse what Exim cannot do."""
    if choices.dkim in {Dkim.RSPAMD, Dkim.OPENDKIM}:
        raise Rejected(_("Exim signs by itself: use --dkim exim"))
    if server.sasl is not None and server.sasl.path is None:
        wanted = f"SASL_LISTEN=unix:{SOCKETS}/auth"
        raise Rejected(_("Exim asks for passwords by a unix socket alone: set %(wanted)s") % {"wanted": wanted})
    for port in (choices.submission, choices.submissions):
        if port is not None and not port.isdigit():
            raise Rejected(_("%(port)s: for Exim a port is a number, on all addresses") % {"port": port})
    for file in (file for pair in server.pairs for file in pair.files):
        if os.geteuid() == 0 and not program.run(["runuser", "-u", user(), "--", "test", "-r", str(file)]).good:
            raise Rejected(
                _("Exim reads %(file)s as the user %(user)s, who may not: let the group of that user read it")
                % {"file": file, "user": user()}
            )
    if "/" in (server.database.password or ""):
        raise Rejected(_("the password of the database has a slash, which Exim cannot read: choose another one"))
