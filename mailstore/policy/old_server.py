"""Read and write the URL of an old server, the one that a mailbox moves from: `pop3s://HOST[:PORT]` or `pop3://…`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

URL_CHARACTERS = 300
_PORTS = {"pop3s": 995, "pop3": 110}
# A name, an IPv4 address, or an IPv6 address.
_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?\.?|[0-9A-Fa-f:.]{2,45}")


class BadOldServer(ValueError):
    """The text is no URL of a POP3 server."""


@dataclass(frozen=True, slots=True)
class OldServer:
    """A POP3 server. `implicit_tls`: TLS begins at once (`pop3s:`). Else STLS begins it."""

    host: str
    port: int
    implicit_tls: bool

    @property
    def url(self) -> str:
        """Return the shortest URL that means the same."""
        scheme = "pop3s" if self.implicit_tls else "pop3"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}" + ("" if self.port == _PORTS[scheme] else f":{self.port}")

    def __str__(self) -> str:
        return self.url


def is_url(text: str) -> bool:
    """Return whether a text is meant as the URL of an old server, and not as a path."""
    return text.lower().startswith(tuple(f"{scheme}://" for scheme in _PORTS))


def parse(text: str) -> OldServer:
    """Read a URL. Only the scheme, the host and a port may be in it. Raises BadOldServer."""
    parts = _split(text)
    port = parts.port
    host = _ascii(parts.hostname or "")
    more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in _PORTS or not _HOST.fullmatch(host) or more or len(text) > URL_CHARACTERS or port == 0:
        raise BadOldServer(text)
    return OldServer(host, port or _PORTS[parts.scheme], parts.scheme == "pop3s")


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text.strip())
        parts.port  # noqa: B018 - reading it checks it
    except ValueError as error:
        raise BadOldServer(text) from error
    return parts


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError as error:
        raise BadOldServer(host) from error
