"""Read the header of the PROXY protocol, versions 1 and 2, from the octets so far. It reads no socket.

Section numbers are those of HAProxy's doc/proxy-protocol.txt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

V1_OCTETS = 107  # §2.1: the longest line, with its CRLF
_V1_START = b"PROXY "
_V1_LEAST_OCTETS = 15  # "PROXY UNKNOWN" CRLF, the shortest header of either version
_V1_BLANKS = 5  # between the six words of a line with addresses

_V2_START = b"\r\n\r\n\0\r\nQUIT\n"
_V2_FIXED_OCTETS = 16
_LOCAL, _PROXY = 0x20, 0x21  # §2.2: version 2 in the upper half, the command in the lower
# §2.2: family and transport, and the octets that their addresses take. Only streams can come over a stream.
_UNSPECIFIED, _TCP4, _TCP6, _UNIX = 0x00, 0x11, 0x21, 0x31
_ADDRESS_OCTETS = {_UNSPECIFIED: 0, _TCP4: 12, _TCP6: 36, _UNIX: 216}
_TLV_HEAD_OCTETS = 3
_TLV_CRC32C, _TLV_UNIQUE_ID, _TLV_SSL = 0x03, 0x05, 0x20
_UNIQUE_ID_OCTETS = 128  # §2.2.5
_SSL_FIXED_OCTETS = 5  # §2.2.6: a bit field of the client's connection, four octets about its certificate
_SSL_CLIENT = 0x01  # PP2_CLIENT_SSL: the client came by TLS
_SSL_VERSION = 0x21  # PP2_SUBTYPE_SSL_VERSION
_SSL_VERSIONS = frozenset({b"SSLv3", b"TLSv1", b"TLSv1.1", b"TLSv1.2", b"TLSv1.3"})  # OpenSSL's names
_SSL_UNNAMED = "TLS"
_CRC32C_OCTETS = 4


class BadProxyHeader(ValueError):
    """Not a header, or a damaged one. The connection ends without an answer. The text is for the log."""


@dataclass(frozen=True, slots=True)
class NeedMore:
    """Read exactly `octets` more. They all belong to the header, so nothing after it is touched."""

    octets: int


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """A whole header.

    `source` is the client's address; None keeps the address of the socket (LOCAL, UNKNOWN, a unix socket). `tls` is the
    version of the TLS that ended in the proxy; None where the client came in clear, or the header does not say.
    """

    source: str | None
    tls: str | None = None


def parse(data: bytes) -> NeedMore | ProxyHeader:
    """Read the header in `data`, which holds nothing after it. Raises BadProxyHeader as soon as it cannot be one."""
    if data.startswith(_V1_START):
        return _version_1(data)
    if data.startswith(_V2_START):
        return _version_2(data)
    if _V1_START.startswith(data) or _V2_START.startswith(data):
        return NeedMore(_V1_LEAST_OCTETS - len(data))
    raise BadProxyHeader("neither version of the PROXY header begins like this")


# --- version 1: one line of text (§2.1) --------------------------------------------------------------------------


def _version_1(data: bytes) -> NeedMore | ProxyHeader:
    if not data.endswith(b"\r\n"):
        if b"\n" in data:
            raise BadProxyHeader("the line of version 1 does not end in CRLF")
        return _more_of_version_1(data)
    if len(data) > V1_OCTETS:
        raise BadProxyHeader(f"a line of version 1 has at most {V1_OCTETS} octets")
    words = data[:-2].split(b" ")
    # §2.1: the words after UNKNOWN are ignored.
    if words[1] == b"UNKNOWN":
        return ProxyHeader(None)
    if words[1] not in _V1_ADDRESSES or len(words) != _V1_BLANKS + 1:
        raise BadProxyHeader("version 1 wants TCP4, TCP6 or UNKNOWN, two addresses and two ports")
    read = _V1_ADDRESSES[words[1]]
    source, _destination = read(words[2]), read(words[3])
    for word in words[4:]:
        _check_port(word)
    return ProxyHeader(_plain(source))


def _more_of_version_1(data: bytes) -> NeedMore:
    if len(data) >= V1_OCTETS:
        raise BadProxyHeader(f"version 1 without CRLF in its first {V1_OCTETS} octets")
    if data.endswith(b"\r"):
        return NeedMore(1)
    missing = 0 if data.startswith(b"PROXY U") else max(0, _V1_BLANKS - data.count(b" "))
    # Each missing word takes a blank and at least one character, the end of the line two octets.
    return NeedMore(min(2 * missing + 2, V1_OCTETS - len(data)))


def _text_v4(word: bytes) -> IPv4Address:
    try:
        return IPv4Address(word.decode("ascii"))
    except ValueError as error:
        raise BadProxyHeader("TCP4 wants IPv4 addresses") from error


def _text_v6(word: bytes) -> IPv6Address:
    try:
        address = IPv6Address(word.decode("ascii"))
    except ValueError as error:
        raise BadProxyHeader("TCP6 wants IPv6 addresses") from error
    if address.scope_id is not None:
        raise BadProxyHeader("TCP6 wants addresses without a scope")
    return address


def _check_port(word: bytes) -> None:
    # §2.1: decimal, 0 to 65535, no leading zeros.
    if not word.isdigit() or len(word) > 5 or int(word) > 65535 or str(int(word)).encode() != word:
        raise BadProxyHeader("a port of version 1 is not a number from 0 to 65535")


_V1_ADDRESSES: dict[bytes, Callable[[bytes], IPv4Address | IPv6Address]] = {b"TCP4": _text_v4, b"TCP6": _text_v6}


# --- version 2: binary (§2.2) --------------------------------------------------------------------------------------


def _version_2(data: bytes) -> NeedMore | ProxyHeader:
    if len(data) < _V2_FIXED_OCTETS:
        return NeedMore(_V2_FIXED_OCTETS - len(data))
    whole = _V2_FIXED_OCTETS + int.from_bytes(data[14:16], "big")
    if len(data) < whole:
        return NeedMore(whole - len(data))
    if len(data) > whole:
        raise BadProxyHeader("there is more than the header of version 2")
    command, family = data[12], data[13]
    # §2.2: LOCAL keeps the socket's addresses and the rest of the block is ignored, its family too.
    if command == _LOCAL:
        return ProxyHeader(None)
    if command != _PROXY:
        raise BadProxyHeader("version 2 knows the commands LOCAL and PROXY alone")
    tlvs = _V2_FIXED_OCTETS + _address_octets(family)
    if whole < tlvs:
        raise BadProxyHeader("version 2 announces fewer octets than its addresses take")
    return ProxyHeader(_binary_source(data, family), _read_tlvs(data, tlvs))


def _address_octets(family: int) -> int:
    try:
        return _ADDRESS_OCTETS[family]
    except KeyError:
        raise BadProxyHeader(f"version 2 with the unknown family 0x{family:02x}") from None


def _binary_source(data: bytes, family: int) -> str | None:
    if family == _TCP4:
        return _plain(IPv4Address(data[16:20]))
    if family == _TCP6:
        return _plain(IPv6Address(data[16:32]))
    return None


def _read_tlvs(data: bytes, offset: int) -> str | None:
    """Check the TLVs that have a rule, skip the others, and return the version of the client's TLS."""
    tls = None
    for kind, value, end in _tlvs(data, offset, len(data)):
        if kind == _TLV_CRC32C:
            _check_crc32c(data, value, end)
        elif kind == _TLV_UNIQUE_ID and end - value > _UNIQUE_ID_OCTETS:
            raise BadProxyHeader(f"a unique id of version 2 has at most {_UNIQUE_ID_OCTETS} octets")
        elif kind == _TLV_SSL:
            tls = _client_tls(data, value, end)
    return tls


