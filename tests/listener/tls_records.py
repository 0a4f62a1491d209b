"""TLS ClientHello and alert records that OpenSSL does not make, as octets; no test of its own."""

from __future__ import annotations

import struct

ALERT_RECORD, HANDSHAKE_RECORD = 0x15, 0x16
FATAL, HANDSHAKE_FAILURE, PROTOCOL_VERSION = 2, 40, 70  # RFC 8446 §6
TLS_1_0, TLS_1_1, TLS_1_2 = 0x0301, 0x0302, 0x0303
ECDHE_CBC, RSA_CBC = 0xC013, 0x002F  # cipher suites: one for any version, one without forward secrecy


def old_hello(version: int, ciphers: tuple[int, ...]) -> bytes:
    """A ClientHello without extensions (RFC 4346 §7.4.1.2): no OpenSSL of today makes one of TLS 1.1."""
    suites = b"".join(struct.pack(">H", cipher) for cipher in ciphers)
    body = struct.pack(">H32sB", version, bytes(32), 0) + struct.pack(">H", len(suites)) + suites + b"\x01\0"
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return struct.pack(">BHH", HANDSHAKE_RECORD, TLS_1_0, len(message)) + message


def fatal_alert(version: int, description: int) -> bytes:
    """The record of one alert (RFC 8446 §6)."""
    return struct.pack(">BHHBB", ALERT_RECORD, version, 2, FATAL, description)
