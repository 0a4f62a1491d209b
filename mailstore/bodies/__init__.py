"""The body store of this site: which one MAIL_STORE_URL names, and how code without an event loop opens a body."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from queue import SimpleQueue

from mailstore import conf
from mailstore.bodies.files import FileBodies
from mailstore.errors import MailError
from mailstore.ports.bodies import BodyRef, BodyStore, OpenBody

ALLOWED = "file:/absolute/folder"


def from_url(url: str) -> BodyStore:
    """Return the store that a MAIL_STORE_URL names, without touching it. ValueError for a URL that is not ALLOWED.

    A store that was never prepared, or whose disk is not mounted, answers every call with Unavailable; `prepare` makes
    it.
    """
    scheme, _, path = url.partition(":")
    if scheme != "file" or not path.startswith("/"):
        raise ValueError(f"{url!r} is not a mail store: allowed is {ALLOWED}")
    return FileBodies(Path(path))


def site_store() -> BodyStore:
    """Return the body store of this site, for pages and commands: one object in a process, as long as its URL stays.

    Code that has a `Conf`, such as the workers of the listeners, makes a store of its own from it.
    """
    return _store_of(conf.load().mail_store_url)


_store_of = lru_cache(maxsize=1)(from_url)


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
