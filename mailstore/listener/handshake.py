"""TLS handshakes. When one fails, the client gets the alert before the connection ends, and its caller the reason.

When a handshake fails, the loop drops what OpenSSL wrote last, so the client would never learn why. Instead, this
module tells the loop that OpenSSL wants more octets. The loop sends what was written, the alert (RFC 8446 §6.2), and
waits. Then the task that awaits the handshake is cancelled, which ends the connection.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable
from enum import StrEnum
from typing import Any, TypeVar, cast

from mailstore.wire.client_hello import HELLO_OCTETS, is_clear_text, newest_version

T = TypeVar("T")


class Mismatch(StrEnum):
    """Why a client can never come in as it is set up; the words are for the log."""

    VERSION = "TLS too old"
    CIPHER = "no common cipher"
    CLEAR = "no TLS where it comes first"


_MISMATCHES = {
    "unsupported protocol": Mismatch.VERSION,
    "version too low": Mismatch.VERSION,
    "no shared cipher": Mismatch.CIPHER,
    "no suitable signature algorithm": Mismatch.CIPHER,
    "no suitable key share": Mismatch.CIPHER,
}


class HandshakeFailed(Exception):
    """A handshake failed. The text is OpenSSL's reason. `offered` is the newest version that the client offered.

    `in_clear`: the client began with a command, or waited for a greeting, on a connection that begins with TLS.
    """

    def __init__(self, reason: str, offered: str | None = None, *, in_clear: bool = False) -> None:
        super().__init__(reason)
        self.offered = offered
        self._in_clear = in_clear

    @property
    def mismatch(self) -> Mismatch | None:
        return Mismatch.CLEAR if self._in_clear else _MISMATCHES.get(str(self))

    def words(self, client: str) -> str:
        """Return what is logged: `TLS too old: TLS 1.1, from 192.0.2.7`; other failures by OpenSSL's reason."""
        if self.mismatch is None:
            return f"TLS handshake: {self}"
        if self.mismatch is Mismatch.CLEAR:
            return f"{self.mismatch}: from {client}"
        return f"{self.mismatch}: {self.offered or 'unknown version'}, from {client}"


class Handshake:
    """One handshake. The task that made this object awaits it. `comes_first`: no octets came before it."""

    def __init__(self, *, comes_first: bool = True) -> None:
        self._task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._loop = asyncio.get_running_loop()
        self.has_channel = False
        self.reason: str | None = None
        self.offered: str | None = None  # once OpenSSL has given up
        self.silent = True  # the client has sent nothing so far
        self._comes_first = comes_first
        self._in_clear = False

    async def run(self, context: Context, work: Awaitable[T]) -> T:
        """Await `work`, a call of the loop that makes a TLS transport with this context. Raises HandshakeFailed."""
        # asyncio makes the SSLObject at once. uvloop makes it in the first callback that `work` schedules, which is the
        # next one after this.
        context.expect(self)
        self._loop.call_soon(context.expect, self)
        try:
            made = await work
        except asyncio.CancelledError:
            if self.reason is None:
                raise
            self._task.uncancel()
            raise self._failure(self.reason) from None
        except OSError as error:  # so are errors of OpenSSL and timeouts
            if self.silent and isinstance(error, ConnectionAbortedError):  # the time is over
                self._in_clear = self._comes_first
            raise self._failure(self.reason or _words(error)) from error
        if self.reason is not None:  # the client left before the cancellation
            raise self._failure(self.reason)
        return made

    def fail(self, error: ssl.SSLError, hello: bytes) -> None:
        """Note that OpenSSL has given up. What it wrote last is sent in this turn of the loop."""
        self.reason, self.offered = _words(error), newest_version(hello)
        self._in_clear = self._comes_first and is_clear_text(hello)
        self._loop.call_soon(self._task.cancel)

    def _failure(self, reason: str) -> HandshakeFailed:
        return HandshakeFailed(reason, self.offered, in_clear=self._in_clear)


async def upgrade(
    transport: asyncio.Transport, protocol: asyncio.Protocol, context: Context, *, seconds: float
) -> asyncio.Transport | None:
    """Start TLS on a connection that began in clear text, within so many seconds. Return its new transport.

    None if the connection went away. Raises HandshakeFailed.
    """
    work = asyncio.get_running_loop().start_tls(
        transport, protocol, context, server_side=True, ssl_handshake_timeout=seconds
    )
    return await Handshake(comes_first=False).run(context, work)


def tls_version(transport: asyncio.Transport) -> str | None:
    """Return the version of the TLS that ends here, such as `TLSv1.3`; None where there is none."""
    channel = transport.get_extra_info("ssl_object")
    return None if channel is None else channel.version()


def server_name(transport: asyncio.Transport) -> str | None:
    """Return the name by which the client called in its handshake (RFC 6066 §3); None without a name or without TLS."""
    channel = transport.get_extra_info("ssl_object")
    return channel.called_name if isinstance(channel, Channel) else None


class Channel(ssl.SSLObject):
    """The OpenSSL side of a connection, as the loop drives it."""

    handshake: Handshake | None = None  # while it is under way
    incoming: ssl.MemoryBIO | None = None  # what OpenSSL reads next
    hello = b""  # what it has read so far: it keeps none of it
    called_name: str | None = None  # as the client gave it

    def do_handshake(self) -> None:
        self._keep_hello()
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            if self.handshake is None:
                raise
            if self.handshake.reason is None:
                self.handshake.fail(error, self.hello)
            raise ssl.SSLWantReadError from None
        self.handshake, self.incoming, self.hello = None, None, b""

    def _keep_hello(self) -> None:
        """Keep what comes first, and put it back: after a failure nobody could say any more what was offered."""
        if self.incoming is not None and self.incoming.pending and len(self.hello) < HELLO_OCTETS:
            if self.handshake is not None:
                self.handshake.silent = False
            data = self.incoming.read()
            self.incoming.write(data)
            self.hello = b"".join((self.hello, data))


class Context(ssl.SSLContext):
    """The context of a server. `Handshake.run` awaits its handshakes."""

    sslobject_class = Channel
    _expected: Handshake | None = None

    def expect(self, handshake: Handshake) -> None:
        """Give the next SSLObject to this handshake, unless it has one already."""
        if not handshake.has_channel:
            self._expected = handshake

    def wrap_bio(self, incoming: ssl.MemoryBIO, *arguments: Any, **options: Any) -> ssl.SSLObject:
        channel = cast("Channel", super().wrap_bio(incoming, *arguments, **options))
        channel.handshake, self._expected = self._expected, None
        channel.incoming = incoming if channel.handshake else None
        if channel.handshake is not None:
            channel.handshake.has_channel = True
        return channel


def _words(error: BaseException) -> str:
    """Return OpenSSL's reason in words, such as `unsupported protocol`; else the name of the error's class."""
    reason = getattr(error, "reason", None)
    return str(reason).replace("_", " ").lower() if reason else type(error).__name__
