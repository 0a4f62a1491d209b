"""What the person or the service manager asks: Ctrl-C, SIGTERM, SIGHUP; and a wait that they and SIGCHLD end."""

from __future__ import annotations

import os
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
        self._reload_asked = False
        self._had_terminal = _has_terminal()
        self._interruptible = False
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take over the signals for the length of a `with`; a SIGHUP that was held back before comes now."""
        handlers = dict.fromkeys(ASKING, self._ask) | {signal.SIGHUP: self._hang_up, signal.SIGCHLD: _nothing}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        wakeup = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
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

    def take_reload(self) -> bool:
        """True once after somebody asked to reload."""
        asked, self._reload_asked = self._reload_asked, False
        return asked

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked += 1
        if self._interruptible:
            raise KeyboardInterrupt

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        """SIGHUP means reload, but for a terminal that was closed: nobody is left to press Ctrl-C."""
        if self._had_terminal and not _has_terminal():
            self._ask(number, frame)
        else:
            self._reload_asked = True


def _has_terminal() -> bool:
    """Whether this process has a terminal that is still open."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """A handler must exist for the wait to end; the children are looked at by whoever waited."""
