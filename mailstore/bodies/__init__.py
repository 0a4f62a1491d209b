"""The body store of this site: which one MAIL_STORE_URL names, and how code without an event loop opens a body."""

from __future__ import annotations

from pathlib import Path
from queue import SimpleQueue

from mailstore.bodies.files import FileBodies
from mailstore.errors import MailError
from mailstore.ports.bodies import BodyRef, BodyStore, OpenBody


def from_url(url: str) -> BodyStore:
    """Return the store of a checked MAIL_STORE_URL, without touching it.

    A store that was never prepared, or whose disk is not mounted, answers every call with Unavailable; `prepare` makes
    it.
    """
    scheme, _, path = url.partition(":")
    if scheme != "file" or not path.startswith("/"):
        raise ValueError(f"{url!r} is not a mail store: allowed is file:/absolute/folder")
    return FileBodies(Path(path))


def open_and_wait(store: BodyStore, ref: BodyRef) -> OpenBody:
    """Open a body and wait for it; for pages and commands, never on an event loop. The caller closes it.

    BodyLost, BodyUnreadable, Unavailable. The store ends the wait: its own time limit makes it answer Unavailable.
    """
    answers: SimpleQueue[OpenBody | MailError] = SimpleQueue()
    store.open(ref, answers.put)
    answer = answers.get()
    if isinstance(answer, MailError):
        raise answer
    return answer
