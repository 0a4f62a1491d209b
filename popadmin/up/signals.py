"""What the person or the service manager asks: Ctrl-C and SIGTERM, counted; and a wait that they and SIGCHLD end."""

from __future__ import annotations

import select
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ASKING = (signal.SIGINT, signal.SIGTERM)


class Signals:
    """`asked` counts how often somebody asked us to stop; the second time is meant to hurry."""

    def __init__(self) -> None:
        self.asked = 0
        self._interruptible = False
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take over the signals for the length of a `with`."""
        handlers = dict.fromkeys(ASKING, self._ask) | {signal.SIGCHLD: _nothing}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        wakeup = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Within it, being asked raises KeyboardInterrupt: for steps that wait by themselves."""
        self._interruptible = True
        try:
            if self.asked:
                raise KeyboardInterrupt
            yield
        finally:
            self._interruptible = False

    def wait(self, seconds: float | None) -> None:
        """Return at the next signal, a child's end among them, or after `seconds`."""
        if select.select([self._reader], [], [], seconds)[0]:
            self._reader.recv(4096)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked += 1
        if self._interruptible:
            raise KeyboardInterrupt


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """A handler must exist for the wait to end; the children are looked at by whoever waited."""
