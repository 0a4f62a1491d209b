"""Find the folders below a folder that hold mail. No link is followed: it may lead to the mail of others."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

DEPTH = 20  # of folders below folders; more is a mistake, such as a link to a folder above


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder and no link to one."""
    return path.is_dir() and not path.is_symlink()


def below(path: Path, holds_mail: Callable[[Path], bool], *, skipped: Collection[str] = ()) -> Iterator[str]:
    """Yield the names of the folders that hold mail, relative to `path`. Those named in `skipped` are not entered."""
    for found, names, _files in os.walk(path, followlinks=False):
        here = Path(found).relative_to(path)
        names[:] = sorted(set(names) - set(skipped)) if len(here.parts) < DEPTH else []
        for name in names:
            if is_folder(path / here / name) and holds_mail(path / here / name):
                yield str(here / name)
