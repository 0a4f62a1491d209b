"""Calls a callback with its answer, so that an error in the callback is logged and nobody is left waiting."""

from __future__ import annotations

import logging
from typing import TypeVar

from mailstore.errors import Done, MailError, Unavailable

T = TypeVar("T")
log = logging.getLogger("popadmin.store")


def tell(done: Done[T], answer: T | MailError) -> None:
    """Call `done`, and never raise.

    A callback that fails on the answer is called again with Unavailable, which it passes on: a client, an MTA or a
    shutdown that waits behind it goes on.
    """
    try:
        done(answer)
    except Exception:
        log.exception("an answer could not be taken")
        if not isinstance(answer, MailError):
            tell(done, Unavailable("the answer could not be taken"))
