"""Bodies at rest: which store MAIL_STORE_URL names."""

from __future__ import annotations

from pathlib import Path

from mailstore.bodies.files import FileBodies


def from_url(url: str) -> FileBodies:
    """Return the store of a checked MAIL_STORE_URL, without touching it.

    A store that was never prepared, or whose disk is not mounted, says Unavailable to everything; `prepare` makes it.
    """
    scheme, _, path = url.partition(":")
    if scheme != "file" or not path.startswith("/"):
        raise ValueError(f"{url!r} is not a mail store: allowed is file:/absolute/folder")
    return FileBodies(Path(path))
