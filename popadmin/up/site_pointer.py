"""A note in the user's state folder on the data folder of a running `up`, for commands in another shell."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mailstore import durable_file
from popadmin.up import lock

log = logging.getLogger("popadmin.up")


@dataclass(frozen=True, slots=True)
class Site:
    """`program` is the checkout or the folder of packages that runs; `home` contains its `.env`."""

    program: Path
    home: Path
    data_dir: Path


@contextmanager
def noted(site: Site) -> Iterator[None]:
    """Keep a note of a site for the length of a `with`. Without a note, commands need POPADMIN_DATA_DIR."""
    note = None
    try:
        folder = _folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        note = folder / f"{hashlib.sha256(str(site.data_dir).encode()).hexdigest()[:16]}.json"
        parts = {"program": str(site.program), "home": str(site.home), "data_dir": str(site.data_dir)}
        durable_file.write(note, json.dumps(parts).encode())
    except (OSError, KeyError) as error:
        log.debug("no note of the data folder: %s", error)
    try:
        yield
    finally:
        if note is not None:
            note.unlink(missing_ok=True)


def the_only_one(program: Path) -> Site | None:
    """Return the running site of this program; None if none runs, or if several do."""
    found = [site for site in _notes() if site.program == program and lock.is_held(site.data_dir)]
    return found[0] if len(found) == 1 else None


def _notes() -> Iterator[Site]:
    try:
        notes = [note for note in _folder().iterdir() if note.suffix == ".json" and note.stat().st_uid == os.geteuid()]
    except (OSError, KeyError):
        return
    for note in notes:
        try:
            parts = json.loads(note.read_bytes())
            yield Site(Path(parts["program"]), Path(parts["home"]), Path(parts["data_dir"]))
        except (OSError, ValueError, TypeError, KeyError):  # cut off, or not a note
            continue


def _folder() -> Path:
    """Find it by the user id, not by $HOME: `sudo` may leave the $HOME of another user."""
    return Path(pwd.getpwuid(os.geteuid()).pw_dir) / ".local" / "state" / "popadmin"
