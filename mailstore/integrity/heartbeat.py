"""What a process outside the listeners says of itself: that it is at work. The listeners' own beat is in `records`."""

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
    """Say now and every so often that `part` is at work, for the length of a `with`, on a connection of its own.

    A pass of the sweep may hold its own connection for longer.
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
    """Say once that `part` is at work."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(part=part, seen_at=Now())],
        update_conflicts=True,
        unique_fields=["part"],
        update_fields=["seen_at"],
    )


def forget_silent(part: str) -> None:
    """Let nobody wait for a part that does not run here any more."""
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
