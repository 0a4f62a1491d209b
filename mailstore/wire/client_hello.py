"""Read from the first octets of a client which version of TLS it offers. It takes no part in a handshake.

Section numbers are those of RFC 8446, unless another RFC is named.
"""

from __future__ import annotations

from collections.abc import Iterator

HELLO_OCTETS = 16 * 1024  # a whole record (§5.1); what a client offers is told in the first one or two
_HANDSHAKE_RECORD = 22
_RECORD_HEAD_OCTETS = 5
_CLIENT_HELLO = 1
_MESSAGE_HEAD_OCTETS = 4
_RANDOM_OCTETS = 32
_SUPPORTED_VERSIONS = 43
_SSL_2_BIT, _SSL_2_HEAD_OCTETS = 0x80, 2  # RFC 6101 §E: the header of a hello that SSL 2 understands
_NAMES = {
    0x0002: "SSL 2.0",
    0x0300: "SSL 3.0",
    0x0301: "TLS 1.0",
    0x0302: "TLS 1.1",
    0x0303: "TLS 1.2",
    0x0304: "TLS 1.3",
}


def newest_version(data: bytes) -> str | None:
    """Return the newest version that the ClientHello in `data` offers, such as `TLS 1.1`; None if it is none.

    A part of a ClientHello is enough, if the version stands in it. Versions that no RFC names do not count: clients
    offer some at random (RFC 8701).
    """
    try:
        known = [version for version in _offered(_message(data)) if version in _NAMES]
    except (IndexError, ValueError):
        return None
    return _NAMES[max(known)] if known else None


def is_clear_text(data: bytes) -> bool:
    """Say whether a client that should begin TLS has sent a command instead: no record of TLS or SSL begins so."""
    return data[:1].isalpha()


def _message(data: bytes) -> bytes:
    """Return the ClientHello without its header. Raises ValueError if there is none."""
    if data[0] & _SSL_2_BIT and data[_SSL_2_HEAD_OCTETS] == _CLIENT_HELLO:
        return data[_SSL_2_HEAD_OCTETS + 1 :][:2]
    message = b"".join(_fragments(data))
    if message[0] != _CLIENT_HELLO:
        raise ValueError("another message of a handshake")
    return message[_MESSAGE_HEAD_OCTETS:]


def _fragments(data: bytes) -> Iterator[bytes]:
    """Yield what the records carry: a message may be spread over several (§5.1)."""
    at = 0
    while at + _RECORD_HEAD_OCTETS <= len(data) and data[at] == _HANDSHAKE_RECORD:
        start = at + _RECORD_HEAD_OCTETS
        at = start + int.from_bytes(data[start - 2 : start])
        yield data[start:at]


def _offered(body: bytes) -> list[int]:
    """Return the versions in supported_versions (§4.2.1); where there is none, the one of the hello itself (§4.1.2)."""
    if len(body) < 2:
        raise ValueError("the hello ends before its version")
    old = [int.from_bytes(body[:2])]
    for kind, content in _extensions(body):
        if kind == _SUPPORTED_VERSIONS:
            return [int.from_bytes(content[at : at + 2]) for at in range(1, len(content) - 1, 2)]
    return old


def _extensions(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of each extension that is there as a whole (§4.2)."""
    at = 2 + _RANDOM_OCTETS
    for length_octets in (1, 2, 1):  # session id, cipher suites, compression methods
        at += length_octets + int.from_bytes(body[at : at + length_octets])
    at += 2  # the length of all
    while at + 4 <= len(body):
        kind, octets = int.from_bytes(body[at : at + 2]), int.from_bytes(body[at + 2 : at + 4])
        at += 4 + octets
        if at <= len(body):
            yield kind, body[at - octets : at]
