"""Set an MTA up, and undo that: plan, write with a backup, test, bring back what does not pass. Of any MTA."""

from __future__ import annotations

import difflib
import grp
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from django.utils.translation import gettext as _

from mailstore import keypair
from mailstore.directory.outcome import Rejected
from mailstore.mta.installation import Generation, Installation, NewFile
from mailstore.mta.mail_server import Choices, MailServer
from mailstore.mta.program import Outcome

SOCKET_FOLDER_MODE = 0o2750  # what popadmin makes there gets the group of the MTA
HIDDEN = "(hidden)"


class Mta(Protocol):
    """What setup needs to know of an MTA."""

    @property
    def installation(self) -> Installation: ...

    def files(self, server: MailServer, choices: Choices, *, may_replace: bool) -> list[NewFile]:
        """Return all files as they are to be. Rejected for a value of somebody else, unless `may_replace`."""

    def facts(self, files: list[NewFile]) -> dict[str, Any]:
        """Return what the record keeps of these files, for the next setup."""

    def socket_folders(self, server: MailServer) -> Iterator[tuple[Path, str]]:
        """Yield the folders of the sockets, and the group that must get in."""

    def without_secrets(self, line: str) -> str:
        """Return a line of its files without the secrets that setup makes for it."""

    def test(self) -> Outcome:
        """Let the MTA judge its configuration."""

    def reload(self) -> bool:
        """Let a running MTA take the configuration up; return whether one runs."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a setup or an undo did. `folders` were made, or removed."""

    files: tuple[Path, ...]
    folders: tuple[Path, ...]
    is_reloaded: bool


def preview(mta: Mta, server: MailServer, choices: Choices, *, may_replace: bool) -> list[str]:
    """Return the lines of a diff: what a setup would change. The database's password is hidden."""
    _files, changes = _plan(mta, server, choices, may_replace=may_replace)
    lines = (mta.without_secrets(line) for file in changes for line in _diff(file))
    return [_without_secret(line, server.database.password) for line in lines]


def run(
    mta: Mta, server: MailServer, choices: Choices, *, may_replace: bool, accepted: Callable[[], None] | None = None
) -> Done:
    """Write what differs, test it, and let a running MTA take it up. If nothing differs, nothing is done.

    `accepted` is called between the test and that. Rejected where files are not ours, where the MTA does not accept the
    new ones, and by `accepted`: in the last two cases the former files are back.
    """
    files, changes = _plan(mta, server, choices, may_replace=may_replace)
    with _as_root():
        folders = tuple(_make_folders(mta.socket_folders(server), server.service_uid))
        if not changes:
            return Done((), folders, is_reloaded=False)
        mta.installation.write(changes, {**mta.facts(files), "folders": [str(folder) for folder in folders]})
    try:
        _refuse_faulty(mta)
        if accepted is not None:
            accepted()
    except Rejected:
        list(_remove_folders(mta.installation.undo()))
        raise
    return Done(tuple(file.path for file in changes), folders, is_reloaded=mta.reload())


def undo(mta: Mta) -> Done:
    """Bring back what was there before the last setup. Rejected if there is none, or if a file has changed since."""
    with _as_root():
        undone = mta.installation.undo()
        folders = tuple(_remove_folders(undone))
    return Done(tuple(Path(each.path) for each in undone.files), folders, is_reloaded=mta.reload())


@contextmanager
def _as_root() -> Iterator[None]:
    """Refuse in one line what this user may not write. What was written until then can be undone."""
    try:
        yield
    except PermissionError as error:
        what = {"file": error.filename or "", "why": error.strerror}
        raise Rejected(_("%(file)s: %(why)s. Run this as root") % what) from error


def _without_secret(line: str, secret: str | None) -> str:
    for form in (quote(secret, safe=""), secret) if secret else ():
        line = line.replace(form, HIDDEN)
    return line


def _plan(mta: Mta, server: MailServer, choices: Choices, *, may_replace: bool) -> tuple[list[NewFile], list[NewFile]]:
    """Return all files as they are to be, and those that differ.

    Rejected for a certificate that cannot be used, and for a group that is not there.
    """
    for pair in server.pairs:
        if fault := keypair.fault(*pair.files):
            raise Rejected(_("the certificate cannot be used: %(why)s") % {"why": fault})
    files = mta.files(server, choices, may_replace=may_replace)
    for group in {file.group for file in files if file.group} | {group for _path, group in mta.socket_folders(server)}:
        _refuse_unknown(group)
    return files, mta.installation.changes(files, may_replace=may_replace)


def _refuse_faulty(mta: Mta) -> None:
    said = mta.test()
    if not said.good:
        why = {"why": said.words}
        raise Rejected(_("the MTA does not accept the new configuration, so the former is back: %(why)s") % why)


def _refuse_unknown(group: str) -> None:
    try:
        grp.getgrnam(group)
    except KeyError:
        raise Rejected(_("there is no group %(group)s here: install the MTA first") % {"group": group}) from None


def _make_folders(folders: Iterable[tuple[Path, str]], service_uid: int) -> Iterator[Path]:
    """Make the folders of the sockets that are missing, for the user who runs popadmin."""
    for folder, group in dict.fromkeys(folders):
        if folder.exists():
            continue
        folder.mkdir(parents=True)
        os.chown(folder, service_uid, grp.getgrnam(group).gr_gid)
        folder.chmod(SOCKET_FOLDER_MODE)
        yield folder


def _remove_folders(undone: Generation) -> Iterator[Path]:
    """Remove the folders of a setup, unless a socket is still in use there."""
    for folder in map(Path, undone.facts.get("folders", ())):
        with suppress(OSError):  # it is gone, or something is in it
            folder.rmdir()
            yield folder


def _diff(file: NewFile) -> Iterator[str]:
    before = file.path.read_bytes().decode(errors="replace") if file.path.exists() else ""
    after = (file.data or b"").decode(errors="replace")
    source = str(file.path) if file.path.exists() else os.devnull
    target = os.devnull if file.data is None else str(file.path)
    yield from difflib.unified_diff(before.splitlines(), after.splitlines(), source, target, lineterm="")
