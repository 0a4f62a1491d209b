"""The signals to `up` (Ctrl-C, SIGTERM, SIGHUP), and a wait that they and SIGCHLD end."""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Signals:
    """`asked` counts the requests to stop; the second one means that we must hurry."""

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
        """Handle the signals for the length of a `with`. A SIGHUP that was blocked before arrives now."""
        handlers = dict.fromkeys(STOP_SIGNALS, self._ask) | {signal.SIGHUP: self._hang_up, signal.SIGCHLD: _nothing}
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
        """Let a request to stop raise KeyboardInterrupt, for steps that wait by themselves."""
        self._interruptible = True
        try:
            if self.asked:
                raise KeyboardInterrupt
            yield
        finally:
            self._interruptible = False

    def wait(self, seconds: float | None) -> None:
        """Return at the next signal (also when a child ends), or after `seconds`."""
        if select.select([self._reader], [], [], seconds)[0]:
            self._reader.recv(4096)

    def take_reload(self) -> bool:
        """Return True once after each request to reload."""
        asked, self._reload_asked = self._reload_asked, False
        return asked

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked += 1
        if self._interruptible:
            raise KeyboardInterrupt

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        """Reload at SIGHUP. But stop if the terminal was closed: nobody could press Ctrl-C any more."""
        if self._had_terminal and not _has_terminal():
            self._ask(number, frame)
        else:
            self._reload_asked = True


def _has_terminal() -> bool:
    """Return whether this process has a terminal that is still open."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """Do nothing. The wait ends only for signals with a handler; its caller looks at the children."""