def _tlvs(data: bytes, offset: int, whole: int) -> Iterator[tuple[int, int, int]]:
    """Yield type, start and end of each TLV (§2.2.1): a type, a length in two octets, and so many octets."""
    while offset < whole:
        value = offset + _TLV_HEAD_OCTETS
        end = value + int.from_bytes(data[offset + 1 : value], "big")
        if max(value, end) > whole:
            raise BadProxyHeader("a TLV of version 2 is cut short")
        yield data[offset], value, end
        offset = end


def _client_tls(data: bytes, start: int, end: int) -> str | None:
    """Return the version of TLS by which the client came; None where it came in clear (§2.2.6)."""
    if end - start < _SSL_FIXED_OCTETS:
        raise BadProxyHeader("the TLV of TLS is cut short")
    found = _SSL_UNNAMED
    for kind, value, last in _tlvs(data, start + _SSL_FIXED_OCTETS, end):
        if kind == _SSL_VERSION and data[value:last] in _SSL_VERSIONS:
            found = data[value:last].decode("ascii")
    return found if data[start] & _SSL_CLIENT else None


def _check_crc32c(data: bytes, start: int, end: int) -> None:
    """Check the sum over the whole header, with zeros for the four octets of the sum itself (§2.2.3)."""
    zeros = bytes(_CRC32C_OCTETS)
    if end - start != _CRC32C_OCTETS or crc32c(data[:start] + zeros + data[end:]) != int.from_bytes(
        data[start:end], "big"
    ):
        raise BadProxyHeader("the CRC32C of version 2 is wrong")


def _plain(address: IPv4Address | IPv6Address) -> str:
    """Return the one text of an address. An IPv4 address in an IPv6 one is written as IPv4."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


# --- CRC32C (RFC 3720 appendix B.4) --------------------------------------------------------------------------------


def _crc_of_octet(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value


_CRC_TABLE = tuple(_crc_of_octet(octet) for octet in range(256))


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for octet in data:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ octet) & 0xFF]
    return crc ^ 0xFFFFFFFF
