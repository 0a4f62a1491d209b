"""Files of an MTA that setup writes, and their state before: write them with a backup, and bring that state back.

The record and the backups lie in a folder beside the configuration, which root alone may change: what an undo copies
over the files of root must not come from a folder of another user.
"""

from __future__ import annotations

import grp
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from mailstore import durable_file
from mailstore.directory.outcome import Rejected

RECORD, BACKUPS = "setups.json", "backup"
FILE_MODE, FOLDER_MODE, BACKUP_MODE = 0o644, 0o750, 0o700


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file as it is to be. `data` is None where it is to go. `group` may read it; None: as before, or root's.

    `is_shared` says that others write there too. Such a file may have changed since the last setup.
    """

    path: Path
    data: bytes | None
    mode: int = FILE_MODE
    group: str | None = None
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file that a setup wrote: digests before and after (None: there was none), and its mode and owner before."""

    path: str
    before: str | None
    after: str | None
    mode: int = 0
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, slots=True)
class Generation:
    """One setup that changed something. `facts` are the values by which it can be judged later, such as the MTA."""

    made_at: str
    files: tuple[WrittenFile, ...]
    facts: dict[str, Any]


class Installation:
    """What setups wrote into one folder: the last generation can be undone, then the one before it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def generations(self) -> list[Generation]:
        """Return the setups that stand, the oldest first. Rejected if the record cannot be read."""
        try:
            listed = json.loads((self._folder / RECORD).read_bytes())
            return [_generation(each) for each in listed]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Rejected(
                _("%(file)s cannot be read: bring it back from a backup") % {"file": self._folder / RECORD}
            ) from error

    def changes(self, files: Iterable[NewFile], *, may_replace: bool) -> list[NewFile]:
        """Return the files that differ from what is there.

        Rejected for a whole file that setup did not write, or that somebody has changed since, unless `may_replace`.
        """
        written = {each.path: each.after for made in self.generations() for each in made.files}
        found = [file for file in files if _read(file.path) != file.data]
        for file in found:
            now = _digest(_read(file.path))
            is_foreign = now is not None and now != written.get(str(file.path))
            if is_foreign and not file.is_shared and not may_replace:
                raise foreign(str(file.path))
        return found

    def write(self, files: Sequence[NewFile], facts: dict[str, Any]) -> None:
        """Write the files, which differ from what is there, as one generation. The backup is durable first."""
        made = self.generations()
        backup = self._folder / BACKUPS / str(len(made) + 1)
        self._folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        shutil.rmtree(backup, ignore_errors=True)  # of a setup that was cut short before its record was there
        backup.mkdir(mode=BACKUP_MODE, parents=True)
        added = Generation(timezone.now().isoformat(), tuple(_back_up(backup, files)), facts)
        durable_file.sync(backup)
        self._record([*made, added])
        for file in files:
            _put(file)

    def facts(self) -> dict[str, Any]:
        """Return the facts of the last setup; empty if none stands."""
        made = self.generations()
        return made[-1].facts if made else {}

    def undo(self) -> Generation:
        """Bring back, octet by octet, what was there before the last setup; return what is undone.

        Rejected if there is none, or if a file has changed since, which it names. Then nothing is changed.
        """
        made = self.generations()
        if not made:
            raise Rejected(
                _("there is nothing to undo: %(folder)s has no record of a setup") % {"folder": self._folder}
            )
        last, backup = made[-1], self._folder / BACKUPS / str(len(made))
        for each in last.files:
            if _digest(_read(Path(each.path))) not in {each.after, each.before}:  # before: the setup was cut short
                raise Rejected(
                    _("%(file)s has changed since the setup, so nothing is undone (the former files are in %(backup)s)")
                    % {"file": each.path, "backup": backup}
                )
        for number, each in enumerate(last.files):
            _bring_back(each, backup / str(number))
        self._record(made[:-1])
        shutil.rmtree(backup, ignore_errors=True)  # with the record of the first setup, all backups went
        return last

    def _record(self, made: Sequence[Generation]) -> None:
        """Write the record; without a generation nothing of it stays."""
        record = self._folder / RECORD
        if made:
            durable_file.write(record, json.dumps([asdict(each) for each in made], indent=1).encode())
            return
        record.unlink(missing_ok=True)
        shutil.rmtree(self._folder / BACKUPS)
        if not any(self._folder.iterdir()):
            self._folder.rmdir()


def foreign(what: str) -> Rejected:
    return Rejected(
        _("%(what)s: not written by popadmin, or changed since. Look at it, then give --replace (a backup is kept)")
        % {"what": what}
    )


def _generation(values: dict[str, Any]) -> Generation:
    files = tuple(WrittenFile(**each) for each in values["files"])
    return Generation(values["made_at"], files, values["facts"])


def _back_up(backup: Path, files: Sequence[NewFile]) -> Iterator[WrittenFile]:
    """Copy what the files replace; yield how each was and is to be."""
    for number, file in enumerate(files):
        before = _read(file.path)
        written = WrittenFile(str(file.path), _digest(before), _digest(file.data))
        if before is None:
            yield written
            continue
        durable_file.write(backup / str(number), before)
        state = file.path.stat()
        yield replace(written, mode=state.st_mode & 0o7777, uid=state.st_uid, gid=state.st_gid)


def _put(file: NewFile) -> None:
    if file.data is None:
        file.path.unlink(missing_ok=True)
        return
    _make_folder(file)
    before = file.path.stat() if file.path.exists() else None
    mode = before.st_mode & 0o7777 if before and file.group is None else file.mode
    # The owner comes before the content has its name, so that nobody reads a password in between.
    durable_file.write(file.path, file.data, mode=mode & 0o700 if file.group else mode)
    if file.group is not None:
        os.chown(file.path, 0 if os.geteuid() == 0 else -1, grp.getgrnam(file.group).gr_gid)
        file.path.chmod(mode)
    elif before is not None:
        os.chown(file.path, before.st_uid, before.st_gid)


def _make_folder(file: NewFile) -> None:
    """Make the folder of a file where it is missing; its group is that of the file."""
    folder = file.path.parent
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    if file.group is not None:
        os.chown(folder, -1, grp.getgrnam(file.group).gr_gid)


def _bring_back(file: WrittenFile, backup: Path) -> None:
    path = Path(file.path)
    if file.before is None:
        path.unlink(missing_ok=True)
        return
    durable_file.write(path, backup.read_bytes(), mode=file.mode)
    os.chown(path, file.uid, file.gid)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _digest(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha256(data).hexdigest()
