"""TLS handshakes that fail: the alert leaves before the connection ends, and the reason is kept.

The loop drops what OpenSSL wrote last when a handshake fails, so the client would never learn why. Here OpenSSL's
failure reaches the loop as a wish for more octets: the loop then sends what was written, the alert (RFC 8446 §6.2),
and waits. The task that awaits the handshake is cancelled behind that, which ends the connection.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable
from typing import Any, TypeVar, cast

T = TypeVar("T")


class HandshakeFailed(Exception):
    """The text is the reason, for the log."""


class Handshake:
    """One handshake, awaited by the task that made this."""

    def __init__(self) -> None:
        self._task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._loop = asyncio.get_running_loop()
        self.has_channel = False
        self.reason: str | None = None

    async def run(self, context: Context, work: Awaitable[T]) -> T:
        """Await `work`, a call of the loop that makes a TLS transport with this context. Raises HandshakeFailed."""
        # asyncio makes the SSLObject at once, uvloop in the callback that `work` schedules first: the next after this.
        context.expect(self)
        self._loop.call_soon(context.expect, self)
        try:
            made = await work
        except asyncio.CancelledError:
            if self.reason is None:
                raise
            self._task.uncancel()
            raise HandshakeFailed(self.reason) from None
        except OSError as error:  # OpenSSL's errors and the end of the time are OSErrors too
            raise HandshakeFailed(self.reason or _words(error)) from error
        if self.reason is not None:  # the client left before the end here
            raise HandshakeFailed(self.reason)
        return made

    def fail(self, error: ssl.SSLError) -> None:
        """OpenSSL has given up; what it wrote last is sent in this turn."""
        self.reason = _words(error)
        self._loop.call_soon(self._task.cancel)


class Channel(ssl.SSLObject):
    """OpenSSL's side of a connection, as the loop drives it."""

    handshake: Handshake | None = None  # while it is under way

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            if self.handshake is None:
                raise
            if self.handshake.reason is None:
                self.handshake.fail(error)
            raise ssl.SSLWantReadError from None
        self.handshake = None


class Context(ssl.SSLContext):
    """A context of a server whose handshakes are awaited by `Handshake.run`."""

    sslobject_class = Channel
    _expected: Handshake | None = None

    def expect(self, handshake: Handshake) -> None:
        """The next SSLObject is for this handshake, unless it has one already."""
        if not handshake.has_channel:
            self._expected = handshake

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        channel = cast("Channel", super().wrap_bio(*arguments, **options))
        channel.handshake, self._expected = self._expected, None
        if channel.handshake is not None:
            channel.handshake.has_channel = True
        return channel


def _words(error: BaseException) -> str:
    """OpenSSL's reason as a person reads it, such as `unsupported protocol`; else the kind of the error."""
    reason = getattr(error, "reason", None)
    return str(reason).replace("_", " ").lower() if reason else type(error).__name__
