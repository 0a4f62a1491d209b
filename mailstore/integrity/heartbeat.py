"""Report that a process outside the listeners is at work. The workers of the listeners write their own heartbeats."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread

from django.db import Error, connection
from django.db.models.functions import Now

from mailstore.models import Heartbeat

log = logging.getLogger("popadmin.heartbeat")

BEAT_SECONDS = 25.0  # a beat is due every half minute
SILENT = timedelta(minutes=2)  # four beats that did not come


@contextmanager
def beating(part: str, seconds: float = BEAT_SECONDS) -> Iterator[None]:
    """Report now and every `seconds` that `part` is at work, until the end of the `with` block.

    A thread with a connection of its own does it, since a pass of the sweep may need the main one for longer.
    """
    over = Event()
    thread = Thread(target=_go_on, args=(part, seconds, over), name=f"heartbeat of {part}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def beat(part: str) -> None:
    """Report once that `part` is at work."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(part=part, seen_at=Now())],
        update_conflicts=True,
        unique_fields=["part"],
        update_fields=["seen_at"],
    )


def forget_silent(part: str) -> None:
    """Delete the heartbeat of a part that no longer runs here, so that nobody misses it."""
    Heartbeat.objects.filter(part=part, seen_at__lt=Now() - SILENT).delete()


def _go_on(part: str, seconds: float, over: Event) -> None:
    while True:
        try:
            beat(part)
        except Error as error:  # the database is away, or full: the next beat tries again
            log.warning("no heartbeat of %s: %s", part, str(error).partition("\n")[0])
        finally:
            connection.close()
        if over.wait(seconds):
            return
