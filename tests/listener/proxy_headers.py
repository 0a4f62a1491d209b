"""PROXY headers as a balancer makes them; no test of its own."""

from __future__ import annotations

import ipaddress
import struct

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = 0x20, 0x21
TCP4, TCP6 = 0x11, 0x21


def version_1(client: str) -> bytes:
    family = "TCP6" if ":" in client else "TCP4"
    return f"PROXY {family} {client} {client} 50000 110\r\n".encode()


def version_2(client: str, tlvs: bytes = b"") -> bytes:
    address = ipaddress.ip_address(client).packed
    rest = address * 2 + struct.pack(">HH", 50000, 110) + tlvs
    family = TCP6 if ":" in client else TCP4
    return SIGNATURE + struct.pack(">BBH", PROXY, family, len(rest)) + rest


def health_check() -> bytes:
    """LOCAL: the balancer speaks for itself."""
    return SIGNATURE + struct.pack(">BBH", LOCAL, 0, 0)


def tls_tlv(version: str, *, client: int = 1) -> bytes:
    """What HAProxy's `send-proxy-v2-ssl` adds (§2.2.6): how the client came, and by which version of TLS."""
    named = struct.pack(">BH", 0x21, len(version)) + version.encode()
    value = struct.pack(">BI", client, 0) + named
    return struct.pack(">BH", 0x20, len(value)) + value
