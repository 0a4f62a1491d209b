"""Gives an answer to whoever asked, so that a bug of his own is logged and leaves nobody waiting; knows no question."""

from __future__ import annotations

import logging
from typing import TypeVar

from mailstore.errors import MailError, Unavailable
from mailstore.ports.answer import Done

T = TypeVar("T")
log = logging.getLogger("popadmin.store")


def tell(done: Done[T], answer: T | MailError) -> None:
    """Call `done`, and never raise. One that cannot take the answer is told Unavailable in its place: it passes that
    on, and whoever waits behind it (a client, an MTA, a shutdown) goes on."""
    try:
        done(answer)
    except Exception:
        log.exception("an answer could not be taken")
        if not isinstance(answer, MailError):
            tell(done, Unavailable("the answer could not be taken"))
