"""What a client offers is read from its first octets, whole or in part, and nonsense is no version."""

from __future__ import annotations

import ssl
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstore.wire.client_hello import is_clear_text, newest_version
from tests.listener.tls_records import ECDHE_CBC, HANDSHAKE_RECORD, TLS_1_0, TLS_1_1, TLS_1_2, old_hello

SSL_3 = 0x0300
# RFC 6101 §E.2: a hello that SSL 2 understands, from a client that knows TLS 1.0. One cipher of three octets.
SSL_2_HELLO = bytes.fromhex("801c010301000300000010000004") + bytes(16)


def of_openssl(newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> bytes:
    """The ClientHello of OpenSSL's client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.maximum_version = newest
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


def with_versions(*versions: int) -> bytes:
    """A hello of today's form, version 1.2 in its own field, that lists these (RFC 8446 §4.2.1)."""
    listed = b"".join(struct.pack(">H", version) for version in versions)
    extension = struct.pack(">HHB", 43, len(listed) + 1, len(listed)) + listed
    body = struct.pack(">H32sB", TLS_1_2, bytes(32), 0) + struct.pack(">HH", 2, ECDHE_CBC) + b"\x01\0"
    body += struct.pack(">H", len(extension)) + extension
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return struct.pack(">BHH", HANDSHAKE_RECORD, TLS_1_0, len(message)) + message


@pytest.mark.parametrize(
    ("hello", "version"),
    [
        (old_hello(SSL_3, (ECDHE_CBC,)), "SSL 3.0"),
        (old_hello(TLS_1_0, (ECDHE_CBC,)), "TLS 1.0"),
        (old_hello(TLS_1_1, (ECDHE_CBC,)), "TLS 1.1"),
        (old_hello(TLS_1_2, (ECDHE_CBC,)), "TLS 1.2"),
        (with_versions(TLS_1_1, TLS_1_0), "TLS 1.1"),
        (with_versions(0x7A7A, 0x0304, TLS_1_2), "TLS 1.3"),
        (with_versions(0x7A7A), None),
        (SSL_2_HELLO, "TLS 1.0"),
        (of_openssl(), "TLS 1.3"),
        (of_openssl(ssl.TLSVersion.TLSv1_2), "TLS 1.2"),
    ],
)
def test_the_newest_version_that_is_offered_is_told(hello: bytes, version: str | None) -> None:
    assert newest_version(hello) == version


def test_a_hello_in_many_small_records_is_read_as_one() -> None:
    message = with_versions(TLS_1_1)[5:]
    records = [struct.pack(">BHH", HANDSHAKE_RECORD, TLS_1_0, 1) + message[at : at + 1] for at in range(len(message))]
    assert newest_version(b"".join(records)) == "TLS 1.1"


def test_of_a_part_of_a_hello_its_own_version_is_told_once_it_is_there() -> None:
    hello = old_hello(TLS_1_1, (ECDHE_CBC,))
    told = [newest_version(hello[:octets]) for octets in range(len(hello) + 1)]
    assert told == [None] * 11 + ["TLS 1.1"] * (len(hello) - 10)


@pytest.mark.parametrize("data", [b"", b"\x16", b"USER ann\r\n", b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", b"\x80\x00"])
def test_what_is_no_hello_has_no_version(data: bytes) -> None:
    assert newest_version(data) is None


@pytest.mark.parametrize("data", [b"CAPA\r\n", b"user ann\r\n", b"QUIT"])
def test_a_command_is_clear_text(data: bytes) -> None:
    assert is_clear_text(data)


@pytest.mark.parametrize("data", [b"", old_hello(TLS_1_0, (ECDHE_CBC,)), SSL_2_HELLO, of_openssl()])
def test_a_hello_of_whatever_age_is_no_clear_text(data: bytes) -> None:
    assert not is_clear_text(data)


@given(st.binary(max_size=200))
def test_no_octets_behind_the_head_of_a_hello_do_harm(rest: bytes) -> None:
    newest_version(b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + bytes(32) + rest)
