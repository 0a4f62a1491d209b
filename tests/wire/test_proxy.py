"""The PROXY header: every vector of its specification, and that nothing behind it is ever read."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstore.wire.proxy import BadProxyHeader, NeedMore, ProxyHeader, crc32c, parse

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V4 = IPv4Address("192.0.2.1").packed + IPv4Address("192.0.2.2").packed + b"\x30\x39\x00\x6e"
V6 = IPv6Address("2001:db8::1").packed + IPv6Address("2001:db8::2").packed + b"\x30\x39\x00\x6e"


def version_2(
    addresses: bytes = V4, *, command: int = 0x21, family: int = 0x11, tlvs: bytes = b"", announced: int | None = None
) -> bytes:
    block = addresses + tlvs
    length = len(block) if announced is None else announced
    return SIGNATURE + bytes([command, family]) + length.to_bytes(2, "big") + block


def tlv(kind: int, value: bytes) -> bytes:
    return bytes([kind]) + len(value).to_bytes(2, "big") + value


def with_crc(tlvs: bytes = b"", *, damage: int = 0) -> bytes:
    blank = version_2(tlvs=tlvs + tlv(3, bytes(4)))
    return version_2(tlvs=tlvs + tlv(3, (crc32c(blank) ^ damage).to_bytes(4, "big")))


def read(stream: bytes) -> tuple[ProxyHeader, bytes]:
    """Read as a listener does: exactly what is asked for. Return the header and what was left alone."""
    taken = b""
    while isinstance(step := parse(taken), NeedMore):
        assert step.octets > 0
        assert len(taken) < len(stream), "more was asked for than the header has"
        taken = stream[: len(taken) + step.octets]
    return step, stream[len(taken) :]


ALL_ONES = b":".join([b"ffff"] * 8)
BEHIND = b"USER anna\r\n\x16\x03\x01"


@pytest.mark.req("P-181")
@pytest.mark.parametrize(
    ("line", "source"),
    [
        (b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535", "255.255.255.255"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 0 1", "192.0.2.1"),
        (b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2", "1.1.1.1"),
        (b"PROXY TCP6 2001:db8::1 2001:DB8::2 1 2", "2001:db8::1"),
        (b"PROXY TCP6 :: :: 1 2", "::"),
        (b"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2", "192.0.2.1"),
        (b"PROXY TCP6 " + ALL_ONES + b" " + ALL_ONES + b" 65535 65535", ALL_ONES.decode()),
        (b"PROXY UNKNOWN", None),
        (b"PROXY UNKNOWN ffff::1 whatever it says 65535", None),
        (b"PROXY UNKNOWN " + b"x" * (107 - 16), None),
    ],
)
def test_a_line_of_version_1_names_the_source_and_leaves_what_follows(line: bytes, source: str | None) -> None:
    assert read(line + b"\r\n" + BEHIND) == (ProxyHeader(source), BEHIND)


@pytest.mark.req("P-181")
@pytest.mark.parametrize(
    "line",
    [
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n",
        b"proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
        b"PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n",
        b"PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n",
        b"PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n",
        b"PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
        b"PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
        b"PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 02\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 100000\r\n",
        b"PROXY TCP4 192.0.2.1\0 192.0.2.2 1 2\r\n",
        b"PROXY TCP4 \xd9\xa1.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY UNKNOWNX\r\n",
        b"PROXY \r\n",
        b"PROXY UNKNOWN " + b"x" * (108 - 16) + b"\r\n",
        b"PROXY TCP4 " + b"1" * 200,
        b"PROXY UNKNOWN " + b"x" * 200,
    ],
)
def test_any_other_line_of_version_1_is_refused(line: bytes) -> None:
    with pytest.raises(BadProxyHeader):
        read(line + b"\r\n" + BEHIND * 30)


@pytest.mark.parametrize("data", [b"S", b"STAT\r\n", b"\x16\x03", b"PROXX", b"\r\n\r\nQ", b"\r\n\r\n\0\r\nQUIT\r"])
def test_what_cannot_become_a_header_is_refused_at_once(data: bytes) -> None:
    with pytest.raises(BadProxyHeader):
        parse(data)


@pytest.mark.req("P-182")
@pytest.mark.parametrize(
    ("header", "source"),
    [
        (version_2(), "192.0.2.1"),
        (version_2(V6, family=0x21), "2001:db8::1"),
        (version_2(IPv6Address("::ffff:192.0.2.9").packed + V6[16:], family=0x21), "192.0.2.9"),
        (version_2(bytes(216), family=0x31), None),
        (version_2(b"", family=0), None),
        (version_2(b"", family=0, tlvs=tlv(4, bytes(9))), None),
        (version_2(b"", command=0x20, family=0), None),
        (version_2(V4, command=0x20), None),
        (version_2(b"junk", command=0x20, family=0x77), None),
        (version_2(tlvs=tlv(4, b"") + tlv(2, b"pop.example.org") + tlv(0xE0, bytes(300))), "192.0.2.1"),
        (version_2(tlvs=tlv(5, bytes(128))), "192.0.2.1"),
        (version_2(tlvs=tlv(4, bytes(65535 - 12 - 3))), "192.0.2.1"),
        (with_crc(), "192.0.2.1"),
        (with_crc(tlv(2, b"name") + tlv(4, b"pad")), "192.0.2.1"),
    ],
)
def test_a_header_of_version_2_names_the_source_and_leaves_what_follows(header: bytes, source: str | None) -> None:
    assert read(header + BEHIND) == (ProxyHeader(source), BEHIND)


@pytest.mark.req("P-182")
@pytest.mark.parametrize(
    "header",
    [
        version_2(command=0x11),
        version_2(command=0x22),
        version_2(command=0x31),
        version_2(family=0x12),
        version_2(family=0x41),
        version_2(family=0x01),
        version_2(V4[:11]),
        version_2(V4, family=0x21),
        version_2(bytes(215), family=0x31),
        version_2(tlvs=b"\x04\x00"),
        version_2(tlvs=b"\x04\x00\x05abc"),
        version_2(tlvs=tlv(5, bytes(129))),
        version_2(tlvs=tlv(3, bytes(4))),
        version_2(tlvs=tlv(3, bytes(3))),
        with_crc(damage=1),
    ],
)
def test_any_other_header_of_version_2_is_refused(header: bytes) -> None:
    with pytest.raises(BadProxyHeader):
        read(header + BEHIND)


@pytest.mark.req("P-181")
def test_a_line_of_version_1_has_107_octets_at_most_also_when_it_comes_at_once() -> None:
    assert parse(b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n") == ProxyHeader(None)
    with pytest.raises(BadProxyHeader):
        parse(b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n")


@pytest.mark.req("P-182")
def test_octets_behind_the_announced_length_do_not_belong_to_the_header() -> None:
    with pytest.raises(BadProxyHeader):
        parse(version_2() + b"x")
    assert parse(version_2(announced=200)) == NeedMore(188)


def test_crc32c_is_castagnolis() -> None:
    # RFC 3720 appendix B.4, and the check value of the catalogues.
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E


@pytest.mark.req("P-181")
@pytest.mark.req("P-182")
@given(st.ip_addresses(), st.integers(0, 65535), st.integers(0, 65535), st.binary(max_size=40), st.binary(max_size=20))
def test_a_header_that_was_built_is_read_back(
    address: object, source_port: int, port: int, noise: bytes, rest: bytes
) -> None:
    other = "192.0.2.2" if isinstance(address, IPv4Address) else "2001:db8::2"
    word = "TCP4" if isinstance(address, IPv4Address) else "TCP6"
    line = f"PROXY {word} {address} {other} {source_port} {port}\r\n".encode()
    packed = address.packed + (V4[4:] if word == "TCP4" else V6[16:])
    binary = version_2(packed, family=0x11 if word == "TCP4" else 0x21, tlvs=tlv(4, noise))
    mapped = getattr(address, "ipv4_mapped", None)
    for header in (line, binary):
        assert read(header + rest) == (ProxyHeader(str(mapped or address)), rest)


# --- TLS that ended in the proxy (§2.2.6) --------------------------------------------------------------------------


def tls(*inner: bytes, client: int = 1) -> bytes:
    return tlv(0x20, bytes([client]) + bytes(4) + b"".join(inner))


@pytest.mark.req("P-185")
@pytest.mark.parametrize(
    ("tlvs", "version"),
    [
        (tls(tlv(0x21, b"TLSv1.3")), "TLSv1.3"),
        (tls(tlv(0x22, b"client.example"), tlv(0x21, b"TLSv1.2"), tlv(0x23, b"ECDHE")), "TLSv1.2"),
        (tls(tlv(0x21, b"TLSv1.3"), client=0x07), "TLSv1.3"),
        (tlv(0x02, b"mail.example.org") + tls(tlv(0x21, b"TLSv1.3")) + tlv(0x04, b"xx"), "TLSv1.3"),
        (tls(), "TLS"),
        (tls(tlv(0x21, b"TLSv9\r\nforged")), "TLS"),
        (tls(tlv(0x21, b"TLSv1.3"), client=0), None),
        (tls(tlv(0x21, b"TLSv1.3"), client=0x06), None),
        (tlv(0x02, b"mail.example.org"), None),
        (tlv(0xE0, b"\x01\0\0\0\0" + tlv(0x21, b"TLSv1.3")), None),
    ],
)
def test_the_version_of_the_clients_tls_is_read_where_the_flag_says_that_there_was_some(
    tlvs: bytes, version: str | None
) -> None:
    header, rest = read(version_2(tlvs=tlvs) + BEHIND)
    assert (header, rest) == (ProxyHeader("192.0.2.1", version), BEHIND)


@pytest.mark.req("P-185")
def test_a_proxy_that_speaks_for_itself_says_nothing_of_a_clients_tls() -> None:
    header, _ = read(version_2(command=0x20, tlvs=tls(tlv(0x21, b"TLSv1.3"))))
    assert header == ProxyHeader(None)


@pytest.mark.req("P-182")
@pytest.mark.req("P-185")
@pytest.mark.parametrize(
    "tlvs",
    [
        tlv(0x20, b""),
        tlv(0x20, b"\x01\0\0\0"),
        tls(b"\x21"),
        tls(b"\x21\0\x08TLSv1.3"),
        tls(b"\x21\0\x09TLSv1.3") + tlv(0x04, b"xxxxxxxx"),
    ],
)
def test_a_tlv_of_tls_that_is_cut_short_is_refused(tlvs: bytes) -> None:
    with pytest.raises(BadProxyHeader):
        read(version_2(tlvs=tlvs))
